-- A form's title by language. NULL of what was published before titles were kept: the
-- program reads them from the workbook when it opens the file.
ALTER TABLE form ADD COLUMN titles TEXT;

ALTER TABLE draft ADD COLUMN titles TEXT;

-- What was published still does not change; titles are set once.
DROP TRIGGER form_not_changed;

CREATE TRIGGER form_not_changed
BEFORE UPDATE OF operation, id, version, seq, title, hash, published, xform, source, source_name ON form
BEGIN SELECT RAISE(ABORT, 'published forms are immutable'); END;

CREATE TRIGGER form_title_not_changed BEFORE UPDATE OF titles ON form
WHEN OLD.titles IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'published forms are immutable'); END;
