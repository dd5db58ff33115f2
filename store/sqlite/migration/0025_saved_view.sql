-- Questions of the workshop that somebody keeps under a name. What was deleted can be
-- brought back.
CREATE TABLE saved_view (
	operation TEXT NOT NULL,
	id        INTEGER NOT NULL,
	owner     TEXT NOT NULL,
	name      TEXT NOT NULL,
	query     TEXT NOT NULL,
	shared    INTEGER NOT NULL,
	changed   TEXT NOT NULL,
	deleted   TEXT,
	PRIMARY KEY (operation, id)
);

CREATE UNIQUE INDEX saved_view_name ON saved_view (operation, owner, name) WHERE deleted IS NULL;
