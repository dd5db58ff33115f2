package relational

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// finding is a search as SQL: the tables in the order in which they are walked, what
// the index that is walked answers, and what is asked of each row that is met. The
// index is named, because the planner does not know how many there are of what.
type finding struct {
	from  string
	walk  string // conditions of the index
	rest  string // conditions of the rows: " AND ..."
	seq   string // column in whose order rows are met, or are put
	dense bool   // rows are numbered without gaps
	args  []any
}

func (f *finding) bind(v any) string {
	f.args = append(f.args, v)
	return "$" + strconv.Itoa(len(f.args))
}

func (f *finding) and(condition string) { f.rest += " AND " + condition }

func (f *finding) where() string { return f.walk + f.rest }

// few is how many rows of an index are read and put in order, rather than walking
// another one that has the order. A test makes it less.
var few = 2000

// mostSteps is how many rows are walked to count what a search finds.
const mostSteps = 5000

// way is one of a search's filters as an index: walking it meets all that the search
// finds.
type way struct {
	index  string
	where  func(f *finding) string // its condition of submission_reading as x
	filter bool                    // it is one value of a column, so that its index has the order of seq
}

// ways are the filters that have an index, the last the best where they all find much.
func ways(s dtm.SubmissionSearch) (list []way) {
	between := func(column, from, to string) {
		if from == "" && to == "" {
			return
		}
		list = append(list, way{index: "reading_" + column, where: func(f *finding) string {
			condition := "x." + column + " <> ''" // what its index holds
			if from != "" {
				condition += " AND x." + column + " >= " + f.bind(from)
			}
			if to != "" {
				condition += " AND x." + column + " < " + f.bind(to)
			}
			return condition
		}})
	}
	equal := func(column string, v *string) {
		if v == nil {
			return
		}
		list = append(list, way{index: "reading_" + column, filter: true, where: func(f *finding) string {
			condition := "x." + column + " = " + f.bind(*v)
			if column == "point" || column == "enumerator" {
				condition += " AND x." + column + " <> ''" // what its index holds
			}
			return condition
		}})
	}
	some := func(v string) *string {
		if v == "" {
			return nil
		}
		return &v
	}
	from, to := "", ""
	if !s.From.IsZero() {
		from = timeText(s.From)
	}
	if !s.To.IsZero() {
		to = timeText(s.To)
	}
	between("arrived", from, to)
	if to = s.ToDay; to != "" {
		to += "~" // behind the day itself
	}
	between("day", s.FromDay, to)
	equal("form", s.Form)
	equal("state", s.State)
	equal("point", some(s.Point))
	equal("device", s.Device)
	equal("enumerator", some(s.Enumerator))
	return list
}

// upTo counts the rows of a table, as far as most. with makes table and condition.
func (db *DB) upTo(ctx context.Context, q Querier, most int, with func(f *finding) (from, where string)) (n int, err error) {
	f := &finding{args: []any{db.operation}}
	from, where := with(f)
	err = q.QueryRowContext(ctx, `
		SELECT count(*)
		FROM (SELECT 1
		      FROM `+from+`
		      WHERE `+where+`
		      LIMIT `+strconv.Itoa(most)+`) y`, f.args...).Scan(&n)
	return n, err
}

const (
	byReading = `x.operation = $1`
	ofRule    = `submission_rule r`
)

// finding makes the search's SQL, with arguments after those that the query around
// it has, of which the first is the operation. Of its filters that is walked which
// leaves few rows; where all leave many, one that has them in the order of lists, with
// the days as bounds of seq.
func (db *DB) finding(ctx context.Context, q Querier, s dtm.SubmissionSearch, around ...any) (*finding, error) {
	if len(around) == 0 {
		around = []any{db.operation}
	}
	f := &finding{args: around, seq: "x.seq", dense: db.engine.Alone}
	list := ways(s)
	id, byItsID := idStart(s.Text)
	asked := s.Text != "" && !byItsID

	// What leaves few rows is walked.
	least, chosen := few, -1
	if len(list) > 1 || len(list) == 1 && (!list[0].filter || s.Text != "" || s.Rule != "") {
		for i, w := range list {
			n, err := db.upTo(ctx, q, least, func(f *finding) (string, string) {
				return `submission_reading x INDEXED BY ` + w.index, byReading + ` AND ` + w.where(f)
			})
			if err != nil {
				return nil, err
			}
			if n < least {
				least, chosen = n, i
			}
		}
	}
	byID, byRule := false, false
	if byItsID {
		n, err := db.upTo(ctx, q, least, func(f *finding) (string, string) { return f.idTable(id), `TRUE` })
		if err != nil {
			return nil, err
		}
		if byID = n < least; byID {
			least = n
		}
	}
	if s.Rule != "" {
		n, err := db.upTo(ctx, q, least, func(f *finding) (string, string) {
			return ofRule, `r.operation = $1 AND r.rule = ` + f.bind(s.Rule)
		})
		if err != nil {
			return nil, err
		}
		byRule = n < least || chosen < 0 && !byID && !asked
		byID = byID && !byRule
	}

	if s.Positioned {
		f.and("x.lat IS NOT NULL")
	}
	byWords := false
	if asked {
		from, by, condition, arg, err := db.engine.Words.Find(ctx, q, words(s.Text), !byRule)
		if err != nil {
			return nil, err
		}
		if condition == "" {
			condition = "FALSE"
		} else {
			condition = strings.Replace(condition, "?", f.bind(arg), 1)
		}
		if byWords = from != ""; byWords {
			f.from, f.walk, f.seq = from, condition+` AND `+byReading, by
		} else {
			f.and(condition)
		}
	}
	if s.Rule != "" && !byRule {
		f.and(`EXISTS (SELECT 1 FROM ` + ofRule + ` WHERE r.operation = x.operation AND r.rule = ` + f.bind(s.Rule) + ` AND r.seq = x.seq)`)
	}
	if byItsID && !byID {
		f.and(`EXISTS (SELECT 1 FROM submission s INDEXED BY submission_seq WHERE s.operation = x.operation AND s.seq = x.seq AND (` + strings.Join(f.begins(id), " OR ") + `))`)
	}
	rest := func(except int) {
		for i, w := range list {
			if i != except {
				f.and(w.where(f))
			}
		}
	}
	along := func(i int) {
		f.from, f.walk = `submission_reading x INDEXED BY `+list[i].index, byReading+` AND `+list[i].where(f)
		rest(i)
	}
	switch {
	case byRule:
		f.from = ofRule + ` CROSS JOIN submission_reading x INDEXED BY reading_seq ON x.operation = r.operation AND x.seq = r.seq`
		f.walk, f.seq = `r.operation = $1 AND r.rule = `+f.bind(s.Rule), "r.seq"
		rest(-1)
	case byID:
		f.from = f.idTable(id) + ` CROSS JOIN submission_reading x INDEXED BY reading_seq ON x.operation = s.operation AND x.seq = s.seq`
		f.walk = byReading
		rest(-1)
	case byWords:
		rest(-1)
	case chosen >= 0:
		along(chosen)
		return f, nil
	default:
		f.from, f.walk, chosen = `submission_reading x INDEXED BY reading_seq`, byReading, -1
		for i, w := range list {
			if w.filter {
				chosen = i
			}
		}
		if chosen >= 0 {
			along(chosen)
		} else {
			rest(-1)
		}
	}
	return f, db.bounded(ctx, q, f, s)
}

// begins are the conditions of submission as s that its id begins so, with "uuid:" and
// without.
func (f *finding) begins(start string) (list []string) {
	for _, id := range []string{start, "uuid:" + start} {
		list = append(list, `s.id >= `+f.bind(id)+` AND s.id < `+f.bind(id+"\U0010ffff"))
	}
	return list
}

// idTable are the submissions whose id begins so, as a table.
func (f *finding) idTable(start string) string {
	var parts []string
	for _, begins := range f.begins(start) {
		parts = append(parts, `
			SELECT s.operation, s.seq
			FROM submission s
			WHERE s.operation = $1 AND `+begins)
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ") s"
}

// beyond bounds the walk by a number of seq, which stands there.
func (f *finding) beyond(than string, seq int64) {
	bound := f.bind(seq)
	if f.seq != "x.seq" && f.seq != "r.seq" { // numbered by row
		bound = "(SELECT doc FROM submission_reading WHERE operation = $1 AND seq = " + bound + ")"
	}
	f.walk += " AND " + f.seq + than + bound
}

// dateOf is the date of a time as it is stored.
func dateOf(at string) string { return at[:min(len(at), len(time.DateOnly))] }

// bounded bounds the walk by seq where the search is of days: each day's first and last
// are kept.
func (db *DB) bounded(ctx context.Context, q Querier, f *finding, s dtm.SubmissionSearch) error {
	low, high := int64(0), int64(1<<62)
	narrow := func(by, from, to string) error {
		if from == "" && to == "" {
			return nil
		}
		if to == "" {
			to = "~"
		}
		var l, h sql.NullInt64
		err := q.QueryRowContext(ctx, `
			SELECT min(low), max(high)
			FROM reading_span
			WHERE operation = $1 AND kind = $2 AND day >= $3 AND day <= $4`, db.operation, by, from, to).Scan(&l, &h)
		low, high = max(low, l.Int64), min(high, h.Int64)
		return err
	}
	from, to := "", ""
	if !s.From.IsZero() {
		from = dateOf(timeText(s.From))
	}
	if !s.To.IsZero() {
		to = dateOf(timeText(s.To))
	}
	if err := narrow("arrived", from, to); err != nil {
		return err
	}
	if err := narrow("day", s.FromDay, s.ToDay); err != nil {
		return err
	}
	if low > 0 {
		f.beyond(" >= ", low)
	}
	if high < 1<<62 {
		f.beyond(" <= ", high)
	}
	return nil
}

// all counts everything that is found.
func (f *finding) all(ctx context.Context, q Querier) (n int, err error) {
	if f.dense && f.rest == "" && f.walk == byReading {
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
	err = q.QueryRowContext(ctx, `
		SELECT count(*)
		FROM `+f.from+`
		WHERE `+f.where(), f.args...).Scan(&n)
	return n, err
}

// some counts what is found among no more rows than mostSteps.
func (f *finding) some(ctx context.Context, q Querier) (n dtm.Found, err error) {
	var steps int
	err = q.QueryRowContext(ctx, `
		SELECT count(*), coalesce(sum(hit), 0)
		FROM (SELECT CASE WHEN TRUE`+f.rest+` THEN 1 ELSE 0 END AS hit
		      FROM `+f.from+`
		      WHERE `+f.walk+`
		      LIMIT `+strconv.Itoa(mostSteps+1)+`) y`, f.args...).Scan(&steps, &n.N)
	n.More = steps > mostSteps
	return n, err
}

// listed reads rows of a finding: first their numbers, so that only what is shown
// is read from the wide table.
func (db *DB) listed(ctx context.Context, q Querier, f *finding, end string) ([]dtm.Listed, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT `+strings.ReplaceAll(submissionColumns, "s.xml", "NULL")+`, x.seq, x.point, x.enumerator, x.day, x.lat, x.lon, x.name
		FROM (SELECT x.*
		      FROM `+f.from+`
		      WHERE `+f.where()+end+`) x
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
