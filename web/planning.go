package web

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/watch"
	"dtm/locale"
)

// Planning is what the page about the days and months to come needs.
type Planning struct {
	// Figures are the staff's: not guarded.
	Figures    dtm.Figures
	Arrivals   dtm.Arrivals
	Capacities dtm.Capacities
}

type planningView struct {
	page
	Weeks      []comingRow
	Arrived    string
	NowEmpty   string
	Needs      []needRow
	NeedsEmpty string
	Basis      string
	Programmes []option
	Declared   []capacityRow
	Today      string
	Message    string
	Typed      url.Values
	Saved      bool
	CSV        string
	Made       string // of when it is, when that is not now
	Making     bool   // there is nothing to show yet
	Refresh    bool   // the page asks again by itself
}

// planned is what the page about the weeks and months to come rests on.
type planned struct {
	now    watch.Nowcast
	nowErr error // Invalid: too little is known to complete a week
	series bool  // there are months to look ahead from
	look   watch.Outlook
	needs  []watch.Need
	err    error // Invalid: too little is known to look ahead
}

// plans computes it once for a state of the data.
func (p *Pages) plans(ctx context.Context) (planned, Made, error) {
	f := p.Staff.Planning.Figures
	tag, _, err := p.watchTag(ctx, f)
	if err != nil {
		return planned{}, Made{}, err
	}
	return computed(ctx, p, "planning", tag, func(ctx context.Context) (x planned, err error) {
		today := p.civilToday()
		late, err := p.Staff.Planning.Arrivals.Late(ctx, watch.LatePeriod(today))
		if err != nil {
			return x, err
		}
		if x.now, err = watch.Now(late, today); err != nil && dtm.KindOf(err) == dtm.Invalid {
			x.nowErr, err = err, nil
		}
		if err != nil {
			return x, err
		}
		list, err := watch.Read(ctx, f, p.Operation, watch.Ask{Indicator: "total_movements", Step: watch.Month}, p.Now())
		if err != nil || len(list) == 0 {
			return x, err
		}
		s := list[0]
		look, err := p.lookAhead(s, watch.Month)
		if err != nil && dtm.KindOf(err) == dtm.Invalid {
			x.err = err
			return x, nil
		}
		if err != nil {
			return x, err
		}
		x.look, x.series = *look, true
		x.needs, err = watch.ReadNeeds(ctx, f, dtm.Period{From: s.Starts[0], To: s.Of(s.Len() - 1).To})
		if err != nil && dtm.KindOf(err) == dtm.Invalid {
			x.err, x.series, err = err, false, nil
		}
		return x, err
	})
}

func (p *Pages) preparePlanning(ctx context.Context) error {
	if p.Staff == nil || p.Staff.Planning == nil {
		return nil
	}
	_, _, err := p.plans(ctx)
	return err
}

type comingRow struct{ Name, Known, Expected, In80, In95, Share string }

type needRow struct {
	Programme, Month, Expected, In80, In95, Capacity, Gap, Exceeds string
	Short                                                          bool // more likely than not
}

type capacityRow struct{ Programme, From, People, Note, Who, When string }

// comings are this week and the last with what is still to arrive.
func (p *Pages) comings(x planned, g page) (rows []comingRow, arrived, empty string, err error) {
	n, err := x.now, x.nowErr
	var known *dtm.Error
	if err != nil && errors.As(err, &known) {
		return nil, "", locale.Error(g.Lang, err), nil
	}
	if err != nil {
		return nil, "", "", err
	}
	l := g.Lang
	for _, x := range []watch.Coming{n.ThisWeek, n.LastWeek} {
		if !x.From.Before(x.To) {
			continue
		}
		name := g.T("nowcast.last", locale.Date(l, x.From))
		if x.From.Equal(n.ThisWeek.From) {
			name = g.T("nowcast.this", locale.Date(l, x.From), locale.Date(l, x.To.AddDate(0, 0, -1)))
		}
		row := comingRow{Name: name, Known: count(l, x.Known), Expected: count(l, x.Expected), In80: span(l, x.Lo80, x.Hi80), In95: span(l, x.Lo95, x.Hi95), Share: "–"}
		if x.Expected > 0 {
			row.Share = locale.Percent(l, 100*x.Known/x.Expected, 0)
		}
		rows = append(rows, row)
	}
	arrived = g.T("nowcast.arrived", locale.Percent(l, 100*n.Arrived[0], 0), locale.Percent(l, 100*n.Arrived[1], 0), locale.Percent(l, 100*n.Arrived[3], 0))
	return rows, arrived, "", nil
}

// plan is what is expected of programmes in the next months.
func (p *Pages) plan(ctx context.Context, x planned) ([]watch.Planned, []dtm.Capacity, error) {
	capacities, err := p.Staff.Planning.Capacities.Capacities(ctx)
	if err != nil || x.err != nil || !x.series {
		return nil, capacities, cmp.Or(err, x.err)
	}
	return watch.Plan(x.look, x.needs, capacities), capacities, nil
}

// planning shows what is still to arrive of this week, and what is expected of
// programmes against what they can serve.
func (p *Pages) planning(w http.ResponseWriter, r *http.Request) error {
	return p.showPlanning(w, r, http.StatusOK, planningView{Typed: url.Values{}, Saved: r.URL.Query().Get("saved") != ""})
}

func (p *Pages) showPlanning(w http.ResponseWriter, r *http.Request, status int, v planningView) error {
	ctx := r.Context()
	v.page = p.inside(r, "planning", "planning.title", "/planning/")
	l := v.Lang
	x, made, err := p.plans(ctx)
	if err != nil {
		return err
	}
	// A form that somebody fills in is not loaded again under their hands.
	v.Made, v.Refresh = v.madeNote(made)
	if v.Making, v.Refresh = !made.Ready, v.Refresh && status == http.StatusOK; made.Ready {
		if v.Weeks, v.Arrived, v.NowEmpty, err = p.comings(x, v.page); err != nil {
			return err
		}
	}
	list, capacities, err := p.plan(ctx, x)
	if err != nil && dtm.KindOf(err) == dtm.Invalid {
		v.NeedsEmpty, err = locale.Error(l, err), nil
	}
	if err != nil {
		return err
	}
	if len(list) == 0 && v.NeedsEmpty == "" && made.Ready {
		v.NeedsEmpty = v.T("planning.empty")
	}
	for _, x := range list {
		row := needRow{Programme: p.programme(x.Programme, l), Month: locale.Month(l, dtm.MonthOf(x.Target)), Expected: count(l, x.Expected), In80: span(l, x.Lo80, x.Hi80), In95: span(l, x.Lo95, x.Hi95), Capacity: v.T("planning.undeclared"), Gap: "–", Exceeds: "–"}
		if !math.IsNaN(x.Capacity) {
			row.Capacity, row.Gap, row.Exceeds, row.Short = count(l, x.Capacity), signed(l, x.Gap()), locale.Percent(l, 100*x.Exceeds, 0), x.Exceeds > 0.5
		}
		v.Needs = append(v.Needs, row)
		v.Basis = v.T("planning.basis", x.Months)
	}
	for _, x := range p.Operation.Programmes {
		v.Programmes = append(v.Programmes, option{x.Code, x.Name.In(l), v.Typed.Get("programme") == x.Code})
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	for i := len(capacities) - 1; i >= 0; i-- {
		c := capacities[i]
		row := capacityRow{p.programme(c.Programme, l), locale.Date(l, c.From), v.T("planning.permonth", count(l, float64(c.People))), c.Note, v.Actor(c.Actor, names), v.When(c.At)}
		if c.People == dtm.Undeclared {
			row.People = v.T("planning.undeclared")
		}
		v.Declared = append(v.Declared, row)
	}
	v.Today, v.CSV = p.civilToday().Format(time.DateOnly), v.Link("/staff/planning/needs.csv")
	return p.show(w, status, "planning", v)
}

// programme names a programme.
func (p *Pages) programme(code string, l dtm.Lang) string {
	for _, x := range p.Operation.Programmes {
		if x.Code == code {
			return x.Name.In(l)
		}
	}
	return code
}

// declareCapacity keeps what the user declared.
func (p *Pages) declareCapacity(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	f := r.PostForm
	l := p.guess(r)
	day, err := time.Parse(time.DateOnly, f.Get("from"))
	people := dtm.Undeclared
	text := strings.TrimSpace(f.Get("people"))
	var bad error
	if text != "" {
		people, bad = strconv.Atoi(text)
	}
	known := false
	for _, x := range p.Operation.Programmes {
		known = known || x.Code == f.Get("programme")
	}
	if err != nil || bad != nil || !known || people < dtm.Undeclared || text != "" && people < 0 {
		return p.showPlanning(w, r, http.StatusUnprocessableEntity, planningView{Message: locale.Say(l, "error.capacity.invalid"), Typed: f})
	}
	if err := p.Staff.Planning.Capacities.DeclareCapacity(by(r), dtm.Capacity{Programme: f.Get("programme"), From: day, People: people, Note: strings.TrimSpace(f.Get("note"))}); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/planning/?saved=1", http.StatusSeeOther)
	return nil
}

// needsCSV is the table of needs against capacity.
func (p *Pages) needsCSV(w http.ResponseWriter, r *http.Request) error {
	x, _, err := p.plans(context.WithValue(r.Context(), foreverKey{}, true))
	if err != nil {
		return err
	}
	list, _, err := p.plan(r.Context(), x)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+p.Operation.Code+`-needs.csv"`)
	c := csv.NewWriter(w)
	c.Write([]string{"programme", "month", "movements_expected", "rate", "expected", "low80", "high80", "low95", "high95", "capacity", "gap", "chance_exceeded"}) //nolint:errcheck // Flush tells
	n := func(v, unit float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(math.Round(v*unit)/unit, 'f', -1, 64)
	}
	for _, x := range list {
		c.Write([]string{x.Programme, dtm.MonthOf(x.Target).String(), n(x.Movements, 1), n(x.Rate, 1e6), n(x.Expected, 1), n(x.Lo80, 1), n(x.Hi80, 1), n(x.Lo95, 1), n(x.Hi95, 1), n(x.Capacity, 1), n(x.Gap(), 1), n(x.Exceeds, 100)}) //nolint:errcheck // Flush tells
	}
	c.Flush()
	return c.Error()
}
