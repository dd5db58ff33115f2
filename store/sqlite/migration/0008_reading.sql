-- What lists and searches of submissions need, apart from the answers: narrow
-- rows, so that a million can be filtered. All of it can be made again from the
-- submissions; their state and rules are kept equal by triggers.

DROP INDEX submission_device;
DROP INDEX submission_state;

-- doc numbers the row for the search in words, which knows nothing else.
CREATE TABLE submission_reading (
  doc INTEGER PRIMARY KEY,
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  form TEXT NOT NULL,
  device TEXT NOT NULL,
  state TEXT NOT NULL,
  arrived TEXT NOT NULL DEFAULT '',
  point TEXT NOT NULL DEFAULT '',
  enumerator TEXT NOT NULL DEFAULT '',
  day TEXT NOT NULL DEFAULT '',
  lat REAL,
  lon REAL,
  name TEXT NOT NULL DEFAULT ''
);

INSERT INTO submission_reading (operation, seq, form, device, state)
SELECT operation, seq, form, device, state
FROM submission
ORDER BY operation, seq;

CREATE UNIQUE INDEX reading_seq ON submission_reading (operation, seq);
CREATE INDEX reading_form ON submission_reading (operation, form, seq);
CREATE INDEX reading_device ON submission_reading (operation, device, seq);
CREATE INDEX reading_state ON submission_reading (operation, state, seq);
CREATE INDEX reading_arrived ON submission_reading (operation, arrived, seq) WHERE arrived <> '';
CREATE INDEX reading_point ON submission_reading (operation, point, seq) WHERE point <> '';
CREATE INDEX reading_enumerator ON submission_reading (operation, enumerator, seq) WHERE enumerator <> '';
CREATE INDEX reading_day ON submission_reading (operation, day, seq) WHERE day <> '';

CREATE VIRTUAL TABLE submission_text USING fts5 (
  words, content = '', contentless_delete = 1, detail = none,
  tokenize = 'unicode61 remove_diacritics 2'
);

-- Which rules found something.
CREATE TABLE submission_rule (
  operation TEXT NOT NULL,
  rule TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, rule, seq)
) WITHOUT ROWID;

CREATE INDEX submission_rule_seq ON submission_rule (operation, seq);

INSERT OR IGNORE INTO submission_rule (operation, rule, seq)
SELECT s.operation, json_extract(f.value, '$.Rule'), s.seq
FROM submission s, json_each(s.flags) f
WHERE s.flags <> '[]';

-- What entries of the log are about, but for those that record submissions, which
-- are found by the submission.
CREATE TABLE event_subject (
  operation TEXT NOT NULL,
  subject TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, subject, seq)
) WITHOUT ROWID;

-- How far the log has been read.
CREATE TABLE reading_done (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation)
);

CREATE TRIGGER submission_listed AFTER INSERT ON submission
BEGIN
  INSERT INTO submission_reading (operation, seq, form, device, state)
  VALUES (NEW.operation, NEW.seq, NEW.form, NEW.device, NEW.state);
END;

CREATE TRIGGER submission_ruled AFTER INSERT ON submission WHEN NEW.flags <> '[]'
BEGIN
  INSERT OR IGNORE INTO submission_rule (operation, rule, seq)
  SELECT NEW.operation, json_extract(value, '$.Rule'), NEW.seq
  FROM json_each(NEW.flags);
END;

CREATE TRIGGER submission_restated AFTER UPDATE OF state ON submission WHEN NEW.state <> OLD.state
BEGIN
  UPDATE submission_reading
  SET state = NEW.state
  WHERE operation = NEW.operation AND seq = NEW.seq;
END;

CREATE TRIGGER submission_reruled AFTER UPDATE OF flags ON submission WHEN NEW.flags <> OLD.flags
BEGIN
  DELETE FROM submission_rule
  WHERE operation = NEW.operation AND seq = NEW.seq;
  INSERT OR IGNORE INTO submission_rule (operation, rule, seq)
  SELECT NEW.operation, json_extract(value, '$.Rule'), NEW.seq
  FROM json_each(NEW.flags);
END;
