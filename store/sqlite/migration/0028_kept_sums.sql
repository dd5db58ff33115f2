-- What pages over a large operation would otherwise count each time.

-- The first and the last submission of each day, of observation and of arrival: a search
-- by days walks the submissions between them, rather than ask each day's for the least
-- and the greatest.
CREATE TABLE reading_span (
  operation TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('day', 'arrived')),
  day TEXT NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  PRIMARY KEY (operation, kind, day)
) WITHOUT ROWID;

INSERT INTO reading_span (operation, kind, day, low, high)
SELECT operation, 'day', day, min(seq), max(seq)
FROM submission_reading
WHERE day <> ''
GROUP BY operation, day;

INSERT INTO reading_span (operation, kind, day, low, high)
SELECT operation, 'arrived', substr(arrived, 1, 10), min(seq), max(seq)
FROM submission_reading
WHERE arrived <> ''
GROUP BY operation, substr(arrived, 1, 10);

-- How many submissions came from each device by each version of a form, of those that
-- the reader of the log has read, when the last did, and its number. What came since is counted.
CREATE TABLE submission_tally (
  operation TEXT NOT NULL,
  device TEXT NOT NULL,
  form TEXT NOT NULL,
  version TEXT NOT NULL,
  n INTEGER NOT NULL,
  last TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation, device, form, version)
) WITHOUT ROWID;

INSERT INTO submission_tally (operation, device, form, version, n, last, seq)
SELECT s.operation, s.device, s.form, s.version, count(*), max(s.received), max(s.seq)
FROM submission s
JOIN reading_done d ON d.operation = s.operation AND s.seq <= d.seq
GROUP BY s.operation, s.device, s.form, s.version;

-- The log by kind, "user." of "user.added", but for the two names that nearly all of it
-- has.
CREATE INDEX event_kind ON event (operation, rtrim(name, 'abcdefghijklmnopqrstuvwxyz_'), seq)
WHERE name NOT IN ('submission.received', 'submission.flagged');

-- Results that take long to compute, as they were last: they are there when the program
-- starts again.
CREATE TABLE computed (
  operation TEXT NOT NULL,
  name TEXT NOT NULL,
  basis TEXT NOT NULL,
  at TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (operation, name)
);
