package overview

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	dtmmaps "dtm/disseminate/maps"
	"dtm/locale"
)

// Overview is everything shown of a period.
type Overview struct {
	Lang      dtm.Lang
	Filter    Filter // with the period filled in
	Period    dtm.Period
	When      string     // "December 2022"
	Empty     bool       // nothing recorded for this choice
	NoData    bool       // nothing recorded at all
	Span      dtm.Period // that has data
	Headlines []Headline
	Narrative []Sentence
	Panels    []Panel // in reading order: trend, map, points, sexage, reasons, od, nationality
	Release   dtm.Release
	// Change is that of the period's last month on the month before, in percent;
	// nil: not known, withheld, or the month is not over.
	Change      *float64
	ChangeBasis string // "total" or "daily_average"
	// Until is the last day that has been, when the period's last month is not over.
	Until time.Time
}

// Headline is a figure large enough to be read first.
type Headline struct {
	ID    string // of the indicator
	Value string
	Label string
	Notes []string // change, basis, share
}

// Sentence is one of the overview paragraph, with the indicators it says.
type Sentence struct {
	Topic      Topic
	Text       string
	Indicators []string
}

// Topic is the question of a reader that a sentence answers.
type Topic string

// Topics in reading order.
const (
	HowMany  Topic = "how_many"
	Compared Topic = "compared"
	Where    Topic = "where"
	Who      Topic = "who"
	Why      Topic = "why"
	Caveat   Topic = "caveat"
)

// Topics lists them in reading order.
var Topics = []Topic{HowMany, Compared, Where, Who, Why, Caveat}

// Lead is the topic in words, "How many".
func (t Topic) Lead(l dtm.Lang) string { return locale.Say(l, "topic."+string(t)) }

// Panel is a chart or the map with everything that stands with it.
type Panel struct {
	ID         string
	Title      string // the finding
	Subtitle   string // measure, unit, period
	Alt        string
	Chart      chart.Chart   // nil for the map
	Map        *dtmmaps.Spec // nil for charts
	Table      chart.Table
	Notes      []string
	Source     string // credit line, release
	Indicators []string
	// Company: large figures are withheld too, so that "<10" would not be true of
	// every withheld one.
	Company bool
}

// Options are the words and formats of the panel's drawing and table.
func (p Panel) Options(op *dtm.Operation, l dtm.Lang, width float64) chart.Options {
	o := ChartOptions(op, l, width)
	if p.Company {
		o.Words.Suppressed, o.Words.Withheld = locale.Say(l, "chart.kept"), locale.Say(l, "chart.kept_legend")
	}
	return o
}

// Panel returns the panel of that id.
func (o *Overview) Panel(id string) (Panel, bool) {
	i := slices.IndexFunc(o.Panels, func(p Panel) bool { return p.ID == id })
	if i < 0 {
		return Panel{}, false
	}
	return o.Panels[i], true
}

// Text is the overview paragraph.
func (o *Overview) Text() string {
	var s []string
	for _, n := range o.Narrative {
		s = append(s, n.Text)
	}
	return strings.Join(s, " ")
}

// ChartOptions are the words and formats of the charts in the overview's language.
func ChartOptions(op *dtm.Operation, l dtm.Lang, width float64) chart.Options {
	return chart.Options{Width: width, Lang: l, Number: func(v float64) string { return locale.Number(l, v, -1) },
		Percent: func(v float64) string { return locale.Percent(l, 100*v, 0) },
		Words: chart.Words{Suppressed: Suppressed(op), Withheld: locale.Say(l, "chart.withheld", op.Threshold), Missing: locale.Say(l, "chart.missing"),
			Total: locale.Say(l, "chart.total"), NotZero: locale.Say(l, "chart.notzero"), Other: locale.Say(l, "chart.other")}}
}

// Suppressed is what stands for a count that is withheld: "<10".
func Suppressed(op *dtm.Operation) string {
	return "<" + locale.Number(dtm.English, float64(op.Threshold), 0)
}

// Build asks for the figures of the filter's period and makes the overview. Its
// errors are those of the figures.
func Build(ctx context.Context, figures dtm.Figures, op *dtm.Operation, f Filter, l dtm.Lang) (*Overview, error) {
	return build(ctx, figures, op, f, l, (*building).ask)
}

func build(ctx context.Context, figures dtm.Figures, op *dtm.Operation, f Filter, l dtm.Lang, ask func(*building)) (*Overview, error) {
	b := &building{ctx: ctx, figures: figures, op: op, l: locale.Known(l), o: &Overview{Lang: locale.Known(l)}}
	span, err := figures.Span(ctx)
	if err != nil {
		return nil, err
	}
	if b.o.Release, err = figures.Release(ctx); err != nil {
		return nil, err
	}
	b.o.Span = span
	if span.From.IsZero() {
		b.o.Empty, b.o.NoData, b.o.Filter = true, true, f
		return b.o, nil
	}
	if f.From.IsZero() {
		last := dtm.MonthOf(span.To.AddDate(0, 0, -1))
		f.From, f.To = last, last
	}
	b.o.Filter, b.o.Period = f, dtm.Months(f.From, f.To)
	b.o.When = locale.Period(b.l, b.o.Period)
	ask(b)
	if b.err != nil {
		return nil, b.err
	}
	return b.o, nil
}

type building struct {
	ctx     context.Context
	figures dtm.Figures
	op      *dtm.Operation
	l       dtm.Lang
	o       *Overview
	err     error
}

// table asks one question with the filter; after the first error it asks no more.
func (b *building) table(id string, p dtm.Period, where map[string][]string, by ...string) dtm.Table {
	if b.err != nil {
		return dtm.Table{}
	}
	w := b.o.Filter.Where()
	for k, v := range where {
		if have, ok := w[k]; ok && !slices.Equal(have, v) {
			return dtm.Table{} // nothing is both
		}
		w[k] = v
	}
	t, err := b.figures.Table(b.ctx, dtm.Query{Indicator: id, Period: p, Where: maps.Clone(w), By: by})
	if err != nil {
		b.err = err
	}
	return t
}

// single is the one figure of a table that is not split.
func single(t dtm.Table) (dtm.Figure, bool) {
	if len(t.Figures) != 1 || t.Figures[0].Value == nil {
		if len(t.Figures) == 1 && t.Figures[0].Suppressed {
			return t.Figures[0], false
		}
		return dtm.Figure{}, false
	}
	return t.Figures[0], true
}

func (b *building) number(t dtm.Table, v float64) string {
	return locale.Number(b.l, t.Indicator.Round(v), t.Indicator.Digits(v))
}

// whole writes a percentage without decimals, as sentences do.
func (b *building) whole(v float64) string {
	return locale.Percent(b.l, dtm.Indicator{}.Round(v), 0)
}

// signed writes a change with its sign.
func (b *building) signed(v float64) string {
	r := dtm.Indicator{}.Round(v)
	s := locale.Percent(b.l, math.Abs(r), 0)
	switch {
	case r > 0:
		s = "+" + s
	case r < 0:
		s = "−" + s
	}
	if b.l.RTL() {
		return "\u2066" + s + "\u2069" // keeps the sign before the number
	}
	return s
}

func (b *building) say(key string, args ...any) string { return locale.Say(b.l, key, args...) }

func (b *building) headline(h Headline) { b.o.Headlines = append(b.o.Headlines, h) }

func (b *building) sentence(t Topic, text string, indicators ...string) {
	b.o.Narrative = append(b.o.Narrative, Sentence{t, text, indicators})
}

// ask builds everything from its questions.
func (b *building) ask() {
	total := b.table("total_movements", b.o.Period, nil)
	v, ok := single(total)
	if b.err != nil {
		return
	}
	if !ok && !v.Suppressed {
		b.o.Empty = true
		return
	}
	b.previousMonth()
	b.parts(func(b *building) { b.headlines(total) }, (*building).trend, (*building).flows, (*building).points, (*building).sexAge, (*building).reasons, (*building).nationality)
	slices.SortStableFunc(b.o.Narrative, func(x, y Sentence) int { return slices.Index(Topics, x.Topic) - slices.Index(Topics, y.Topic) })
	if b.err == nil {
		b.sentence(Caveat, b.say("say.movements_not_persons"))
	}
}

// parts builds at the same time, since each mostly waits for the warehouse, and
// puts the results together in the order given.
func (b *building) parts(build ...func(*building)) {
	made := make([]building, len(build))
	var wg sync.WaitGroup
	for i, f := range build {
		made[i] = *b
		o := *b.o
		made[i].o = &o
		wg.Go(func() { f(&made[i]) })
	}
	wg.Wait()
	for _, m := range made {
		if b.err == nil {
			b.err = m.err
		}
		b.o.Headlines = append(b.o.Headlines, m.o.Headlines...)
		b.o.Narrative = append(b.o.Narrative, m.o.Narrative...)
		b.o.Panels = append(b.o.Panels, m.o.Panels...)
	}
}
