-- Wrong tries at a door are counted for all servers on the store, and across restarts.
-- Keys say account and network address, and are kept hashed.
CREATE TABLE tries (
  operation TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  failures INTEGER NOT NULL,
  failed TEXT NOT NULL,
  succeeded TEXT NOT NULL,
  until TEXT NOT NULL,
  PRIMARY KEY (operation, key_hash)
);

CREATE INDEX tries_until ON tries (operation, until);

-- What is good once and was used.
CREATE TABLE spent (
  operation TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  until TEXT NOT NULL,
  PRIMARY KEY (operation, token_hash)
);

CREATE INDEX spent_until ON spent (operation, until);
