-- How many people programmes can serve in a month, as it was declared.

CREATE TABLE capacity (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  programme TEXT NOT NULL,
  from_day TEXT NOT NULL,
  people INTEGER NOT NULL,
  note TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (operation, seq)
) WITHOUT ROWID;

CREATE TRIGGER capacity_not_changed BEFORE UPDATE ON capacity
BEGIN SELECT RAISE(ABORT, 'declarations are immutable'); END;

CREATE TRIGGER capacity_not_deleted BEFORE DELETE ON capacity
BEGIN SELECT RAISE(ABORT, 'declarations are immutable'); END;
