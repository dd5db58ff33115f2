// Package guard stands between figures and everything that publishes: tables of
// counts come in, the same tables go out without small counts, and without as many
// others as keep those from being computed.
//
// What may be asked is declared (cubes). All counts of a month that may be asked for
// are protected together, once, as one system of sums (Protect): country > region >
// point, direction, origin and destination, nationality, sex and age, route, day,
// reasons; and so that the difference to an earlier release of the month gives nothing
// away. The result is the month's Pattern. Every table is then looked up in it: a
// figure is shown when all counts that it is made of are, so that shares, averages,
// changes and periods of several months say nothing that the counts do not. Page, CSV,
// chart, map, PDF and API agree, since all read through guard. Attack is what a reader
// can do against it.
package guard

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"dtm"
)

// smallBase is the whole below which a percentage is not given: it would pretend a
// precision that so few people do not have.
const smallBase = 20

// Guard are figures that may leave. It may be used by many goroutines.
type Guard struct {
	dtm.Figures
	op        *dtm.Operation
	threshold int64
	stored    *Stored
	prior     Prior
	until     context.Context
	records   map[string][]*cube // of facts beside movements, by subject

	one    singleflight.Group
	work   sync.Mutex                 // one month is chosen at a time: it takes a processor
	mu     sync.Mutex                 // of what is in states
	states *lru.Cache[string, *state] // by release
	chosen kept                       // by what the counts of a month are
	stands kept                       // by what the facts of a month are
}

// state is what was found out about one state of the data.
type state struct {
	months map[slot]*Pattern
	totals map[string]map[dtm.Month]int64 // of what everybody asks for, by indicator
	priors map[dtm.Month]*before
}

// slot is what one pattern is of: a month's movements, or its facts of another subject.
type slot struct {
	subject string // "" of movements
	month   dtm.Month
}

var _ dtm.Figures = (*Guard)(nil)

// Prior tells what was published of a month before, one map for each release; none:
// nothing. total: the month's total is shown whatever follows from it.
type Prior func(ctx context.Context, m dtm.Month) (shown []map[string]int64, total bool, err error)

// Option changes what a Guard knows.
type Option func(*Guard)

// After takes into account what readers know from an earlier release.
func After(p Prior) Option { return func(g *Guard) { g.prior = p } }

// Keeping withholds what the release was published with.
func Keeping(s *Stored) Option { return func(g *Guard) { g.stored = s } }

// Until has what is chosen for several readers end with ctx, and nothing be answered
// after it. Who asks may go away before; the others get what is chosen all the same.
func Until(ctx context.Context) Option { return func(g *Guard) { g.until = ctx } }

// New returns figures in which counts of 1 to the operation's threshold-1 people, and
// what would give them away, are withheld.
func New(inner dtm.Figures, op *dtm.Operation, options ...Option) *Guard {
	states, err := lru.New[string, *state](4)
	if err != nil {
		panic(err) // the size is not positive
	}
	g := &Guard{Figures: inner, op: op, threshold: int64(op.Threshold), until: context.Background(), states: states, chosen: newKept(), stands: newKept()}
	for _, o := range options {
		o(g)
	}
	g.records = g.recordCubes()
	return g
}

// Catalogue lists the indicators, with the dimensions that are published.
func (g *Guard) Catalogue() []dtm.Indicator {
	list := g.Figures.Catalogue()
	for n := range list {
		list[n].By = g.published(list[n])
	}
	return list
}

// Indicator returns a definition, with the dimensions that are published: NotFound.
func (g *Guard) Indicator(id string) (dtm.Indicator, error) {
	i, err := g.Figures.Indicator(id)
	if err == nil {
		i.By = g.published(i)
	}
	return i, err
}

// Table answers as the figures do, without what is withheld. Invalid, too, for a
// table that is not published.
func (g *Guard) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	for again := mostAgain; ; again-- {
		if err := g.until.Err(); err != nil {
			return dtm.Table{}, err
		}
		t, moved, err := g.table(ctx, q)
		if !moved || again == 0 || err != nil {
			return t, err
		}
	}
}

// mostAgain is how often a table is asked for again because records came in between it
// and the counts of its months, which then do not agree.
const mostAgain = 3

func (g *Guard) table(ctx context.Context, query dtm.Query) (t dtm.Table, moved bool, err error) {
	if t, err = g.Figures.Table(ctx, query); err != nil {
		return t, false, err
	}
	if !ofMovements(t.Indicator) && !people(t.Indicator) {
		return t, false, nil
	}
	t.Indicator.By = g.published(t.Indicator)
	if !ofMovements(t.Indicator) && g.recorded(t.Indicator) == "" {
		return g.noted(none(t), len(t.Figures) > 0), false, nil
	}
	q, err := g.ask(t)
	if err != nil || !people(t.Indicator) {
		if err != nil {
			return dtm.Table{}, false, err
		}
		return t, false, nil
	}
	out := make([]dtm.Figure, 0, len(t.Figures))
	hidden := false
	for _, f := range t.Figures {
		v, err := g.look(ctx, q, f)
		if err != nil {
			return dtm.Table{}, false, err
		}
		hidden = hidden || v.Suppressed
		if v.Suppressed {
			if drop, err := g.unlisted(ctx, q, f); drop || err != nil {
				if err != nil {
					return dtm.Table{}, false, err
				}
				continue
			}
		}
		out = append(out, v)
	}
	if len(out) == len(t.Figures) {
		out = g.join(ctx, q, t.Figures, out)
	}
	t.Figures = out
	return g.noted(t, hidden), q.unknown && q.later, nil
}

// none withholds all of a table.
func none(t dtm.Table) dtm.Table {
	var out []dtm.Figure
	for _, f := range t.Figures {
		if !slices.ContainsFunc(t.By, func(d string) bool { return d != "month" }) {
			out = append(out, dtm.Figure{Keys: f.Keys, Suppressed: f.Value != nil})
		}
	}
	t.Figures = out
	return t
}

// noted says that something is withheld: in one way for all of it, since a table that
// said of each whether it is small would say more than guard reckons with.
func (g *Guard) noted(t dtm.Table, hidden bool) dtm.Table {
	if !hidden {
		return t
	}
	text := dtm.Text{
		dtm.English: fmt.Sprintf("Counts under %d are withheld, and some larger ones with them, so that the small ones cannot be computed from the rest", g.threshold),
		dtm.French:  fmt.Sprintf("Les effectifs inférieurs à %d ne sont pas publiés, ni certains plus grands, afin que les petits ne puissent être calculés à partir du reste", g.threshold),
		dtm.Arabic:  fmt.Sprintf("حُجبت الأعداد الأقل من %d، ومعها بعض الأعداد الأكبر حتى لا يمكن حساب الصغيرة من الباقي", g.threshold),
	}
	end := dtm.Text{dtm.English: ".", dtm.French: ".", dtm.Arabic: "."}
	if ofMovements(t.Indicator) {
		end = dtm.Text{dtm.English: "; where it can be done, these are given as a round number.", dtm.French: "\u202f; lorsque c’est possible, ceux-ci sont donnés en nombre rond.", dtm.Arabic: "؛ وحيثما أمكن تُعطى هذه بعدد مقرّب."}
	}
	for l := range text {
		text[l] += end[l]
	}
	t.Notes = append(slices.Clone(t.Notes), dtm.Note{Code: dtm.NoteCompany, Text: text})
	return t
}

// seen is what a reader knows of one side of a figure.
type seen struct {
	n         int64 // as it is
	hidden    bool
	low, high int64 // high < 0: nothing bounds it
	company   bool  // nothing small is among what is hidden
}

// look withholds a figure when one of its counts is. It withholds, too, what it cannot
// find the counts of: nothing passes that it did not look at.
func (g *Guard) look(ctx context.Context, q *question, f dtm.Figure) (dtm.Figure, error) {
	if f.Value == nil && f.Numerator == nil && f.Denominator == nil {
		return f, nil
	}
	i := q.t.Indicator
	parts, err := q.parts(f)
	if err != nil {
		return f, err
	}
	var sides []seen
	for _, p := range parts {
		s, err := g.side(ctx, q, p)
		if err != nil {
			return f, err
		}
		sides = append(sides, s)
	}
	now := sides[0]
	known := f.People == now.n
	if q.cube.kind == "stock_average" {
		// A number of people of a month: what it is of several, other days of other sites
		// than each month's would have to be told for.
		off := int64(len(parts[0])) // each is rounded
		known = f.People >= now.n-off && f.People <= now.n+off && !slices.ContainsFunc(parts[0], func(n need) bool { return n.month != parts[0][0].month })
	}
	switch {
	case i.Kind == "change_previous_month" || i.Kind == "change_previous_year" || i.Kind == "change_baseline":
		known = f.People == now.n && (sides[1].n == 0 || f.Value == nil) || f.People == min(now.n, sides[1].n)
	case i.Unit == "percent" && f.Denominator != nil && len(sides) > 1:
		known = known && int64(*f.Denominator) == sides[1].n
	}
	hide := !known
	q.unknown = q.unknown || !known
	for _, s := range sides {
		hide = hide || s.hidden
	}
	if i.Unit == "percent" && f.Denominator != nil && len(sides) > 1 && divides(i.Kind) && sides[1].n < smallBase {
		hide = true
	}
	if (i.Kind == "vulnerable" || i.Kind == "coded") && f.Denominator != nil {
		asked, of := int64(0), "assessed:"+i.ID
		if i.Kind == "coded" {
			of = q.cube.whole
		}
		for _, n := range parts[0] {
			c, err := g.cell(ctx, q, n, of)
			if err != nil {
				return f, err
			}
			hide = hide || c.Hidden
			asked += c.Count
		}
		hide = hide || i.Kind == "coded" && (asked != int64(*f.Denominator) || asked < smallBase)
	}
	if i.Kind == "average_per_point" && !slices.Contains(q.t.By, "point") {
		// Another sum over the points: it is given where they all are.
		whole, err := g.pointsShown(ctx, q, parts[0])
		if err != nil {
			return f, err
		}
		hide = hide || !whole
	}
	if !hide {
		return f, nil
	}
	out := dtm.Figure{Keys: f.Keys, Suppressed: true}
	if known && now.hidden && now.company && now.low >= g.threshold && now.high >= 0 {
		switch {
		case i.Kind == "count":
			out.Low, out.High = number(float64(now.low)), number(float64(now.high))
		case (i.Kind == "average_calendar" || i.Kind == "average_observed") && f.Denominator != nil:
			out.Low, out.High = number(float64(now.low) / *f.Denominator), number(float64(now.high) / *f.Denominator)
		case len(sides) == 2 && divides(i.Kind) && !sides[1].hidden && sides[1].n >= smallBase:
			whole := float64(sides[1].n)
			out.Low, out.High = number(100*float64(now.low)/whole), number(100*min(1, float64(now.high)/whole))
		}
	}
	if out.Low != nil {
		out.About = about(i, *out.Low, *out.High)
	}
	return out, nil
}

// about is the round number in the middle, when it says something: shares within one
// percent, others within a twentieth.
func about(i dtm.Indicator, low, high float64) *float64 {
	step := 1.0
	switch {
	case i.Unit == "percent":
		if high-low > 1 {
			return nil
		}
	case high-low > 0.05*low:
		return nil
	case low >= 100:
		step = 10
	}
	return number(math.Round((low+high)/2/step) * step)
}

// divides tells the kinds of figures that are percentages of a whole.
func divides(kind string) bool {
	return kind == "share_of_all" || kind == "ratio" || kind == "share_within" || kind == "share_answers"
}

func number(v float64) *float64 { return &v }

// side adds the counts of one side of a figure up.
func (g *Guard) side(ctx context.Context, q *question, p part) (seen, error) {
	s := seen{company: true}
	for _, n := range p {
		c, err := g.cell(ctx, q, n, "")
		if err != nil {
			return s, err
		}
		s.n += c.Count
		if !c.Hidden {
			s.low += c.Count
			if s.high >= 0 {
				s.high += c.Count
			}
			continue
		}
		s.hidden = true
		s.company = s.company && c.Company
		s.low += c.Low
		if c.High < 0 || s.high < 0 {
			s.high = -1
		} else {
			s.high += c.High
		}
	}
	return s, nil
}

// pointsShown tells whether the counts are shown point by point.
func (g *Guard) pointsShown(ctx context.Context, q *question, p part) (bool, error) {
	for _, n := range p {
		pattern, err := g.pattern(ctx, q, n.month)
		if err != nil {
			return false, err
		}
		of := g.name(pattern, q, n.at)
		codes := []string{""}
		for _, point := range g.op.Network() {
			codes = append(codes, point.Code)
		}
		for _, code := range codes {
			at := map[string]string{"point": code}
			for d, v := range n.at {
				if d != "region" {
					at[d] = v
				}
			}
			c := pattern.Cells[key(of, at)]
			if region, given := n.at["region"]; c.Hidden && (!given || c.Region == region) {
				return false, nil
			}
		}
	}
	return true, nil
}

// join puts what is withheld of a list of countries into one row, "other", when more
// than one is and their sum follows from the total that is shown anyway: rare
// nationalities are then a number instead of stars. was are the figures as they are.
func (g *Guard) join(ctx context.Context, q *question, was, out []dtm.Figure) []dtm.Figure {
	i := q.t.Indicator
	at := -1
	for n, d := range q.t.By {
		switch d {
		case "nationality", "previous", "next":
			if at >= 0 {
				return out
			}
			at = n
		case "month":
		default:
			return out
		}
	}
	if at < 0 || i.Kind != "count" && i.Kind != "share_within" {
		return out
	}
	type joined struct {
		figure dtm.Figure
		hidden int
		narrow bool
	}
	groups := map[string]*joined{}
	group := func(f dtm.Figure) string {
		k := slices.Clone(f.Keys)
		k[at] = ""
		return fmt.Sprint(k)
	}
	for n, f := range out {
		j := groups[group(f)]
		if j == nil {
			keys := slices.Clone(f.Keys)
			keys[at] = dtm.OtherCountry
			j = &joined{figure: dtm.Figure{Keys: keys, Value: number(0), Denominator: was[n].Denominator}}
			groups[group(f)] = j
		}
		j.narrow = j.narrow || f.About != nil
		if !f.Suppressed && f.Keys[at] != dtm.OtherCountry {
			continue
		}
		if f.Suppressed {
			j.hidden++
		}
		j.figure.People += was[n].People
	}
	for k, j := range groups {
		whole, err := g.wholeShown(ctx, q, j.figure, at)
		if err != nil || !whole || j.hidden < 2 || j.narrow || j.figure.People < g.threshold {
			delete(groups, k)
			continue
		}
		v := float64(j.figure.People)
		if i.Kind == "share_within" {
			if j.figure.Denominator == nil || *j.figure.Denominator < smallBase {
				delete(groups, k)
				continue
			}
			j.figure.Numerator, j.figure.Value = number(v), number(100*v / *j.figure.Denominator)
		} else {
			j.figure.Value, j.figure.Denominator = &v, nil
		}
	}
	var list []dtm.Figure
	for _, f := range out {
		j := groups[group(f)]
		if j != nil && (f.Suppressed || f.Keys[at] == dtm.OtherCountry) {
			continue
		}
		list = append(list, f)
	}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		list = append(list, groups[k].figure)
	}
	slices.SortFunc(list, func(a, b dtm.Figure) int { return slices.Compare(a.Keys, b.Keys) })
	return list
}

// wholeShown tells whether readers know what the rows of a list add up to, and whether
// the list is all of it.
func (g *Guard) wholeShown(ctx context.Context, q *question, f dtm.Figure, at int) (bool, error) {
	if q.where[q.t.By[at]] != nil {
		return false, nil // only some rows were asked for
	}
	p, err := q.span(f.Keys)
	if err != nil {
		return false, err
	}
	var need part
	for _, a := range q.asked(f.Keys, []string{q.t.By[at]}) {
		need = append(need, q.steps(p, a)...)
	}
	s, err := g.side(ctx, q, need)
	return err == nil && !s.hidden, err
}
