package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"dtm"
	"dtm/analyse/watch"
	"dtm/locale"
)

// tried is a setting of early warning tried on the history of a series.
type tried struct {
	series  watch.Series
	from    int
	test    watch.Backtest
	planted watch.Planted
}

// trials keeps what was tried: nothing changes it but new figures and a new day.
type trials struct {
	once  sync.Once
	cache *lru.Cache[string, func() (*tried, error)]
}

// reach is how far back each step is tried, how long the surges that are put in last, and
// how far they are apart; in steps.
var reach = map[watch.Step]struct{ back, surge, stride int }{watch.Day: {365, 7, 28}, watch.Week: {260, 4, 8}, watch.Month: {120, 3, 1}}

// surgeFactor multiplies the counts of surges that are put in.
const surgeFactor = 2

// try tries a method on a series; nil when there is none.
func (p *Pages) try(ctx context.Context, step watch.Step, by, key string, method watch.Method) (*tried, error) {
	f := p.Staff.Alerting.Figures
	release, err := f.Release(ctx)
	if err != nil {
		return nil, err
	}
	c := &p.trials
	c.once.Do(func() { c.cache, _ = lru.New[string, func() (*tried, error)](64) })
	now := p.Now()
	at := fmt.Sprint(release.ID(), now.In(p.Operation.Zone).Format("20060102"), step, by, key, method)
	once, ok := c.cache.Get(at)
	if !ok {
		ctx := context.WithoutCancel(ctx)
		once = sync.OnceValues(func() (*tried, error) {
			a := watch.Ask{Indicator: "total_movements", Step: step, By: by, Where: map[string][]string{}}
			if by != "" {
				a.Where[by] = []string{key}
			}
			list, err := watch.Read(ctx, f, p.Operation, a, now)
			if err != nil {
				return nil, err
			}
			for _, s := range list {
				if s.Key == key {
					return trySeries(s, watch.Settings{Method: method})
				}
			}
			return nil, nil
		})
		c.cache.Add(at, once)
	}
	out, err := once()
	if err != nil {
		c.cache.Remove(at)
	}
	return out, err
}

func trySeries(s watch.Series, set watch.Settings) (*tried, error) {
	r := reach[s.Step]
	out := &tried{series: s, from: max(0, s.Len()-r.back)}
	var err error
	if out.test, err = s.BacktestFrom(out.from, set); err != nil {
		return nil, err
	}
	out.planted, err = s.PlantFrom(out.from, set, surgeFactor, r.surge, r.stride)
	return out, err
}

type backtestView struct {
	page
	Steps, Places, Methods []option
	Empty                  string
	Heads                  []backtestHead
	Chart                  *drawn
	Raised                 listed
}

type backtestHead struct{ Term, Value, Note string }

// backtest shows what early warning would have raised before, how often that was false,
// and what it would have found.
func (p *Pages) backtest(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v := backtestView{page: p.inside(r, "alerts", "backtest.title", "/alerts/backtest")}
	l := v.Lang
	step := watch.Step(cmp.Or(q.Get("step"), string(watch.Month)))
	if !slices.Contains(watch.Steps, step) {
		return dtm.Errorf(dtm.Invalid, "%q is no step", step).Coded("watch.step", string(step))
	}
	method := watch.Method(cmp.Or(q.Get("method"), string(watch.Auto)))
	if !slices.Contains(watch.Methods, method) {
		return dtm.Errorf(dtm.Invalid, "there is no method %q", method).Coded("watch.method", string(method))
	}
	by, key, _ := strings.Cut(q.Get("place"), ":")
	for _, s := range watch.Steps {
		v.Steps = append(v.Steps, option{string(s), v.T("alert.kind." + string(s)), s == step})
	}
	for _, m := range watch.Methods {
		v.Methods = append(v.Methods, option{string(m), v.T("watch.method." + string(m)), m == method})
	}
	v.Places = []option{{"", v.T("filter.all.point"), by == ""}}
	for _, kind := range []string{"point", "route"} {
		var list []option
		if kind == "point" {
			for _, pt := range p.Operation.Network() {
				list = append(list, option{kind + ":" + pt.Code, pt.Name.In(l), by == kind && key == pt.Code})
			}
		} else {
			for _, c := range p.Operation.Lists["route"].Codes {
				list = append(list, option{kind + ":" + c.Code, c.Label.In(l), by == kind && key == c.Code})
			}
		}
		slices.SortFunc(list, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
		v.Places = append(v.Places, list...)
	}
	if by != "" && !slices.ContainsFunc(v.Places, func(o option) bool { return o.Selected }) {
		return dtm.Errorf(dtm.NotFound, "there is no place %q", q.Get("place")).Coded("notfound")
	}
	x, err := p.try(ctx, step, by, key, method)
	if err != nil {
		return err
	}
	if x == nil || x.test.Tested == 0 {
		v.Empty = v.T("backtest.empty")
		return p.show(w, http.StatusOK, "backtest", v)
	}
	s := x.series
	alarms := map[int]bool{}
	for _, a := range x.test.Raised {
		i, _ := s.At(a.Start)
		alarms[i] = true
	}
	from := max(x.from, s.Len()-map[watch.Step]int{watch.Month: 60, watch.Week: 104, watch.Day: 120}[step])
	c, err := p.bandChart(s, from, s.Len(), watch.Settings{Method: method}, l, func(i int, _ watch.Judgement) bool { return alarms[i] })
	if err != nil {
		return err
	}
	name := p.seriesName(key, by, l)
	c.Title = v.T("backtest.chart", len(x.test.Raised), name, locale.Number(l, x.test.Years, 1))
	c.Subtitle = v.T("alert.chart.sub", v.T("alert.kind."+string(step)))
	c.Alt = c.Title
	v.Chart = p.drawn(c, l)

	decided := map[string]dtm.Alert{}
	list, err := p.Staff.Alerting.Alerts.Alerts(ctx, dtm.AlertFilter{})
	if err != nil {
		return err
	}
	for _, a := range list {
		decided[a.ID] = a
	}
	dismissed := 0
	v.Raised = listed{ID: "raised", Tight: true, Title: v.T("backtest.raised"), Text: v.T("backtest.raised.text"),
		Columns: []string{v.T("alert.axis." + string(step)), v.T("watch.observed"), v.T("watch.expected"), v.T("watch.bound"), v.T("watch.stood"), v.T("backtest.decided"), v.T("watch.calendar"), v.T("watch.method")}}
	for i := len(x.test.Raised) - 1; i >= 0; i-- {
		a := x.test.Raised[i]
		stood := v.T("backtest.stood.on")
		switch {
		case a.Alone:
			stood = v.T("backtest.stood.alone")
		case a.Start.Equal(s.Starts[s.Len()-1]):
			stood = v.T("backtest.stood.last")
		}
		fate := "–"
		if d, ok := decided[dtm.AlertID(string(step), by, key, a.Start)]; ok {
			fate = v.T("alert.state." + d.State)
			if d.State == dtm.FlagDismissed {
				dismissed++
				fate += " · " + v.T("alert.reason."+d.Reason)
			}
		}
		v.Raised.Rows = append(v.Raised.Rows, []string{stepName(l, step, a.Start), count(l, a.Observed), count(l, a.Expected), count(l, a.Upper), stood, fate, p.effectNames(a.Effects, l), v.T("watch.method." + string(a.Method))})
	}
	if len(v.Raised.Rows) == 0 {
		v.Raised.Text = v.T("backtest.raised.none")
	}
	v.Heads = []backtestHead{
		{v.T("backtest.judged"), v.Number(x.test.Tested), v.T("backtest.years", locale.Number(l, x.test.Years, 1))},
		{v.T("backtest.alarms"), locale.Number(l, x.test.PerYear(), 1), v.T("backtest.alarms.note", len(x.test.Raised))},
		{v.T("backtest.false"), locale.Number(l, x.test.AlonePerYear(), 1), v.T("backtest.false.note", x.test.Alone, dismissed)},
	}
	if n := x.planted; n.Surges > 0 {
		note := v.T("backtest.found.none", reach[step].surge)
		if d := n.Delay(); !math.IsNaN(d) {
			note = v.T("backtest.found.note", reach[step].surge, locale.Number(l, d, 1), v.T("alert.kind."+string(step)))
		}
		v.Heads = append(v.Heads, backtestHead{v.T("backtest.found"), v.T("backtest.of", n.Found, n.Surges), note})
	}
	return p.show(w, http.StatusOK, "backtest", v)
}
