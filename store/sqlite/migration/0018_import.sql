-- Files of history as they were read, and those that were taken back. The rows
-- themselves (chunk) are never changed: facts are made without withdrawn ones.
CREATE TABLE import (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  file TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  outcome TEXT NOT NULL, -- JSON: what became of the rows
  PRIMARY KEY (operation, seq)
) WITHOUT ROWID;

CREATE TABLE import_withdrawal (
  operation TEXT NOT NULL,
  import INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (operation, import)
) WITHOUT ROWID;

CREATE TABLE chunk_withdrawal (
  operation TEXT NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  restored INTEGER NOT NULL DEFAULT 0, -- event by which the same rows came again
  PRIMARY KEY (operation, hash, seq)
) WITHOUT ROWID;

CREATE TRIGGER import_not_changed BEFORE UPDATE ON import
BEGIN SELECT RAISE(ABORT, 'imports are immutable'); END;

CREATE TRIGGER import_not_deleted BEFORE DELETE ON import
BEGIN SELECT RAISE(ABORT, 'imports are immutable'); END;

CREATE TRIGGER import_withdrawal_not_deleted BEFORE DELETE ON import_withdrawal
BEGIN SELECT RAISE(ABORT, 'what was taken back stays told'); END;

CREATE TRIGGER chunk_withdrawal_not_deleted BEFORE DELETE ON chunk_withdrawal
BEGIN SELECT RAISE(ABORT, 'what was taken back stays told'); END;
