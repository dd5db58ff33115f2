package relational

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"unicode"

	"dtm"
)

var (
	_ dtm.Readings    = (*DB)(nil)
	_ dtm.ReadingWork = (*DB)(nil)
)

// ReadingsDone returns the position in the log up to which submissions have been
// read.
func (db *DB) ReadingsDone(ctx context.Context) (int64, error) {
	var seq int64
	err := db.read.QueryRowContext(ctx, `
		SELECT seq
		FROM reading_done
		WHERE operation = $1`, db.operation).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return seq, failure("store.ReadingsDone", err)
}

// KeepReadings replaces readings, remembers what entries of the log are about and
// moves the position.
func (db *DB) KeepReadings(ctx context.Context, list []dtm.Reading, about []dtm.Event, done int64) error {
	return db.update(ctx, "store.KeepReadings", func(t *tx) error {
		noted, days, came := map[string]bool{}, spans{}, tallies{}
		known, err := t.arrivals(list)
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := t.keepReading(r, known, noted, days, came); err != nil {
				return err
			}
		}
		if err := t.widen(days); err != nil {
			return err
		}
		if err := t.tally(came); err != nil {
			return err
		}
		for _, e := range about {
			err := t.later(`
				INSERT INTO event_subject (operation, subject, seq)
				VALUES ($1, $2, $3)
				ON CONFLICT (operation, subject, seq) DO NOTHING`, t.db.operation, e.Subject, e.Seq)
			if err != nil {
				return err
			}
		}
		return t.exec(`
			INSERT INTO reading_done (operation, seq)
			VALUES ($1, $2)
			ON CONFLICT (operation) DO UPDATE SET seq = CASE WHEN excluded.seq > reading_done.seq THEN excluded.seq ELSE reading_done.seq END`, t.db.operation, done)
	})
}

// span is the first and the last of the submissions of a day.
type span struct{ low, high int64 }

// spans are those of days of observation and of arrival, by kind and day.
type spans map[[2]string]span

func (s spans) add(kind, day string, seq int64) {
	if day == "" {
		return
	}
	at := [2]string{kind, day}
	x, ok := s[at]
	if !ok {
		x = span{seq, seq}
	}
	s[at] = span{min(x.low, seq), max(x.high, seq)}
}

// widen takes spans into those that are kept. A submission that left a day leaves the
// day's span as it is: it bounds where to look.
func (t *tx) widen(days spans) error {
	for at, x := range days {
		if err := t.later(`
			INSERT INTO reading_span (operation, kind, day, low, high)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (operation, kind, day) DO UPDATE SET low = CASE WHEN excluded.low < reading_span.low THEN excluded.low ELSE reading_span.low END,
			  high = CASE WHEN excluded.high > reading_span.high THEN excluded.high ELSE reading_span.high END`,
			t.db.operation, at[0], at[1], x.low, x.high); err != nil {
			return err
		}
	}
	return nil
}

// arrival is what the store knows of a submission that is read.
type arrival struct {
	doc                             int64
	read                            bool // before
	received, device, form, version string
}

// arrivals are those of the readings' submissions, by number.
func (t *tx) arrivals(list []dtm.Reading) (map[int64]*arrival, error) {
	known := map[int64]*arrival{}
	if len(list) == 0 {
		return known, nil
	}
	first, last := list[0].Seq, list[0].Seq
	for _, r := range list {
		first, last = min(first, r.Seq), max(last, r.Seq)
	}
	return known, t.rows(`
		SELECT x.seq, x.doc, x.arrived <> '', s.received, s.device, s.form, s.version
		FROM submission_reading x
		JOIN submission s ON s.operation = x.operation AND s.seq = x.seq
		WHERE x.operation = $1 AND x.seq >= $2 AND x.seq <= $3`, []any{t.db.operation, first, last}, func(scan func(...any) error) error {
		var seq int64
		var a arrival
		err := scan(&seq, &a.doc, &a.read, &a.received, &a.device, &a.form, &a.version)
		known[seq] = &a
		return err
	})
}

func (t *tx) keepReading(r dtm.Reading, known map[int64]*arrival, noted map[string]bool, days spans, came tallies) error {
	a := known[r.Seq]
	if a == nil {
		return nil
	}
	var lat, lon any
	if r.Positioned {
		lat, lon = r.Lat, r.Lon
	}
	set, value, err := t.db.engine.Words.Keep(t.later, a.doc, r.Words, a.read, noted)
	if err != nil {
		return err
	}
	query, args := `
		UPDATE submission_reading
		SET point = $2, enumerator = $3, day = $4, lat = $5, lon = $6, name = $7, arrived = $8`,
		[]any{a.doc, r.Point, r.Enumerator, r.Day, lat, lon, r.Name, a.received}
	if set != "" {
		query, args = query+", "+strings.Replace(set, "?", "$9", 1), append(args, value)
	}
	if err := t.later(query+`
		WHERE doc = $1`, args...); err != nil {
		return err
	}
	days.add("day", r.Day, r.Seq)
	days.add("arrived", dateOf(a.received), r.Seq)
	if !a.read {
		came.add(a.device, a.form, a.version, a.received, r.Seq)
	}
	a.read = true
	return nil
}

// words are those that a search is for.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	})
}

// idStart tells whether what was typed is the beginning of an instance id, and
// gives it without "uuid:".
func idStart(text string) (string, bool) {
	text = strings.TrimSpace(text)
	id, named := strings.CutPrefix(text, "uuid:")
	if named {
		return id, true
	}
	digits := strings.ContainsAny(id, "0123456789")
	if len(id) < 6 || !digits || strings.Trim(id, "0123456789abcdefABCDEF-") != "" {
		return "", false
	}
	return strings.ToLower(id), true
}

// Querier is a transaction or the pool.
type Querier interface {
	queryer
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Find lists what a search finds, newest first.
func (db *DB) Find(ctx context.Context, s dtm.SubmissionSearch) ([]dtm.Listed, dtm.Found, error) {
	const op = "store.Find"
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	defer t.Rollback()
	f, err := db.finding(ctx, t, s)
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	var total dtm.Found
	if !s.Uncounted {
		if s.Empty() {
			total.N, err = f.all(ctx, t)
		} else {
			total, err = f.some(ctx, t)
		}
		if err != nil {
			return nil, total, failure(op, err)
		}
	}
	if s.Limit <= 0 {
		s.Limit = 100
	}
	order := "DESC"
	if s.Before > 0 {
		f.beyond(" < ", s.Before)
	}
	if s.After > 0 {
		f.beyond(" > ", s.After)
		order = "ASC"
	}
	list, err := db.listed(ctx, t, f, ` ORDER BY `+f.seq+` `+order+` LIMIT `+f.bind(s.Limit))
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	if err := t.Rollback(); err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	if err := db.attach(ctx, list); err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	return list, total, nil
}

// Spots puts positions together in squares.
func (db *DB) Spots(ctx context.Context, s dtm.SubmissionSearch, degrees float64) ([]dtm.Spot, dtm.Found, error) {
	const op = "store.Spots"
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	defer t.Rollback()
	s.Positioned = true
	f, err := db.finding(ctx, t, s)
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	total, err := f.some(ctx, t)
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	rows, err := t.QueryContext(ctx, `
		SELECT g.lat, g.lon, g.n, g.newest, s.id
		FROM (SELECT avg(y.lat) AS lat, avg(y.lon) AS lon, count(*) AS n, max(y.seq) AS newest
		      FROM (SELECT x.seq, x.lat, x.lon
		            FROM `+f.from+`
		            WHERE `+f.where()+`
		            ORDER BY `+f.seq+` DESC
		            LIMIT `+strconv.Itoa(dtm.MostSpots)+`) y
		      GROUP BY floor((y.lat + 90) / `+f.bind(degrees)+`), floor((y.lon + 180) / `+f.bind(degrees)+`)) g
		JOIN submission s ON s.operation = $1 AND s.seq = g.newest
		ORDER BY g.n DESC, g.newest DESC`, f.args...)
	if err != nil {
		return nil, dtm.Found{}, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Spot
	for rows.Next() {
		var p dtm.Spot
		if err := rows.Scan(&p.Lat, &p.Lon, &p.Count, &p.Seq, &p.ID); err != nil {
			return nil, dtm.Found{}, failure(op, err)
		}
		list = append(list, p)
	}
	return list, total, failure(op, rows.Err())
}

// Unread counts submissions that are not read yet.
func (db *DB) Unread(ctx context.Context) (n int, err error) {
	err = db.read.QueryRowContext(ctx, `
		SELECT count(*)
		FROM submission_reading
		WHERE operation = $1 AND seq > coalesce((SELECT seq FROM reading_done WHERE operation = $1), 0)`, db.operation).Scan(&n)
	return n, failure("store.Unread", err)
}

// Reading returns what was read from a submission: NotFound.
func (db *DB) Reading(ctx context.Context, id string) (dtm.Reading, error) {
	var r dtm.Reading
	var lat, lon sql.NullFloat64
	err := db.read.QueryRowContext(ctx, `
		SELECT x.seq, x.point, x.enumerator, x.day, x.lat, x.lon, x.name
		FROM submission s
		JOIN submission_reading x ON x.operation = s.operation AND x.seq = s.seq
		WHERE s.operation = $1 AND s.id = $2`, db.operation, id).Scan(&r.Seq, &r.Point, &r.Enumerator, &r.Day, &lat, &lon, &r.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return r, noSubmission(id)
	}
	r.Positioned, r.Lat, r.Lon = lat.Valid && lon.Valid, lat.Float64, lon.Float64
	return r, failure("store.Reading", err)
}

// History returns the entries of the log about something, oldest first.
func (db *DB) History(ctx context.Context, subject string) ([]dtm.Event, error) {
	return db.events(ctx, "store.History", `
		WHERE operation = $1 AND seq IN (
		  SELECT seq FROM event_subject WHERE operation = $1 AND subject = $2
		  UNION
		  SELECT seq FROM submission WHERE operation = $1 AND id = $2)
		ORDER BY seq`, db.operation, subject)
}

// Enumerators lists who made submissions. Each step finds the next name in the
// index, so that a million rows cost as many steps as there are names.
func (db *DB) Enumerators(ctx context.Context, limit int) ([]string, error) {
	return db.steps(ctx, "store.Enumerators", `
		SELECT min(enumerator)
		FROM submission_reading
		WHERE operation = $1 AND enumerator <> '' AND enumerator > `, limit)
}

// Rules lists the rules that flagged submissions.
func (db *DB) Rules(ctx context.Context) ([]string, error) {
	return db.steps(ctx, "store.Rules", `
		SELECT min(rule)
		FROM submission_rule
		WHERE operation = $1 AND rule > `, 1000)
}

// steps repeats a query for the least name after the one before, which is put at its
// end.
func (db *DB) steps(ctx context.Context, op, next string, limit int) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `
		WITH RECURSIVE step (name) AS (
		  `+next+`''
		  UNION ALL
		  SELECT (`+next+`step.name)
		  FROM step
		  WHERE step.name IS NOT NULL
		)
		SELECT name
		FROM step
		WHERE name IS NOT NULL
		LIMIT $2`, db.operation, limit)
	if err != nil {
		return nil, failure(op, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, failure(op, err)
		}
		list = append(list, name)
	}
	return list, failure(op, rows.Err())
}
