package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dtm"
)

// sumUpAfter is how many rows may be added to a month of fact_month before the
// month is summed up again. Small enough that a month under
// live load reads fast, large enough that summing up is rare.
const sumUpAfter = 20_000

// Merger brings staged facts into the tables of an operation.
type Merger struct {
	Writer
	Operation string
	// Deltas are the rows added to fact_month by month since it was last summed up.
	Deltas map[time.Time]int
}

// Merge writes the stage down: the last step of a batch before its position.
func (m Merger) Merge(ctx context.Context, s *Stage) error {
	for _, step := range []func(context.Context, *Stage) error{
		m.stage,
		m.mergeSubmissions,
		m.mergeHistory,
		m.insertFacts,
		m.SumUp,
		m.markMain,
		m.recordOutcome,
	} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

var arrivalColumns = []string{"operation", "source", "observed", "point", "point_text", "device", "received", "hour", "delay", "positioned", "lon", "lat"}

// CellColumns are the columns of the table cell.
var CellColumns = []string{"operation", "cell", "point", "point_text", "region", "role", "direction", "flow_type", "route", "subroute", "origin", "previous",
	"next", "final", "breakdown", "nationality", "sex", "age", "age_band", "reason_set", "transport_set"}

// CellRow is a cell with its number, in the order of CellColumns.
func CellRow(operation string, n int32, e *Cell) []any {
	return []any{operation, n, e.Point, e.PointText, e.Region, e.Role, e.Direction, e.FlowType,
		e.Route, e.Subroute, e.Origin, e.Previous, e.Next, e.Final,
		e.Breakdown, e.Nationality, e.Sex, e.Age, e.AgeBand, e.ReasonSet, e.TransportSet}
}

// Cells gives each cell of the table its number.
func Cells(ctx context.Context, w Writer) (map[Cell]int32, error) {
	out := map[Cell]int32{}
	return out, w.Each(ctx, func(scan func(...any) error) error {
		var n int32
		var c Cell
		err := scan(&n, &c.Point, &c.PointText, &c.Region, &c.Role, &c.Direction, &c.FlowType, &c.Route, &c.Subroute, &c.Origin, &c.Previous,
			&c.Next, &c.Final, &c.Breakdown, &c.Nationality, &c.Sex, &c.Age, &c.AgeBand, &c.ReasonSet, &c.TransportSet)
		out[c] = n
		return err
	}, `SELECT `+strings.Join(CellColumns[1:], ", ")+` FROM cell`)
}

// AppendCells adds cells, numbered from first, with the codes of their sets.
func (m Merger) AppendCells(ctx context.Context, cells []Cell, first int32) error {
	if len(cells) == 0 {
		return nil
	}
	if err := m.Fill(ctx, "cell", CellColumns, len(cells), func(i int) []any { return CellRow(m.Operation, first+int32(i), &cells[i]) }); err != nil {
		return err
	}
	return m.AddAnswers(ctx, SetsOf(cells))
}

// SetsOf gives the codes of the sets of answers that cells name.
func SetsOf(cells []Cell) (sets []Answered) {
	for i := range cells {
		for list, set := range map[string]string{"reason": cells[i].ReasonSet, "transport": cells[i].TransportSet} {
			for _, code := range strings.Fields(set) {
				sets = append(sets, Answered{list, set, code})
			}
		}
	}
	return sets
}

// AddAnswers remembers which codes sets hold; those that are known stay.
func (m Merger) AddAnswers(ctx context.Context, sets []Answered) error {
	const lines = 200 // of a statement
	sets = distinct(sets)
	for part := range slices.Chunk(sets, lines) {
		var values []string
		var args []any
		for _, a := range part {
			values = append(values, fmt.Sprintf("($%d, $%d, $%d)", len(args)+1, len(args)+2, len(args)+3))
			args = append(args, a.List, a.Set, a.Code)
		}
		if _, err := m.Exec(ctx, `INSERT INTO answer_set (list, answer_set, code) VALUES `+strings.Join(values, ", ")+` ON CONFLICT DO NOTHING`, args...); err != nil {
			return err
		}
	}
	return nil
}

// EmptySets remembers the set without answers, of every list.
func (m Merger) EmptySets(ctx context.Context) error {
	var sets []Answered
	for _, list := range AnswerLists() {
		sets = append(sets, Answered{List: list})
	}
	return m.AddAnswers(ctx, sets)
}

// stage fills the temporary tables.
func (m Merger) stage(ctx context.Context, s *Stage) error {
	for _, t := range []struct{ name, definition string }{
		{"stage", `(
			number     INTEGER,
			chunk      INTEGER,
			source     TEXT,
			observed   DATE,
			month      DATE,
			month_only BOOLEAN,
			cell       INTEGER,
			people     INTEGER,
			assessed   TEXT
		)`},
		{"stage_vulnerability", `(number INTEGER, code TEXT, people INTEGER)`},
		{"stage_submission", `(source TEXT)`},
		{"stage_replaced", `(source TEXT)`},
		{"sum_up", `(month DATE)`},
		{"touched", `(month DATE, point TEXT, point_text TEXT)`},
	} {
		if err := m.Temp(ctx, t.name, t.definition); err != nil {
			return err
		}
	}
	if err := m.AppendCells(ctx, s.Cells, s.FirstCell); err != nil {
		return err
	}
	var vulnerable [][]any
	if len(s.Facts) > 0 {
		err := m.Fill(ctx, "stage", []string{"number", "chunk", "source", "observed", "month", "month_only", "cell", "people", "assessed"}, len(s.Facts), func(i int) []any {
			f := &s.Facts[i]
			if f.Dropped {
				return nil
			}
			for _, v := range f.Movement.Vulnerable {
				vulnerable = append(vulnerable, []any{int32(i), v.Code, int32(v.People)})
			}
			return []any{int32(i), f.Chunk, f.Source, f.Observed, f.Month, f.MonthOnly, f.Cell, f.People, f.Assessed}
		})
		if err != nil {
			return err
		}
	}
	one := func(list []string) func(int) []any { return func(i int) []any { return []any{list[i]} } }
	for _, t := range []struct {
		table   string
		columns []string
		n       int
		row     func(int) []any
	}{
		{"stage_vulnerability", []string{"number", "code", "people"}, len(vulnerable), func(i int) []any { return vulnerable[i] }},
		{"stage_submission", []string{"source"}, len(s.Submitted), one(s.Submitted)},
		{"stage_replaced", []string{"source"}, len(s.Replaced), one(s.Replaced)},
	} {
		if t.n > 0 {
			if err := m.Fill(ctx, t.table, t.columns, t.n, t.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeSubmissions takes out what the staged submissions said before and what the
// instances they replace said, and adds what is said besides movements. Most
// submissions are new; then nothing is looked through.
func (m Merger) mergeSubmissions(ctx context.Context, s *Stage) error {
	if len(s.Submitted) == 0 {
		return nil
	}
	if len(s.Replaced) > 0 {
		if _, err := m.Exec(ctx, `
			INSERT INTO replaced (operation, source)
			SELECT DISTINCT CAST($1 AS text), source FROM stage_replaced
			ON CONFLICT DO NOTHING`, m.Operation); err != nil {
			return err
		}
	}
	// The key's index finds the known ones among the new: looking them up by a
	// join would read every submission there ever was, several times a second.
	added, err := m.Exec(ctx, `
		INSERT INTO submission (operation, source)
		SELECT DISTINCT CAST($1 AS text), source FROM stage_submission
		ON CONFLICT DO NOTHING`, m.Operation)
	if err != nil {
		return err
	}
	if int(added) < len(s.Submitted) || len(s.Replaced) > 0 {
		s.Mixed = true // perhaps: touched says
		if err := m.Temp(ctx, "void", `AS SELECT source FROM stage_submission UNION SELECT source FROM stage_replaced`); err != nil {
			return err
		}
		if err := all(ctx, m, `
			INSERT INTO sum_up
			SELECT DISTINCT month FROM fact WHERE source IN (SELECT source FROM void)`, `
			INSERT INTO touched
			SELECT DISTINCT f.month, c.point, c.point_text
			FROM fact f
			JOIN cell c ON c.cell = f.cell
			WHERE f.source IN (SELECT source FROM void) AND c.breakdown <> 'full'`,
		); err != nil {
			return err
		}
		tables := []string{"fact", "fact_vulnerability", "arrival"}
		for _, t := range Records {
			tables = append(tables, t.Name)
		}
		for _, t := range tables {
			if err := all(ctx, m, `DELETE FROM `+t+` WHERE source IN (SELECT source FROM void)`); err != nil {
				return err
			}
		}
	}
	replaced := map[string]bool{} // of the staged ones, those that were replaced, whichever came first
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var source string
		err := scan(&source)
		replaced[source] = true
		return err
	}, `SELECT r.source FROM replaced r JOIN stage_submission t ON r.source = t.source WHERE r.operation = $1`, m.Operation); err != nil {
		return err
	}
	if len(s.Arrivals) > 0 {
		if err := m.Fill(ctx, "arrival", arrivalColumns, len(s.Arrivals), func(i int) []any {
			a := &s.Arrivals[i]
			if replaced[a.Source] {
				return nil
			}
			return []any{m.Operation, a.Source, a.Observed, a.Point, a.PointText, a.Device, a.Received.UTC(), int32(a.Hour), int32(a.Delay), a.Positioned, a.Lon, a.Lat}
		}); err != nil {
			return err
		}
	}
	if len(s.Answers) > 0 {
		if err := m.AddAnswers(ctx, s.Answers); err != nil {
			return err
		}
	}
	for _, t := range Records {
		rows := s.Rows[t.Name]
		if len(rows) == 0 {
			continue
		}
		if err := m.Fill(ctx, t.Name, t.Names(), len(rows), func(i int) []any {
			if replaced[rows[i][0].(string)] {
				return nil
			}
			return append([]any{m.Operation}, rows[i]...)
		}); err != nil {
			return err
		}
	}
	if len(replaced) == 0 {
		return nil
	}
	_, err = m.Exec(ctx, `
		DELETE FROM stage
		WHERE chunk = -1 AND source IN (
			SELECT r.source FROM replaced r JOIN stage_submission t ON r.source = t.source WHERE r.operation = $1)`, m.Operation)
	return err
}

// mergeHistory compares imported rows with those that have the same key, drops
// the unchanged from the stage and takes the changed out of the facts.
func (m Merger) mergeHistory(ctx context.Context, s *Stage) error {
	if len(s.Outcomes) == 0 {
		return nil
	}
	if err := m.Temp(ctx, "known", `AS
		SELECT s.number, m.source, m.month, m.people, m.assessed,
			m.people = s.people AND m.assessed = s.assessed AS same
		FROM fact m
		JOIN stage s ON s.source = m.source
		WHERE m.operation = $1 AND s.chunk >= 0`, m.Operation); err != nil {
		return err
	}
	before := map[string]Stood{}
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var source string
		var b Stood
		err := scan(&source, &b.People, &b.Assessed)
		before[source] = b
		return err
	}, `SELECT source, people, assessed FROM known`); err != nil {
		return err
	}
	s.Count(before)
	if len(before) == 0 {
		return nil
	}
	return all(ctx, m, `
		INSERT INTO sum_up SELECT DISTINCT month FROM known WHERE NOT same`, `
		DELETE FROM fact WHERE source IN (SELECT source FROM known WHERE NOT same)`, `
		DELETE FROM fact_vulnerability WHERE source IN (SELECT source FROM known WHERE NOT same)`, `
		DELETE FROM stage WHERE number IN (SELECT number FROM known WHERE same)`)
}

// insertFacts adds what is left in the stage to the facts and to the rollups.
// Rows by nationality are added as not main; markMain decides.
func (m Merger) insertFacts(ctx context.Context, s *Stage) error {
	if len(s.Facts) == 0 {
		return nil
	}
	for _, text := range []string{`
		INSERT INTO fact
		SELECT CAST($1 AS text), s.source, s.observed, s.month, s.month_only, s.cell, s.people, s.assessed, c.breakdown <> 'nationality'
		FROM stage s
		JOIN cell c ON c.cell = s.cell`, `
		INSERT INTO fact_month
		SELECT CAST($1 AS text), s.month, s.month_only, s.cell, CAST(sum(s.people) AS bigint), c.breakdown <> 'nationality'
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		GROUP BY s.month, s.month_only, s.cell, c.breakdown`, `
		INSERT INTO point_day
		SELECT DISTINCT CAST($1 AS text), s.observed, s.month, c.point, c.point_text, c.region
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		WHERE NOT s.month_only`, `
		INSERT INTO fact_vulnerability
		SELECT CAST($1 AS text), s.source, s.observed, s.month, s.month_only, s.cell, v.code, v.people, s.people
		FROM stage_vulnerability v
		JOIN stage s ON s.number = v.number`,
	} {
		if _, err := m.Exec(ctx, text, m.Operation); err != nil {
			return err
		}
	}
	return nil
}

// markMain decides for the touched months and points whether rows by nationality
// count in totals: only where there is no row by sex and age, which describes the
// same people. It looks at what is there, not at what came first, so that the
// order of imports does not matter.
func (m Merger) markMain(ctx context.Context, s *Stage) error {
	if !s.Mixed {
		return nil
	}
	if err := all(ctx, m, `
		INSERT INTO touched
		SELECT DISTINCT s.month, c.point, c.point_text
		FROM stage s
		JOIN cell c ON c.cell = s.cell
		WHERE c.breakdown <> 'full'`); err != nil {
		return err
	}
	if err := m.Temp(ctx, "place", `AS
		SELECT t.month, t.point, t.point_text, bool_or(c.breakdown = 'sex_age') AS has_sex_age
		FROM (SELECT DISTINCT month, point, point_text FROM touched) t
		JOIN cell c ON c.point = t.point AND c.point_text = t.point_text
		JOIN fact_month f ON f.cell = c.cell AND f.month = t.month
		GROUP BY t.month, t.point, t.point_text`); err != nil {
		return err
	}
	if err := m.Temp(ctx, "flip", `AS
		SELECT DISTINCT p.month, c.cell, NOT p.has_sex_age AS main
		FROM place p
		JOIN cell c ON c.point = p.point AND c.point_text = p.point_text AND c.breakdown = 'nationality'
		JOIN fact_month f ON f.cell = c.cell AND f.month = p.month
		WHERE f.main = p.has_sex_age`); err != nil {
		return err
	}
	return all(ctx, m, `
		UPDATE fact
		SET main = f.main
		FROM flip f
		WHERE fact.month = f.month AND fact.cell = f.cell`, `
		UPDATE fact_month
		SET main = f.main
		FROM flip f
		WHERE fact_month.month = f.month AND fact_month.cell = f.cell`)
}

// SumUp makes the rollups of the months in the temporary table sum_up again from the
// facts: those where rows were taken
// out or changed their part, and where many small additions have gathered.
func (m Merger) SumUp(ctx context.Context, s *Stage) error {
	for month, n := range s.Months {
		if before := m.Deltas[month]; before > 0 && before+n > sumUpAfter {
			if _, err := m.Exec(ctx, `INSERT INTO sum_up VALUES (CAST($1 AS date))`, month.Format(time.DateOnly)); err != nil {
				return err
			}
		}
	}
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var month time.Time
		err := scan(&month)
		s.SumUp = append(s.SumUp, dtm.MonthOf(month).First())
		return err
	}, `SELECT DISTINCT month FROM sum_up`); err != nil {
		return err
	}
	if len(s.SumUp) == 0 {
		return nil
	}
	return all(ctx, m, `
		DELETE FROM fact_month WHERE month IN (SELECT month FROM sum_up)`, `
		DELETE FROM point_day WHERE month IN (SELECT month FROM sum_up)`, `
		INSERT INTO fact_month
		SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint), main
		FROM fact
		WHERE month IN (SELECT month FROM sum_up)
		GROUP BY operation, month, month_only, cell, main`, `
		INSERT INTO point_day
		SELECT DISTINCT operation, observed, month, point, point_text, region
		FROM movement
		WHERE NOT month_only AND month IN (SELECT month FROM sum_up)`)
}

func (m Merger) recordOutcome(ctx context.Context, s *Stage) error {
	for _, o := range s.Outcomes {
		if _, err := m.Exec(ctx, `
			INSERT INTO outcome (operation, chunk, row_count, added, unchanged, changed)
			VALUES ($1, $2, $3, $4, $5, $6)`,
			m.Operation, o.Chunk, int32(o.Rows), int32(o.Added), int32(o.Unchanged), int32(o.Changed)); err != nil {
			return err
		}
	}
	return nil
}

func distinct(sets []Answered) (out []Answered) {
	seen := make(map[Answered]bool, len(sets))
	for _, a := range sets {
		if !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
