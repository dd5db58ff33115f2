-- Counts of people by month that others made and published where this operation does
-- not count.
CREATE TABLE outside (
  operation TEXT NOT NULL,
  series TEXT NOT NULL,
  month TEXT NOT NULL, -- 2020-07
  place TEXT NOT NULL, -- '' of the whole
  people INTEGER NOT NULL,
  source TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, series, month, place)
) WITHOUT ROWID;

CREATE INDEX outside_seq ON outside (operation, seq);
