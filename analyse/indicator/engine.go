package indicator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dtm"
	"dtm/analyse/warehouse"
)

// Warehouse is where the facts are. Implemented by the rooms under warehouse/.
type Warehouse interface {
	// Read calls f with a Reader of one consistent state of the data.
	Read(ctx context.Context, f func(warehouse.Reader) error) error
}

// Engine computes indicators. It implements dtm.Figures and may be used by many
// goroutines.
type Engine struct {
	op    *dtm.Operation
	wh    Warehouse
	defs  map[string]*definition
	order []string

	mu    sync.Mutex
	state *state // of the last position seen
	kept  answers
}

var _ dtm.Figures = (*Engine)(nil)

// New returns an engine with the built-in indicators and the operation's own. It
// is Invalid when the pack derives an indicator from none.
func New(op *dtm.Operation, wh Warehouse) (*Engine, error) {
	defs, err := readCatalogue()
	if err != nil {
		return nil, &dtm.Error{Kind: dtm.Internal, Op: "indicator.New", Err: err}
	}
	if err := lintAll(); err != nil {
		return nil, &dtm.Error{Kind: dtm.Internal, Op: "indicator.New", Err: err}
	}
	if err := derive(defs, op); err != nil {
		return nil, err
	}
	return &Engine{op: op, wh: wh, defs: defs, order: slices.Sorted(maps.Keys(defs))}, nil
}

// Catalogue lists every indicator by identifier.
func (e *Engine) Catalogue() []dtm.Indicator {
	out := make([]dtm.Indicator, 0, len(e.order))
	for _, id := range e.order {
		out = append(out, e.defs[id].Indicator)
	}
	return out
}

// Indicator returns a definition: NotFound.
func (e *Engine) Indicator(id string) (dtm.Indicator, error) {
	d, err := e.definition(id)
	if err != nil {
		return dtm.Indicator{}, err
	}
	return d.Indicator, nil
}

func (e *Engine) definition(id string) (*definition, error) {
	id, _, _ = strings.Cut(id, ":")
	d, ok := e.defs[id]
	if !ok {
		return nil, dtm.Errorf(dtm.NotFound, "there is no indicator %q; \"dtm indicator list\" shows them all", id).Coded("indicator.unknown", id)
	}
	return d, nil
}

// QueryText returns the SELECT an indicator is computed with, as it stands in its
// file: NotFound.
func (e *Engine) QueryText(id string) (string, error) {
	d, err := e.definition(id)
	if err != nil {
		return "", err
	}
	raw, err := queries.ReadFile("query/" + d.query + ".sql")
	return string(raw), err
}

// Release names the state of the data: provisional, the last loaded event.
func (e *Engine) Release(ctx context.Context) (dtm.Release, error) {
	var r dtm.Release
	err := e.wh.Read(ctx, func(rd warehouse.Reader) error {
		var err error
		r, err = position(ctx, rd)
		return err
	})
	return r, err
}

// Span is the period that has data, in whole months; zero when there is none.
func (e *Engine) Span(ctx context.Context) (dtm.Period, error) {
	var p dtm.Period
	err := e.wh.Read(ctx, func(rd warehouse.Reader) error {
		s, err := e.stateOf(ctx, rd)
		if err != nil {
			return err
		}
		for _, c := range s.coverage {
			if p.From.IsZero() || c.month.Before(dtm.MonthOf(p.From)) {
				p.From = c.month.First()
			}
			if end := c.month.Add(1).First(); end.After(p.To) {
				p.To = end
			}
		}
		return nil
	})
	return p, err
}

// Table computes: NotFound for the indicator, Invalid for a dimension, a code or a
// period that it does not take.
func (e *Engine) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	r, err := e.resolve(q)
	if err != nil {
		return dtm.Table{}, err
	}
	q.Period = r.period // a derived indicator may fix it
	if len(q.Where) > 0 {
		q.Where = maps.Clone(r.where)
		maps.DeleteFunc(q.Where, func(dim string, _ []string) bool { return r.def.where[dim] != nil })
	}
	t := dtm.Table{Indicator: r.def.Indicator, Query: q, By: r.out(), ID: r.id()}
	for _, c := range r.cells {
		t.Cells = append(t.Cells, c)
	}
	err = e.wh.Read(ctx, func(rd warehouse.Reader) error {
		s, err := e.stateOf(ctx, rd)
		if err != nil {
			return err
		}
		t.Release = s.release
		c := &computation{engine: e, ctx: ctx, reader: rd, request: r, state: s, table: &t}
		if asked, ok := r.where["site"]; ok {
			if r.where["site"], err = c.siteKeys(asked); err != nil {
				return err
			}
		}
		if err := kinds[r.def.kind](c); err != nil {
			return err
		}
		if err := c.nameSites(); err != nil {
			return err
		}
		c.addCells()
		c.coverageNotes()
		return nil
	})
	if err != nil {
		return dtm.Table{}, err
	}
	t.Figures = ordered(t.Figures)
	return t, nil
}

// ordered puts figures in the order of their keys. A figure is large to move, and a
// table by day and point has thousands: their places are sorted.
func ordered(figures []dtm.Figure) []dtm.Figure {
	if slices.IsSortedFunc(figures, func(a, b dtm.Figure) int { return slices.Compare(a.Keys, b.Keys) }) {
		return figures
	}
	places := make([]int32, len(figures))
	for i := range places {
		places[i] = int32(i)
	}
	slices.SortFunc(places, func(a, b int32) int {
		return slices.Compare(figures[a].Keys, figures[b].Keys)
	})
	out := make([]dtm.Figure, len(figures))
	for i, at := range places {
		out[i] = figures[at]
	}
	return out
}

// state is what the engine remembers of one position of the data.
type state struct {
	release  dtm.Release
	coverage []covered
	versions map[dtm.Month]int64 // of the facts of months
}

// version names what the facts of a period are.
func (s *state) version(p dtm.Period) string {
	var b strings.Builder
	for _, m := range p.Months() {
		b.WriteString(strconv.FormatInt(s.versions[m], 36) + ".")
	}
	return b.String()
}

// Version names what the movements of a month are: what was computed from them alone
// stands while it is the same. release is the state of the data that it was read in.
func (e *Engine) Version(ctx context.Context, m dtm.Month) (version, release string, err error) {
	err = e.wh.Read(ctx, func(rd warehouse.Reader) error {
		s, err := e.stateOf(ctx, rd)
		if err == nil {
			version, release = s.version(dtm.Months(m, m)), s.release.ID()
		}
		return err
	})
	return version, release, err
}

// covered is people by month, place and kind of row: small, and enough to know
// which caveats a figure needs.
type covered struct {
	month         dtm.Month
	monthOnly     bool
	breakdown     string
	main          bool
	point, region string
	people        int64
}

func position(ctx context.Context, rd warehouse.Reader) (dtm.Release, error) {
	p, err := rd.Position(ctx)
	return dtm.Release{Seq: p.Seq, Hash: p.Hash, At: p.At}, err
}

func (e *Engine) stateOf(ctx context.Context, rd warehouse.Reader) (*state, error) {
	r, err := position(ctx, rd)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	known := e.state
	e.mu.Unlock()
	if known != nil && known.release == r {
		return known, nil
	}
	s := &state{release: r, versions: map[dtm.Month]int64{}}
	if err := s.read(ctx, rd, e.op.Code); err != nil {
		return nil, err
	}
	body, args, err := text("coverage", e.op.Code, ask{})
	if err != nil {
		return nil, err
	}
	err = rd.Query(ctx, body, args, func(scan func(...any) error) error {
		var c covered
		var month string
		if err := scan(&month, &c.monthOnly, &c.breakdown, &c.main, &c.point, &c.region, &c.people); err != nil {
			return err
		}
		c.month, err = dtm.ParseMonth(month[:7])
		s.coverage = append(s.coverage, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.state = s
	e.mu.Unlock()
	return s, nil
}

func (s *state) read(ctx context.Context, rd warehouse.Reader, operation string) error {
	body, args, err := text("versions", operation, ask{})
	if err != nil {
		return err
	}
	return rd.Query(ctx, body, args, func(scan func(...any) error) error {
		var month string
		var version int64
		if err := scan(&month, &version); err != nil {
			return err
		}
		m, err := dtm.ParseMonth(month[:7])
		s.versions[m] = version
		return err
	})
}

// request is a query that was found answerable.
type request struct {
	def    *definition
	by     []string // as computed
	where  map[string][]string
	period dtm.Period
	cells  []cellSpec // wanted cells of the default dimensions; empty for all
}

// cellSpec fixes codes of some default dimensions.
type cellSpec map[string]string

func (r *request) out() []string {
	if len(r.cells) == 0 {
		return r.by
	}
	return slices.DeleteFunc(slices.Clone(r.by), func(d string) bool { return slices.Contains(r.def.Default, d) })
}

// id is the stable name of the table.
func (r *request) id() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", r.def.ID, r.period, strings.Join(r.by, ","))
	for _, d := range slices.Sorted(maps.Keys(r.where)) {
		codes := slices.Sorted(slices.Values(r.where[d]))
		fmt.Fprintf(h, "%s=%q\n", d, codes)
	}
	specs := make([]string, 0, len(r.cells))
	for _, c := range r.cells {
		specs = append(specs, fmt.Sprint(map[string]string(c))) // fmt sorts keys
	}
	slices.Sort(specs)
	fmt.Fprintf(h, "%q", specs)
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// mostMonths is the longest period: one question for thousands of years would hold a
// processor, since figures are looked at month by month.
const mostMonths = 1200

func (e *Engine) resolve(q dtm.Query) (*request, error) {
	d, err := e.definition(q.Indicator)
	if err != nil {
		return nil, err
	}
	r := &request{def: d, period: q.Period, where: map[string][]string{}}
	if d.period != nil {
		r.period = *d.period
	}
	if !r.period.From.Before(r.period.To) {
		return nil, dtm.Errorf(dtm.Invalid, "the question names no period; give its first and its last month or day").Coded("period.missing")
	}
	if n := 12*(r.period.To.Year()-r.period.From.Year()) + int(r.period.To.Month()-r.period.From.Month()); n > mostMonths {
		return nil, dtm.Errorf(dtm.Invalid, "the period has %d months; ask for at most %d", n, mostMonths).Coded("period.long", n, mostMonths)
	}
	for dim, codes := range d.where {
		r.where[dim] = codes
	}
	for _, dim := range slices.Sorted(maps.Keys(q.Where)) {
		codes := q.Where[dim]
		if c, ok := d.of()[dim]; !ok || c.name == "point_text" || dim == "month" || dim == "day" {
			return nil, e.noDimension(d, dim)
		}
		if _, fixed := d.where[dim]; fixed {
			return nil, dtm.Errorf(dtm.Invalid, "%s is defined with %s=%s; leave this filter out", d.ID, dim, strings.Join(d.where[dim], ",")).Coded("indicator.fixed", d.ID, dim)
		}
		if len(codes) == 0 {
			continue
		}
		known := make([]string, 0, len(codes))
		for _, c := range codes {
			c, err := e.code(dim, c)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(known, c) {
				known = append(known, c)
			}
		}
		r.where[dim] = known
	}
	for _, dim := range q.By {
		if !slices.Contains(d.Indicator.By, dim) {
			return nil, e.noDimension(d, dim)
		}
		if !slices.Contains(r.by, dim) {
			r.by = append(r.by, dim)
		}
	}
	_, cells, has := strings.Cut(q.Indicator, ":")
	if has {
		if len(d.Default) == 0 {
			return nil, dtm.Errorf(dtm.Invalid, "%s has no cells to name after a colon", d.ID).Coded("indicator.cells", d.ID)
		}
		for _, s := range strings.Split(cells, "+") {
			c, err := e.cell(d, s)
			if err != nil {
				return nil, err
			}
			r.cells = append(r.cells, c)
		}
	}
	// A share needs parts: without a dimension of its own it is split by all of
	// them; so is any indicator whose question names no dimension.
	parts := slices.Contains(splitKinds, d.kind)
	if has || len(r.by) == 0 || parts && !slices.ContainsFunc(r.by, func(dim string) bool { return slices.Contains(d.Default, dim) }) {
		for _, dim := range d.Default {
			if !slices.Contains(r.by, dim) {
				r.by = append(r.by, dim)
			}
		}
	}
	for _, dim := range d.require {
		if len(r.where[dim]) == 0 && !slices.Contains(r.by, dim) {
			return nil, dtm.Errorf(dtm.Invalid, "%s needs to know which %s: add a filter, for example %s=ETH, or split by %s", d.ID, dim, dim, dim).Coded("indicator.require", d.ID, dim)
		}
	}
	return r, nil
}

func (e *Engine) noDimension(d *definition, dim string) error {
	return dtm.Errorf(dtm.Invalid, "%s cannot be split or filtered by %q; it can be by %s", d.ID, dim, strings.Join(d.Indicator.By, ", ")).Coded("indicator.dimension", d.ID, dim)
}
