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

-- Days on which a point recorded something, were it that nobody came, with the people
-- by direction. Only days that are known. Several rows may have the same day, place and
-- direction; they are added up.
CREATE TABLE point_day (
	operation  TEXT NOT NULL,
	observed   DATE NOT NULL,
	month      DATE NOT NULL,
	point      TEXT NOT NULL,
	point_text TEXT NOT NULL,
	region     TEXT NOT NULL,
	direction  TEXT NOT NULL,
	people     BIGINT NOT NULL,
	main       BOOLEAN NOT NULL
);

-- When the facts of a month last became others: a number that never comes again. What
-- was computed from a month stands while it is the same.
CREATE TABLE month_version (
	operation TEXT NOT NULL,
	month     DATE NOT NULL,
	version   BIGINT NOT NULL,
	PRIMARY KEY (operation, month)
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

-- Counts of the people at a site: a stock, one row for each count. -1 is "not
-- recorded".
CREATE TABLE site_count (
	operation  TEXT NOT NULL,
	source     TEXT NOT NULL,
	observed   DATE NOT NULL,
	month      DATE NOT NULL,
	counted    TIMESTAMP NOT NULL,
	slot       TEXT NOT NULL,
	site       TEXT NOT NULL,
	site_text  TEXT NOT NULL,
	region     TEXT NOT NULL,
	area       TEXT NOT NULL,
	people     INTEGER NOT NULL,
	arrived    INTEGER NOT NULL,
	departed   INTEGER NOT NULL,
	blocked    TEXT NOT NULL,
	urgent     TEXT NOT NULL
);

-- The people of a count, by nationality, sex and age.
CREATE TABLE site_people (
	operation    TEXT NOT NULL,
	source       TEXT NOT NULL,
	nationality  TEXT NOT NULL,
	sex          TEXT NOT NULL,
	age          TEXT NOT NULL,
	age_band     TEXT NOT NULL,
	people       INTEGER NOT NULL
);

-- Respondents of surveys, refusals included (asked = 0). Sets of answers are keys of
-- answer_set; -1 is "not recorded".
CREATE TABLE interview (
	operation        TEXT NOT NULL,
	source           TEXT NOT NULL,
	observed         DATE NOT NULL,
	month            DATE NOT NULL,
	point            TEXT NOT NULL,
	point_text       TEXT NOT NULL,
	region           TEXT NOT NULL,
	role             TEXT NOT NULL,
	consent          TEXT NOT NULL,
	repeated         TEXT NOT NULL,
	asked            INTEGER NOT NULL,
	sex              TEXT NOT NULL,
	years            INTEGER NOT NULL,
	age              TEXT NOT NULL,
	age_group        TEXT NOT NULL,
	nationality      TEXT NOT NULL,
	marital          TEXT NOT NULL,
	education        TEXT NOT NULL,
	employment       TEXT NOT NULL,
	origin           TEXT NOT NULL,
	left_when        TEXT NOT NULL,
	company          TEXT NOT NULL,
	company_size     INTEGER NOT NULL,
	reason_set       TEXT NOT NULL,
	transport_set    TEXT NOT NULL,
	paid_set         TEXT NOT NULL,
	next             TEXT NOT NULL,
	final            TEXT NOT NULL,
	why_set          TEXT NOT NULL,
	stay             TEXT NOT NULL,
	go_back          TEXT NOT NULL,
	difficulty_set   TEXT NOT NULL,
	information_set  TEXT NOT NULL,
	knows_help       TEXT NOT NULL,
	wants_help       TEXT NOT NULL,
	counted          TEXT NOT NULL,
	counted_at       TEXT NOT NULL
);

-- What persons, sites, points and those met by an incident lack: one row for each
-- submission. asked_set holds the needs that were asked about, need_set those named.
CREATE TABLE need (
	operation          TEXT NOT NULL,
	source             TEXT NOT NULL,
	observed           DATE NOT NULL,
	month              DATE NOT NULL,
	subject            TEXT NOT NULL,
	point              TEXT NOT NULL,
	point_text         TEXT NOT NULL,
	role               TEXT NOT NULL,
	site               TEXT NOT NULL,
	site_text          TEXT NOT NULL,
	region             TEXT NOT NULL,
	area               TEXT NOT NULL,
	consent            TEXT NOT NULL,
	people             INTEGER NOT NULL,
	sex                TEXT NOT NULL,
	years              INTEGER NOT NULL,
	age                TEXT NOT NULL,
	age_group          TEXT NOT NULL,
	nationality        TEXT NOT NULL,
	asked_set          TEXT NOT NULL,
	need_set           TEXT NOT NULL,
	vulnerability_set  TEXT NOT NULL,
	priority           TEXT NOT NULL,
	reach              TEXT NOT NULL,
	proposed_set       TEXT NOT NULL,
	referred_set       TEXT NOT NULL,
	shared             TEXT NOT NULL
);

-- Things that happened to people. -1 is "not recorded".
CREATE TABLE incident (
	operation       TEXT NOT NULL,
	source          TEXT NOT NULL,
	observed        DATE NOT NULL,
	month           DATE NOT NULL,
	kind            TEXT NOT NULL,
	site            TEXT NOT NULL,
	site_text       TEXT NOT NULL,
	region          TEXT NOT NULL,
	area            TEXT NOT NULL,
	heard           TEXT NOT NULL,
	danger          TEXT NOT NULL,
	affected        INTEGER NOT NULL,
	dead            INTEGER NOT NULL,
	missing         INTEGER NOT NULL,
	injured         INTEGER NOT NULL,
	children        INTEGER NOT NULL,
	displaced       INTEGER NOT NULL,
	nationality     TEXT NOT NULL,
	population_set  TEXT NOT NULL,
	helping         TEXT NOT NULL,
	roads           TEXT NOT NULL
);

-- Which codes a set of answers holds. The empty set has one row, code ''.
CREATE TABLE answer_set (
	list       TEXT NOT NULL,        -- 'reason', 'transport', 'need' ...
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

CREATE INDEX arrival_source ON arrival (operation, source);
CREATE INDEX arrival_observed ON arrival (operation, observed);
CREATE INDEX fact_source ON fact (operation, source);
CREATE INDEX fact_month_of ON fact (operation, month);
CREATE INDEX fact_month_month ON fact_month (operation, month);
CREATE INDEX fact_vulnerability_source ON fact_vulnerability (operation, source);
CREATE INDEX site_count_source ON site_count (operation, source);
CREATE INDEX site_people_source ON site_people (operation, source);
CREATE INDEX interview_source ON interview (operation, source);
CREATE INDEX need_source ON need (operation, source);
CREATE INDEX incident_source ON incident (operation, source);
CREATE UNIQUE INDEX cell_number ON cell (operation, cell);

CREATE VIEW movement AS
SELECT f.operation, f.source, f.observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.people, f.assessed, f.main
FROM fact f
JOIN cell c ON c.operation = f.operation AND c.cell = f.cell;

-- The same columns at the grain of a month, so that one text reads either.
CREATE VIEW movement_month AS
SELECT f.operation, f.month AS observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.people, f.main
FROM fact_month f
JOIN cell c ON c.operation = f.operation AND c.cell = f.cell;

-- And at the grain of a day, for questions about places and directions alone.
CREATE VIEW movement_point_day AS
SELECT operation, observed, month, false AS month_only, point, point_text, region, direction, people, main
FROM point_day;

CREATE VIEW vulnerability AS
SELECT f.operation, f.source, f.observed, f.month, f.month_only,
	c.point, c.point_text, c.region, c.role, c.direction, c.flow_type, c.route, c.subroute, c.origin, c.previous,
	c.next, c.final, c.breakdown, c.nationality, c.sex, c.age, c.age_band, c.reason_set, c.transport_set,
	f.code, f.people, f.assessed
FROM fact_vulnerability f
JOIN cell c ON c.operation = f.operation AND c.cell = f.cell;

-- Of several counts of a site on a day, the last one stands.
CREATE VIEW standing AS
SELECT operation, source, observed, month, slot, site, site_text, region, area, people, arrived, departed, blocked, urgent
FROM (
	SELECT operation, source, observed, month, slot, site, site_text, region, area, people, arrived, departed, blocked, urgent,
		row_number() OVER (PARTITION BY operation, site, observed ORDER BY counted DESC, source DESC) AS place
	FROM site_count
) c
WHERE place = 1;

-- People at a site on a day, by nationality, sex and age; a count of nobody has one
-- row without people.
CREATE VIEW presence AS
SELECT c.operation, c.source, c.observed, c.month, c.slot, c.site, c.site_text, c.region, c.area, c.blocked,
	COALESCE(p.nationality, '') AS nationality, COALESCE(p.sex, '') AS sex, COALESCE(p.age, '') AS age, COALESCE(p.age_band, '') AS age_band,
	COALESCE(p.people, 0) AS people
FROM standing c
LEFT JOIN site_people p ON p.source = c.source AND p.operation = c.operation;
