-- Sessions of the API, what people say of submissions, drafts of forms.

CREATE TABLE session (
  operation TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  email TEXT NOT NULL,
  csrf TEXT NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL,
  PRIMARY KEY (operation, token_hash)
);

CREATE INDEX session_expires ON session (operation, expires);

CREATE TABLE submission_comment (
  operation TEXT NOT NULL,
  submission TEXT NOT NULL,
  seq INTEGER NOT NULL,
  actor TEXT NOT NULL,
  created TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (operation, submission, seq),
  FOREIGN KEY (operation, submission) REFERENCES submission (operation, id)
);

CREATE TABLE draft (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  version TEXT NOT NULL,
  title TEXT NOT NULL,
  hash TEXT NOT NULL,
  xform BLOB NOT NULL,
  source BLOB NOT NULL,
  source_name TEXT NOT NULL,
  token TEXT NOT NULL,
  created TEXT NOT NULL,
  updated TEXT NOT NULL,
  PRIMARY KEY (operation, form)
);

CREATE UNIQUE INDEX draft_token ON draft (operation, token);

CREATE TABLE draft_media (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  hash TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (operation, form, name),
  FOREIGN KEY (operation, form) REFERENCES draft (operation, form)
);
