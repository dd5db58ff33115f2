package main

import (
	"context"
	"maps"
	"slices"
	"time"

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

func (p *past) add(list ...check.Finding) {
	for _, f := range list {
		if p.counts[f.Rule]++; p.counts[f.Rule] <= mostOfRule {
			p.found = append(p.found, f)
		}
	}
}

// history runs the rules over imported rows observed in a period; a row that a later
// file corrected is the later one. Rows of months are looked at together; those of
// single days one by one, so that ten million take no more memory than a chunk.
func (h *house) history(ctx context.Context, rules check.Rules, p dtm.Period) (past, error) {
	out := past{counts: map[string]int{}}
	frame := check.FrameOf(h.op)
	chunks, err := h.db.Chunks(ctx)
	if err != nil {
		return out, err
	}
	monthly := map[string]*check.Record{}
	written := map[string]*check.Record{} // of single days: the first of each spelling
	for _, meta := range chunks {
		whole, err := h.db.Chunk(ctx, meta.Hash)
		if err != nil {
			return out, err
		}
		list, err := h.loader.DecodeChunk(h.op, whole.Data)
		if err != nil {
			return out, err
		}
		for i := range list {
			m := &list[i]
			x := func() *check.Record {
				return &check.Record{ID: m.Source, Point: m.Point, Observed: m.Observed, Received: meta.Imported, Imported: true, Rows: []dtm.Movement{*m}}
			}
			if m.MonthOnly {
				monthly[m.Source] = x()
				continue
			}
			if !p.Contains(m.Observed) {
				continue
			}
			if key := said(m); written[key] == nil {
				written[key] = x()
			}
			out.rows++
			out.add(rows(rules.One(h.op, frame, x()), x())...)
		}
	}
	var all []*check.Record
	for _, id := range slices.Sorted(maps.Keys(monthly)) {
		all = append(all, monthly[id])
	}
	main, _ := check.Once(all)
	for _, x := range main {
		if p.Contains(x.Observed) {
			out.rows++
			out.add(rows(rules.One(h.op, frame, x), x)...)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(written)) {
		all = append(all, written[key])
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

// rows says of findings about a row of history which row it is.
func rows(list []check.Finding, x *check.Record) []check.Finding {
	for i := range list {
		list[i].Text = x.Row()
	}
	return list
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
	p, err := h.history(ctx, rules, ever)
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
