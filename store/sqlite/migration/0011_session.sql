-- Sessions of the pages beside those of the API, and what their owner knows them by.

ALTER TABLE session ADD COLUMN kind TEXT NOT NULL DEFAULT 'api';
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN seen TEXT NOT NULL DEFAULT '';

CREATE INDEX session_email ON session (operation, email, created);
