-- Alerts about counts and silent points, with what people made of them. Those about
-- silent points were entries of the log alone until now.

CREATE TABLE alert (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  step TEXT NOT NULL,
  series_by TEXT NOT NULL,
  series_key TEXT NOT NULL,
  day TEXT NOT NULL,
  observed REAL NOT NULL,
  expected REAL NOT NULL,
  bound REAL NOT NULL,
  method TEXT NOT NULL,
  effects TEXT NOT NULL,
  due TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  holds INTEGER NOT NULL,
  times INTEGER NOT NULL,
  raised TEXT NOT NULL,
  seq INTEGER NOT NULL,
  changed TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (operation, id)
) WITHOUT ROWID;

CREATE INDEX alert_day ON alert (operation, kind, step, day);
CREATE INDEX alert_state ON alert (operation, state, day);

-- was_state, was_reason and was_note are those before, for an undo.
CREATE TABLE alert_entry (
  operation TEXT NOT NULL,
  alert TEXT NOT NULL,
  seq INTEGER NOT NULL,
  act TEXT NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  at TEXT NOT NULL,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  was_state TEXT NOT NULL,
  was_reason TEXT NOT NULL,
  was_note TEXT NOT NULL,
  PRIMARY KEY (operation, alert, seq)
) WITHOUT ROWID;

CREATE INDEX alert_entry_seq ON alert_entry (operation, seq);

INSERT INTO alert (operation, id, kind, step, series_by, series_key, day, observed, expected, bound, method, effects, due, state, reason, note, holds, times, raised, seq, changed, actor)
SELECT r.operation, 'silent/' || r.subject, 'silent', 'day', 'point', substr(r.subject, 1, instr(r.subject, '/') - 1), substr(r.subject, instr(r.subject, '/') + 1),
  0, 0, 0, '', '[]', coalesce(json_extract(r.detail, '$.due'), ''),
  CASE e.name WHEN 'silence.broken' THEN 'cleared' WHEN 'silence.dismissed' THEN 'dismissed' ELSE 'open' END,
  CASE e.name WHEN 'silence.dismissed' THEN 'other' ELSE '' END, coalesce(json_extract(e.detail, '$.reason'), ''),
  e.seq IS NULL, 1, r.at, r.seq, coalesce(e.at, r.at), coalesce(e.actor, r.actor)
FROM event r
LEFT JOIN event e ON e.operation = r.operation AND e.subject = r.subject AND e.name IN ('silence.broken', 'silence.dismissed')
WHERE r.name = 'silence.raised';

INSERT INTO alert_entry (operation, alert, seq, act, state, actor, at, reason, note, was_state, was_reason, was_note)
SELECT operation, 'silent/' || subject, seq,
  CASE name WHEN 'silence.raised' THEN 'raised' WHEN 'silence.broken' THEN 'cleared' ELSE 'dismissed' END,
  CASE name WHEN 'silence.raised' THEN 'open' WHEN 'silence.broken' THEN 'cleared' ELSE 'dismissed' END,
  actor, at, CASE name WHEN 'silence.dismissed' THEN 'other' ELSE '' END, coalesce(json_extract(detail, '$.reason'), ''),
  CASE name WHEN 'silence.raised' THEN '' ELSE 'open' END, '', ''
FROM event
WHERE name IN ('silence.raised', 'silence.broken', 'silence.dismissed');

DROP INDEX event_silence;
