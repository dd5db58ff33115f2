-- Frozen releases of months, and what was decided of them: nothing in either table
-- changes. loaded is the last event whose facts are in the release.

CREATE TABLE release (
  operation TEXT NOT NULL,
  month TEXT NOT NULL,
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  loaded INTEGER NOT NULL,
  loaded_hash TEXT NOT NULL,
  loaded_at TEXT NOT NULL,
  created TEXT NOT NULL,
  creator TEXT NOT NULL,
  note TEXT NOT NULL,
  program TEXT NOT NULL,
  manifest BLOB NOT NULL,
  manifest_hash TEXT NOT NULL,
  parts TEXT NOT NULL,
  PRIMARY KEY (operation, month, n)
);

CREATE TABLE release_state (
  operation TEXT NOT NULL,
  month TEXT NOT NULL,
  n INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'published', 'withdrawn')),
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (operation, month, n, seq),
  FOREIGN KEY (operation, month, n) REFERENCES release (operation, month, n)
);

CREATE TRIGGER release_not_changed BEFORE UPDATE ON release
BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;

CREATE TRIGGER release_not_deleted BEFORE DELETE ON release
BEGIN SELECT RAISE(ABORT, 'releases are immutable'); END;

CREATE TRIGGER release_state_not_changed BEFORE UPDATE ON release_state
BEGIN SELECT RAISE(ABORT, 'decisions on releases are immutable'); END;

CREATE TRIGGER release_state_not_deleted BEFORE DELETE ON release_state
BEGIN SELECT RAISE(ABORT, 'decisions on releases are immutable'); END;
