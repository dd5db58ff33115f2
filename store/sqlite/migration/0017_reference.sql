-- Figures that were published outside this program, which the records should give too.
CREATE TABLE reference (
  operation TEXT NOT NULL,
  indicator TEXT NOT NULL,
  first_day TEXT NOT NULL,
  end_day TEXT NOT NULL, -- not included
  source TEXT NOT NULL,
  value REAL NOT NULL,
  decimals INTEGER NOT NULL,
  at_least INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, first_day, indicator, end_day, source)
) WITHOUT ROWID;

CREATE INDEX reference_seq ON reference (operation, seq);
