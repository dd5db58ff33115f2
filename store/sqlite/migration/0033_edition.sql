-- Words that writers put in place of generated sentences of a release's reports, and
-- the editions that were made of them. No row changes: of a sentence the last one stands.

CREATE TABLE wording (
  operation TEXT NOT NULL,
  month TEXT NOT NULL,
  n INTEGER NOT NULL,
  report TEXT NOT NULL,
  lang TEXT NOT NULL,
  sentence TEXT NOT NULL,
  seq INTEGER NOT NULL,
  base TEXT NOT NULL,
  words TEXT NOT NULL,
  at TEXT NOT NULL,
  author TEXT NOT NULL,
  PRIMARY KEY (operation, month, n, report, lang, sentence, seq),
  FOREIGN KEY (operation, month, n) REFERENCES release (operation, month, n)
);

CREATE TABLE edition (
  operation TEXT NOT NULL,
  month TEXT NOT NULL,
  n INTEGER NOT NULL,
  report TEXT NOT NULL,
  lang TEXT NOT NULL,
  edition INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  words TEXT NOT NULL, -- JSON
  pdf TEXT NOT NULL,
  pdf_hash TEXT NOT NULL,
  program TEXT NOT NULL,
  note TEXT NOT NULL,
  proposed TEXT NOT NULL,
  proposer TEXT NOT NULL,
  PRIMARY KEY (operation, month, n, report, lang, edition),
  FOREIGN KEY (operation, month, n) REFERENCES release (operation, month, n)
);

CREATE TABLE edition_state (
  operation TEXT NOT NULL,
  month TEXT NOT NULL,
  n INTEGER NOT NULL,
  report TEXT NOT NULL,
  lang TEXT NOT NULL,
  edition INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('proposed', 'published', 'returned')),
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (operation, month, n, report, lang, edition, seq),
  FOREIGN KEY (operation, month, n, report, lang, edition) REFERENCES edition (operation, month, n, report, lang, edition)
);

CREATE TRIGGER wording_not_changed BEFORE UPDATE ON wording
BEGIN SELECT RAISE(ABORT, 'words of reports are kept as they were'); END;

CREATE TRIGGER wording_not_deleted BEFORE DELETE ON wording
BEGIN SELECT RAISE(ABORT, 'words of reports are kept as they were'); END;

CREATE TRIGGER edition_not_changed BEFORE UPDATE ON edition
BEGIN SELECT RAISE(ABORT, 'editions are immutable'); END;

CREATE TRIGGER edition_not_deleted BEFORE DELETE ON edition
BEGIN SELECT RAISE(ABORT, 'editions are immutable'); END;

CREATE TRIGGER edition_state_not_changed BEFORE UPDATE ON edition_state
BEGIN SELECT RAISE(ABORT, 'decisions on editions are immutable'); END;

CREATE TRIGGER edition_state_not_deleted BEFORE DELETE ON edition_state
BEGIN SELECT RAISE(ABORT, 'decisions on editions are immutable'); END;
