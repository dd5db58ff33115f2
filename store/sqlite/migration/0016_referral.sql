-- Persons, referrals, desks, consents, notes. What tells who somebody is is sealed
-- under a key of that person, which lies in another file.

CREATE TABLE person (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  created TEXT NOT NULL,
  sex TEXT NOT NULL,
  age TEXT NOT NULL,
  merged_into TEXT NOT NULL DEFAULT '',
  restricted INTEGER NOT NULL DEFAULT 0,
  erased TEXT,
  version INTEGER NOT NULL,
  PRIMARY KEY (operation, id)
);

CREATE TABLE person_field (
  operation TEXT NOT NULL,
  person TEXT NOT NULL,
  field TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (operation, person, field)
) WITHOUT ROWID;

-- Keyed digests of what is searched for: equal values are found, none is read.
CREATE TABLE person_mark (
  operation TEXT NOT NULL,
  kind TEXT NOT NULL,
  mark BLOB NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (operation, kind, mark, person)
) WITHOUT ROWID;

CREATE INDEX person_mark_of ON person_mark (operation, person);

-- Candidates that somebody found to be two persons; a < b.
CREATE TABLE person_apart (
  operation TEXT NOT NULL,
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, a, b)
) WITHOUT ROWID;

-- The numbers by which agencies know persons.
CREATE TABLE person_number (
  operation TEXT NOT NULL,
  partner TEXT NOT NULL,
  number TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (operation, partner, number)
) WITHOUT ROWID;

-- Who opened what of whom.
CREATE TABLE person_read (
  operation TEXT NOT NULL,
  person TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  groups TEXT NOT NULL,
  purpose TEXT NOT NULL,
  PRIMARY KEY (operation, person, seq)
) WITHOUT ROWID;

-- A submission as it came, where its form asks who somebody is; the table submission
-- has it without those answers. mark tells repeats from other content.
CREATE TABLE submission_sealed (
  operation TEXT NOT NULL,
  submission TEXT NOT NULL,
  hash TEXT NOT NULL,
  person TEXT NOT NULL,
  mark BLOB NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (operation, submission, mark)
);

CREATE TABLE desk (
  operation TEXT NOT NULL,
  code TEXT NOT NULL,
  programme TEXT NOT NULL,
  partner TEXT NOT NULL,
  entry TEXT NOT NULL,
  capacity INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  paused TEXT NOT NULL DEFAULT '',
  until TEXT,
  verified TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL,
  PRIMARY KEY (operation, code)
);

CREATE TABLE referral (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  number TEXT NOT NULL,
  seq INTEGER NOT NULL,
  person TEXT NOT NULL,
  submission TEXT NOT NULL,
  device TEXT NOT NULL,
  point TEXT NOT NULL,
  programme TEXT NOT NULL,
  desk TEXT NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  reason TEXT NOT NULL,
  priority TEXT NOT NULL,
  guarded INTEGER NOT NULL,
  escalation INTEGER NOT NULL,
  captured TEXT NOT NULL,
  received TEXT NOT NULL,
  sent TEXT,
  acknowledged TEXT,
  answered TEXT,
  started TEXT,
  ended TEXT,
  changed TEXT NOT NULL,
  replaces TEXT NOT NULL,
  replaced_by TEXT NOT NULL,
  preview TEXT NOT NULL,
  terminal INTEGER NOT NULL,
  due TEXT NOT NULL,
  wake TEXT NOT NULL,
  PRIMARY KEY (operation, id)
);

-- Lists show what is open, the most pressing first; wake is when a clock next says
-- something new, '' when none runs.
CREATE UNIQUE INDEX referral_number ON referral (operation, number);
CREATE INDEX referral_desk ON referral (operation, desk, terminal, due);
CREATE INDEX referral_state ON referral (operation, state, due);
CREATE INDEX referral_open ON referral (operation, terminal, due);
CREATE INDEX referral_person ON referral (operation, person) WHERE person <> '';
CREATE INDEX referral_submission ON referral (operation, submission);
CREATE INDEX referral_device ON referral (operation, device, changed);
CREATE INDEX referral_wake ON referral (operation, wake) WHERE wake <> '';

CREATE TABLE referral_step (
  operation TEXT NOT NULL,
  referral TEXT NOT NULL,
  seq INTEGER NOT NULL,
  action TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  desk TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  words BLOB,
  PRIMARY KEY (operation, referral, seq)
) WITHOUT ROWID;

-- Codes on slips, by their SHA-256.
CREATE TABLE slip (
  operation TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  referral TEXT NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL,
  PRIMARY KEY (operation, token_hash)
) WITHOUT ROWID;

CREATE TABLE consent (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  person TEXT NOT NULL,
  recipient TEXT NOT NULL,
  groups TEXT NOT NULL,
  wording TEXT NOT NULL,
  lang TEXT NOT NULL,
  how TEXT NOT NULL,
  whose TEXT NOT NULL,
  assent INTEGER NOT NULL,
  reason BLOB,
  second TEXT NOT NULL,
  actor TEXT NOT NULL,
  given TEXT NOT NULL,
  withdrawn TEXT,
  PRIMARY KEY (operation, id)
);

CREATE INDEX consent_person ON consent (operation, person, seq);

CREATE TABLE case_note (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  person TEXT NOT NULL,
  referral TEXT NOT NULL,
  field_group TEXT NOT NULL,
  desk TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (operation, id)
);

CREATE INDEX case_note_person ON case_note (operation, person, seq);

CREATE TABLE return_step (
  operation TEXT NOT NULL,
  referral TEXT NOT NULL,
  step TEXT NOT NULL,
  seq INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  day TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (operation, referral, step)
) WITHOUT ROWID;

CREATE TABLE family (
  operation TEXT NOT NULL,
  person TEXT NOT NULL,
  other TEXT NOT NULL,
  seq INTEGER NOT NULL,
  relation TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (operation, person, other)
) WITHOUT ROWID;

-- How far the worker that opens referrals has come.
CREATE TABLE referral_done (
  operation TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
);

CREATE TRIGGER referral_step_not_changed BEFORE UPDATE ON referral_step
BEGIN SELECT RAISE(ABORT, 'steps of referrals are immutable'); END;
