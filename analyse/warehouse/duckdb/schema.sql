-- The facts. Portable types only; every key begins with operation, so that the
-- same tables could be distributed by it. '' is "not recorded", 'unknown', 'UNK'
-- and 'OOO' are answers; there is no NULL.
--
-- A fact is narrow: what repeats is in cell. Texts are read through the views,
-- which are as wide as the words of the domain.

CREATE TABLE cell (
	operation     TEXT NOT NULL,
	cell          INTEGER NOT NULL,
	point         TEXT NOT NULL,     -- '' when not resolved: then point_text says what was written
	point_text    TEXT NOT NULL,
	region        TEXT NOT NULL,
	role          TEXT NOT NULL,     -- of the point on the day of the fact
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
	age           TEXT NOT NULL,     -- adults, children, unknown
	age_band      TEXT NOT NULL,     -- as recorded
	reason_set    TEXT NOT NULL,     -- key of answer_set
	transport_set TEXT NOT NULL
);

CREATE TABLE fact (
	operation  TEXT NOT NULL,
	source     TEXT NOT NULL,        -- instance id, or key of the imported row
	observed   DATE NOT NULL,        -- first of the month when month_only
	month      DATE NOT NULL,
	month_only BOOLEAN NOT NULL,
	cell       INTEGER NOT NULL,
	people     INTEGER NOT NULL,
	assessed   TEXT NOT NULL,        -- vulnerabilities with their counts; '' = not assessed
	main       BOOLEAN NOT NULL      -- totals add these rows and no others
);

-- fact without source and day: what dashboards read. Several rows may have the
-- same month and cell; they are added up.
CREATE TABLE fact_month (
	operation  TEXT NOT NULL,
	month      DATE NOT NULL,
	month_only BOOLEAN NOT NULL,
	cell       INTEGER NOT NULL,
	people     BIGINT NOT NULL,
	main       BOOLEAN NOT NULL
);

-- People of a fact by vulnerability, for facts that were assessed.
CREATE TABLE fact_vulnerability (
	operation  TEXT NOT NULL,
	source     TEXT NOT NULL,
	observed   DATE NOT NULL,
	month      DATE NOT NULL,
	month_only BOOLEAN NOT NULL,
	cell       INTEGER NOT NULL,
	code       TEXT NOT NULL,
	people     INTEGER NOT NULL,     -- with the vulnerability
	assessed   INTEGER NOT NULL      -- people of the fact
);

-- Days on which a point recorded something, were it that nobody came. Only days
-- that are known. A day may stand more than once.
CREATE TABLE point_day (
	operation  TEXT NOT NULL,
	observed   DATE NOT NULL,
	month      DATE NOT NULL,
	point      TEXT NOT NULL,
	point_text TEXT NOT NULL,
	region     TEXT NOT NULL
);

-- How submissions about movements came.
CREATE TABLE arrival (
	operation  TEXT NOT NULL,
	source     TEXT NOT NULL,        -- instance id
	observed   DATE NOT NULL,
	point      TEXT NOT NULL,        -- '' when not resolved: then point_text says what was written
	point_text TEXT NOT NULL,
	device     TEXT NOT NULL,
	received   TIMESTAMP NOT NULL,   -- UTC
	hour       INTEGER NOT NULL,     -- of the day when the record was begun, local; -1: not known
	delay      INTEGER NOT NULL,     -- minutes from the record's end to its arrival; -1: not known
	positioned BOOLEAN NOT NULL,
	lon        DOUBLE PRECISION NOT NULL,
	lat        DOUBLE PRECISION NOT NULL
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

-- A file holds one operation, so cell alone is the key here: half the time of the
-- join by two columns.

CREATE VIEW movement AS
SELECT f.operation, f.source, f.observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.people, f.assessed, f.main
FROM fact f
JOIN cell c ON c.cell = f.cell;

-- The same columns at the grain of a month, so that one text reads either.
CREATE VIEW movement_month AS
SELECT f.operation, f.month AS observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.people, f.main
FROM fact_month f
JOIN cell c ON c.cell = f.cell;

CREATE VIEW vulnerability AS
SELECT f.operation, f.source, f.observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.code, f.people, f.assessed
FROM fact_vulnerability f
JOIN cell c ON c.cell = f.cell;
