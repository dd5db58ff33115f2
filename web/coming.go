package web

import (
	"context"
	"math"
	"sync"

	"dtm"
	"dtm/analyse/watch"
	"dtm/locale"
)

// coming keeps what is expected of the running month, of one state of the data.
type coming struct {
	mu   sync.Mutex
	tag  string
	once func() (watch.Nowcast, error)
}

// nowcast completes the running days, once for a state of the data and a day.
func (p *Pages) nowcast(ctx context.Context) (watch.Nowcast, error) {
	release, err := p.Figures.Release(ctx)
	if err != nil {
		return watch.Nowcast{}, err
	}
	today := p.civilToday()
	tag := release.ID() + today.Format("20060102")
	c := &p.coming
	c.mu.Lock()
	if c.tag != tag {
		ctx := context.WithoutCancel(ctx) // others wait for it too
		c.tag, c.once = tag, sync.OnceValues(func() (watch.Nowcast, error) {
			list, err := p.Late(ctx, watch.LatePeriod(today))
			if err != nil {
				return watch.Nowcast{}, err
			}
			return watch.Now(list, today)
		})
	}
	once := c.once
	c.mu.Unlock()
	n, err := once()
	if err != nil && dtm.KindOf(err) != dtm.Invalid { // Invalid: too short a history, and stays so
		c.mu.Lock()
		if c.tag == tag {
			c.tag = ""
		}
		c.mu.Unlock()
	}
	return n, err
}

// comingMonth says what the running month is expected to have when the late records of its
// days that are over are in: an estimate beside the count. Only of all points together, and
// only where their total is published; in tens, since it rests on counts of days that need
// not be.
func (p *Pages) comingMonth(ctx context.Context, o shown, l dtm.Lang) ([]string, error) {
	f := o.Filter
	if p.Late == nil || o.Empty || o.source.Frozen != nil || f.Narrowed() || f.From != f.To || f.To != p.today() {
		return nil, nil
	}
	t, err := o.source.Figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: o.Period})
	if err != nil || len(t.Figures) != 1 || t.Figures[0].Value == nil || t.Figures[0].Suppressed {
		return nil, err
	}
	n, err := p.nowcast(ctx)
	if dtm.KindOf(err) == dtm.Invalid {
		return nil, nil // too few days are known for it
	}
	if err != nil {
		return nil, err
	}
	m := n.Month
	if !m.From.Before(m.To) || !(m.Expected > 0) || m.Expected < 10*float64(p.Operation.Threshold) {
		return nil, nil
	}
	// What is counted has today's records too: the late ones come on top of it.
	total := func(v float64) string { return count(l, tens(*t.Figures[0].Value+v-m.Known)) }
	return []string{
		locale.Say(l, "coming.expected", "≈\u202f"+total(m.Expected), total(m.Lo80)+"\u00a0–\u00a0"+total(m.Hi80)),
		locale.Say(l, "coming.text", locale.Date(l, m.To.AddDate(0, 0, -1)), locale.Percent(l, 100*n.Arrived[0], 0)),
	}, nil
}

func tens(v float64) float64 { return 10 * math.Round(v/10) }
