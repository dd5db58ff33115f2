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
		noted := map[string]bool{}
		for _, r := range list {
			if err := t.keepReading(r, noted); err != nil {
				return err
			}
		}
		for _, e := range about {
			err := t.exec(`
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

func (t *tx) keepReading(r dtm.Reading, noted map[string]bool) error {
	var doc int64
	var arrived string
	found, err := t.row(`
		SELECT doc, arrived
		FROM submission_reading
		WHERE operation = $1 AND seq = $2`, []any{t.db.operation, r.Seq}, &doc, &arrived)
	if err != nil || !found {
		return err
	}
	var lat, lon any
	if r.Positioned {
		lat, lon = r.Lat, r.Lon
	}
	err = t.exec(`
		UPDATE submission_reading
		SET point = $2, enumerator = $3, day = $4, lat = $5, lon = $6, name = $7,
		    arrived = (SELECT s.received
		               FROM submission s
		               WHERE s.operation = submission_reading.operation AND s.seq = submission_reading.seq)
		WHERE doc = $1`, doc, r.Point, r.Enumerator, r.Day, lat, lon, r.Name)
	if err != nil {
		return err
	}
	return t.db.engine.Words.Keep(t.exec, doc, r.Words, arrived != "", noted) // read before
}

// finding is a search as SQL: the tables in the order in which they are walked,
// and the conditions. The index that leaves the fewest rows is named, because the
// planner does not know how many there are of what.
type finding struct {
	from, where string
	dense       bool   // rows are numbered without gaps
	order       string // another column than x.seq that numbers submissions in their order
	args        []any
}

func (f *finding) bind(v any) string {
	f.args = append(f.args, v)
	return "$" + strconv.Itoa(len(f.args))
}

func (f *finding) and(condition string) { f.where += " AND " + condition }

// finding makes the search's SQL, with arguments after those that the query around
// it has, of which the first is the operation. What filters by time becomes bounds
// of seq, in whose order lists are.
func (db *DB) finding(ctx context.Context, q Querier, s dtm.SubmissionSearch, around ...any) (*finding, error) {
	if len(around) == 0 {
		around = []any{db.operation}
	}
	f := &finding{from: `submission_reading x INDEXED BY reading_seq`, where: `x.operation = $1`, args: around, dense: db.engine.Alone}
	by := "reading_seq"
	equal := func(column string, v *string) {
		if v == nil {
			return
		}
		condition := "x." + column + " = " + f.bind(*v)
		if column == "point" || column == "enumerator" {
			condition += " AND x." + column + " <> ''" // what its index holds
		}
		f.and(condition)
		by = "reading_" + column
	}
	equal("form", s.Form)
	equal("state", s.State)
	if s.Point != "" {
		equal("point", &s.Point)
	}
	equal("device", s.Device)
	if s.Enumerator != "" {
		equal("enumerator", &s.Enumerator)
	}
	bounds := func(column, from, to string) error {
		if from == "" && to == "" {
			return nil
		}
		b := &finding{where: `x.operation = $1`, args: []any{db.operation}}
		for _, part := range []*finding{b, f} {
			part.and("x." + column + " <> ''") // what its index holds
			if from != "" {
				part.and("x." + column + " >= " + part.bind(from))
			}
			if to != "" {
				part.and("x." + column + " < " + part.bind(to))
			}
		}
		var low, high sql.NullInt64
		err := q.QueryRowContext(ctx, `
			SELECT min(x.seq), max(x.seq)
			FROM submission_reading x INDEXED BY reading_`+column+`
			WHERE `+b.where, b.args...).Scan(&low, &high)
		if err != nil {
			return err
		}
		f.and("x.seq BETWEEN " + f.bind(low.Int64) + " AND " + f.bind(high.Int64))
		return nil
	}
	from, to := "", ""
	if !s.From.IsZero() {
		from = timeText(s.From)
	}
	if !s.To.IsZero() {
		to = timeText(s.To)
	}
	if err := bounds("arrived", from, to); err != nil {
		return nil, err
	}
	to = s.ToDay
	if to != "" {
		to += "~" // behind the day itself
	}
	if err := bounds("day", s.FromDay, to); err != nil {
		return nil, err
	}
	if s.Positioned {
		f.and("x.lat IS NOT NULL")
	}
	f.from = `submission_reading x INDEXED BY ` + by
	if s.Rule != "" {
		f.from = `submission_rule r CROSS JOIN submission_reading x INDEXED BY reading_seq ON x.operation = r.operation AND x.seq = r.seq`
		f.and("r.operation = $1 AND r.rule = " + f.bind(s.Rule))
	}
	if s.Text == "" {
		return f, nil
	}
	if id, ok := idStart(s.Text); ok {
		var parts []string
		for _, id := range []string{id, "uuid:" + id} {
			parts = append(parts, `
				SELECT seq
				FROM submission
				WHERE operation = $1 AND id >= `+f.bind(id)+` AND id < `+f.bind(id+"\U0010ffff"))
		}
		f.and("x.seq IN (" + strings.Join(parts, " UNION ALL ") + ")")
		return f, nil
	}
	from, by, condition, arg, err := db.engine.Words.Find(ctx, q, words(s.Text), s.Rule == "")
	if err != nil {
		return nil, err
	}
	if condition == "" {
		f.and("FALSE")
		return f, nil
	}
	if from != "" {
		f.from, f.order = from, by
	}
	f.and(strings.Replace(condition, "?", f.bind(arg), 1))
	return f, nil
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

// count counts what a search finds, to a bound unless it is of everything.
func (f *finding) count(ctx context.Context, q Querier, all bool) (n int, err error) {
	if all && f.dense && f.where == `x.operation = $1` {
		// Submissions are never deleted and are numbered one after the other: the last
		// number is how many there are, as long as they are of one operation.
		var alone bool
		err = q.QueryRowContext(ctx, `
			SELECT coalesce(max(doc), 0), NOT EXISTS (SELECT 1 FROM submission_reading WHERE operation < $1) AND NOT EXISTS (SELECT 1 FROM submission_reading WHERE operation > $1)
			FROM submission_reading`, f.args[0]).Scan(&n, &alone)
		if err != nil || alone {
			return n, err
		}
	}
	bound := ` LIMIT ` + strconv.Itoa(dtm.ManyFound+1)
	if all {
		bound = ""
	}
	err = q.QueryRowContext(ctx, `
		SELECT count(*)
		FROM (SELECT 1
		      FROM `+f.from+`
		      WHERE `+f.where+bound+`) y`, f.args...).Scan(&n)
	return n, err
}

// Find lists what a search finds, newest first.
func (db *DB) Find(ctx context.Context, s dtm.SubmissionSearch) ([]dtm.Listed, int, error) {
	const op = "store.Find"
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer t.Rollback()
	f, err := db.finding(ctx, t, s)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	total, err := f.count(ctx, t, s.Empty())
	if err != nil {
		return nil, 0, failure(op, err)
	}
	if s.Limit <= 0 {
		s.Limit = 100
	}
	order, by := "DESC", "x.seq"
	switch {
	case f.order != "":
		by = f.order
	case s.Rule != "":
		by = "r.seq"
	}
	beyond := func(than string, seq int64) {
		bound := f.bind(seq)
		if f.order != "" {
			bound = "(SELECT doc FROM submission_reading WHERE operation = $1 AND seq = " + bound + ")"
		}
		f.and(by + than + bound)
	}
	if s.Before > 0 {
		beyond(" < ", s.Before)
	}
	if s.After > 0 {
		beyond(" > ", s.After)
		order = "ASC"
	}
	list, err := db.listed(ctx, t, f, ` ORDER BY `+by+` `+order+` LIMIT `+f.bind(s.Limit))
	if err != nil {
		return nil, 0, failure(op, err)
	}
	if err := t.Rollback(); err != nil {
		return nil, 0, failure(op, err)
	}
	for i := range list {
		if list[i].Attachments, err = db.attachments(ctx, list[i].ID); err != nil {
			return nil, 0, failure(op, err)
		}
	}
	return list, total, nil
}

// listed reads rows of a finding: first their numbers, so that only what is shown
// is read from the wide table.
func (db *DB) listed(ctx context.Context, q Querier, f *finding, end string) ([]dtm.Listed, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT `+strings.ReplaceAll(submissionColumns, "s.xml", "NULL")+`, x.seq, x.point, x.enumerator, x.day, x.lat, x.lon, x.name
		FROM (SELECT x.*
		      FROM `+f.from+`
		      WHERE `+f.where+end+`) x
		CROSS JOIN submission s INDEXED BY submission_seq ON s.operation = x.operation AND s.seq = x.seq
		ORDER BY x.seq DESC`, f.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []dtm.Listed
	for rows.Next() {
		var l dtm.Listed
		var lat, lon sql.NullFloat64
		l.Submission, err = scanSubmission(func(dest ...any) error {
			return rows.Scan(append(dest, &l.Seq, &l.Point, &l.Enumerator, &l.Day, &lat, &lon, &l.Name)...)
		})
		if err != nil {
			return nil, err
		}
		l.Positioned, l.Lat, l.Lon = lat.Valid && lon.Valid, lat.Float64, lon.Float64
		list = append(list, l)
	}
	return list, rows.Err()
}

// Spots puts positions together in squares.
func (db *DB) Spots(ctx context.Context, s dtm.SubmissionSearch, degrees float64) ([]dtm.Spot, int, error) {
	const op = "store.Spots"
	t, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer t.Rollback()
	s.Positioned = true
	f, err := db.finding(ctx, t, s)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	total, err := f.count(ctx, t, false)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	rows, err := t.QueryContext(ctx, `
		SELECT g.lat, g.lon, g.n, g.newest, s.id
		FROM (SELECT avg(y.lat) AS lat, avg(y.lon) AS lon, count(*) AS n, max(y.seq) AS newest
		      FROM (SELECT x.seq, x.lat, x.lon
		            FROM `+f.from+`
		            WHERE `+f.where+`
		            ORDER BY x.seq DESC
		            LIMIT `+strconv.Itoa(dtm.ManyFound)+`) y
		      GROUP BY floor((y.lat + 90) / `+f.bind(degrees)+`), floor((y.lon + 180) / `+f.bind(degrees)+`)) g
		JOIN submission s ON s.operation = $1 AND s.seq = g.newest
		ORDER BY g.n DESC, g.newest DESC`, f.args...)
	if err != nil {
		return nil, 0, failure(op, err)
	}
	defer rows.Close()
	var list []dtm.Spot
	for rows.Next() {
		var p dtm.Spot
		if err := rows.Scan(&p.Lat, &p.Lon, &p.Count, &p.Seq, &p.ID); err != nil {
			return nil, 0, failure(op, err)
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
		WHERE operation = $1 AND enumerator > $2 AND enumerator <> ''`, limit)
}

// Rules lists the rules that flagged submissions.
func (db *DB) Rules(ctx context.Context) ([]string, error) {
	return db.steps(ctx, "store.Rules", `
		SELECT min(rule)
		FROM submission_rule
		WHERE operation = $1 AND rule > $2`, 1000)
}

// steps repeats a query for the least name after the one before.
func (db *DB) steps(ctx context.Context, op, query string, limit int) ([]string, error) {
	var list []string
	for last := ""; len(list) < limit; {
		var next sql.NullString
		if err := db.read.QueryRowContext(ctx, query, db.operation, last).Scan(&next); err != nil {
			return nil, failure(op, err)
		}
		if !next.Valid {
			break
		}
		list, last = append(list, next.String), next.String
	}
	return list, nil
}
