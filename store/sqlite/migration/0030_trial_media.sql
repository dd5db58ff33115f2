-- Photos of test records, which go with them.
CREATE TABLE trial_media (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  hash TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (operation, form, id, name),
  FOREIGN KEY (operation, form, id) REFERENCES trial (operation, form, id)
);
