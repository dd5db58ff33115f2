-- The facts. Portable types only; every key begins with operation, so that the
-- same tables could be distributed by it. '' is "not recorded", 'unknown', 'UNK'
-- and 'OOO' are answers; there is no NULL.

CREATE TABLE movement (
	operation     TEXT NOT NULL,
	source        TEXT NOT NULL,     -- instance id, or key of the imported row
	observed      DATE NOT NULL,     -- first of the month when month_only
	month         DATE NOT NULL,
	month_only    BOOLEAN NOT NULL,
	point         TEXT NOT NULL,     -- '' when not resolved: then point_text says what was written
	point_text    TEXT NOT NULL,
	region        TEXT NOT NULL,
	role          TEXT NOT NULL,     -- of the point on that day
	direction     TEXT NOT NULL,
	flow_type     TEXT NOT NULL,
	route         TEXT NOT NULL,
	subroute      TEXT NOT NULL,
	origin        TEXT NOT NULL,
	previous      TEXT NOT NULL,
	next          TEXT NOT NULL,
	final         TEXT NOT NULL,
	breakdown     TEXT NOT NULL,     -- 'full' | 'sex_age' | 'nationality'
	nationality   TEXT NOT NULL,
	sex           TEXT NOT NULL,
	age           TEXT NOT NULL,
	reason_set    TEXT NOT NULL,     -- key of answer_set
	transport_set TEXT NOT NULL,
	people        INTEGER NOT NULL,
	assessed      TEXT NOT NULL,     -- vulnerabilities with their counts; '' = not assessed
	main          BOOLEAN NOT NULL   -- totals add these rows and no others
);

-- movement without source and day: what dashboards read. Several rows may have
-- the same cell; they are added up.
CREATE TABLE movement_month (
	operation     TEXT NOT NULL,
	observed      DATE NOT NULL,     -- = month, so that one text reads either table
	month         DATE NOT NULL,
	month_only    BOOLEAN NOT NULL,
	point         TEXT NOT NULL,
	point_text    TEXT NOT NULL,
	region        TEXT NOT NULL,
	role          TEXT NOT NULL,
	direction     TEXT NOT NULL,
	flow_type     TEXT NOT NULL,
	route         TEXT NOT NULL,
	subroute      TEXT NOT NULL,
	origin        TEXT NOT NULL,
	previous      TEXT NOT NULL,
	next          TEXT NOT NULL,
	final         TEXT NOT NULL,
	breakdown     TEXT NOT NULL,
	nationality   TEXT NOT NULL,
	sex           TEXT NOT NULL,
	age           TEXT NOT NULL,
	reason_set    TEXT NOT NULL,
	transport_set TEXT NOT NULL,
	people        BIGINT NOT NULL,
	main          BOOLEAN NOT NULL
);

-- Days on which a point recorded something (people may be 0: seen to be empty).
-- Only days that are known. A day may stand more than once.
CREATE TABLE point_day (
	operation  TEXT NOT NULL,
	observed   DATE NOT NULL,
	month      DATE NOT NULL,
	point      TEXT NOT NULL,
	point_text TEXT NOT NULL,
	region     TEXT NOT NULL,
	people     BIGINT NOT NULL
);

-- People of a movement row by vulnerability, for rows that were assessed.
CREATE TABLE vulnerability (
	operation     TEXT NOT NULL,
	source        TEXT NOT NULL,
	observed      DATE NOT NULL,
	month         DATE NOT NULL,
	month_only    BOOLEAN NOT NULL,
	point         TEXT NOT NULL,
	point_text    TEXT NOT NULL,
	region        TEXT NOT NULL,
	role          TEXT NOT NULL,
	direction     TEXT NOT NULL,
	flow_type     TEXT NOT NULL,
	route         TEXT NOT NULL,
	subroute      TEXT NOT NULL,
	origin        TEXT NOT NULL,
	previous      TEXT NOT NULL,
	next          TEXT NOT NULL,
	final         TEXT NOT NULL,
	breakdown     TEXT NOT NULL,
	nationality   TEXT NOT NULL,
	sex           TEXT NOT NULL,
	age           TEXT NOT NULL,
	reason_set    TEXT NOT NULL,
	transport_set TEXT NOT NULL,
	code          TEXT NOT NULL,
	people        INTEGER NOT NULL,  -- with the vulnerability
	assessed      INTEGER NOT NULL   -- people of the row
);

-- Which codes a set of answers holds. The empty set has one row, code ''.
CREATE TABLE answer_set (
	list       TEXT NOT NULL,        -- 'reason' | 'transport'
	answer_set TEXT NOT NULL,
	code       TEXT NOT NULL,
	PRIMARY KEY (list, answer_set, code)
);

-- Submissions whose facts were loaded, and instances that another one replaced,
-- whichever of the two came first.
CREATE TABLE submission (
	operation TEXT NOT NULL,
	source    TEXT NOT NULL,
	PRIMARY KEY (operation, source)
);
CREATE TABLE replaced (
	operation TEXT NOT NULL,
	source    TEXT NOT NULL,
	PRIMARY KEY (operation, source)
);

-- What became of each imported chunk, for the report of the import.
CREATE TABLE outcome (
	operation TEXT NOT NULL,
	chunk     TEXT NOT NULL,
	row_count INTEGER NOT NULL,
	added     INTEGER NOT NULL,
	unchanged INTEGER NOT NULL,
	changed   INTEGER NOT NULL
);

-- One row: how far the event log is loaded, and what the tables were made with.
CREATE TABLE load_position (
	operation   TEXT NOT NULL,
	seq         BIGINT NOT NULL,
	hash        TEXT NOT NULL,
	event_at    TIMESTAMP NOT NULL,
	fingerprint TEXT NOT NULL
);
