package warehouse

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
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
		m.appendCells,
		m.mergeSubmissions,
		m.mergeHistory,
		m.insertFacts,
		m.shorten,
		m.markMain,
		m.stampMonths,
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

func (m Merger) appendCells(ctx context.Context, s *Stage) error {
	return m.AppendCells(ctx, s.Cells, s.FirstCell)
}

// mergeSubmissions takes out what the staged submissions said before and what the
// instances they replace said, and adds what is said besides movements. Most
// submissions are new; then nothing is looked through.
func (m Merger) mergeSubmissions(ctx context.Context, s *Stage) error {
	if len(s.Submitted) == 0 {
		return nil
	}
	submitted := strings.Join(s.Submitted, separator)
	if len(s.Replaced) > 0 {
		if _, err := m.Exec(ctx, `
			INSERT INTO replaced (operation, source)
			SELECT CAST($1 AS text), unnest(string_to_array($2, chr(31)))
			ON CONFLICT DO NOTHING`, m.Operation, strings.Join(s.Replaced, separator)); err != nil {
			return err
		}
	}
	// The key's index finds the known ones among the new: looking them up by a
	// join would read every submission there ever was, several times a second.
	// Those that came are counted one by one: Citus says of how many it tried.
	added := 0
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var source string
		added++
		return scan(&source)
	}, `
		INSERT INTO submission (operation, source)
		SELECT CAST($1 AS text), unnest(string_to_array($2, chr(31)))
		ON CONFLICT DO NOTHING
		RETURNING source`, m.Operation, submitted); err != nil {
		return err
	}
	if added < len(s.Submitted) || len(s.Replaced) > 0 {
		if err := m.takeOut(ctx, s, submitted); err != nil {
			return err
		}
	}
	replaced := map[string]bool{} // of the staged ones, those that were replaced, whichever came first
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var source string
		err := scan(&source)
		replaced[source] = true
		return err
	}, `SELECT source FROM replaced WHERE operation = $1 AND source IN (SELECT unnest(string_to_array($2, chr(31))))`, m.Operation, submitted); err != nil {
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
	if len(replaced) > 0 {
		for i := range s.Facts {
			f := &s.Facts[i]
			f.Dropped = f.Dropped || f.Chunk < 0 && replaced[f.Source]
		}
	}
	return nil
}

// separator stands between the texts of a list that is one argument: neither ids of
// instances nor keys of rows have it.
const separator = "\x1f"

// takeOut removes what the staged submissions said before and what the instances that
// they replace said.
func (m Merger) takeOut(ctx context.Context, s *Stage, submitted string) error {
	if err := m.Temp(ctx, "void", `AS SELECT DISTINCT source FROM (SELECT unnest(string_to_array($1, chr(31))) AS source) v`,
		strings.Join(append([]string{submitted}, s.Replaced...), separator)); err != nil {
		return err
	}
	if err := m.Each(ctx, func(scan func(...any) error) error {
		var at time.Time
		var p monthPlace
		var breakdown string
		if err := scan(&at, &p.point, &p.text, &breakdown); err != nil {
			return err
		}
		p.month = month(at)
		s.void[p.month] = true
		if breakdown != string(dtm.Full) {
			s.Mixed, s.touched[p] = true, true
		}
		return nil
	}, `
		SELECT DISTINCT f.month, c.point, c.point_text, c.breakdown
		FROM fact f
		JOIN cell c ON c.operation = f.operation AND c.cell = f.cell
		WHERE f.source IN (SELECT source FROM void)`); err != nil {
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
	return nil
}

// mergeHistory compares imported rows with those that have the same key, drops
// the unchanged from the stage and takes the changed out of the facts. A key names its
// day, so that only the facts of the days of the batch are looked at.
func (m Merger) mergeHistory(ctx context.Context, s *Stage) error {
	if len(s.Outcomes) == 0 {
		return nil
	}
	var maybe []int32 // facts whose key may stand
	for i := range s.Facts {
		if f := &s.Facts[i]; f.maybe && !f.Dropped {
			maybe = append(maybe, int32(i))
		}
	}
	before := map[string]Stood{}
	if len(maybe) > 0 {
		if err := m.Temp(ctx, "imported", `(source TEXT, observed DATE)`); err != nil {
			return err
		}
		values := make([]any, 2)
		if err := m.Fill(ctx, "imported", []string{"source", "observed"}, len(maybe), func(i int) []any {
			f := &s.Facts[maybe[i]]
			values[0], values[1] = f.Source, f.day.observed
			return values
		}); err != nil {
			return err
		}
		if err := m.Each(ctx, func(scan func(...any) error) error {
			var source string
			var b Stood
			err := scan(&source, &b.month, &b.People, &b.Assessed)
			b.month = month(b.month)
			before[source] = b
			return err
		}, `
			SELECT f.source, f.month, f.people, f.assessed
			FROM fact f
			JOIN imported i ON i.source = f.source AND i.observed = f.observed
			WHERE f.operation = $1`, m.Operation); err != nil {
			return err
		}
	}
	changed := s.changed(before)
	s.Count(before)
	if len(changed) == 0 {
		return nil
	}
	if err := m.Temp(ctx, "changed", `(source TEXT)`); err != nil {
		return err
	}
	if err := m.Fill(ctx, "changed", []string{"source"}, len(changed), func(i int) []any { return []any{changed[i]} }); err != nil {
		return err
	}
	return all(ctx, m, `
		DELETE FROM fact WHERE source IN (SELECT source FROM changed)`, `
		DELETE FROM fact_vulnerability WHERE source IN (SELECT source FROM changed)`)
}

// insertFacts adds what is left in the stage to the facts and to the rollups.
// Rows by nationality are added as not main; markMain decides.
func (m Merger) insertFacts(ctx context.Context, s *Stage) error {
	if len(s.Facts) == 0 {
		return nil
	}
	var vulnerable []*Fact
	var operation any = m.Operation
	left := 0
	values := make([]any, 9)
	if err := m.Fill(ctx, "fact", []string{"operation", "source", "observed", "month", "month_only", "cell", "people", "assessed", "main"}, len(s.Facts), func(i int) []any {
		f := &s.Facts[i]
		if f.Dropped {
			return nil
		}
		left++
		if len(f.Movement.Vulnerable) > 0 {
			vulnerable = append(vulnerable, f)
		}
		if !f.cell.full {
			s.touched[monthPlace{*f.day.first, f.cell.place.point, f.cell.place.text}] = true
		}
		values[0], values[1], values[2], values[3], values[4] = operation, f.Source, f.day.observed, f.day.month, f.MonthOnly
		values[5], values[6], values[7], values[8] = f.cell.value, f.People, f.Assessed, f.cell.main
		return values
	}); err != nil || left == 0 {
		return err
	}
	var lines [][]any
	for _, f := range vulnerable {
		for _, v := range f.Movement.Vulnerable {
			lines = append(lines, []any{operation, f.Source, f.day.observed, f.day.month, f.MonthOnly, f.cell.value, v.Code, int32(v.People), f.People})
		}
	}
	r := s.rollup()
	for i := range r.months {
		s.Months[*r.months[i].day.first]++
	}
	for _, t := range []struct {
		name    string
		columns []string
		n       int
		row     func(int) []any
	}{
		{"fact_month", []string{"operation", "month", "month_only", "cell", "people", "main"}, len(r.months), func(i int) []any {
			x := &r.months[i]
			return append(values[:0], operation, x.day.month, x.monthOnly, x.cell.value, x.people, x.cell.main)
		}},
		{"point_day", []string{"operation", "observed", "month", "point", "point_text", "region", "direction", "people", "main"}, len(r.days), func(i int) []any {
			x := &r.days[i]
			return append(values[:0], operation, x.day.observed, x.day.month, x.cell.place.point, x.cell.place.text, x.cell.place.region, x.cell.direction, x.people, x.cell.main)
		}},
		{"fact_vulnerability", []string{"operation", "source", "observed", "month", "month_only", "cell", "code", "people", "assessed"}, len(lines), func(i int) []any { return lines[i] }},
	} {
		if t.n > 0 {
			if err := m.Fill(ctx, t.name, t.columns, t.n, t.row); err != nil {
				return err
			}
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
	counted := s.byNationality()
	var touched []monthPlace
	for at := range s.touched {
		if counted[place{point: at.point, text: at.text}] {
			touched = append(touched, at)
		}
	}
	if len(touched) == 0 {
		return nil
	}
	if err := m.Temp(ctx, "touched", `(month DATE, point TEXT, point_text TEXT)`); err != nil {
		return err
	}
	if err := m.Fill(ctx, "touched", []string{"month", "point", "point_text"}, len(touched), func(i int) []any {
		return []any{touched[i].month, touched[i].point, touched[i].text}
	}); err != nil {
		return err
	}
	if err := m.Temp(ctx, "place", `AS
		SELECT t.month, t.point, t.point_text, bool_or(c.breakdown = 'sex_age') AS has_sex_age
		FROM touched t
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
		WHERE fact_month.month = f.month AND fact_month.cell = f.cell`, `
		DELETE FROM point_day WHERE month IN (SELECT month FROM flip)`, `
		INSERT INTO point_day`+byDay+` IN (SELECT month FROM flip)`+byDayGroups)
}

// shorten makes rollups short again: those of months where rows were taken out are
// summed up from the facts, those where many small additions have gathered are added
// up.
func (m Merger) shorten(ctx context.Context, s *Stage) error {
	if len(s.void) > 0 {
		if err := m.SumUp(ctx, slices.Collect(maps.Keys(s.void))); err != nil {
			return err
		}
	}
	var long []time.Time
	for month, n := range s.Months {
		if before := m.Deltas[month]; before > 0 && before+n > sumUpAfter && !s.void[month] {
			long = append(long, month)
		}
	}
	s.SumUp = slices.AppendSeq(long, maps.Keys(s.void))
	if len(long) == 0 {
		return nil
	}
	if err := m.months(ctx, "added_up", long); err != nil {
		return err
	}
	for _, t := range []struct{ table, sums string }{
		{"fact_month", `SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint) AS people, main FROM fact_month WHERE month IN (SELECT month FROM added_up) GROUP BY operation, month, month_only, cell, main`},
		{"point_day", `SELECT operation, observed, month, point, point_text, region, direction, CAST(sum(people) AS bigint) AS people, main FROM point_day WHERE month IN (SELECT month FROM added_up) GROUP BY operation, observed, month, point, point_text, region, direction, main`},
	} {
		if err := m.Temp(ctx, "short_"+t.table, `AS `+t.sums); err != nil {
			return err
		}
		if err := all(ctx, m, `DELETE FROM `+t.table+` WHERE month IN (SELECT month FROM added_up)`, `INSERT INTO `+t.table+` SELECT * FROM short_`+t.table); err != nil {
			return err
		}
	}
	return nil
}

// stampMonths notes the months whose facts are others now.
func (m Merger) stampMonths(ctx context.Context, s *Stage) error {
	changed := maps.Clone(s.void)
	for at := range s.Months {
		changed[at] = true
	}
	for at := range s.touched {
		changed[at.month] = true
	}
	return m.Stamp(ctx, slices.Collect(maps.Keys(changed)))
}

// Stamp gives months a version that they never had.
func (m Merger) Stamp(ctx context.Context, months []time.Time) error {
	for part := range slices.Chunk(months, 200) {
		var values []string
		var args []any
		for _, at := range part {
			values = append(values, fmt.Sprintf("($%d, $%d, $%d)", len(args)+1, len(args)+2, len(args)+3))
			args = append(args, m.Operation, at, rand.Int64())
		}
		if _, err := m.Exec(ctx, `INSERT INTO month_version (operation, month, version) VALUES `+strings.Join(values, ", ")+`
			ON CONFLICT (operation, month) DO UPDATE SET version = excluded.version`, args...); err != nil {
			return err
		}
	}
	return nil
}

// months fills a temporary table with months.
func (m Merger) months(ctx context.Context, table string, months []time.Time) error {
	if err := m.Temp(ctx, table, `(month DATE)`); err != nil {
		return err
	}
	return m.Fill(ctx, table, []string{"month"}, len(months), func(i int) []any { return []any{months[i]} })
}

// SumUp makes the rollups of months again from the facts.
func (m Merger) SumUp(ctx context.Context, months []time.Time) error {
	if len(months) == 0 {
		return nil
	}
	if err := m.months(ctx, "sum_up", months); err != nil {
		return err
	}
	return all(ctx, m, `
		DELETE FROM fact_month WHERE month IN (SELECT month FROM sum_up)`, `
		DELETE FROM point_day WHERE month IN (SELECT month FROM sum_up)`, `
		INSERT INTO fact_month
		SELECT operation, month, month_only, cell, CAST(sum(people) AS bigint), main
		FROM fact
		WHERE month IN (SELECT month FROM sum_up)
		GROUP BY operation, month, month_only, cell, main`, `
		INSERT INTO point_day`+byDay+` IN (SELECT month FROM sum_up)`+byDayGroups)
}

// AddDays adds the people of all facts by day to the days.
func (m Merger) AddDays(ctx context.Context) error {
	return all(ctx, m, `
		INSERT INTO point_day`+byDay+` IN (SELECT month FROM fact)`+byDayGroups)
}

// byDay sums the facts of some months up by day, place and direction.
const (
	byDay = `
		SELECT operation, observed, month, point, point_text, region, direction, CAST(sum(people) AS bigint), main
		FROM movement
		WHERE NOT month_only AND month`
	byDayGroups = `
		GROUP BY operation, observed, month, point, point_text, region, direction, main`
)

func (m Merger) recordOutcome(ctx context.Context, s *Stage) error {
	if len(s.Outcomes) == 0 {
		return nil
	}
	return m.Fill(ctx, "outcome", []string{"operation", "chunk", "row_count", "added", "unchanged", "changed"}, len(s.Outcomes), func(i int) []any {
		o := &s.Outcomes[i]
		return []any{m.Operation, o.Chunk, int32(o.Rows), int32(o.Added), int32(o.Unchanged), int32(o.Changed)}
	})
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
