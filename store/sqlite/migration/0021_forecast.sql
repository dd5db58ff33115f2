-- Forecasts as they were published, to be held against what came.

CREATE TABLE forecast (
  operation TEXT NOT NULL,
  step TEXT NOT NULL,
  origin TEXT NOT NULL,
  series_by TEXT NOT NULL,
  series_key TEXT NOT NULL,
  target TEXT NOT NULL,
  ahead INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  made TEXT NOT NULL,
  data_release TEXT NOT NULL,
  model TEXT NOT NULL,
  form TEXT NOT NULL,
  mean REAL NOT NULL,
  lo80 REAL NOT NULL,
  hi80 REAL NOT NULL,
  lo95 REAL NOT NULL,
  hi95 REAL NOT NULL,
  PRIMARY KEY (operation, step, origin, series_by, series_key, target)
) WITHOUT ROWID;

CREATE TRIGGER forecast_not_changed BEFORE UPDATE ON forecast
BEGIN SELECT RAISE(ABORT, 'forecasts are immutable'); END;

CREATE TRIGGER forecast_not_deleted BEFORE DELETE ON forecast
BEGIN SELECT RAISE(ABORT, 'forecasts are immutable'); END;
