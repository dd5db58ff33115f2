-- What people write about access in an emergency may name somebody: it is sealed under
-- the key of the person that the referral is about. The columns reason and verdict stay
-- empty from here on.
ALTER TABLE glass ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE glass ADD COLUMN words BLOB;
ALTER TABLE glass ADD COLUMN said BLOB;

-- Signed heads of the log. Those kept elsewhere tell of a log that was cut or written
-- anew; these tell which entry was changed and that it was not this program's key.
CREATE TABLE checkpoint (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (operation, seq)
);
