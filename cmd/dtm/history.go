package main

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dtm"
	"dtm/analyse/stat"
	"dtm/check"
	"dtm/event"
)

// mostOfRule is how many findings of one rule about single rows of history become
// flags: a file that is wrong throughout is not decided on row by row. All are
// counted.
const mostOfRule = 500

// past is what rules found in imported history.
type past struct {
	rows   int
	found  []check.Finding
	counts map[string]int // by rule, those beyond mostOfRule too
}

func (p *past) add(list ...check.Finding) { p.about(nil, list) }

// about adds findings about a row of history; of those that become flags it says which
// row that is.
func (p *past) about(x *check.Record, list []check.Finding) {
	for _, f := range list {
		if p.counts[f.Rule]++; p.counts[f.Rule] <= mostOfRule {
			if x != nil {
				f.Text = x.Row()
			}
			p.found = append(p.found, f)
		}
	}
}

// join adds what was found in rows that come after those of p.
func (p *past) join(o past) {
	p.rows += o.rows
	kept := map[string]int{}
	for _, f := range o.found {
		if kept[f.Rule]++; p.counts[f.Rule]+kept[f.Rule] <= mostOfRule {
			p.found = append(p.found, f)
		}
	}
	for rule, n := range o.counts {
		p.counts[rule] += n
	}
}

// scanned is what the rows of imported history say by themselves, one by one.
type scanned struct {
	past
	monthly map[string]*check.Record // by source: a row that a later file corrected is the later one
	written map[string]*check.Record // of single days: the first of each spelling
}

func newScanned() *scanned {
	return &scanned{past: past{counts: map[string]int{}}, monthly: map[string]*check.Record{}, written: map[string]*check.Record{}}
}

// history runs the rules over imported rows observed in a period. The facts must be
// current.
func (h *house) history(ctx context.Context, rules check.Rules, p dtm.Period) (past, error) {
	s, err := h.scan(ctx, rules, p)
	if err != nil {
		return past{}, err
	}
	return h.together(ctx, rules, p, s)
}

// scan reads imported rows and runs the rules over those of single days, chunk by
// chunk, as many at a time as there are processors: ten million rows take no more
// memory than a few chunks.
func (h *house) scan(ctx context.Context, rules check.Rules, p dtm.Period) (*scanned, error) {
	chunks, err := h.db.Chunks(ctx)
	if err != nil {
		return nil, err
	}
	frame := check.FrameOf(h.op)
	parts := make([]*scanned, len(chunks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, meta := range chunks {
		g.Go(func() error {
			whole, err := h.db.Chunk(ctx, meta.Hash)
			if err != nil {
				return err
			}
			list, err := h.loader.DecodeChunk(h.op, whole.Data)
			if err != nil {
				return err
			}
			parts[i] = h.scanChunk(rules, frame, p, meta.Imported, list)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := newScanned()
	for _, part := range parts {
		out.join(part.past)
		maps.Copy(out.monthly, part.monthly)
		for key, x := range part.written {
			if out.written[key] == nil {
				out.written[key] = x
			}
		}
	}
	return out, nil
}

func (h *house) scanChunk(rules check.Rules, frame check.Frame, p dtm.Period, imported time.Time, list []dtm.Movement) *scanned {
	out := newScanned()
	one := check.Record{Received: imported, Imported: true}
	for i := range list {
		m := &list[i]
		x := &one
		x.ID, x.Point, x.Observed, x.Rows = m.Source, m.Point, m.Observed, list[i:i+1:i+1]
		kept := func() *check.Record { // outlives the chunk
			k := one
			k.Rows = []dtm.Movement{*m}
			return &k
		}
		if m.MonthOnly {
			out.monthly[m.Source] = kept()
			continue
		}
		if !p.Contains(m.Observed) {
			continue
		}
		if key := said(m); out.written[key] == nil {
			out.written[key] = kept()
		}
		out.rows++
		out.about(x, rules.One(h.op, frame, x))
	}
	return out
}

// together runs the rules over what only many rows tell: months, and figures that were
// published.
func (h *house) together(ctx context.Context, rules check.Rules, p dtm.Period, s *scanned) (past, error) {
	out, frame := s.past, check.FrameOf(h.op)
	var all []*check.Record
	for _, id := range slices.Sorted(maps.Keys(s.monthly)) {
		all = append(all, s.monthly[id])
	}
	main, _ := check.Once(all)
	for _, x := range main {
		if p.Contains(x.Observed) {
			out.rows++
			out.about(x, rules.One(h.op, frame, x))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.written)) {
		all = append(all, s.written[key])
	}
	for _, f := range rules.Months(h.op, all, stat.Regular) {
		if p.Contains(f.Day) {
			out.add(f)
		}
	}
	compared, err := h.compareReferences(ctx, p)
	if err != nil {
		return out, err
	}
	out.add(rules.References(compared)...)
	return out, nil
}

// said is how a row writes its point and what was odd about its codes.
func said(m *dtm.Movement) string {
	key := m.PointText
	for _, f := range m.Flags {
		key += "\x00" + f.Rule + "\x00" + f.Path + "\x00" + f.Note
	}
	return key
}

// compareReferences computes the published figures of periods that begin in p.
func (h *house) compareReferences(ctx context.Context, p dtm.Period) ([]check.Compared, error) {
	list, err := h.db.References(ctx, p)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var out []check.Compared
	for _, r := range list {
		c := check.Compared{Reference: r}
		t, err := h.figures.Table(ctx, dtm.Query{Indicator: r.Indicator, Period: r.Period})
		if err != nil {
			if k := dtm.KindOf(err); k == dtm.NotFound || k == dtm.Invalid {
				continue // no figure of this program: nothing to compare
			}
			return nil, err
		}
		if len(t.Figures) == 1 && t.Figures[0].Value != nil {
			c.Computed, c.Known = *t.Figures[0].Value, true
		}
		out = append(out, c)
	}
	return out, nil
}

// ever is the period of all imported history.
var ever = dtm.Period{From: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}

// looked is what came of the rules over imported history.
type looked struct {
	Rows            int
	Counts          map[string]int
	Raised, Cleared int
}

// raiseHistory keeps as flags what the rules find in all imported history, and clears
// what they do not find any more. The facts must be current.
func (h *house) raiseHistory(ctx context.Context) (looked, error) {
	rules := h.forms.rules()
	s, err := h.scan(ctx, rules, ever)
	if err != nil {
		return looked{}, err
	}
	return h.raiseFound(ctx, rules, s)
}

func (h *house) raiseFound(ctx context.Context, rules check.Rules, s *scanned) (looked, error) {
	p, err := h.together(ctx, rules, ever, s)
	if err != nil {
		return looked{}, err
	}
	out := looked{Rows: p.rows, Counts: p.counts}
	var list []string
	for id, r := range check.Built() { // those switched off too: their flags are cleared
		if r.Scope == "record" || r.Scope == "month" || id == "count.invalid" {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	var found []dtm.Raised
	for _, f := range p.found {
		found = append(found, h.asFlag(ctx, rules, f))
	}
	out.Raised, out.Cleared, err = h.db.RaiseHistory(event.WithActor(ctx, event.System), list, ever.From, ever.To, found)
	return out, err
}
