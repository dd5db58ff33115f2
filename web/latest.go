package web

import (
	"context"

	"dtm"
	"dtm/disseminate/overview"
)

// today is the running month where the operation is.
func (p *Pages) today() dtm.Month { return dtm.MonthOf(p.Now().In(p.Operation.Zone)) }

// latest is the last month of a span that has begun: a record with a wrong date must not
// move a page into the future. Of a span that is all to come, its last.
func (p *Pages) latest(span dtm.Period) dtm.Month {
	last, now := dtm.MonthOf(span.To.AddDate(0, 0, -1)), p.today()
	if now.Before(last) && !now.Before(dtm.MonthOf(span.From)) {
		return now
	}
	return last
}

// chosen fills in the period of a reader who chose none: the last month with data
// that has begun. One group written down under next year's date is kept and
// flagged like all field data; it must not move the front page into the future.
func (p *Pages) chosen(ctx context.Context, f overview.Filter) (overview.Filter, error) {
	if !f.From.IsZero() {
		return f, nil
	}
	span, err := p.Figures.Span(ctx)
	if err != nil || span.From.IsZero() {
		return f, err
	}
	first, last, now := dtm.MonthOf(span.From), dtm.MonthOf(span.To.AddDate(0, 0, -1)), p.today()
	if !now.Before(last) || now.Before(first) {
		return f, nil // nothing is dated later, or everything is
	}
	t, err := p.Figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: dtm.Months(first, now), By: []string{"month"}})
	if err != nil {
		return f, err
	}
	for _, x := range t.Figures {
		m, err := dtm.ParseMonth(x.Keys[0])
		if err != nil {
			return f, err
		}
		if (x.Suppressed || x.Value != nil && *x.Value > 0) && !m.Before(f.From) {
			f.From, f.To = m, m
		}
	}
	return f, nil
}
