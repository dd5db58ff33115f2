-- Flags as rows, what people decide, corrections, questions, rules. What is told is
-- only ever added to: flag_entry, verdict, correction, question. flag, flag_count and
-- submission.state are what that comes to, kept beside so that the queue reads fast.

ALTER TABLE submission ADD COLUMN corrections INTEGER NOT NULL DEFAULT 0;

CREATE TABLE flag (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity INTEGER NOT NULL,
  submission TEXT NOT NULL,
  subject TEXT NOT NULL,
  point TEXT NOT NULL,
  day TEXT NOT NULL,
  path TEXT NOT NULL,
  note TEXT NOT NULL,
  other TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'cleared', 'confirmed', 'dismissed')),
  raised INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (operation, id)
) WITHOUT ROWID;

-- The queue's order; each filter has the order in its index.
CREATE INDEX flag_queue ON flag (operation, state, severity, point, raised, id);
CREATE INDEX flag_point ON flag (operation, state, point, severity, raised, id);
CREATE INDEX flag_rule ON flag (operation, state, rule, severity, point, raised, id);
CREATE INDEX flag_submission ON flag (operation, submission) WHERE submission <> '';
CREATE INDEX flag_changed ON flag (operation, changed);

CREATE TABLE flag_entry (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  flag TEXT NOT NULL,
  act TEXT NOT NULL CHECK (act IN ('raised', 'reopened', 'cleared', 'confirmed', 'dismissed')),
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (operation, seq, flag)
) WITHOUT ROWID;

CREATE INDEX flag_entry_flag ON flag_entry (operation, flag, seq);

CREATE TABLE flag_count (
  operation TEXT NOT NULL,
  state TEXT NOT NULL,
  severity INTEGER NOT NULL,
  rule TEXT NOT NULL,
  point TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (operation, state, severity, rule, point)
) WITHOUT ROWID;

CREATE TABLE verdict (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  submission TEXT NOT NULL,
  state_from TEXT NOT NULL,
  state_to TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (operation, submission, seq)
) WITHOUT ROWID;

CREATE INDEX verdict_seq ON verdict (operation, seq);

CREATE TABLE correction (
  operation TEXT NOT NULL,
  submission TEXT NOT NULL,
  seq INTEGER NOT NULL,
  number INTEGER NOT NULL, -- 0: refused, because base was not the last
  base INTEGER NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  why TEXT NOT NULL,
  changes TEXT NOT NULL,
  PRIMARY KEY (operation, submission, seq),
  FOREIGN KEY (operation, submission) REFERENCES submission (operation, id)
);

CREATE UNIQUE INDEX correction_number ON correction (operation, submission, number) WHERE number > 0;

CREATE TABLE question (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  submission TEXT NOT NULL,
  device TEXT NOT NULL,
  body TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  seen TEXT,
  answer TEXT NOT NULL DEFAULT '',
  answered TEXT,
  answer_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (operation, seq),
  FOREIGN KEY (operation, submission) REFERENCES submission (operation, id)
);

CREATE INDEX question_submission ON question (operation, submission, seq);
CREATE INDEX question_device ON question (operation, device, seq) WHERE answered IS NULL;

CREATE TABLE rule_switch (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  rule TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('on', 'off')),
  limits TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (operation, seq)
) WITHOUT ROWID;

CREATE TRIGGER flag_entry_not_changed BEFORE UPDATE ON flag_entry
BEGIN SELECT RAISE(ABORT, 'entries of flags are immutable'); END;

CREATE TRIGGER flag_entry_not_deleted BEFORE DELETE ON flag_entry
BEGIN SELECT RAISE(ABORT, 'entries of flags are immutable'); END;

CREATE TRIGGER verdict_not_changed BEFORE UPDATE ON verdict
BEGIN SELECT RAISE(ABORT, 'verdicts are immutable'); END;

CREATE TRIGGER verdict_not_deleted BEFORE DELETE ON verdict
BEGIN SELECT RAISE(ABORT, 'verdicts are immutable'); END;

CREATE TRIGGER correction_not_changed BEFORE UPDATE ON correction
BEGIN SELECT RAISE(ABORT, 'corrections are immutable'); END;

CREATE TRIGGER correction_not_deleted BEFORE DELETE ON correction
BEGIN SELECT RAISE(ABORT, 'corrections are immutable'); END;

CREATE TRIGGER question_not_deleted BEFORE DELETE ON question
BEGIN SELECT RAISE(ABORT, 'questions are kept'); END;

CREATE TRIGGER rule_switch_not_changed BEFORE UPDATE ON rule_switch
BEGIN SELECT RAISE(ABORT, 'switches of rules are immutable'); END;

CREATE TRIGGER rule_switch_not_deleted BEFORE DELETE ON rule_switch
BEGIN SELECT RAISE(ABORT, 'switches of rules are immutable'); END;

-- What was flagged before flags had rows.
INSERT INTO flag (operation, id, rule, severity, submission, subject, point, day, path, note, other, state, raised, changed)
SELECT s.operation, json_extract(f.value, '$.Rule') || '|' || s.id || '|' || json_extract(f.value, '$.Path'),
       json_extract(f.value, '$.Rule'), 1, s.id, '', '', '', json_extract(f.value, '$.Path'), json_extract(f.value, '$.Note'), '', 'open', s.seq, s.seq
FROM submission s, json_each(s.flags) f
WHERE s.state = 'flagged'
ON CONFLICT (operation, id) DO NOTHING;

INSERT INTO flag_entry (operation, seq, flag, act, actor, at, why)
SELECT f.operation, f.raised, f.id, 'raised', 'system', e.at, ''
FROM flag f JOIN event e ON e.operation = f.operation AND e.seq = f.raised;

INSERT INTO flag_count (operation, state, severity, rule, point, n)
SELECT operation, state, severity, rule, point, count(*)
FROM flag
GROUP BY operation, state, severity, rule, point;
