-- The words that submissions hold, so that a search by the beginning of a word asks for
-- the words themselves: the index gives the submissions of a word one by one, newest
-- first, but those of a beginning only all at once.
CREATE TABLE reading_word (
  word TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE VIRTUAL TABLE reading_vocabulary USING fts5vocab(submission_text, row);

INSERT OR IGNORE INTO reading_word (word)
SELECT term
FROM reading_vocabulary
WHERE length(term) >= 4;

DROP TABLE reading_vocabulary;
