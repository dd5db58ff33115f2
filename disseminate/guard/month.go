package guard

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"dtm"
)

// name is what the counts of a question are called in a month's pattern.
func (g *Guard) name(p *Pattern, q *question, at map[string]string) string {
	if _, part := at[first(q.cube.dims)]; q.cube.always && !part {
		return q.cube.whole // those who gave any answer or none
	}
	if q.cube.subject != "" {
		return q.cube.of
	}
	if q.cube.of == "vulnerable" {
		return "vulnerable:" + q.t.Indicator.ID
	}
	return p.names[q.cube]
}

func first(dims []string) string {
	if len(dims) == 0 {
		return ""
	}
	return dims[0]
}

// cell looks a count up. One that is not there counts nobody.
func (g *Guard) cell(ctx context.Context, q *question, n need, of string) (Cell, error) {
	if len(n.at) == 0 && of == "" && q.cube.of == "total" && q.cube == &cubes[0] {
		// What everybody asks for needs no pattern: a month's total is withheld only when
		// it is small itself.
		prior, err := g.before(ctx, q.release, n.month)
		if err != nil {
			return Cell{}, err
		}
		if prior == nil || prior.total {
			total, at, err := g.total(ctx, q.release, movementsTotal, n.month)
			q.later = q.later || at != q.release
			return Cell{Count: total, Hidden: total > 0 && total < g.threshold, High: -1}, err
		}
	}
	if len(n.at) == 0 && q.cube.top() {
		prior, err := g.before(ctx, q.release, n.month)
		if err != nil {
			return Cell{}, err
		}
		total, at, err := g.total(ctx, q.release, q.cube.ask, n.month)
		q.later = q.later || at != q.release
		return Cell{Count: total, Hidden: !prior.tells(q.cube.of, total, g.threshold), High: -1}, err
	}
	p, err := g.pattern(ctx, q, n.month)
	if err != nil {
		return Cell{}, err
	}
	if of == "" {
		of = g.name(p, q, n.at)
	}
	return p.Cells[key(of, n.at)], nil
}

// of is what is known of a state of the data.
func (g *Guard) of(release string) *state {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.states.Get(release)
	if !ok {
		s = &state{months: map[slot]*Pattern{}, totals: map[string]map[dtm.Month]int64{}, priors: map[dtm.Month]*before{}}
		g.states.Add(release, s)
	}
	return s
}

// before is what was published of the month earlier; nil: nothing.
func (g *Guard) before(ctx context.Context, release string, m dtm.Month) (*before, error) {
	if g.prior == nil {
		return nil, nil
	}
	s := g.of(release)
	g.mu.Lock()
	known, ok := s.priors[m]
	g.mu.Unlock()
	if ok {
		return known, nil
	}
	shown, own, err := g.prior(ctx, m)
	if err != nil {
		return nil, err
	}
	var b *before
	if len(shown) > 0 {
		b = &before{shown, own}
	}
	g.mu.Lock()
	s.priors[m] = b
	g.mu.Unlock()
	return b, nil
}

const movementsTotal = "total_movements"

// total is how many people an indicator counts in a month, and the state of the data in
// which it does.
func (g *Guard) total(ctx context.Context, release, id string, m dtm.Month) (int64, string, error) {
	s, key := g.of(release), id
	var span dtm.Period
	if id != movementsTotal { // the span of data is that of movements: others by year
		key += m.First().Format(" 2006")
		span = dtm.Months(dtm.Month{Year: m.Year, Month: 1}, dtm.Month{Year: m.Year, Month: 12})
	}
	g.mu.Lock()
	totals := s.totals[key]
	g.mu.Unlock()
	if totals != nil {
		return totals[m], release, nil
	}
	if id == movementsTotal {
		var err error
		if span, err = g.Figures.Span(ctx); err != nil || span.From.IsZero() {
			return 0, release, err
		}
	}
	q := dtm.Query{Indicator: id, Period: span, By: []string{"month"}}
	t, err := g.Figures.Table(ctx, q)
	if ofOthers(err) { // a release's facts beside movements are of its own month
		q.Period = dtm.Months(m, m)
		t, err = g.Figures.Table(ctx, q)
	}
	if err != nil {
		return 0, release, err
	}
	totals = map[dtm.Month]int64{}
	for _, f := range t.Figures {
		at, err := dtm.ParseMonth(f.Keys[0])
		if err != nil {
			return 0, release, err
		}
		if totals[at] = f.People; t.Indicator.Kind == "stock_average" && f.Value != nil {
			totals[at] = int64(*f.Value + 1e-9) // 9.7 are fewer than 10
		}
	}
	s = g.of(t.Release.ID())
	g.mu.Lock()
	s.totals[key] = totals
	g.mu.Unlock()
	return totals[m], t.Release.ID(), nil
}

// ofOthers tells that a release was asked for the days or the facts of another month.
func ofOthers(err error) bool {
	var e *dtm.Error
	return errors.As(err, &e) && (e.Code == "release.days" || e.Code == "release.ends")
}

// Pattern is what is shown and withheld of a month, of all that is published of it. It
// is chosen when it is first asked for, and again when the facts of the month are others.
func (g *Guard) Pattern(ctx context.Context, m dtm.Month) (*Pattern, error) {
	r, err := g.Figures.Release(ctx)
	if err != nil {
		return nil, err
	}
	all := &Pattern{Month: m, Cells: map[string]Cell{}}
	for _, subject := range append([]string{""}, g.subjects()...) {
		p, err := g.chosenAt(ctx, r.ID(), slot{subject, m})
		if err != nil {
			return nil, err
		}
		all.join(p.pattern)
	}
	return all, nil
}

// pattern is the pattern of a month that a question needs.
func (g *Guard) pattern(ctx context.Context, q *question, m dtm.Month) (*Pattern, error) {
	if p := q.months[m]; p != nil {
		return p, nil
	}
	p, err := g.chosenAt(ctx, q.release, slot{q.cube.subject, m})
	if err == nil {
		q.months[m] = p.pattern
		q.later = q.later || p.release != q.release
	}
	return p.pattern, err
}

// chosen is a pattern and the state of the data that it was counted in.
type chosen struct {
	pattern *Pattern
	release string
}

func (g *Guard) chosenAt(ctx context.Context, release string, m slot) (chosen, error) {
	s := g.of(release)
	g.mu.Lock()
	p := s.months[m]
	g.mu.Unlock()
	if p != nil {
		return chosen{p, release}, nil
	}
	got := g.one.DoChan(release+m.month.String()+m.subject, func() (any, error) { return g.chooseForAll(ctx, m) })
	select {
	case r := <-got:
		c, _ := r.Val.(chosen)
		return c, r.Err
	case <-ctx.Done():
		return chosen{}, ctx.Err()
	}
}

// chooseForAll chooses for all who wait: it ends with the guard, not with the ctx of the
// first of them.
func (g *Guard) chooseForAll(ctx context.Context, m slot) (c chosen, err error) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(g.until, end)()
	defer func() {
		if fault := recover(); fault != nil { // nobody's request is there to catch it
			c, err = chosen{}, fmt.Errorf("choosing what is withheld of %s: %v\n%s", m.month, fault, debug.Stack())
		}
	}()
	if c, err = g.choose(ctx, m); err == nil {
		s := g.of(c.release)
		g.mu.Lock()
		s.months[m] = c.pattern
		g.mu.Unlock()
	}
	return c, err
}

// finest is the finest table that a cube has of a month.
type finest struct {
	people, assessed lines // assessed: beside vulnerable people, those who were asked
	release          string
}

func (g *Guard) finest(ctx context.Context, id string, q *cube, m dtm.Month) (finest, error) {
	i, err := g.Figures.Indicator(id)
	if dtm.KindOf(err) == dtm.NotFound {
		return finest{}, nil // not in this catalogue: it cannot be asked for either
	}
	if err != nil {
		return finest{}, err
	}
	var by []string
	if q.place {
		by = append(by, places...)
	}
	by = slices.DeleteFunc(append(by, q.dims...), func(d string) bool {
		return !slices.Contains(i.By, d) || q.regions && d == "point"
	})
	t, err := g.Figures.Table(ctx, dtm.Query{Indicator: id, Period: dtm.Months(m, m), By: by})
	if ofOthers(err) {
		return finest{}, nil // no others can be asked for
	}
	if err != nil {
		return finest{}, err
	}
	by = slices.Sorted(slices.Values(t.By))
	f := finest{people: lines{by: by}, assessed: lines{by: by}, release: t.Release.ID()}
	for _, x := range t.Figures {
		codes := make([]string, len(by))
		for n, d := range t.By {
			codes[slices.Index(by, d)] = x.Keys[n]
		}
		l := line{codes: codes, n: x.People}
		if q.kind == "stock_average" && x.Value != nil {
			l.part = *x.Value
		}
		f.people.list = append(f.people.list, l)
		if x.Denominator != nil && (q.of == "vulnerable" || q.always && q.whole != "total") {
			f.assessed.list = append(f.assessed.list, line{codes: codes, n: int64(*x.Denominator)})
		}
	}
	return f, nil
}

// versioned are figures that tell what the movements of a month are: while that is the
// same, the month need not be counted again.
type versioned interface {
	Version(ctx context.Context, m dtm.Month) (version, release string, err error)
}

// choose gives the pattern of a month: that which was chosen of the same facts and of
// the same that was published before, or another.
func (g *Guard) choose(ctx context.Context, m slot) (chosen, error) {
	v, ok := g.Figures.(versioned)
	if !ok || m.subject != "" {
		return g.chooseAnew(ctx, m)
	}
	version, release, err := v.Version(ctx, m.month)
	if err != nil {
		return chosen{}, err
	}
	prior, err := g.before(ctx, release, m.month)
	if err != nil {
		return chosen{}, err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, m.month, version)
	if prior != nil {
		fmt.Fprint(sum, prior.total, prior.shown) // fmt sorts keys
	}
	id := [sha256.Size]byte(sum.Sum(nil))
	if p, ok := g.stands.get(m, id); ok {
		return chosen{p, release}, nil
	}
	c, err := g.chooseAnew(ctx, m)
	if err == nil && c.release == release { // else it is of facts that came in meanwhile
		g.stands.add(m, id, c.pattern)
	}
	return c, err
}

// chooseAnew counts a month by all cubes and chooses what is withheld.
func (g *Guard) chooseAnew(ctx context.Context, m slot) (chosen, error) {
	n, err := g.count(ctx, m)
	for again := mostAgain; err == nil && n.moved && again > 0; again-- {
		n, err = g.count(ctx, m)
	}
	if err != nil {
		return chosen{}, err
	}
	prior, err := g.before(ctx, n.release, m.month)
	if err != nil {
		return chosen{}, err
	}
	if prior != nil {
		fmt.Fprint(n.sum, prior.total, prior.shown) // fmt sorts keys
	}
	id := [sha256.Size]byte(n.sum.Sum(nil))
	if p, ok := g.chosen.get(m, id); ok {
		return chosen{p, n.release}, nil
	}
	var p *Pattern
	if g.stored != nil {
		p = &Pattern{Month: m.month, subject: m.subject, Cells: map[string]Cell{}}
		for k, e := range n.cells {
			p.Cells[k] = Cell{Count: e.n, Region: e.region}
		}
		if !g.stored.apply(p) {
			p = nil
		}
	}
	if p == nil {
		g.work.Lock()
		defer g.work.Unlock()
		if p, err = n.choose(ctx, m.month, g.threshold, prior); err != nil {
			return chosen{}, err
		}
	}
	p.names = n.names
	g.chosen.add(m, id, p)
	return chosen{p, n.release}, nil
}

// counted is a month in all cubes.
type counted struct {
	*counts
	names   map[*cube]string
	sum     hash.Hash // of all lines
	release string    // the state of the data
	moved   bool      // records came in meanwhile: the lines are not of one state
}

func (g *Guard) count(ctx context.Context, m slot) (*counted, error) {
	c := &counted{counts: newCounts(m.subject), names: map[*cube]string{}, sum: sha256.New()}
	type asked struct {
		q      *cube
		id     string
		finest finest
	}
	var list []asked
	of := movements
	if m.subject != "" {
		of = g.records[m.subject]
	}
	for _, q := range of {
		if q.ask != "" {
			list = append(list, asked{q: q, id: q.ask})
			continue
		}
		for _, i := range g.Figures.Catalogue() {
			if i.Of == q.of && !i.Operation {
				list = append(list, asked{q: q, id: i.ID})
			}
		}
	}
	// Each mostly waits for the warehouse, which gives one question one processor.
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for n := range list {
		all.Go(func() (err error) {
			list[n].finest, err = g.finest(ctx, list[n].id, list[n].q, m.month)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	for _, a := range list {
		q, id, f := a.q, a.id, a.finest
		if f.release != "" {
			c.moved = c.moved || c.release != "" && c.release != f.release
			c.release = f.release
		}
		fmt.Fprintf(c.sum, "%s\n%v\n%v\n", id, f.people, f.assessed)
		if f.release == "" && m.subject != "" {
			continue // a release's facts are of its own month
		}
		name := q.of
		switch {
		case m.subject != "":
			if q.whole == q.of {
				c.add(name, *q, f.assessed.less(q.dims[0]))
			} else if q.kind == "coded" {
				c.add(q.whole, *q, &f.assessed)
			}
			if q.top() && !slices.Contains(c.tops, name) {
				c.tops = append(c.tops, name)
			}
		case q.of == "vulnerabilities":
			c.add(q.whole, *q, &f.assessed)
		case q.of == "vulnerable":
			name = "vulnerable:" + id
			c.add("assessed:"+id, *q, &f.assessed)
		case q.of == "total" && q != &cubes[0] && !c.agrees("total", *q, &f.people):
			// Over other rows than the totals are: history may record them apart.
			name = "total:" + q.dims[0]
		}
		c.names[q] = name
		c.add(name, *q, &f.people)
		switch {
		case q.only:
			c.part(name, "total")
		case q.whole == "total":
			c.whole(name, *q, "total", &f.people)
		}
	}
	if m.subject != "" {
		c.link(of)
		return c, nil
	}
	for _, i := range g.Figures.Catalogue() {
		c.prefer(i)
		if i.Of == "vulnerable" && !i.Operation {
			c.sameAsCode("vulnerable:"+i.ID, "vulnerabilities", "vulnerability")
			c.sameAsCode("assessed:"+i.ID, "assessed:vulnerabilities", "vulnerability")
		}
	}
	return c, nil
}

// agrees tells whether the lines add up to the counts by place that are there.
func (c *counts) agrees(of string, q cube, t *lines) bool {
	place := level(0)
	for d, name := range t.by {
		if !slices.Contains(q.dims, name) {
			place |= 1 << d
		}
	}
	sums := map[string]int64{}
	total := int64(0)
	var buf []byte
	for _, l := range t.list {
		if l.n > 0 {
			buf = t.key(buf[:0], of, place, l.codes)
			sums[string(buf)] += l.n
			total += l.n
		}
	}
	for k, n := range sums {
		if c.cells[k] == nil || c.cells[k].n != n {
			return false
		}
	}
	whole := c.cells[of]
	return whole == nil && total == 0 || whole != nil && whole.n == total
}

// whole notes that the answers add up to the people where nobody gave two.
func (c *counts) whole(of string, q cube, whole string, t *lines) {
	answer := slices.Index(t.by, q.dims[0])
	sums := map[string][]*entry{}
	seen := map[*entry]bool{}
	total := int64(0)
	levels := t.levels(q)
	var buf []byte
	for _, l := range t.list {
		total += l.n
		for _, v := range levels {
			buf = t.key(buf[:0], of, v, l.codes)
			e := c.cells[string(buf)]
			if e == nil || seen[e] {
				continue
			}
			seen[e] = true
			buf = t.key(buf[:0], whole, v&^(1<<answer), l.codes)
			sums[string(buf)] = append(sums[string(buf)], e)
		}
	}
	if all := c.cells[whole]; all == nil || all.n != total {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		if w := c.cells[k]; w != nil {
			c.rows = append(c.rows, append([]*entry{w}, sums[k]...))
		}
	}
}

// prefer keeps the counts of the operation's own indicators longer than others.
func (c *counts) prefer(i dtm.Indicator) {
	if !i.Operation {
		return
	}
	at := map[string]string{}
	for d, codes := range i.Fixed {
		if len(codes) != 1 {
			return
		}
		at[d] = codes[0]
	}
	if e := c.cells[key(alias(i), at)]; e != nil {
		e.weight, e.dear = 30*e.weight, true
	}
}
