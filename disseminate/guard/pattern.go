package guard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// Pattern says of every count of a month that may be asked for whether it is shown.
// One that is not listed counts nobody.
type Pattern struct {
	Month dtm.Month
	Cells map[string]Cell // by key
	// Open names the counts that stay open to computation whatever is withheld,
	// because an earlier release gives them away.
	Open    []string
	subject string           // of facts beside movements
	names   map[*cube]string // of its counts: tables over other rows than the first have one of their own

	// Small and Company count those withheld for themselves and for others.
	Small, Company int
}

// Cell is one count: how many, and, when it is withheld, what a reader can conclude.
type Cell struct {
	Count     int64
	Hidden    bool
	Company   bool  // withheld for the sake of others
	Low, High int64 // of withheld ones; High < 0: nothing bounds it
	Region    string
}

// join adds the counts of another subject.
func (p *Pattern) join(o *Pattern) {
	maps.Copy(p.Cells, o.Cells)
	p.Open = append(p.Open, o.Open...)
	p.Small, p.Company = p.Small+o.Small, p.Company+o.Company
}

// Shown are the keys and counts that readers know of a month.
func (p *Pattern) Shown() map[string]int64 {
	out := map[string]int64{}
	for k, c := range p.Cells {
		if !c.Hidden {
			out[k] = c.Count
		}
	}
	return out
}

// patternHead is the head line of a pattern as a part of a release.
var patternHead = []string{"month", "count_of", "people", "low", "high"}

// EncodePatterns writes what is shown and withheld of the months: of the first with
// the shown counts, of the others what is withheld. The lines are sorted; nothing
// withheld is in them but what anybody can conclude.
func EncodePatterns(list []*Pattern) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(patternHead) // into memory
	for n, p := range list {
		_ = w.Write([]string{p.Month.String(), "", "", "", ""})
		for _, k := range slices.Sorted(maps.Keys(p.Cells)) {
			c := p.Cells[k]
			switch {
			case c.Hidden && c.Company && c.High >= 0:
				_ = w.Write([]string{p.Month.String(), k, "", strconv.FormatInt(c.Low, 10), strconv.FormatInt(c.High, 10)})
			case c.Hidden:
				_ = w.Write([]string{p.Month.String(), k, "", "", ""})
			case n == 0:
				_ = w.Write([]string{p.Month.String(), k, strconv.FormatInt(c.Count, 10), "", ""})
			}
		}
	}
	w.Flush()
	return b.Bytes()
}

// Stored is what EncodePatterns wrote: by month, the withheld counts, and of the first
// month the shown ones.
type Stored struct {
	Shown  map[string]int64
	hidden map[dtm.Month]map[string]Cell
}

// DecodePatterns reads what EncodePatterns wrote: Conflict when it is something else.
func DecodePatterns(b []byte) (*Stored, error) {
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(rows) == 0 || !slices.Equal(rows[0], patternHead) {
		return nil, dtm.Errorf(dtm.Conflict, "the pattern of what is withheld cannot be read")
	}
	s := &Stored{Shown: map[string]int64{}, hidden: map[dtm.Month]map[string]Cell{}}
	for n, r := range rows[1:] {
		m, err := dtm.ParseMonth(r[0])
		if err != nil {
			return nil, err
		}
		if r[1] == "" {
			s.hidden[m] = map[string]Cell{}
			continue
		}
		if s.hidden[m] == nil {
			return nil, dtm.Errorf(dtm.Conflict, "the pattern of what is withheld, line %d: its month is not opened", n+2)
		}
		number := func(i int) int64 {
			v, e := strconv.ParseInt(r[i], 10, 64)
			if e != nil && err == nil {
				err = dtm.Errorf(dtm.Conflict, "the pattern of what is withheld, line %d: %q is no number", n+2, r[i])
			}
			return v
		}
		switch {
		case r[2] != "":
			s.Shown[r[1]] = number(2)
		case r[3] != "":
			s.hidden[m][r[1]] = Cell{Hidden: true, Company: true, Low: number(3), High: number(4)}
		default:
			s.hidden[m][r[1]] = Cell{Hidden: true, High: -1}
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// apply puts what was stored in place of what would be chosen now.
func (s *Stored) apply(p *Pattern) bool {
	hidden, ok := s.hidden[p.Month]
	if !ok {
		return false
	}
	if len(p.Cells) > 0 && p.subject != "" && !s.has(p) {
		return false // made before these were protected by month
	}
	coded := s.names("vulnerabilities")
	for k, c := range p.Cells {
		h, is := hidden[k]
		if !coded && strings.Contains(k, "vulnerabilities|") {
			h, is = Cell{High: -1}, true // likewise
		}
		p.Cells[k] = Cell{Count: c.Count, Region: c.Region, Hidden: is, Company: h.Company, Low: h.Low, High: h.High}
	}
	return true
}

// names tells whether anything is said of the people named.
func (s *Stored) names(name string) bool {
	for k := range s.Shown {
		if _, is := of(k, name); is {
			return true
		}
	}
	for _, hidden := range s.hidden {
		for k := range hidden {
			if _, is := of(k, name); is {
				return true
			}
		}
	}
	return false
}

// has tells whether anything is said of the pattern's subject.
func (s *Stored) has(p *Pattern) bool {
	for k := range p.Cells {
		if _, shown := s.Shown[k]; shown {
			return true
		}
		if _, hidden := s.hidden[p.Month][k]; hidden {
			return true
		}
	}
	return false
}

// counts are those of one month, by key, and how they add up.
type counts struct {
	cells   map[string]*entry
	rows    [][]*entry      // a total, then its parts
	round   int             // of add
	subject string          // of facts beside movements
	base    map[*entry]bool // chosen before
	tops    []string        // keys of what everybody asks for, month by month
}

type entry struct {
	n      int64
	key    string // "": the rest of a part, which follows by subtraction
	region string
	point  string
	weight float64
	dear   bool   // what reports are made of
	same   *entry // counts the same people
	round  int    // in which it came
	free   bool   // nothing to protect, however few
	listed bool   // of facts beside movements: has a row though it is withheld
	part   float64
	group  string // of facts beside movements: the question
	known  bool   // chosen before, and shown
	forced bool   // withheld whatever it is
}

func (e *entry) root() *entry {
	for e.same != nil {
		e = e.same
	}
	return e
}

func newCounts(subject string) *counts {
	c := &counts{cells: map[string]*entry{}, subject: subject}
	if subject == "" {
		c.tops = []string{"total"}
	}
	return c
}

// lines are the cells of the finest table of a cube.
type lines struct {
	by   []string // sorted: as in keys
	list []line
}

type line struct {
	codes []string // of by
	n     int64
	part  float64 // of averages, which add up as they are, not rounded; else 0
}

// level is one way to aggregate: the dimensions that are given, as bits of their
// places in lines.by.
type level uint16

func (l level) has(d int) bool { return d >= 0 && l&(1<<d) != 0 }

// given are the codes of a level by dimension.
func (t *lines) given(l level, codes []string) map[string]string {
	at := map[string]string{}
	for d, name := range t.by {
		if l.has(d) {
			at[name] = codes[d]
		}
	}
	return at
}

// levels lists the ways to aggregate the table of a cube: each dimension given or
// not, a point only in its region, a cube's own always when its codes overlap.
func (t *lines) levels(q cube) []level {
	point, region := slices.Index(t.by, "point"), slices.Index(t.by, "region")
	var out []level
	for l := level(0); l < 1<<len(t.by); l++ {
		bad := l.has(point) && region >= 0 && !l.has(region)
		for d, name := range t.by {
			bad = bad || q.always && !l.has(d) && name == q.dims[0]
		}
		if !bad {
			out = append(out, l)
		}
	}
	return out
}

// key appends the name of a line's count at a level, as the function key writes it.
func (t *lines) key(b []byte, of string, l level, codes []string) []byte {
	b = append(b, of...)
	point := slices.Index(t.by, "point")
	for d, name := range t.by {
		if !l.has(d) || name == "region" && l.has(point) && (codes[point] != "" || codes[d] == "") {
			continue
		}
		b = append(b, '|')
		b = append(b, name...)
		b = append(b, '=')
		b = append(b, codes[d]...)
	}
	return b
}

// add puts a cube's finest table in, with all tables of fewer dimensions and the sums
// between them, under the name of. Counts that are there stay as they are.
func (c *counts) add(of string, q cube, t *lines) {
	c.round++
	type sum struct {
		e *entry
		d int
	}
	rows := map[sum]int{} // by total and dimension: place in c.rows
	seen := map[sum]bool{}
	levels := t.levels(q)
	at := make([]*entry, 1<<len(t.by))
	region, point := slices.Index(t.by, "region"), slices.Index(t.by, "point")
	var buf []byte
	for _, l := range t.list {
		if l.n == 0 {
			continue
		}
		for _, v := range levels {
			buf = t.key(buf[:0], of, v, l.codes)
			e := c.cells[string(buf)]
			if e == nil {
				given := t.given(v, l.codes)
				e = &entry{key: string(buf), group: groupOf(c.subject, of, given), weight: weight(q, given), dear: headline(q, given), round: c.round}
				_, own := given[first(q.dims)]
				e.listed = strings.Count(e.key, "|") == 1 && (own || q.of == q.subject || q.kind == "count")
				if region >= 0 {
					e.region = l.codes[region]
				}
				if v.has(point) {
					e.point = l.codes[point]
				}
				c.cells[e.key] = e
			}
			if e.round == c.round {
				if e.part += l.part; l.part > 0 {
					e.n = max(1, int64(e.part+1e-9)) // 9.7 are fewer than 10
				} else {
					e.n += l.n
				}
			}
			at[v] = e
		}
		// Each count is the sum of those with one dimension more: a country of its
		// regions, a region of its points.
		for _, v := range levels {
			for d, name := range t.by {
				part := sum{at[v], d}
				if !v.has(d) || q.always && name == q.dims[0] || seen[part] {
					continue
				}
				total := v &^ (1 << d)
				if name == "region" && v.has(slices.Index(t.by, "point")) {
					continue
				}
				seen[part] = true
				id := sum{at[total], d}
				n, ok := rows[id]
				if !ok {
					n = len(c.rows)
					rows[id] = n
					c.rows = append(c.rows, []*entry{at[total]})
				}
				c.rows[n] = append(c.rows[n], at[v])
			}
		}
	}
}

// headline tells counts that reports are made of: of the whole country, by one of the
// dimensions, or by sex and age.
func headline(q cube, at map[string]string) bool {
	given := 0
	for d := range at {
		if slices.Contains(places, d) {
			return false
		}
		given++
	}
	return given <= 1 && at["previous"] == "" || len(q.dims) > 0 && q.dims[0] == "sex"
}

// weight is what a count is worth to readers beside its size: less detail, more worth.
func weight(q cube, at map[string]string) float64 {
	w := 1.0
	for _, d := range q.dims {
		if _, given := at[d]; !given {
			w *= 3
		}
	}
	if q.place {
		if _, given := at["direction"]; !given {
			w *= 3
		}
		switch _, region := at["region"]; {
		case !region:
			w *= 40
		case at["point"] == "":
			w *= 2
		}
	}
	return w
}

// part notes that the counts named of are part of the others with the same
// dimensions: the rest can be computed, so that it is looked at too.
func (c *counts) part(of, whole string) {
	for _, k := range slices.Sorted(maps.Keys(c.cells)) {
		if len(k) < len(of) || k[:len(of)] != of || len(k) > len(of) && k[len(of)] != '|' {
			continue
		}
		w := c.cells[whole+k[len(of):]]
		if w == nil {
			continue
		}
		e := c.cells[k]
		row := []*entry{w, e}
		if rest := w.n - e.n; rest > 0 {
			row = append(row, &entry{n: rest, weight: e.weight, region: e.region, point: e.point})
		}
		c.rows = append(c.rows, row)
	}
}

// before is what readers know of the month from an earlier release.
type before struct {
	shown []map[string]int64
	total bool // the month's total is published whatever follows from it
}

// tells tells whether a month's total is shown, whatever else is: of movements, one of a
// release is, and one of figures that come after it is a count like others; of other
// facts, one that did not change by a few since an earlier release.
func (b *before) tells(top string, n, threshold int64) bool {
	if n == 0 || n < threshold {
		return n == 0
	}
	if b == nil || b.total && top == "total" {
		return true
	}
	return top != "total" && !slices.ContainsFunc(b.shown, func(shown map[string]int64) bool {
		was, known := shown[top]
		d := n - was
		return known && d != 0 && d > -threshold && d < threshold
	})
}

// changedByFew tells whether one of the counts that an earlier release showed is another by
// less than the threshold. Of small numbers, what changed then hangs together with all that
// did not: nothing is told of the subject anew, but how many there are.
func (b *before) changedByFew(c *counts, threshold int64) bool {
	if b == nil {
		return false
	}
	for _, shown := range b.shown {
		for k, was := range shown {
			subject, _, _ := strings.Cut(k, "|")
			if subject, _, _ = strings.Cut(subject, ":"); subject != c.subject {
				continue
			}
			now := int64(0)
			if e := c.cells[k]; e != nil {
				now = e.n
			}
			if d := now - was; d != 0 && d > -threshold && d < threshold {
				return true
			}
		}
	}
	return false
}

// least is what readers know a count to be at least. One of none is in no table; of facts
// beside movements, what is withheld is only where it has a row (unlisted).
func (c *counts) least(e *entry) float64 {
	if c.subject != "" && !e.listed {
		return 0
	}
	return 1
}

// fewest is how many times the threshold a month must have of a subject for anything to
// be told but how many.
const fewest = 3

// setApart takes the counts of fewer than few people out, and withholds all of them but
// their number.
func (c *counts) setApart(few, threshold int64, prior *before, p *Pattern) {
	apart := map[*entry]bool{}
	for _, top := range c.tops {
		whole := c.cells[top]
		if whole != nil && whole.n >= few {
			continue
		}
		for k, e := range c.cells {
			if _, is := of(k, top); !is && top != c.subject {
				continue
			}
			apart[e] = true
			shown := k == top && prior.tells(k, e.n, threshold)
			p.Cells[k] = Cell{Count: e.n, Region: e.region, Hidden: !shown, High: -1}
			switch {
			case shown:
			case e.n < threshold:
				p.Small++
			default:
				p.Company++
			}
		}
	}
	maps.DeleteFunc(c.cells, func(_ string, e *entry) bool { return apart[e] })
	c.rows = slices.DeleteFunc(c.rows, func(row []*entry) bool {
		return slices.ContainsFunc(row, func(e *entry) bool { return apart[e] })
	})
}

// choose finds the pattern: which counts are withheld so that none of 1 to
// threshold-1, and no change of so few since an earlier release, can be concluded to
// within the threshold. It may take minutes: once ctx ends it gives that error.
func (c *counts) choose(ctx context.Context, m dtm.Month, threshold int64, prior *before) (*Pattern, error) {
	p := &Pattern{Month: m, Cells: make(map[string]Cell, len(c.cells))}
	if c.subject == "" {
		c.pick(ctx, threshold, prior, p)
		return ended(ctx, p)
	}
	few := fewest * threshold
	if prior.changedByFew(c, threshold) {
		few = math.MaxInt64
	}
	c.setApart(few, threshold, prior, p)
	for _, group := range c.families() {
		f := c.family(group, p)
		f.pick(ctx, threshold, prior, p)
		if len(p.Open) == 0 {
			continue
		}
		// So few are so many: nothing is told.
		p.Open = nil
		if group == "" {
			c.setApart(math.MaxInt64, threshold, prior, p)
			return ended(ctx, p)
		}
		for k, e := range f.cells {
			if !f.base[e] {
				p.Cells[k] = Cell{Count: e.n, Region: e.region, Hidden: true, High: -1}
			}
		}
	}
	return ended(ctx, p)
}

// ended is no pattern once ctx is over: what was chosen then is not whole.
func ended(ctx context.Context, p *Pattern) (*Pattern, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// pick chooses among the counts; once ctx ends, what it chose is not to be used.
func (c *counts) pick(ctx context.Context, threshold int64, prior *before, p *Pattern) {
	// Counts that must be equal are one.
	for _, row := range c.rows {
		if len(row) == 2 {
			if a, b := row[0].root(), row[1].root(); a != b {
				b.same = a
				a.weight, a.dear = max(a.weight, b.weight), a.dear || b.dear
				a.listed = a.listed || b.listed
				a.point = cmp.Or(a.point, b.point)
				a.known, a.forced, a.free = a.known || b.known, a.forced || b.forced, a.free && b.free
			}
		}
	}
	var s Sums
	var small, hidden []bool
	index, places := map[*entry]int{}, map[string]int{"": 0}
	of := func(e *entry) int {
		e = e.root()
		i, ok := index[e]
		if !ok {
			i = s.Add(float64(e.n))
			index[e] = i
			s.Fixed = append(s.Fixed, e.known)
			s.Dear = append(s.Dear, e.dear)
			s.Least = append(s.Least, c.least(e))
			s.Cost = append(s.Cost, (1+math.Log2(1+float64(e.n)))*e.weight)
			if _, ok := places[e.point]; !ok {
				places[e.point] = len(places)
			}
			s.Block = append(s.Block, places[e.point])
			less := e.n < threshold && !e.free
			small, hidden = append(small, less), append(hidden, less || e.forced)
		}
		return i
	}
	unchanged, shown := map[int]bool{}, map[string]bool{}
	for _, k := range c.tops {
		if e := c.cells[k]; e != nil {
			shown[k] = prior.tells(k, e.n, threshold)
		}
	}
	keys := slices.Sorted(maps.Keys(c.cells))
	for _, k := range keys {
		e := c.cells[k]
		i := of(e)
		if shown[k] && !small[i] {
			s.Fixed[i] = true
		}
		if prior == nil || s.Fixed[i] {
			continue
		}
		for _, before := range prior.shown {
			was, known := before[k]
			switch d := e.n - was; {
			case !known:
			case d == 0:
				unchanged[i] = true // who thinks that nothing changed knows it
				hidden[i] = small[i]
			case d > -threshold && d < threshold:
				small[i], hidden[i] = true, true
			}
		}
	}
	for i, is := range unchanged {
		s.Fixed[i] = s.Fixed[i] || is
	}
	for i := range s.Fixed {
		s.Fixed[i] = s.Fixed[i] && !small[i]
	}
	// The total of a month that is released is shown. Where others count the same people,
	// it tells them, and what is open says so.
	told := map[int]bool{}
	for _, k := range c.tops {
		if !shown[k] {
			continue
		}
		if i := of(c.cells[k]); small[i] {
			told[i], small[i], hidden[i], s.Fixed[i] = true, false, false, true
		}
	}
	seen := map[string]bool{}
	for _, row := range c.rows {
		if len(row) == 2 {
			continue
		}
		var r []int
		for _, e := range row {
			r = append(r, of(e))
		}
		parts := slices.Clone(r[1:])
		slices.Sort(parts)
		if id := fmt.Sprint(r[0], parts); !seen[id] {
			seen[id] = true
			s.Rows = append(s.Rows, r)
		}
	}
	work := protect(s, slices.Clone(small), hidden, float64(threshold), func() bool { return ctx.Err() != nil })
	if c.subject == "" {
		var company []int
		for i, h := range hidden {
			if h && !small[i] {
				company = append(company, i)
			}
		}
		slices.SortStableFunc(company, func(a, b int) int { return cmp.Compare(s.Cost[b], s.Cost[a]) })
		work.tell(company)
	}
	for _, k := range keys {
		e := c.cells[k]
		i := of(e)
		cell := Cell{Count: e.n, Region: e.region, Hidden: hidden[i], High: -1}
		if c.base[e] { // chosen before
			if work.open[i] {
				p.Open = append(p.Open, k)
			}
			continue
		}
		switch {
		case told[i] && !shown[k]:
			p.Open = append(p.Open, k)
		case small[i]:
			p.Small++
			if work.open[i] {
				p.Open = append(p.Open, k)
			}
		case hidden[i]:
			p.Company++
			cell.Company = true
			cell.Low = int64(work.Least[i])
			if work.Most != nil && !math.IsInf(work.Most[i], 1) {
				cell.High = int64(work.Most[i])
			}
		}
		p.Cells[k] = cell
	}
}
