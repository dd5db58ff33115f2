package web

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"dtm"
	"dtm/analyse/watch"
	"dtm/disseminate/chart"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// Months shown before the last one.
const (
	watchMonths = 36
	// broad is the width in px of the one drawing of a page.
	broad = 820
)

// watching keeps what was computed of the figures as they are: judging or looking ahead
// from all points takes seconds, and nothing changes it but other counts.
type watching struct {
	mu       sync.Mutex
	tag      string // of the state of the data that series are of
	series   map[string]func() ([]watch.Series, error)
	computed *lru.Cache[string, func() (any, error)]
}

// watched are the series by "" (all), point or route, judged or looked ahead from.
type watched struct {
	series []watch.Series
	judged [][]watch.Judgement
	test   watch.Backtest
	looks  []*watch.Outlook // nil where the history is too short
}

// guardedSeries reads series of guarded figures, once for a state of the data.
func (p *Pages) guardedSeries(ctx context.Context, step watch.Step, by string) ([]watch.Series, error) {
	release, err := p.Figures.Release(ctx)
	if err != nil {
		return nil, err
	}
	now := p.Now()
	tag := release.ID() + now.In(p.Operation.Zone).Format("20060102")
	w, at := &p.watching, string(step)+by
	w.mu.Lock()
	if w.tag != tag {
		w.tag, w.series = tag, map[string]func() ([]watch.Series, error){}
	}
	once := w.series[at]
	if once == nil {
		ctx := context.WithoutCancel(ctx) // others wait for it too
		once = sync.OnceValues(func() ([]watch.Series, error) {
			list, err := watch.Read(ctx, p.Figures, p.Operation, watch.Ask{Indicator: "total_movements", Step: step, By: by}, now)
			var e *dtm.Error
			if errors.As(err, &e) && e.Code == "guard.undeclared" {
				return nil, nil // days are published of the whole country only
			}
			return list, err
		})
		w.series[at] = once
	}
	w.mu.Unlock()
	out, err := once()
	if err != nil {
		w.mu.Lock()
		if w.tag == tag {
			delete(w.series, at)
		}
		w.mu.Unlock()
	}
	return out, err
}

// computeOnce keeps what was computed of a series, by its counts.
func computeOnce[T any](w *watching, what string, s watch.Series, compute func() (T, error)) (T, error) {
	at := what + s.Fingerprint()
	w.mu.Lock()
	if w.computed == nil {
		w.computed, _ = lru.New[string, func() (any, error)](512)
	}
	once, ok := w.computed.Get(at)
	if !ok {
		once = sync.OnceValues(func() (any, error) { return compute() })
		w.computed.Add(at, once)
	}
	w.mu.Unlock()
	v, err := once()
	out, _ := v.(T)
	return out, err
}

// judgedSeries judges all series of months.
func (p *Pages) judgedSeries(ctx context.Context, by string) (*watched, error) {
	list, err := p.guardedSeries(ctx, watch.Month, by)
	if err != nil {
		return nil, err
	}
	type judged struct {
		all  []watch.Judgement
		test watch.Backtest
	}
	out := &watched{series: list}
	for _, s := range list {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x, err := computeOnce(&p.watching, "judge", s, func() (j judged, err error) {
			if j.all, err = s.Judgements(watch.Settings{}); err == nil {
				j.test, err = s.Backtest(watch.Settings{})
			}
			return j, err
		})
		if err != nil {
			return nil, err
		}
		out.judged, out.test = append(out.judged, x.all), out.test.Add(x.test)
	}
	return out, nil
}

// lookedSeries looks ahead from all series.
func (p *Pages) lookedSeries(ctx context.Context, step watch.Step, by string) (*watched, error) {
	list, err := p.guardedSeries(ctx, step, by)
	if err != nil {
		return nil, err
	}
	out := &watched{series: list}
	for _, s := range list {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		look, err := p.lookAhead(s, step)
		if err != nil && dtm.KindOf(err) != dtm.Invalid {
			return nil, err
		}
		out.looks = append(out.looks, look)
	}
	return out, nil
}

// lookAhead looks ahead from a series, once: Invalid, with nil, when it is too short or
// nothing but zeros.
func (p *Pages) lookAhead(s watch.Series, step watch.Step) (*watch.Outlook, error) {
	return computeOnce(&p.watching, "look", s, func() (*watch.Outlook, error) {
		look, err := s.Look(watch.Ahead[step])
		if err != nil {
			return nil, err
		}
		return &look, nil
	})
}

// watchTag is the state of the data that judging and looking ahead rest on.
func (p *Pages) watchTag(ctx context.Context, f dtm.Figures) (tag, release string, err error) {
	r, err := f.Release(ctx)
	return r.ID() + p.Now().In(p.Operation.Zone).Format("20060102"), r.ID(), err
}

// surveyed is what a page about all series shows.
type surveyed struct {
	release             string
	all, points, routes *watched
}

// warnings are the series of months, judged.
func (p *Pages) warnings(ctx context.Context) (surveyed, Made, error) {
	tag, release, err := p.watchTag(ctx, p.Figures)
	if err != nil {
		return surveyed{}, Made{}, err
	}
	return computed(ctx, p, "warning", tag, func(ctx context.Context) (s surveyed, err error) {
		s.release = release
		if s.all, err = p.judgedSeries(ctx, ""); err == nil {
			s.points, err = p.judgedSeries(ctx, "point")
		}
		return s, err
	})
}

// outlooks are the series of a step, looked ahead from.
func (p *Pages) outlooks(ctx context.Context, step watch.Step) (surveyed, Made, error) {
	tag, release, err := p.watchTag(ctx, p.Figures)
	if err != nil {
		return surveyed{}, Made{}, err
	}
	return computed(ctx, p, "outlook "+string(step), tag, func(ctx context.Context) (s surveyed, err error) {
		s.release = release
		for by, into := range map[string]**watched{"": &s.all, "point": &s.points, "route": &s.routes} {
			if *into, err = p.lookedSeries(ctx, step, by); err != nil {
				return s, err
			}
		}
		return s, nil
	})
}

func (p *Pages) prepareWarning(ctx context.Context) error {
	_, _, err := p.warnings(ctx)
	return err
}

func (p *Pages) prepareOutlooks(ctx context.Context) error {
	for _, step := range []watch.Step{watch.Month, watch.Week} {
		if _, _, err := p.outlooks(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// madeNote says of when a page is, where a newer state of it is being computed; refresh:
// there is nothing to show yet, the page asks again by itself.
func (g page) madeNote(m Made) (note string, refresh bool) {
	switch {
	case !m.Ready:
		return g.T("page.making"), true
	case m.Old:
		return g.T("page.asof", g.When(m.At)), false
	}
	return "", false
}

// drawn is a chart with its table, behind sign-in: what nobody else may link to.
type drawn struct {
	Title, Subtitle string
	Narrow, Wide    template.HTML
	Columns         []string
	Rows            [][]string
}

func (p *Pages) drawn(c chart.Trend, l dtm.Lang) *drawn {
	at := func(width float64, id string) template.HTML {
		c.ID = id
		return template.HTML(c.SVG(overview.ChartOptions(p.Operation, l, width))) //nolint:gosec // our own drawing, texts escaped
	}
	t := c.Table()
	return &drawn{c.Title, c.Subtitle, at(narrow, "watch-n"), at(broad, "watch-w"), t.Columns, t.Text(overview.ChartOptions(p.Operation, l, broad))}
}

type watchView struct {
	page
	Points  []option
	Empty   string
	Heading string
	When    string // the last month or week that is judged or looked ahead from
	gallery
	Tables  []listed
	Public  string
	Steps   []option // of the outlook
	Archive string   // where past forecasts are
	Made    string   // of when it is, when that is not now
	Refresh bool     // it is being computed
}

// listed is a table under a heading.
// Tail is where the last columns of words begin.
func (t listed) Tail() int { return len(t.Columns) - t.Words }

type listed struct {
	ID          string // of the section, where the page gives one
	Title, Text string
	Lead, Words int  // columns of words: so many first ones, and so many last ones
	Tight       bool // no cell is broken into lines
	Columns     []string
	Rows        [][]string
}

// chosenPoint is the point of the address; "" for all.
func (p *Pages) chosenPoint(r *http.Request) (string, error) {
	code := r.URL.Query().Get("point")
	if code == "" {
		return "", nil
	}
	if _, ok := p.Operation.Point(code); !ok {
		return "", dtm.Errorf(dtm.NotFound, "there is no point %q", code).Coded("notfound")
	}
	return code, nil
}

// watchPage reads what both pages have: all points, each point, and the chosen one.
func (p *Pages) watchPage(r *http.Request, section string, step watch.Step, of func(context.Context) (surveyed, Made, error)) (v watchView, set surveyed, one int, chosen *watched, err error) {
	l, err := p.lang(r)
	if err != nil {
		return
	}
	code, err := p.chosenPoint(r)
	if err != nil {
		return
	}
	set, made, err := of(r.Context())
	if err != nil {
		return
	}
	q := url.Values{}
	if step != watch.Month {
		q.Set("step", string(step))
	}
	if code != "" {
		q.Set("point", code)
	}
	v = watchView{page: p.page(l, section, "", "/"+section+"/", q), Public: p.public(l), Heading: locale.Say(l, section+".title")}
	v.Title = v.T("subject.title", v.Heading, p.Operation.Name.In(l))
	v.origin = origin{op: p.Operation, query: q, site: siteOf(r), section: section, back: "/" + section + "/"}
	v.Made, v.Refresh = v.madeNote(made)
	if !made.Ready {
		return
	}
	all, points := set.all, set.points
	v.Release, v.origin.release = set.release, set.release
	v.Points = []option{{"", locale.Say(l, "filter.all.point"), code == ""}}
	chosen, one = all, 0
	for i, s := range points.series {
		if s.Key == "" {
			continue
		}
		v.Points = append(v.Points, option{s.Key, p.seriesName(s.Key, "point", l), s.Key == code})
		if s.Key == code {
			chosen, one = points, i
		}
	}
	slices.SortStableFunc(v.Points[1:], func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	if len(chosen.series) == 0 || code != "" && chosen == all {
		v.Empty = locale.Say(l, "watch.empty")
		chosen = nil
		return
	}
	last := all.series[0]
	v.When = stepName(l, step, last.Starts[last.Len()-1])
	v.origin.period = last.Starts[last.Len()-1].Format(map[watch.Step]string{watch.Month: "2006-01", watch.Week: time.DateOnly}[step])
	return
}

func (p *Pages) seriesName(key, by string, l dtm.Lang) string {
	switch {
	case by == "":
		return locale.Say(l, "filter.all.point")
	case key == "":
		return locale.Say(l, "word.unknown_point")
	case by == "route":
		return p.Operation.Lists["route"].Label(key, l)
	}
	if pt, ok := p.Operation.Point(key); ok {
		return pt.Name.In(l)
	}
	return key
}

func (p *Pages) effectNames(codes []string, l dtm.Lang) string {
	var out []string
	for _, c := range codes {
		out = append(out, p.Operation.Lists["effect"].Label(c, l))
	}
	return together(l, out)
}

func stepOf(l dtm.Lang, m dtm.Month) chart.Step {
	return chart.Step{Label: locale.ShortMonth(l, m), Group: strconv.Itoa(m.Year), Name: locale.Month(l, m)}
}

// count writes a number of people; a dot for none known.
func count(l dtm.Lang, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return locale.Number(l, math.Round(v), 0)
}

func value(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	v = math.Round(v)
	return &v
}

func observed(s watch.Series, i int) chart.Cell {
	if s.Withheld[i] {
		return chart.Withheld()
	}
	return chart.Cell{Value: value(s.Counts[i])}
}

// warning shows which counts are above their expected range, and which would have
// been.
func (p *Pages) warning(w http.ResponseWriter, r *http.Request) error {
	v, err := p.warningView(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "watch", v)
}

func (p *Pages) warningView(r *http.Request) (watchView, error) {
	v, set, one, chosen, err := p.watchPage(r, "warning", watch.Month, p.warnings)
	if err != nil || chosen == nil {
		return v, err
	}
	l := v.Lang
	s, judged := chosen.series[one], chosen.judged[one]
	confirmed, err := p.publicAlerts(r.Context())
	if err != nil {
		return v, err
	}
	by := "point"
	if chosen == set.all {
		by = ""
	}
	c, err := p.bandChart(s, max(0, s.Len()-watchMonths), s.Len(), watch.Settings{}, l, func(i int, _ watch.Judgement) bool {
		return slices.ContainsFunc(confirmed, func(a dtm.Alert) bool {
			return a.ID == dtm.AlertID(string(watch.Month), by, s.Key, s.Starts[i])
		})
	})
	if err != nil {
		return v, err
	}
	j, last := judged[s.Len()-1], s.Len()-1
	name := p.seriesName(s.Key, by, l)
	month := locale.Month(l, dtm.MonthOf(s.Starts[last]))
	key := "warning.chart.within"
	switch {
	case math.IsNaN(s.Counts[last]) || j.Method == "":
		key = "warning.chart.none"
	case j.Alarm:
		key = "warning.chart.above"
	}
	title := locale.Say(l, key, name, month, count(l, s.Counts[last]), count(l, j.Upper))
	v.hang(p, p.alone("warning", c, title, v.T("warning.chart.sub"), v.Release, l, "total_movements"), l)
	now := listed{ID: "confirmed", Title: locale.Say(l, "warning.confirmed"), Text: locale.Say(l, "warning.confirmed.none"),
		Columns: []string{locale.Say(l, "outlook.of"), locale.Say(l, "warning.when"), locale.Say(l, "watch.observed"), locale.Say(l, "watch.calendar"), locale.Say(l, "warning.since")}}
	for _, a := range confirmed {
		now.Rows = append(now.Rows, []string{p.seriesOf(a, l), stepName(l, watch.Step(a.Step), a.Day), count(l, a.Observed), p.effectNames(a.Effects, l), locale.Date(l, a.Changed.In(p.Operation.Zone))})
	}
	if len(now.Rows) > 0 {
		now.Text = locale.Say(l, "warning.confirmed.some")
	}
	test := set.points.test
	past := listed{ID: "past", Title: locale.Say(l, "warning.past"),
		Text: locale.Say(l, "warning.past.text", len(test.Raised), locale.Number(l, test.PerYear(), 1), test.Alone, locale.Number(l, test.AlonePerYear(), 1))}
	v.Tables = []listed{now, past}
	return v, nil
}

// publicAlertsBack is how long a confirmed alert stays on the public page, in days.
const publicAlertsBack = 400

// publicAlerts are the confirmed alerts about counts that are published: each with the
// count as guard gives it, and without what was expected, which rests on counts that are
// not.
func (p *Pages) publicAlerts(ctx context.Context) ([]dtm.Alert, error) {
	if p.Alerts == nil {
		return nil, nil
	}
	list, err := p.Alerts.Alerts(ctx, dtm.AlertFilter{States: []string{dtm.FlagConfirmed}, Since: p.civilToday().AddDate(0, 0, -publicAlertsBack)})
	if err != nil {
		return nil, err
	}
	return watch.Published(ctx, p.Figures, list)
}

// outlook shows what is expected of the months to come, and how that went before.
func (p *Pages) outlook(w http.ResponseWriter, r *http.Request) error {
	v, err := p.outlookView(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "watch", v)
}

func (p *Pages) outlookView(r *http.Request) (watchView, error) {
	step := watch.Step(cmp.Or(r.URL.Query().Get("step"), string(watch.Month)))
	if watch.Ahead[step] == 0 {
		return watchView{}, dtm.Errorf(dtm.Invalid, "%q is no step to look ahead by", step).Coded("watch.step.ahead", string(step))
	}
	v, set, one, chosen, err := p.watchPage(r, "outlook", step, func(ctx context.Context) (surveyed, Made, error) { return p.outlooks(ctx, step) })
	if err != nil {
		return v, err
	}
	for _, x := range []watch.Step{watch.Month, watch.Week} {
		v.Steps = append(v.Steps, option{string(x), locale.Say(v.Lang, "outlook.step."+string(x)), x == step})
	}
	if chosen == nil {
		return v, nil
	}
	l := v.Lang
	s, look := chosen.series[one], chosen.looks[one]
	name := p.seriesName(s.Key, map[bool]string{true: "", false: "point"}[chosen == set.all], l)
	if look == nil {
		v.Empty = locale.Say(l, "outlook.short", name)
	} else {
		c := chart.Trend{Axis: locale.Say(l, "alert.axis."+string(step)), Lines: []chart.Line{{Label: locale.Say(l, "word.movements")}}, Band: &chart.Range{Label: locale.Say(l, "outlook.band")}}
		from := max(0, s.Len()-map[watch.Step]int{watch.Month: 24, watch.Week: 52}[step])
		for i := from; i < s.Len(); i++ {
			c.Steps = append(c.Steps, stepAt(l, step, s.Starts[i]))
			c.Lines[0].Cells = append(c.Lines[0].Cells, observed(s, i))
			c.Band.Low, c.Band.High = append(c.Band.Low, nil), append(c.Band.High, nil)
		}
		c.Lines[0].Forecast = len(c.Steps)
		f := look.Forecast
		for k, at := range look.Starts {
			c.Steps = append(c.Steps, stepAt(l, step, at))
			c.Lines[0].Cells = append(c.Lines[0].Cells, chart.Cell{Value: value(f.Mean[k])})
			c.Band.Low, c.Band.High = append(c.Band.Low, value(f.Lo80[k])), append(c.Band.High, value(f.Hi80[k]))
		}
		title := locale.Say(l, "outlook.chart", name, stepName(l, step, look.Starts[0]), count(l, f.Mean[0]), span(l, f.Lo80[0], f.Hi80[0]))
		v.hang(p, p.alone("outlook", c, title, v.T("outlook.chart.sub."+string(step)), v.Release, l, "total_movements"), l)
	}
	ahead := listed{ID: "ahead", Title: locale.Say(l, "outlook.ahead."+string(step)), Text: locale.Say(l, "outlook.ahead.text"),
		Columns: []string{locale.Say(l, "outlook.of"), locale.Say(l, "alert.axis."+string(step)), locale.Say(l, "watch.expected"), locale.Say(l, "outlook.80"), locale.Say(l, "outlook.95"), locale.Say(l, "outlook.model")}}
	scores := listed{ID: "scores", Title: locale.Say(l, "outlook.scores"), Text: locale.Say(l, "outlook.scores.text"),
		Columns: []string{locale.Say(l, "outlook.of"), locale.Say(l, "outlook.model"), locale.Say(l, "outlook.mae"), locale.Say(l, "outlook.ratio"), locale.Say(l, "outlook.in80"), locale.Say(l, "outlook.in95"), locale.Say(l, "outlook.n")}}
	for k, x := range []*watched{set.all, set.routes, set.points} {
		for i, s := range x.series {
			o := x.looks[i]
			if o == nil || s.Key == "" && k > 0 { // nobody can plan for a place without a name
				continue
			}
			name := p.seriesName(s.Key, []string{"", "route", "point"}[k], l)
			model := locale.Say(l, "outlook.model."+string(o.Model))
			for h, at := range o.Starts {
				f := o.Forecast
				ahead.Rows = append(ahead.Rows, []string{name, stepName(l, step, at), count(l, f.Mean[h]), span(l, f.Lo80[h], f.Hi80[h]), span(l, f.Lo95[h], f.Hi95[h]), model})
			}
			if len(o.Scores) > 0 {
				x := o.Scores[0]
				ratio := "–"
				if !math.IsNaN(x.Ratio) {
					ratio = locale.Percent(l, 100*x.Ratio, 0)
				}
				scores.Rows = append(scores.Rows, []string{name, model, count(l, x.MAE), ratio, locale.Percent(l, 100*x.Coverage80, 0), locale.Percent(l, 100*x.Coverage95, 0), locale.Number(l, float64(x.N), 0)})
			}
		}
	}
	v.Tables = []listed{ahead}
	if look != nil && len(look.Past) > 0 {
		past := listed{ID: "past", Title: locale.Say(l, "outlook.past", name), Text: locale.Say(l, "outlook.past.text"),
			Columns: []string{locale.Say(l, "alert.axis."+string(step)), locale.Say(l, "watch.expected"), locale.Say(l, "outlook.80"), locale.Say(l, "watch.observed"), locale.Say(l, "outlook.error")}}
		for i := len(look.Past) - 1; i >= max(0, len(look.Past)-12); i-- {
			x := look.Past[i]
			past.Rows = append(past.Rows, []string{stepName(l, step, x.At), count(l, x.Mean), span(l, x.Lo80, x.Hi80), count(l, x.Observed), signed(l, x.Observed-x.Mean)})
		}
		v.Tables = append(v.Tables, past)
	}
	v.Tables = append(v.Tables, scores)
	if p.Forecasts != nil {
		v.Archive = v.Link("/outlook/archive/")
	}
	return v, nil
}

func span(l dtm.Lang, lo, hi float64) string { return count(l, lo) + "\u00a0–\u00a0" + count(l, hi) }

func signed(l dtm.Lang, v float64) string {
	if math.Round(v) > 0 {
		return "+" + count(l, v)
	}
	return count(l, v)
}
