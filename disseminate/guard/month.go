package guard

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"dtm"
)

// name is what the counts of a question are called in a month's pattern.
func (g *Guard) name(p *Pattern, q *question, at map[string]string) string {
	if _, part := at[first(q.cube.dims)]; q.cube.always && !part {
		return "total" // those who gave any answer or none
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
		prior, err := g.before(ctx, n.month)
		if err != nil {
			return Cell{}, err
		}
		if prior == nil || prior.total {
			total, err := g.total(ctx, n.month)
			return Cell{Count: total, Hidden: total > 0 && total < g.threshold, High: -1}, err
		}
	}
	p, err := g.Pattern(ctx, n.month)
	if err != nil {
		return Cell{}, err
	}
	if of == "" {
		of = g.name(p, q, n.at)
	}
	return p.Cells[key(of, n.at)], nil
}

// before is what was published of the month earlier; nil: nothing.
func (g *Guard) before(ctx context.Context, m dtm.Month) (*before, error) {
	if g.prior == nil {
		return nil, nil
	}
	id, err := g.current(ctx)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	known, ok := g.priors[m]
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
	if g.state == id {
		g.priors[m] = b
	}
	g.mu.Unlock()
	return b, nil
}

// current forgets the months of a state of the data that has passed.
func (g *Guard) current(ctx context.Context) (string, error) {
	r, err := g.Figures.Release(ctx)
	if err != nil {
		return "", err
	}
	id := r.ID()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != id {
		g.state, g.months, g.totals, g.priors = id, map[dtm.Month]*Pattern{}, nil, map[dtm.Month]*before{}
	}
	return id, nil
}

func (g *Guard) total(ctx context.Context, m dtm.Month) (int64, error) {
	id, err := g.current(ctx)
	if err != nil {
		return 0, err
	}
	g.mu.Lock()
	totals := g.totals
	g.mu.Unlock()
	if totals == nil {
		span, err := g.Figures.Span(ctx)
		if err != nil || span.From.IsZero() {
			return 0, err
		}
		t, err := g.Figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: span, By: []string{"month"}})
		if err != nil {
			return 0, err
		}
		totals = map[dtm.Month]int64{}
		for _, f := range t.Figures {
			at, err := dtm.ParseMonth(f.Keys[0])
			if err != nil {
				return 0, err
			}
			totals[at] = f.People
		}
		g.mu.Lock()
		if g.state == id {
			g.totals = totals
		}
		g.mu.Unlock()
	}
	return totals[m], nil
}

// Pattern is what is shown and withheld of a month. It is chosen when it is first
// asked for, and again when the facts of the month are others.
func (g *Guard) Pattern(ctx context.Context, m dtm.Month) (*Pattern, error) {
	id, err := g.current(ctx)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	p := g.months[m]
	g.mu.Unlock()
	if p != nil {
		return p, nil
	}
	ctx = context.WithoutCancel(ctx) // others wait for it too
	got, err, _ := g.one.Do(id+m.String(), func() (any, error) {
		p, err := g.make(ctx, m)
		if err == nil {
			g.mu.Lock()
			if g.state == id {
				g.months[m] = p
			}
			g.mu.Unlock()
		}
		return p, err
	})
	if err != nil {
		return nil, err
	}
	return got.(*Pattern), nil
}

// finest are the lines of the finest table that a cube has of a month.
func (g *Guard) finest(ctx context.Context, id string, q *cube, m dtm.Month) (lines, assessed []line, err error) {
	i, err := g.Figures.Indicator(id)
	if dtm.KindOf(err) == dtm.NotFound {
		return nil, nil, nil // not in this catalogue: it cannot be asked for either
	}
	if err != nil {
		return nil, nil, err
	}
	var by []string
	if q.place {
		by = append(by, places...)
	}
	by = slices.DeleteFunc(append(by, q.dims...), func(d string) bool { return !slices.Contains(i.By, d) })
	t, err := g.Figures.Table(ctx, dtm.Query{Indicator: id, Period: dtm.Months(m, m), By: by})
	if dtm.KindOf(err) == dtm.Invalid && first(q.dims) == "day" {
		return nil, nil, nil // a release holds only the days of its own month: no others can be asked for
	}
	if err != nil {
		return nil, nil, err
	}
	for _, f := range t.Figures {
		at := map[string]string{}
		for n, d := range t.By {
			at[d] = f.Keys[n]
		}
		lines = append(lines, line{at, f.People})
		if q.of == "vulnerable" && f.Denominator != nil {
			assessed = append(assessed, line{at, int64(*f.Denominator)})
		}
	}
	return lines, assessed, nil
}

// make counts a month by all cubes and chooses what is withheld.
func (g *Guard) make(ctx context.Context, m dtm.Month) (*Pattern, error) {
	c := newCounts()
	names := map[*cube]string{}
	sum := sha256.New()
	for n := range cubes {
		q := &cubes[n]
		ids := []string{q.ask}
		if q.ask == "" {
			ids = nil
			for _, i := range g.Figures.Catalogue() {
				if i.Of == q.of && !i.Operation {
					ids = append(ids, i.ID)
				}
			}
		}
		for _, id := range ids {
			lines, assessed, err := g.finest(ctx, id, q, m)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(sum, "%s\n%v\n%v\n", id, lines, assessed)
			name := q.of
			switch {
			case q.of == "vulnerable":
				name = "vulnerable:" + id
				c.add("assessed:"+id, *q, assessed)
			case q.of == "total" && n > 0 && !c.agrees("total", *q, lines):
				// Over other rows than the totals are: history may record them apart.
				name = "total:" + q.dims[0]
			}
			names[q] = name
			c.add(name, *q, lines)
			switch {
			case q.only:
				c.part(name, "total")
			case q.always:
				c.whole(name, *q, "total", lines)
			}
		}
	}
	for _, i := range g.Figures.Catalogue() {
		c.prefer(i)
	}
	prior, err := g.before(ctx, m)
	if err != nil {
		return nil, err
	}
	if prior != nil {
		fmt.Fprint(sum, prior.total, prior.shown) // fmt sorts keys
	}
	id := [sha256.Size]byte(sum.Sum(nil))
	if p, ok := g.chosen.Get(id); ok && p.Month == m {
		return p, nil
	}
	var p *Pattern
	if g.stored != nil {
		p = &Pattern{Month: m, Cells: map[string]Cell{}}
		for k, e := range c.cells {
			p.Cells[k] = Cell{Count: e.n, Region: e.region}
		}
		if !g.stored.apply(p) {
			p = nil
		}
	}
	if p == nil {
		g.work.Lock()
		defer g.work.Unlock()
		p = c.choose(m, g.threshold, prior)
	}
	p.names = names
	g.chosen.Add(id, p)
	return p, nil
}

// agrees tells whether the lines add up to the counts by place that are there.
func (c *counts) agrees(of string, q cube, lines []line) bool {
	sums := map[string]int64{}
	for _, l := range lines {
		at := maps.Clone(l.at)
		for _, d := range q.dims {
			delete(at, d)
		}
		if l.n > 0 {
			sums[key(of, at)] += l.n
		}
	}
	total := int64(0)
	for k, n := range sums {
		if c.cells[k] == nil || c.cells[k].n != n {
			return false
		}
		total += n
	}
	whole := c.cells[key(of, nil)]
	return whole == nil && total == 0 || whole != nil && whole.n == total
}

// whole notes that the answers add up to the people where nobody gave two.
func (c *counts) whole(of string, q cube, whole string, lines []line) {
	sums := map[string][]*entry{}
	total := int64(0)
	for _, l := range lines {
		total += l.n
		for _, drop := range [][]string{{}, {"point"}, {"point", "region"}, {"direction"}, {"point", "direction"}, places} {
			at := maps.Clone(l.at)
			for _, d := range drop {
				delete(at, d)
			}
			e := c.cells[key(of, at)]
			delete(at, q.dims[0])
			k := key(whole, at)
			if e != nil && !slices.Contains(sums[k], e) {
				sums[k] = append(sums[k], e)
			}
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
