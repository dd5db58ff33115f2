package overview

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dtm"
)

// Subject is one part of what is known, with a page of its own.
type Subject string

// Subjects in the order of reading. PlacePoint and PlaceRegion are what is known of one
// place, which the filter names.
const (
	Flows       Subject = "flows"
	Points      Subject = "points"
	Profile     Subject = "profile"
	Needs       Subject = "needs"
	Stranded    Subject = "stranded"
	Returns     Subject = "returns"
	Referrals   Subject = "referrals"
	PlacePoint  Subject = "point"
	PlaceRegion Subject = "region"
)

// Subjects are those of the whole operation.
var Subjects = []Subject{Flows, Points, Profile, Needs, Stranded, Returns, Referrals}

// subjects are what each is built of, in the order of reading.
var subjects = map[Subject][]func(*building){
	Flows: {(*building).flowHeads, (*building).flows, (*building).ways, (*building).directions, (*building).days},
	Points: {(*building).pointHeads, func(b *building) { b.mapped() }, (*building).points, (*building).pointMonths,
		func(b *building) { b.bars("points-coverage", "coverage_days_pct", nil, "point") }},
	Profile: {(*building).profileHeads, (*building).pyramid, (*building).nationality, (*building).reasons,
		(*building).transport, (*building).vulnerable, (*building).alone, (*building).asked},
	Needs: {(*building).needHeads,
		func(b *building) { b.bars("needs-people", "people_by_need", nil) },
		func(b *building) { b.bars("needs-urgency", "priority_share_pct", nil) },
		func(b *building) { b.months("needs-screened", "people_screened") },
		func(b *building) { b.bars("needs-vulnerable", "screened_vulnerability_share_pct", nil) },
		func(b *building) { b.bars("needs-sites", "site_need_share_pct", nil) },
		func(b *building) { b.bars("needs-points", "point_need_share_pct", nil) },
		func(b *building) { b.bars("needs-information", "information_need_share_pct", nil) },
		func(b *building) { b.bars("needs-reach", "service_reach_share_pct", nil) }},
	Stranded: {(*building).strandedHeads,
		func(b *building) { b.months("stranded-trend", "people_present_average") },
		func(b *building) { b.bars("stranded-regions", "people_present_average", nil, "region") },
		func(b *building) { b.months("stranded-moves", "site_arrivals", "site_departures") },
		func(b *building) { b.bars("stranded-sex", "people_present_average", nil, "sex") },
		func(b *building) { b.bars("stranded-age", "people_present_average", nil, "age") },
		func(b *building) { b.bars("stranded-needs", "site_need_share_pct", nil) }},
	Returns: {(*building).returnHeads, (*building).returned,
		func(b *building) { b.bars("returns-wish", "return_wish_share_pct", nil) }},
	Referrals: {(*building).referralHeads,
		func(b *building) { b.bars("referrals-programme", "people_by_programme", nil) },
		func(b *building) { b.bars("referrals-agreed", "people_agreed_by_programme", nil) },
		func(b *building) { b.bars("referrals-urgency", "priority_share_pct", nil) },
		func(b *building) { b.months("referrals-screened", "people_screened") }},
	PlacePoint: {(*building).placeHeads, (*building).trend, (*building).ways, (*building).sexAge, (*building).nationality,
		(*building).reasons, (*building).transport, (*building).vulnerable},
	PlaceRegion: {(*building).placeHeads, (*building).trend, (*building).points, (*building).ways, (*building).sexAge, (*building).nationality,
		(*building).reasons, (*building).transport, (*building).vulnerable},
}

// SubjectOf is the subject that has the panel; "" for one of the overview.
func SubjectOf(panel string) Subject {
	before, _, ok := strings.Cut(panel, "-")
	if _, known := subjects[Subject(before)]; ok && known {
		return Subject(before)
	}
	return ""
}

// BuildSubject asks for the figures of a subject: Empty when nothing is known of it in
// the period. Its errors are those of the figures.
func BuildSubject(ctx context.Context, figures dtm.Figures, op *dtm.Operation, f Filter, l dtm.Lang, s Subject) (*Overview, error) {
	return build(ctx, figures, op, f, l, func(b *building) {
		if s == Flows || s == PlacePoint || s == PlaceRegion {
			b.previousMonth()
		}
		b.parts(subjects[s]...)
		b.o.Empty = len(b.o.Panels) == 0
	})
}

// some is table where what nobody publishes, or does not exist, is nothing to show.
func (b *building) some(id string, p dtm.Period, where map[string][]string, by ...string) dtm.Table {
	if b.err != nil {
		return dtm.Table{}
	}
	t := b.table(id, p, where, by...)
	var e *dtm.Error
	if errors.As(b.err, &e) && slices.Contains([]string{"guard.undeclared", "indicator.dimension", "indicator.unknown", "indicator.fixed", "release.days", "release.ends"}, e.Code) {
		b.err = nil
		return dtm.Table{}
	}
	return t
}

// mostRanked are the bars of a drawing on a subject's page.
const mostRanked = 12

// bars ranks an indicator by its own dimension, or the one given.
func (b *building) bars(id, indicator string, where map[string][]string, by ...string) {
	t := b.some(indicator, b.o.Period, where, by...)
	if len(t.By) != 1 {
		return
	}
	title := t.Indicator.Name.In(b.l)
	if len(by) > 0 {
		title = b.say("panel.by", title, lower(b.tell().Dimension(by[0])))
	}
	p, ok := b.tell().Bars(t, title, mostRanked)
	if !ok {
		return
	}
	if p.Title != title {
		p.Title = b.say("panel.of", title, p.Title)
		p.Alt = p.Title + ". " + p.Subtitle + "."
	}
	p.ID = id
	b.add(p, t)
}

// recent are the months that a trend shows.
func (b *building) recent() dtm.Period {
	last := b.o.Filter.To
	p := dtm.Months(last.Add(1-trendMonths), last)
	if first := dtm.MonthOf(b.o.Span.From); p.From.Before(b.o.Span.From) && !last.Before(first) {
		p = dtm.Months(first, last)
	}
	return p
}

// months draws indicators over the months up to the last one chosen.
func (b *building) months(id string, indicators ...string) {
	p := b.recent()
	var tables []dtm.Table
	var lines []string
	for _, i := range indicators {
		t := b.some(i, p, nil, "month")
		if len(t.Figures) == 0 {
			return
		}
		tables, lines = append(tables, t), append(lines, t.Indicator.Name.In(b.l))
	}
	if b.err != nil || len(tables) == 0 {
		return
	}
	title := strings.Join(lines, b.comma())
	if len(lines) == 1 {
		lines = nil
	}
	if c, ok := b.tell().Months(p.Months(), title, lines, tables...); ok {
		if lines == nil && c.Title != title {
			c.Title = b.say("panel.of", title, c.Title)
		}
		c.Alt = c.Title + ". " + c.Subtitle + "."
		c.ID = id
		b.add(c, tables...)
	}
}

// figure is a headline of one indicator; a note says what it is of.
func (b *building) figure(id string, note ...string) {
	t := b.some(id, b.o.Period, nil)
	if b.err != nil || len(t.Figures) != 1 || t.Figures[0].Value == nil && !t.Figures[0].Suppressed {
		return
	}
	b.headline(Headline{ID: id, Value: b.tell().Number(t, t.Figures[0]), Label: t.Indicator.Name.In(b.l), Notes: note})
}
