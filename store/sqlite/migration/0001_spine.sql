-- The spine: forms, devices, submissions, imported history, users, the log.
-- Ids are text, times are RFC 3339 text in UTC with milliseconds, JSON is text.
-- Every key begins with operation, so that the tables could be distributed.

CREATE TABLE event (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (operation, seq)
) WITHOUT ROWID;

CREATE TABLE form (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  seq INTEGER NOT NULL,
  title TEXT NOT NULL,
  hash TEXT NOT NULL,
  published TEXT NOT NULL,
  xform BLOB NOT NULL,
  source BLOB NOT NULL,
  source_name TEXT NOT NULL,
  PRIMARY KEY (operation, id, version)
);

CREATE INDEX form_current ON form (operation, id, seq);

CREATE TABLE form_media (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  version TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  hash TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (operation, form, version, name),
  FOREIGN KEY (operation, form, version) REFERENCES form (operation, id, version)
);

CREATE TABLE device (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  point TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created TEXT NOT NULL,
  revoked TEXT,
  last_seen TEXT,
  PRIMARY KEY (operation, id)
);

CREATE UNIQUE INDEX device_token ON device (operation, token_hash);

-- A revoked device's name may be given again.
CREATE UNIQUE INDEX device_name ON device (operation, name) WHERE revoked IS NULL;

CREATE TABLE submission (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  form TEXT NOT NULL,
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  device_id TEXT NOT NULL,
  received TEXT NOT NULL,
  deprecates TEXT NOT NULL,
  state TEXT NOT NULL,
  flags TEXT NOT NULL,
  expected TEXT NOT NULL,
  xml BLOB NOT NULL,
  PRIMARY KEY (operation, id)
);

-- Lists are newest first; each filter has the order in its index.
CREATE UNIQUE INDEX submission_seq ON submission (operation, seq);
CREATE INDEX submission_form ON submission (operation, form, seq);
CREATE INDEX submission_device ON submission (operation, device, seq);
CREATE INDEX submission_state ON submission (operation, state, seq);

-- An instance is replaced once; the replacement may itself be replaced.
CREATE UNIQUE INDEX submission_deprecates ON submission (operation, deprecates) WHERE deprecates <> '';

CREATE TABLE attachment (
  operation TEXT NOT NULL,
  submission TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, submission, name),
  FOREIGN KEY (operation, submission) REFERENCES submission (operation, id)
);

-- What was refused because its id was taken: kept for a person to compare.
CREATE TABLE submission_conflict (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  form TEXT NOT NULL,
  version TEXT NOT NULL,
  device TEXT NOT NULL,
  device_id TEXT NOT NULL,
  received TEXT NOT NULL,
  deprecates TEXT NOT NULL,
  expected TEXT NOT NULL,
  attachments TEXT NOT NULL,
  xml BLOB NOT NULL,
  PRIMARY KEY (operation, id, hash)
);

CREATE TABLE chunk (
  operation TEXT NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL,
  file TEXT NOT NULL,
  file_hash TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  imported TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (operation, hash)
);

CREATE UNIQUE INDEX chunk_seq ON chunk (operation, seq);

CREATE TABLE staff (
  operation TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'supervisor', 'enumerator', 'partner')),
  password_hash TEXT NOT NULL,
  created TEXT NOT NULL,
  disabled TEXT,
  PRIMARY KEY (operation, email)
);

-- What was received or logged does not change, whoever asks.
CREATE TRIGGER event_not_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'entries of the log are immutable'); END;

CREATE TRIGGER event_not_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'entries of the log are immutable'); END;

CREATE TRIGGER submission_not_changed
BEFORE UPDATE OF operation, id, seq, form, version, device, device_id, received, deprecates, xml ON submission
BEGIN SELECT RAISE(ABORT, 'received submissions are immutable'); END;

CREATE TRIGGER submission_not_deleted BEFORE DELETE ON submission
BEGIN SELECT RAISE(ABORT, 'received submissions are immutable'); END;

CREATE TRIGGER conflict_not_changed BEFORE UPDATE ON submission_conflict
BEGIN SELECT RAISE(ABORT, 'refused submissions are immutable'); END;

CREATE TRIGGER conflict_not_deleted BEFORE DELETE ON submission_conflict
BEGIN SELECT RAISE(ABORT, 'refused submissions are immutable'); END;

CREATE TRIGGER chunk_not_changed BEFORE UPDATE ON chunk
BEGIN SELECT RAISE(ABORT, 'imported rows are immutable'); END;

CREATE TRIGGER chunk_not_deleted BEFORE DELETE ON chunk
BEGIN SELECT RAISE(ABORT, 'imported rows are immutable'); END;

CREATE TRIGGER form_not_changed BEFORE UPDATE ON form
BEGIN SELECT RAISE(ABORT, 'published forms are immutable'); END;
