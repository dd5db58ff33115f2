package indicator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

// computation is one table on its way.
type computation struct {
	engine  *Engine
	ctx     context.Context
	reader  warehouse.Reader
	request *request
	state   *state
	table   *dtm.Table
	read    rows // which rows the figures came from, for the notes
}

// kinds are the ways from rows to figures.
var kinds = map[string]func(*computation) error{
	"count":                 (*computation).count,
	"average_calendar":      (*computation).averageCalendar,
	"average_observed":      (*computation).averageObserved,
	"average_per_point":     (*computation).averagePerPoint,
	"change_previous_month": (*computation).changePreviousMonth,
	"change_previous_year":  (*computation).changePreviousYear,
	"change_baseline":       (*computation).changeBaseline,
	"share_of_all":          (*computation).shareOfAll,
	"share_within":          (*computation).shareWithin,
	"share_answers":         (*computation).shareAnswers,
	"points":                (*computation).points,
	"panel":                 (*computation).panel,
	"vulnerable":            (*computation).vulnerable,
	"coverage":              (*computation).expectedDays,
	"ratio":                 (*computation).ratio,
	"answers":               (*computation).countAnswers,
	"coded":                 (*computation).coded,
	"stock_average":         (*computation).stockAverage,
	"stock_latest":          (*computation).stockLatest,
	"stock_peak":            (*computation).stockPeak,
}

// splitKinds are those whose figures are parts by a dimension of their own.
var splitKinds = []string{"share_within", "share_answers", "answers", "coded"}

// line is a row of a text: the codes of the dimensions, then numbers. A nil number
// is no observation.
type line struct {
	keys    []string
	code    string // of texts that give one after the dimensions
	numbers []*int64
}

// ofMonths are the texts that read nothing but movements of the period.
var ofMonths = []string{"total", "entries", "share_of_all", "points", "unknown", "reason", "transport", "vulnerable", "vulnerabilities", "observed_days"}

// stands names what an answer rests on: the facts of its months, or all data.
func (c *computation) stands(file string, a ask) string {
	if slices.Contains(ofMonths, file) && (a.of == nil || c.request.def.Facts == Movements) {
		return c.state.version(a.period)
	}
	return c.state.release.ID()
}

// run computes a text. numbers is how many figures follow the dimensions.
func (c *computation) run(file string, a ask, numbers int, extra ...any) ([]line, error) {
	body, args, err := text(file, c.engine.op.Code, a, extra...)
	if err != nil {
		return nil, err
	}
	return c.engine.kept.get(c.stands(file, a), body, args, func() ([]line, error) { return c.lines(body, args, a.by, numbers, false) })
}

func (c *computation) lines(body string, args []any, by []string, numbers int, coded bool) ([]line, error) {
	var out []line
	// A table by day and point has thousands of lines: what they hold is made many at
	// a time, and a number is read as the driver gives it, without reflection.
	var code string
	keys, values := make([]string, len(by)), make([]any, numbers)
	dest := make([]any, 0, len(by)+1+numbers)
	for i := range keys {
		dest = append(dest, &keys[i])
	}
	if coded {
		dest = append(dest, &code)
	}
	for i := range values {
		dest = append(dest, &values[i])
	}
	var text room[string]
	var count room[int64]
	var counts room[*int64]
	err := c.reader.Query(c.ctx, body, args, func(scan func(...any) error) error {
		if err := scan(dest...); err != nil {
			return err
		}
		l := line{keys: text.take(len(by)), code: code, numbers: counts.take(numbers)}
		copy(l.keys, keys)
		for i, v := range values {
			if v == nil {
				continue
			}
			l.numbers[i] = &count.take(1)[0]
			switch n := v.(type) {
			case int64:
				*l.numbers[i] = n
			case int32:
				*l.numbers[i] = int64(n)
			default:
				return fmt.Errorf("indicator: a number is %T", v)
			}
		}
		for i, d := range by {
			switch d {
			case "month":
				l.keys[i] = l.keys[i][:len("2006-01")]
			case "day":
				l.keys[i] = l.keys[i][:len("2006-01-02")]
			}
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

// room gives short slices out of longer ones, each twice as long as the one before:
// what is kept of a table of one line is one line.
type room[T any] struct {
	left []T
	size int
}

func (r *room[T]) take(n int) []T {
	if len(r.left) < n {
		r.size = max(n, min(2*r.size, 1024))
		r.left = make([]T, r.size)
	}
	out := r.left[:n:n]
	r.left = r.left[n:]
	return out
}

// sums runs the indicator's text, which gives people, for a period.
func (c *computation) sums(by []string, where map[string][]string, p dtm.Period) ([]line, error) {
	a := c.ask(by, where, p)
	var extra []any
	if c.request.def.query == "entries" {
		extra = append(extra, c.engine.op.Country)
	}
	lines, err := c.run(c.request.def.query, a, 1, extra...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(lines, func(l line) bool { return l.numbers[0] == nil }), nil
}

func (c *computation) ask(by []string, where map[string][]string, p dtm.Period) ask {
	a := ask{by: by, where: where, period: p}
	d := c.request.def
	if d.Facts != Movements {
		a.of, a.set, a.single, a.number = d.of(), d.of()[d.set], d.single, d.number
		if d.kind == "share_within" { // who did not answer is in no part and not in the whole
			for _, dim := range d.Default {
				a.single = append(slices.Clone(a.single), a.of[dim].name)
			}
		}
		return a
	}
	c.read = rowsFor(by, slices.Collect(maps.Keys(where)), slices.Collect(maps.Keys(c.request.where)))
	if d.query == "unknown" {
		c.read = sexAgeRows
	}
	a.rows = c.read
	return a
}

func (c *computation) add(f dtm.Figure) { c.table.Figures = append(c.table.Figures, f) }

// note adds a caveat, once; its Arabic is in the list beside.
func (c *computation) note(code string, en, fr string) {
	for _, n := range c.table.Notes {
		if n.Code == code {
			return
		}
	}
	c.table.Notes = append(c.table.Notes, dtm.Note{Code: code, Text: dtm.Text{dtm.English: en, dtm.French: fr, dtm.Arabic: arabicNotes[code]}})
}

func number(v float64) *float64 { return &v }

func (c *computation) count() error {
	lines, err := c.sums(c.request.by, c.request.where, c.request.period)
	c.table.Figures = slices.Grow(c.table.Figures, len(lines))
	values := make([]float64, len(lines))
	for i, l := range lines {
		n := *l.numbers[0]
		values[i] = float64(n)
		c.add(dtm.Figure{Keys: l.keys, Value: &values[i], People: n})
	}
	return err
}

// days is the number of calendar days that a figure stands for.
func (c *computation) days(keys []string) int {
	p := c.request.period
	for i, d := range c.request.by {
		switch d {
		case "day":
			return 1
		case "month":
			if m, err := dtm.ParseMonth(keys[i]); err == nil {
				p = overlap(p, dtm.Months(m, m))
			}
		}
	}
	return c.elapsed(p)
}

func overlap(a, b dtm.Period) dtm.Period {
	if a.From.Before(b.From) {
		a.From = b.From
	}
	if a.To.After(b.To) {
		a.To = b.To
	}
	return a
}

// elapsed is the number of days of p up to the day of the last loaded event: a
// month that is running is not divided by days that are still to come. The day of
// the event, not the clock, so that the same state gives the same figure.
func (c *computation) elapsed(p dtm.Period) int {
	at := c.state.release.At
	if zone := c.engine.op.Zone; zone != nil {
		at = at.In(zone)
	}
	until := time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, time.UTC)
	if !until.Before(p.To) || !until.After(p.From) {
		return p.Days()
	}
	c.running()
	return dtm.Period{From: p.From, To: until}.Days()
}

// running notes that the period is not over.
func (c *computation) running() {
	c.note("period.running", "The period is not over: days are counted up to the last data received.",
		"La p\u00e9riode n\u2019est pas termin\u00e9e\u202f: les jours sont compt\u00e9s jusqu\u2019aux derni\u00e8res donn\u00e9es re\u00e7ues.")
}

func (c *computation) averageCalendar() error {
	c.table.Basis = "calendar_days"
	if !slices.Contains(c.request.by, "month") && !slices.Contains(c.request.by, "day") {
		c.table.Basis += ":" + strconv.Itoa(c.elapsed(c.request.period))
	}
	lines, err := c.sums(c.request.by, c.request.where, c.request.period)
	for _, l := range lines {
		n, d := *l.numbers[0], float64(c.days(l.keys))
		c.add(dtm.Figure{Keys: l.keys, Value: number(float64(n) / d), Numerator: number(float64(n)), Denominator: &d, People: n})
	}
	return err
}

// observed counts days with observations by the dimensions of by that days have.
// The result is keyed by those dimensions of a figure's keys; unknown holds the
// keys where the days are not known, because history gives the month only.
func (c *computation) observed(by []string) (days map[string]int64, unknown map[string]bool, key func(keys []string) string, err error) {
	var dims []string
	var at []int
	for i, d := range by {
		if columns[d].place {
			dims = append(dims, d)
			at = append(at, i)
		}
	}
	key = func(keys []string) string {
		var part []string
		for _, i := range at {
			part = append(part, keys[i])
		}
		return strings.Join(part, "\x1f")
	}
	lines, err := c.run("observed_days", ask{by: dims, where: c.request.where, period: c.request.period}, 1)
	if err != nil {
		return nil, nil, nil, err
	}
	days = map[string]int64{}
	for _, l := range lines {
		if n := *l.numbers[0]; n > 0 {
			days[strings.Join(l.keys, "\x1f")] = n
		}
	}
	unknown = map[string]bool{}
	if c.request.period.WholeMonths() {
		for _, v := range c.covering() {
			if !v.monthOnly || v.people == 0 || !v.main {
				continue
			}
			var part []string
			for _, d := range dims {
				switch d {
				case "month":
					part = append(part, v.month.String())
				case "point":
					part = append(part, v.point)
				case "region":
					part = append(part, v.region)
				default: // the text of an unresolved name: not in the coverage
					part = append(part, "")
				}
			}
			unknown[strings.Join(part, "\x1f")] = true
		}
	}
	return days, unknown, key, nil
}

const (
	noDaysEN = "The imported history knows the month of its observations, not their days: an average over observed days cannot be given for it."
	noDaysFR = "L\u2019historique import\u00e9 donne le mois des observations, non leurs jours\u202f: une moyenne par jour d\u2019observation ne peut en \u00eatre tir\u00e9e."
)

func (c *computation) averageObserved() error {
	c.table.Basis = "observed_days"
	lines, err := c.sums(c.request.by, c.request.where, c.request.period)
	if err != nil {
		return err
	}
	days, unknown, key, err := c.observed(c.request.by)
	if err != nil {
		return err
	}
	for _, l := range lines {
		n := *l.numbers[0]
		f := dtm.Figure{Keys: l.keys, Numerator: number(float64(n)), People: n}
		k := key(l.keys)
		switch d := days[k]; {
		case unknown[k]:
			c.note("days.unknown", noDaysEN, noDaysFR)
		case d > 0:
			f.Denominator = number(float64(d))
			f.Value = number(float64(n) / float64(d))
			if len(c.request.by) == 0 {
				c.table.Basis += ":" + strconv.FormatInt(d, 10)
			}
		}
		c.add(f)
	}
	return nil
}

// averagePerPoint is the sum over points of each point's total by its own
// observed days.
func (c *computation) averagePerPoint() error {
	c.table.Basis = "observed_days_per_point"
	by := slices.Clone(c.request.by)
	if !slices.Contains(by, "point") {
		by = append(by, "point")
	}
	by = append(by, pointText)
	lines, err := c.sums(by, c.request.where, c.request.period)
	if err != nil {
		return err
	}
	days, unknown, key, err := c.observed(by)
	if err != nil {
		return err
	}
	// Parts of a day are added in one order, or their last digits would differ.
	slices.SortFunc(lines, func(a, b line) int { return slices.Compare(a.keys, b.keys) })
	sums := map[string]*dtm.Figure{}
	var order []string
	for _, l := range lines {
		n := *l.numbers[0]
		keys := l.keys[:len(c.request.by)]
		id := strings.Join(keys, "\x1f")
		f, ok := sums[id]
		if !ok {
			f = &dtm.Figure{Keys: keys, Value: number(0), Numerator: number(0)}
			sums[id] = f
			order = append(order, id)
		}
		f.People += n
		*f.Numerator += float64(n)
		// An unresolved name with month-only rows stands under the empty text.
		k, bare := key(l.keys), key(append(slices.Clone(l.keys[:len(l.keys)-1]), ""))
		d := days[k]
		switch {
		case unknown[bare]:
			c.note("days.unknown", noDaysEN, noDaysFR)
			f.Value = nil
		case d == 0:
			f.Value = nil
		case f.Value != nil:
			*f.Value += float64(n) / float64(d)
		}
	}
	for _, id := range order {
		c.add(*sums[id])
	}
	return nil
}

// needMonths fails unless the question is about whole months, one of them when
// the figure is not split by month.
func (c *computation) needMonths() error {
	r := c.request
	if !r.period.WholeMonths() {
		return dtm.Errorf(dtm.Invalid, "%s compares whole months; ask for a period that starts on the first and ends on the last day of a month", r.def.ID).Coded("indicator.months", r.def.ID)
	}
	return nil
}

// changePreviousMonth compares each month with the month before it.
func (c *computation) changePreviousMonth() error {
	r := c.request
	if err := c.needMonths(); err != nil {
		return err
	}
	if !slices.Contains(r.by, "month") && len(r.period.Months()) != 1 {
		return dtm.Errorf(dtm.Invalid, "%s compares one month with the month before it; ask for one month, or split by month", r.def.ID).Coded("indicator.one_month", r.def.ID)
	}
	return c.change(-1, func(m dtm.Month) string {
		if r.def.basis != "" {
			return r.def.basis
		}
		if b := dtm.ValueAt(c.engine.op.ChangeBasis, m.First()); b != "" {
			return b
		}
		return "total"
	})
}

// changePreviousYear compares each month, or the whole period, with the same a
// year before.
func (c *computation) changePreviousYear() error {
	if err := c.needMonths(); err != nil {
		return err
	}
	return c.change(-12, func(dtm.Month) string { return "total" })
}

func (c *computation) change(months int, basisOf func(dtm.Month) string) error {
	r := c.request
	before := dtm.Period{From: r.period.From.AddDate(0, months, 0), To: r.period.To.AddDate(0, months, 0)}
	now, err := c.sums(r.by, r.where, r.period)
	if err != nil {
		return err
	}
	then, err := c.sums(r.by, r.where, before)
	if err != nil {
		return err
	}
	month := slices.Index(r.by, "month")
	old := map[string]int64{}
	for _, l := range then {
		if month >= 0 {
			m, err := dtm.ParseMonth(l.keys[month])
			if err != nil {
				return err
			}
			l.keys = slices.Clone(l.keys)
			l.keys[month] = m.Add(-months).String()
		}
		old[strings.Join(l.keys, "\x1f")] = *l.numbers[0]
	}
	var bases []string
	for _, l := range now {
		m, span, spanBefore := dtm.MonthOf(r.period.From), r.period, before.Days()
		if month >= 0 {
			if m, err = dtm.ParseMonth(l.keys[month]); err != nil {
				return err
			}
			span, spanBefore = dtm.Months(m, m), m.Add(months).Days()
		}
		days := c.elapsed(span)
		basis := basisOf(m)
		if !slices.Contains(bases, basis) {
			bases = append(bases, basis)
		}
		n := *l.numbers[0]
		f := dtm.Figure{Keys: l.keys, Numerator: number(float64(n)), People: n}
		if o, ok := old[strings.Join(l.keys, "\x1f")]; ok {
			// Whoever knows one side and the change knows the other.
			f.People = min(n, o)
			x, y := float64(n), float64(o)
			if basis == "daily_average" {
				x, y = x/float64(days), y/float64(spanBefore)
			}
			f.Numerator, f.Denominator = &x, &y
			if y != 0 {
				f.Value = number(100 * (x - y) / y)
			}
		}
		if f.Value == nil {
			c.note("change.no_base", "There is nothing to compare with: no movements were recorded in the earlier period.",
				"Aucune comparaison possible\u202f: aucun mouvement n\u2019a \u00e9t\u00e9 enregistr\u00e9 pendant la p\u00e9riode ant\u00e9rieure.")
		}
		c.add(f)
	}
	slices.Sort(bases)
	c.table.Basis = strings.Join(bases, ",")
	return nil
}

// changeBaseline compares the calendar daily average with that of the baseline.
func (c *computation) changeBaseline() error {
	r := c.request
	base := c.engine.op.Baseline.Period
	if !base.From.Before(base.To) {
		return dtm.Errorf(dtm.Invalid, "the operation declares no baseline period to compare with").Coded("indicator.baseline")
	}
	c.table.Basis = "daily_average:" + base.String()
	now, err := c.sums(r.by, r.where, r.period)
	if err != nil {
		return err
	}
	var by []string // the baseline has no months to match
	var at []int
	for i, d := range r.by {
		if d != "month" && d != "day" {
			by = append(by, d)
			at = append(at, i)
		}
	}
	then, err := c.sums(by, r.where, base)
	if err != nil {
		return err
	}
	old := map[string]int64{}
	for _, l := range then {
		old[strings.Join(l.keys, "\x1f")] = *l.numbers[0]
	}
	for _, l := range now {
		var keys []string
		for _, i := range at {
			keys = append(keys, l.keys[i])
		}
		n := *l.numbers[0]
		x := float64(n) / float64(c.days(l.keys))
		f := dtm.Figure{Keys: l.keys, Numerator: &x, People: n}
		if o, ok := old[strings.Join(keys, "\x1f")]; ok && o != 0 {
			y := float64(o) / float64(base.Days())
			f.Denominator = &y
			f.Value = number(100 * (x - y) / y)
			f.People = min(n, o)
		} else {
			c.note("change.no_base", "There is nothing to compare with: no movements were recorded in the earlier period.",
				"Aucune comparaison possible\u202f: aucun mouvement n\u2019a \u00e9t\u00e9 enregistr\u00e9 pendant la p\u00e9riode ant\u00e9rieure.")
		}
		c.add(f)
	}
	return nil
}

// shareOfAll is the share of all movements, of the month when split by month.
func (c *computation) shareOfAll() error {
	lines, err := c.run(c.request.def.query, c.ask(c.request.by, c.request.where, c.request.period), 2)
	if err != nil {
		return err
	}
	when := func(keys []string) string {
		var part []string
		for i, d := range c.request.by {
			if d == "month" || d == "day" {
				part = append(part, keys[i])
			}
		}
		return strings.Join(part, "\x1f")
	}
	whole := map[string]int64{}
	for _, l := range lines {
		if l.numbers[1] != nil {
			whole[when(l.keys)] += *l.numbers[1]
		}
	}
	for _, l := range lines {
		if l.numbers[1] == nil {
			continue
		}
		var n int64
		if l.numbers[0] != nil {
			n = *l.numbers[0]
		}
		if n == 0 && len(c.request.by) > 0 && len(c.request.where) > 0 && l.numbers[0] == nil {
			continue // the filter leaves nothing of this cell
		}
		c.share(l.keys, n, whole[when(l.keys)])
	}
	return nil
}

func (c *computation) share(keys []string, n, whole int64) {
	f := dtm.Figure{Keys: keys, Numerator: number(float64(n)), Denominator: number(float64(whole)), People: n}
	if whole != 0 {
		f.Value = number(100 * float64(n) / float64(whole))
	}
	c.add(f)
}

// own splits the filter: what is on the share's own dimensions chooses parts and
// does not change the whole.
func (c *computation) own() (parts, others map[string][]string) {
	parts, others = map[string][]string{}, map[string][]string{}
	for d, codes := range c.request.where {
		if slices.Contains(c.request.def.Default, d) {
			parts[d] = codes
		} else {
			others[d] = codes
		}
	}
	return parts, others
}

// wholeOf gives the dimensions of a figure that are not the share's own.
func (c *computation) wholeOf(keys []string) string {
	var part []string
	for i, d := range c.request.by {
		if !slices.Contains(c.request.def.Default, d) {
			part = append(part, keys[i])
		}
	}
	return strings.Join(part, "\x1f")
}

// shareWithin is the share of each part in the whole of its default dimensions.
func (c *computation) shareWithin() error {
	parts, others := c.own()
	by := slices.Clone(c.request.by)
	hidden := 0
	for d := range parts { // a filtered dimension that is not shown still divides
		if !slices.Contains(by, d) {
			by = append(by, d)
			hidden++
		}
	}
	lines, err := c.sums(by, others, c.request.period)
	if err != nil {
		return err
	}
	shown := len(by) - hidden
	whole := map[string]int64{}
	sums := map[string]int64{}
	keys := map[string][]string{}
	var order []string
	for _, l := range lines {
		k := l.keys[:shown]
		whole[c.wholeOf(k)] += *l.numbers[0]
		if !accepted(by, l.keys, parts) {
			continue
		}
		id := strings.Join(k, "\x1f")
		if _, ok := sums[id]; !ok {
			order = append(order, id)
			keys[id] = k
		}
		sums[id] += *l.numbers[0]
	}
	for _, id := range order {
		c.share(keys[id], sums[id], whole[c.wholeOf(keys[id])])
	}
	return nil
}

func accepted(by, keys []string, where map[string][]string) bool {
	for i, d := range by {
		if codes, ok := where[d]; ok && !slices.Contains(codes, keys[i]) {
			return false
		}
	}
	return true
}

// answer is what a text about a question with several answers says of one of them.
type answer struct {
	keys   []string
	code   string
	people int64
}

// answered runs such a text: people by answer, and the whole of each line of
// dimensions.
func (c *computation) answered(by []string, where map[string][]string) (answers []answer, whole map[string]int64, err error) {
	// The text gives the answer after the dimensions, and whether the row is the
	// base.
	lines, err := c.coding(by, where, 2)
	whole = map[string]int64{}
	for _, l := range lines {
		if l.numbers[1] == nil {
			continue
		}
		if people := *l.numbers[1]; *l.numbers[0] == 1 {
			whole[strings.Join(l.keys, "\x1f")] = people
		} else {
			answers = append(answers, answer{l.keys, l.code, people})
		}
	}
	return answers, whole, err
}

// coding runs a text that gives a code after the dimensions, then numbers.
func (c *computation) coding(by []string, where map[string][]string, numbers int) ([]line, error) {
	body, args, err := text(c.request.def.query, c.engine.op.Code, c.ask(by, where, c.request.period))
	if err != nil {
		return nil, err
	}
	return c.engine.kept.get(c.state.release.ID(), body, args, func() ([]line, error) { return c.lines(body, args, by, numbers, true) })
}

// shareAnswers is the share of movements that gave an answer; a group may give
// several, so that the shares can add up to more than 100.
func (c *computation) shareAnswers() error {
	r := c.request
	dim := r.def.Default[0]
	parts, others := c.own()
	by := slices.DeleteFunc(slices.Clone(r.by), func(d string) bool { return d == dim })
	answers, whole, err := c.answered(by, others)
	if err != nil {
		return err
	}
	at := slices.Index(r.by, dim)
	for _, a := range answers {
		if codes, ok := parts[dim]; ok && !slices.Contains(codes, a.code) {
			continue
		}
		c.share(slices.Insert(slices.Clone(a.keys), at, a.code), a.people, whole[strings.Join(a.keys, "\x1f")])
	}
	return nil
}

func (c *computation) points() error {
	lines, err := c.run(c.request.def.query, c.ask(c.request.by, c.request.where, c.request.period), 2)
	for _, l := range lines {
		if l.numbers[1] == nil {
			continue // nobody anywhere
		}
		c.add(dtm.Figure{Keys: l.keys, Value: number(float64(*l.numbers[0])), People: *l.numbers[1]})
	}
	return err
}

// panel counts movements at the points that were open on every day and active in
// every month: one that opens or closes within a month would bend the trend there.
func (c *computation) panel() error {
	r := c.request
	if err := c.needMonths(); err != nil {
		return err
	}
	body, args, err := text("panel_points", c.engine.op.Code, ask{period: r.period}, len(r.period.Months()))
	if err != nil {
		return err
	}
	var points []string
	err = c.reader.Query(c.ctx, body, args, func(scan func(...any) error) error {
		var p string
		err := scan(&p)
		known, is := c.engine.op.Point(p)
		whole := is && known.OpenThroughout(r.period)
		if wanted, ok := r.where["point"]; err == nil && whole && (!ok || slices.Contains(wanted, p)) {
			points = append(points, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(points)
	c.table.Points = points
	c.table.Basis = fmt.Sprintf("constant_panel:%d", len(points))
	if len(points) == 0 {
		return nil
	}
	where := maps.Clone(r.where)
	where["point"] = points
	lines, err := c.sums(r.by, where, r.period)
	for _, l := range lines {
		n := *l.numbers[0]
		c.add(dtm.Figure{Keys: l.keys, Value: number(float64(n)), People: n})
	}
	return err
}

// vulnerable counts people where the row was assessed; no row is no information.
func (c *computation) vulnerable() error {
	r := c.request
	lines, err := c.run(r.def.query, ask{by: r.by, where: r.where, period: r.period}, 2, r.def.code)
	for _, l := range lines {
		if l.numbers[1] == nil {
			continue
		}
		n := *l.numbers[0]
		c.add(dtm.Figure{Keys: l.keys, Value: number(float64(n)), Numerator: number(float64(n)), Denominator: number(float64(*l.numbers[1])), People: n})
	}
	return err
}
