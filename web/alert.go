package web

import (
	"cmp"
	"context"
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

// Alerting is what the inbox of alerts needs.
type Alerting struct {
	Alerts dtm.Alerts
	// Figures are the staff's: not guarded.
	Figures dtm.Figures
}

// alertsBack is how many days the inbox keeps what was decided in sight.
const alertsBack = 400

// alertsShown is the most rows of the inbox.
const alertsShown = 200

type alertRow struct {
	dtm.Alert
	Name, Words, When, Why, Calendar, Kinds, Href string
}

type alertsView struct {
	page
	Rows                  []alertRow
	States, Kinds, Places []option
	Total, More           int
	Narrowed              bool
	Query                 string
	Reasons               []reasonGroup
	Message, Why, Reason  string
	Done                  *alertsDone
	Backtest              string
}

type reasonGroup struct {
	Label   string
	Reasons []option
}

type alertsDone struct {
	dtm.AlertsDone
	Undone bool
}

var alertStates = []string{dtm.FlagOpen, dtm.FlagConfirmed, dtm.FlagDismissed, dtm.FlagCleared}

// alertKinds are what the filter offers: counts by step, silent points.
var alertKinds = []string{"day", "week", "month", dtm.AlertSilent}

func alertKind(a dtm.Alert) string {
	if a.Kind == dtm.AlertSilent {
		return dtm.AlertSilent
	}
	return a.Step
}

func alertPlace(a dtm.Alert) string { return a.By + ":" + a.Key }

// seriesOf names what an alert is about.
func (p *Pages) seriesOf(a dtm.Alert, l dtm.Lang) string { return p.seriesName(a.Key, a.By, l) }

// stepName writes the time that a count is of: "the week of 16 November 2026".
func stepName(l dtm.Lang, step watch.Step, day time.Time) string {
	switch step {
	case watch.Month:
		return locale.Month(l, dtm.MonthOf(day))
	case watch.Week:
		return locale.Say(l, "alert.week", locale.Date(l, day))
	}
	return locale.Date(l, day)
}

// stepAt is a step of a chart.
func stepAt(l dtm.Lang, step watch.Step, day time.Time) chart.Step {
	if step == watch.Month {
		return stepOf(l, dtm.MonthOf(day))
	}
	m := dtm.MonthOf(day)
	return chart.Step{Label: strconv.Itoa(day.Day()), Group: locale.ShortMonth(l, m) + " " + strconv.Itoa(m.Year), Name: stepName(l, step, day)}
}

func (p *Pages) alertRow(g page, a dtm.Alert) alertRow {
	l := g.Lang
	out := alertRow{Alert: a, Name: p.seriesOf(a, l), When: stepName(l, watch.Step(a.Step), a.Day), Calendar: p.effectNames(a.Effects, l), Kinds: g.T("alert.kind." + alertKind(a)),
		Href: g.Link("/staff/alerts/" + strings.ReplaceAll(url.PathEscape(a.ID), "%2F", "/"))}
	if a.Kind == dtm.AlertSilent {
		out.Words = g.T("silence.text", g.Day(a.Day), g.When(a.Due))
	} else {
		out.Words = g.T("alert.words", count(l, a.Observed), out.When, count(l, a.Expected), count(l, a.Bound))
	}
	if a.Reason != "" {
		out.Why = g.T("alert.reason." + a.Reason)
	}
	if a.Note != "" {
		out.Why = strings.TrimPrefix(out.Why+" · "+a.Note, " · ")
	}
	return out
}

// openAlerts is how many wait for somebody.
func (p *Pages) openAlerts(ctx context.Context) (int, error) {
	if p.Staff.Alerting == nil {
		return 0, nil
	}
	list, err := p.Staff.Alerting.Alerts.Alerts(ctx, dtm.AlertFilter{States: []string{dtm.FlagOpen}})
	return len(list), err
}

// alerts is the inbox.
func (p *Pages) alerts(w http.ResponseWriter, r *http.Request) error {
	v := alertsView{}
	q := r.URL.Query()
	number := func(name string) int64 { n, _ := strconv.ParseInt(q.Get(name), 10, 64); return n }
	if q.Get("first") != "" || q.Get("passed") != "" {
		v.Done = &alertsDone{dtm.AlertsDone{First: number("first"), Last: number("last"), Alerts: int(number("n")), Passed: int(number("passed"))}, q.Get("undone") != ""}
	}
	return p.showAlerts(w, r, http.StatusOK, v)
}

var alertDoneKeys = []string{"first", "last", "n", "passed", "undone"}

func (p *Pages) showAlerts(w http.ResponseWriter, r *http.Request, status int, v alertsView) error {
	q := r.URL.Query()
	for _, k := range alertDoneKeys {
		q.Del(k)
	}
	v.page = p.inside(r, "alerts", "alert.title", "/alerts/")
	v.Query = q.Encode()
	state, kind, place := cmp.Or(q.Get("state"), dtm.FlagOpen), q.Get("kind"), q.Get("place")
	v.Narrowed = kind != "" || place != "" || state != dtm.FlagOpen
	list, err := p.Staff.Alerting.Alerts.Alerts(r.Context(), dtm.AlertFilter{})
	if err != nil {
		return err
	}
	since := p.civilToday().AddDate(0, 0, -alertsBack)
	byState, byKind, byPlace := map[string]int{}, map[string]int{}, map[string]int{}
	places := map[string]string{}
	for _, a := range list {
		if a.State != dtm.FlagOpen && a.Changed.Before(since) {
			continue
		}
		st, ki, pl := a.State == state, kind == "" || kind == alertKind(a), place == "" || place == alertPlace(a)
		places[alertPlace(a)] = p.seriesOf(a, v.Lang)
		if ki && pl {
			byState[a.State]++
		}
		if st && pl {
			byKind[alertKind(a)]++
		}
		if st && ki {
			byPlace[alertPlace(a)]++
		}
		if !st || !ki || !pl {
			continue
		}
		if v.Total++; len(v.Rows) < alertsShown {
			v.Rows = append(v.Rows, p.alertRow(v.page, a))
		}
	}
	v.More = v.Total - len(v.Rows)
	label := func(words string, n int) string { return words + " (" + v.Number(n) + ")" }
	for _, s := range alertStates {
		v.States = append(v.States, option{s, label(v.T("alert.state."+s), byState[s]), s == state})
	}
	v.Kinds = []option{{"", v.T("alert.all.kind"), kind == ""}}
	for _, k := range alertKinds {
		v.Kinds = append(v.Kinds, option{k, label(v.T("alert.kind."+k), byKind[k]), k == kind})
	}
	v.Places = []option{{"", v.T("alert.all.place"), place == ""}}
	for code, name := range places {
		v.Places = append(v.Places, option{code, label(name, byPlace[code]), code == place})
	}
	slices.SortFunc(v.Places[1:], func(a, b option) int { return strings.Compare(a.Label, b.Label) })
	v.Reasons = reasonGroups(v.page, v.Reason, dtm.AlertCount, dtm.AlertSilent)
	v.Backtest = v.Link("/staff/alerts/backtest")
	return p.show(w, status, "alerts", v)
}

// reasonGroups are the reasons to dismiss alerts of these kinds.
func reasonGroups(g page, chosen string, kinds ...string) []reasonGroup {
	var out []reasonGroup
	for _, kind := range kinds {
		x := reasonGroup{Label: g.T("alert.kinds." + kind)}
		for _, code := range dtm.AlertReasons[kind] {
			x.Reasons = append(x.Reasons, option{code, g.T("alert.reason." + code), code == chosen})
		}
		out = append(out, x)
	}
	return out
}

// alertsBackTo is the inbox with the filter that the page carried, and more.
func (p *Pages) alertsBackTo(r *http.Request, more url.Values) string {
	q, _ := url.ParseQuery(r.PostFormValue("query"))
	out := url.Values{}
	for _, k := range []string{"state", "kind", "place"} {
		if q.Get(k) != "" {
			out.Set(k, q.Get(k))
		}
	}
	for k, x := range more {
		out[k] = x
	}
	return "/" + string(p.guess(r)) + "/staff/alerts/?" + out.Encode()
}

func alertsDid(d dtm.AlertsDone) url.Values {
	return url.Values{"first": {strconv.FormatInt(d.First, 10)}, "last": {strconv.FormatInt(d.Last, 10)}, "n": {strconv.Itoa(d.Alerts)}, "passed": {strconv.Itoa(d.Passed)}}
}

// decideAlerts does what the buttons say to the alerts that were chosen. What is asked
// of somebody who decides about one is asked on its own page too.
func (p *Pages) decideAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	d := dtm.AlertDecision{IDs: r.PostForm["alert"], State: r.PostFormValue("do"), Reason: r.PostFormValue("reason"), Note: strings.TrimSpace(r.PostFormValue("why"))}
	l := p.guess(r)
	v := alertsView{Why: d.Note, Reason: d.Reason}
	var done dtm.AlertsDone
	var err error
	if len(d.IDs) == 0 {
		v.Message = locale.Say(l, "review.choose")
	} else if done, err = p.Staff.Alerting.Alerts.DecideAlerts(by(r), d); dtm.KindOf(err) == dtm.Invalid && err != nil {
		v.Message = locale.Error(l, err)
	} else if err != nil {
		return err
	}
	if v.Message != "" {
		if one := r.PostFormValue("one"); one != "" {
			return p.showAlert(w, r, http.StatusUnprocessableEntity, one, alertView{Message: v.Message, Why: d.Note, Reason: d.Reason})
		}
		r.URL.RawQuery = r.PostFormValue("query")
		return p.showAlerts(w, r, http.StatusUnprocessableEntity, v)
	}
	http.Redirect(w, r, p.alertsBackTo(r, alertsDid(done)), http.StatusSeeOther)
	return nil
}

// undoAlerts takes back the last decision of the user.
func (p *Pages) undoAlerts(w http.ResponseWriter, r *http.Request) error {
	first, _ := strconv.ParseInt(r.PostFormValue("first"), 10, 64)
	last, _ := strconv.ParseInt(r.PostFormValue("last"), 10, 64)
	done, err := p.Staff.Alerting.Alerts.UndoAlerts(by(r), first, last)
	if err != nil {
		return err
	}
	q := alertsDid(done)
	q.Set("undone", "1")
	http.Redirect(w, r, p.alertsBackTo(r, q), http.StatusSeeOther)
	return nil
}

type alertView struct {
	page
	Alert                alertRow
	Chart                *drawn
	Method               string
	History              []alertLine
	Reasons              []reasonGroup
	Message, Why, Reason string
	Point                string // its page
}

type alertLine struct{ Act, Who, When, Why string }

// alertPage is one alert: what was counted around it, and what became of it.
func (p *Pages) alertPage(w http.ResponseWriter, r *http.Request) error {
	return p.showAlert(w, r, http.StatusOK, r.PathValue("id"), alertView{})
}

func (p *Pages) showAlert(w http.ResponseWriter, r *http.Request, status int, id string, v alertView) error {
	ctx, a := r.Context(), p.Staff.Alerting
	history, err := a.Alerts.AlertHistory(ctx, id)
	if err != nil {
		return err
	}
	list, err := a.Alerts.Alerts(ctx, dtm.AlertFilter{IDs: []string{id}})
	if err != nil {
		return err
	}
	x := list[0]
	v.page = p.inside(r, "alerts", "alert.title", "/alerts/"+strings.ReplaceAll(url.PathEscape(id), "%2F", "/"))
	v.Alert = p.alertRow(v.page, x)
	v.Title = v.Alert.Name + " · " + v.Alert.When
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	for _, e := range history {
		line := alertLine{v.T("alert.act." + e.Act), v.Actor(e.Actor, names), v.When(e.At), ""}
		if e.Reason != "" {
			line.Why = v.T("alert.reason." + e.Reason)
		}
		if e.Note != "" {
			line.Why = strings.TrimPrefix(line.Why+" · "+e.Note, " · ")
		}
		v.History = append(v.History, line)
	}
	slices.Reverse(v.History)
	if x.By == "point" && p.Staff.Points != nil {
		v.Point = v.Link("/staff/points/" + url.PathEscape(x.Key))
	}
	v.Reasons = reasonGroups(v.page, v.Reason, x.Kind)
	if x.Kind == dtm.AlertCount {
		v.Method = v.T("watch.method." + x.Method)
		if err := p.drawAlert(ctx, &v, x); err != nil {
			return err
		}
	}
	return p.show(w, status, "alert", v)
}

// around is how many steps before and after an alert are drawn.
var around = map[watch.Step][2]int{watch.Day: {42, 14}, watch.Week: {52, 8}, watch.Month: {36, 6}}

// drawAlert draws the counts around an alert with what was expected of them.
func (p *Pages) drawAlert(ctx context.Context, v *alertView, a dtm.Alert) error {
	where := map[string][]string{}
	if a.By != "" {
		where[a.By] = []string{a.Key}
	}
	step := watch.Step(a.Step)
	list, err := watch.Read(ctx, p.Staff.Alerting.Figures, p.Operation, watch.Ask{Indicator: "total_movements", Step: step, By: a.By, Where: where}, p.Now())
	if err != nil {
		return err
	}
	for _, s := range list {
		t, ok := s.At(a.Day)
		if s.Key != a.Key || !ok {
			continue
		}
		from, to := max(0, t-around[step][0]), min(s.Len(), t+around[step][1]+1)
		c, err := p.bandChart(s, from, to, watch.Settings{}, v.Lang, func(i int, _ watch.Judgement) bool { return i == t })
		if err != nil {
			return err
		}
		c.Title = v.Alert.Words
		c.Subtitle = v.T("alert.chart.sub", v.T("alert.kind."+a.Step))
		c.Alt = v.Alert.Name + v.T("word.colon") + " " + c.Title
		v.Chart = p.drawn(c, v.Lang)
	}
	return nil
}

// bandChart draws steps of a series with the range from what was expected to the bound,
// and marks those that mark names.
func (p *Pages) bandChart(s watch.Series, from, to int, set watch.Settings, l dtm.Lang, mark func(int, watch.Judgement) bool) (chart.Trend, error) {
	c := chart.Trend{Axis: locale.Say(l, "alert.axis."+string(s.Step)), Lines: []chart.Line{{Label: locale.Say(l, "word.movements")}}, Band: &chart.Range{Label: locale.Say(l, "watch.band")}}
	for i := from; i < to; i++ {
		j, err := s.Judge(i, set)
		if err != nil {
			return c, err
		}
		c.Steps = append(c.Steps, stepAt(l, s.Step, s.Starts[i]))
		c.Lines[0].Cells = append(c.Lines[0].Cells, observed(s, i))
		low, high := value(j.Expected), value(j.Upper)
		if math.IsNaN(j.Upper) {
			low = nil
		}
		c.Band.Low, c.Band.High = append(c.Band.Low, low), append(c.Band.High, high)
		if mark(i, j) {
			c.Marks = append(c.Marks, chart.Moment{Step: i - from, Label: locale.Say(l, "watch.alarm")})
		}
	}
	return c, nil
}

// commentAlert keeps what the user wrote.
func (p *Pages) commentAlert(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	err := p.Staff.Alerting.Alerts.CommentAlert(by(r), id, r.PostFormValue("comment"))
	if dtm.KindOf(err) == dtm.Invalid && err != nil {
		return p.showAlert(w, r, http.StatusUnprocessableEntity, id, alertView{Message: locale.Error(p.guess(r), err)})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/alerts/"+strings.ReplaceAll(url.PathEscape(id), "%2F", "/"), http.StatusSeeOther)
	return nil
}
