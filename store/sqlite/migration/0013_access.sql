-- Who a user works for; invitations, second factors, identities of sign-on elsewhere.
-- Tokens are kept as their SHA-256, secrets sealed by the key that lies apart.

-- Roles are the program's to know: the table takes any. Sessions begun before
-- sessions_after are void.
CREATE TABLE user (
  operation TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  partner TEXT NOT NULL DEFAULT '',
  desk TEXT NOT NULL DEFAULT '',
  password_hash TEXT NOT NULL,
  created TEXT NOT NULL,
  disabled TEXT,
  sessions_after TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (operation, email)
);

INSERT INTO user (operation, email, role, password_hash, created, disabled)
SELECT operation, email, role, password_hash, created, disabled
FROM staff;

DROP TABLE staff;
ALTER TABLE user RENAME TO staff;

-- When the second factor was given, and when the user last proved who they are.
ALTER TABLE session ADD COLUMN second TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN proved TEXT NOT NULL DEFAULT '';

CREATE TABLE invitation (
  operation TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  partner TEXT NOT NULL,
  desk TEXT NOT NULL,
  inviter TEXT NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL,
  PRIMARY KEY (operation, token_hash)
);

CREATE INDEX invitation_email ON invitation (operation, email);

CREATE TABLE factor (
  operation TEXT NOT NULL,
  email TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  secret BLOB NOT NULL,
  step INTEGER NOT NULL,
  created TEXT NOT NULL,
  used TEXT,
  PRIMARY KEY (operation, email, id)
);

CREATE TABLE identity (
  operation TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  email TEXT NOT NULL,
  created TEXT NOT NULL,
  PRIMARY KEY (operation, issuer, subject)
);
