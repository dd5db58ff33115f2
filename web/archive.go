package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/disseminate/chart"
	"dtm/locale"
)

// told are the archived forecasts of a step, held against guarded counts, as far as the
// counts are there.
func (p *Pages) told(ctx context.Context, step watch.Step) ([]watch.Told, Made, error) {
	list, err := p.Forecasts.Forecasts(ctx, string(step))
	if err != nil {
		return nil, Made{}, err
	}
	set, made, err := p.outlooks(ctx, step)
	if err != nil || !made.Ready {
		return nil, made, err
	}
	return watch.Hold(list, map[string][]watch.Series{"": set.all.series, "point": set.points.series, "route": set.routes.series}), made, nil
}

type archiveView struct {
	page
	Steps, Places []option
	Empty         string
	Heads         []backtestHead
	gallery
	Heading string
	Rows    listed
	CSV     string
	Public  string
	Made    string // of when it is, when that is not now
	Refresh bool   // it is being computed
}

// archiveShown is the most rows of the page; the file has all.
const archiveShown = 120

// archive shows past forecasts of a series with what came.
func (p *Pages) archive(w http.ResponseWriter, r *http.Request) error {
	v, err := p.archiveView(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "archive", v)
}

func (p *Pages) archiveView(r *http.Request) (archiveView, error) {
	l, err := p.lang(r)
	if err != nil {
		return archiveView{}, err
	}
	q := r.URL.Query()
	step := watch.Step(cmp.Or(q.Get("step"), string(watch.Month)))
	if watch.Ahead[step] == 0 {
		return archiveView{}, dtm.Errorf(dtm.Invalid, "%q is no step to look ahead by", step).Coded("watch.step.ahead", string(step))
	}
	all, made, err := p.told(r.Context(), step)
	if err != nil {
		return archiveView{}, err
	}
	by, key, _ := strings.Cut(q.Get("place"), ":")
	v := archiveView{page: p.page(l, "outlook", "", "/outlook/archive/", q), Public: p.public(l), Heading: locale.Say(l, "archive.title")}
	v.Title = v.T("subject.title", v.Heading, p.Operation.Name.In(l))
	v.origin = origin{op: p.Operation, query: url.Values{}, site: siteOf(r), section: "outlook", back: "/outlook/archive/"}
	for name, x := range map[string]string{"step": q.Get("step"), "place": q.Get("place")} {
		if x != "" {
			v.origin.query.Set(name, x)
		}
	}
	v.CSV = v.Link("/outlook/archive.csv?" + url.Values{"step": {string(step)}}.Encode())
	for _, x := range []watch.Step{watch.Month, watch.Week} {
		v.Steps = append(v.Steps, option{string(x), v.T("outlook.step." + string(x)), x == step})
	}
	v.Places = []option{{"", v.T("filter.all.point"), by == ""}}
	var mine []watch.Told
	for _, t := range all {
		if at := t.By + ":" + t.Key; t.By != "" && !slices.ContainsFunc(v.Places, func(o option) bool { return o.Value == at }) {
			v.Places = append(v.Places, option{at, p.seriesName(t.Key, t.By, l), t.By == by && t.Key == key})
		}
		if t.By == by && t.Key == key {
			mine = append(mine, t)
		}
	}
	slices.SortFunc(v.Places[1:], func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	if v.Made, v.Refresh = v.madeNote(made); len(mine) == 0 {
		if !v.Refresh {
			v.Empty = v.T("archive.empty")
		}
		return v, nil
	}
	score := watch.ScoreOf(mine)
	v.Heads = []backtestHead{{v.T("archive.kept"), v.Number(len(mine)), v.T("archive.held", score.N)}}
	if score.N > 0 {
		v.Heads = append(v.Heads,
			backtestHead{v.T("outlook.mae"), count(l, score.MAE), v.T("archive.mae.note")},
			backtestHead{v.T("outlook.in80"), locale.Percent(l, 100*score.In80, 0), v.T("archive.in80.note")},
			backtestHead{v.T("outlook.in95"), locale.Percent(l, 100*score.In95, 0), v.T("archive.in95.note")})
	}
	v.drawArchive(p, step, mine)
	v.Rows = listed{ID: "rows", Tight: true, Title: v.T("archive.rows"), Text: v.T("archive.rows.text"),
		Columns: []string{v.T("alert.axis." + string(step)), v.T("archive.ahead"), v.T("archive.made"), v.T("watch.expected"), v.T("outlook.80"), v.T("outlook.95"), v.T("watch.observed"), v.T("outlook.error"), v.T("archive.inside"), v.T("outlook.model"), v.T("archive.release")}}
	for _, t := range mine[:min(len(mine), archiveShown)] {
		observed, off, inside := v.T("archive.unknown"), "–", "–"
		switch {
		case t.After:
			observed, inside = count(l, t.Observed), v.T("archive.after")
		case t.Known():
			observed, off = count(l, t.Observed), signed(l, t.Error())
			inside = v.T("archive.outside")
			if t.Within(95) {
				inside = v.T("archive.within95")
			}
			if t.Within(80) {
				inside = v.T("archive.within80")
			}
		}
		v.Rows.Rows = append(v.Rows.Rows, []string{stepName(l, step, t.Target), strconv.Itoa(t.Ahead), locale.Date(l, t.Made.In(p.Operation.Zone)), count(l, t.Mean), span(l, t.Lo80, t.Hi80), span(l, t.Lo95, t.Hi95), observed, off, inside, v.T("outlook.model." + t.Model), t.Release})
	}
	return v, nil
}

// drawArchive draws what was expected one step ahead with its interval, and what came.
func (v *archiveView) drawArchive(p *Pages, step watch.Step, list []watch.Told) {
	var one []watch.Told
	for _, t := range list {
		if t.Ahead == 1 {
			one = append(one, t)
		}
	}
	slices.SortFunc(one, func(a, b watch.Told) int { return a.Target.Compare(b.Target) })
	one = one[max(0, len(one)-60):]
	if len(one) < 2 {
		return
	}
	c := chart.Trend{Axis: v.T("alert.axis." + string(step)), Band: &chart.Range{Label: v.T("outlook.80")},
		Lines: []chart.Line{{Label: v.T("watch.observed")}, {Label: v.T("watch.expected"), Forecast: 1}}}
	for _, t := range one {
		c.Steps = append(c.Steps, stepAt(v.Lang, step, t.Target))
		c.Lines[0].Cells = append(c.Lines[0].Cells, chart.Cell{Value: value(t.Observed)})
		c.Lines[1].Cells = append(c.Lines[1].Cells, chart.Cell{Value: value(t.Mean)})
		c.Band.Low, c.Band.High = append(c.Band.Low, value(t.Lo80)), append(c.Band.High, value(t.Hi80))
	}
	last := one[len(one)-1]
	v.origin.release, v.origin.period = last.Release, last.Target.Format(time.DateOnly)
	v.hang(p, p.alone("archive", c, v.T("archive.chart"), v.T("archive.chart.sub"), last.Release, v.Lang, "total_movements"), v.Lang)
}

// archiveCSV is the whole archive of a step.
func (p *Pages) archiveCSV(w http.ResponseWriter, r *http.Request) error {
	step := watch.Step(cmp.Or(r.URL.Query().Get("step"), string(watch.Month)))
	if watch.Ahead[step] == 0 {
		return dtm.Errorf(dtm.Invalid, "%q is no step to look ahead by", step).Coded("watch.step.ahead", string(step))
	}
	all, _, err := p.told(context.WithValue(r.Context(), foreverKey{}, true), step)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+p.Operation.Code+`-forecasts-`+string(step)+`.csv"`)
	c := csv.NewWriter(w)
	c.Write([]string{"step", "series", "code", "target", "ahead", "made", "release", "model", "expected", "low80", "high80", "low95", "high95", "observed", "error", "within80", "within95"}) //nolint:errcheck // Flush tells
	n := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	for _, t := range all {
		off, in80, in95 := "", "", ""
		if t.Known() {
			off, in80, in95 = n(t.Error()), strconv.FormatBool(t.Within(80)), strconv.FormatBool(t.Within(95))
		}
		c.Write([]string{t.Step, cmp.Or(t.By, "all"), t.Key, t.Target.Format(time.DateOnly), strconv.Itoa(t.Ahead), t.Made.UTC().Format(time.RFC3339), t.Release, t.Model, n(t.Mean), n(t.Lo80), n(t.Hi80), n(t.Lo95), n(t.Hi95), n(t.Observed), off, in80, in95}) //nolint:errcheck // Flush tells
	}
	c.Flush()
	return c.Error()
}
