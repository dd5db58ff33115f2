-- Agreements to share data, and access that was taken in an emergency. An agreement
-- ends and is never changed otherwise.

CREATE TABLE agreement (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  partner TEXT NOT NULL,
  kind TEXT NOT NULL,
  purpose TEXT NOT NULL,
  basis TEXT NOT NULL,
  programmes TEXT NOT NULL,
  field_groups TEXT NOT NULL,
  areas TEXT NOT NULL,
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
  onward INTEGER NOT NULL,
  contact TEXT NOT NULL,
  document TEXT NOT NULL,
  created TEXT NOT NULL,
  author TEXT NOT NULL,
  ended TEXT,
  ended_by TEXT NOT NULL DEFAULT '',
  why TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (operation, id)
);

CREATE INDEX agreement_partner ON agreement (operation, partner, seq);

CREATE TRIGGER agreement_not_changed
BEFORE UPDATE OF operation, id, seq, partner, kind, purpose, basis, programmes, field_groups, areas, first_day, last_day, onward, contact, document, created, author ON agreement
BEGIN SELECT RAISE(ABORT, 'agreements are immutable'); END;

CREATE TRIGGER agreement_not_deleted BEFORE DELETE ON agreement
BEGIN SELECT RAISE(ABORT, 'agreements are immutable'); END;

CREATE TABLE glass (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  email TEXT NOT NULL,
  referral TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TEXT NOT NULL,
  until TEXT NOT NULL,
  reviewer TEXT NOT NULL DEFAULT '',
  reviewed TEXT,
  needed INTEGER NOT NULL DEFAULT 0,
  verdict TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (operation, id)
);

CREATE INDEX glass_email ON glass (operation, email, until);
CREATE INDEX glass_open ON glass (operation, at) WHERE reviewed IS NULL;
