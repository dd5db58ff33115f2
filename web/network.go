package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"

	"dtm"
	"dtm/analyse/survey"
	"dtm/analyse/watch"
	"dtm/disseminate/chart"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// mostCountries are drawn on a side of the table of journeys; the list has all.
const mostCountries = 8

// besideMonths are shown of a series that others made, at most.
const besideMonths = 36

type networkView struct {
	page
	Months   []option
	From, To string
	When     string
	Empty    string
	Heading  string
	gallery
	Heat     *framed
	Told     []string
	Journeys listed
	Beside   []besideView
	NoBeside string
	Public   string
	Staff    string // address of the page behind sign-in
}

type besideView struct {
	ID    string
	Title string
	Chart *framed
	Table listed
	Text  []string
}

// networkPeriod reads from and to of the address; without them the last month with data.
func (p *Pages) networkPeriod(r *http.Request) (overview.Filter, dtm.Period, error) {
	q := url.Values{}
	for _, k := range []string{"from", "to"} {
		if s := r.URL.Query().Get(k); s != "" {
			q.Set(k, s)
		}
	}
	f, err := overview.ParseFilter(p.Operation, q)
	if err == nil {
		f, err = p.chosen(r.Context(), f)
	}
	if err != nil {
		return f, dtm.Period{}, err
	}
	if f.From.IsZero() {
		span, err := p.Figures.Span(r.Context())
		if err != nil || span.From.IsZero() {
			return f, dtm.Period{}, err
		}
		last := dtm.MonthOf(span.To.AddDate(0, 0, -1))
		f.From, f.To = last, last
	}
	return f, dtm.Months(f.From, f.To), nil
}

func (p *Pages) monthOptions(ctx context.Context, f overview.Filter, l dtm.Lang) ([]option, error) {
	span, err := p.Figures.Span(ctx)
	if err != nil || span.From.IsZero() {
		return nil, err
	}
	var out []option
	for _, m := range span.Months() {
		if !p.today().Before(m) || m == f.To || m == f.From {
			out = append(out, option{Value: m.String(), Label: locale.Month(l, m)})
		}
	}
	slices.Reverse(out)
	return out, nil
}

// journeysPage shows where people come from and go to, and what others counted where they
// arrive.
func (p *Pages) journeysPage(w http.ResponseWriter, r *http.Request) error {
	v, err := p.networkView(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "network", v)
}

func (p *Pages) networkView(r *http.Request) (networkView, error) {
	l, err := p.lang(r)
	if err != nil {
		return networkView{}, err
	}
	ctx := r.Context()
	f, period, err := p.networkPeriod(r)
	if err != nil {
		return networkView{}, err
	}
	q := url.Values{}
	if r.URL.Query().Get("from") != "" {
		q = f.Query()
	}
	v := networkView{page: p.page(l, "network", "", "/network/", q), Public: p.public(l), From: f.From.String(), To: f.To.String(), Heading: locale.Say(l, "network.title")}
	v.Title = v.T("subject.title", v.Heading, p.Operation.Name.In(l))
	v.origin = origin{op: p.Operation, query: q, site: siteOf(r), section: "network", back: "/network/", period: period.String()}
	if release, e := p.Figures.Release(ctx); e == nil {
		v.Release, v.origin.release = release.ID(), release.ID()
	}
	if p.Staff != nil && p.Staff.Planning != nil && p.Staff.Surveying != nil {
		v.Staff = v.Link("/staff/network/?from=" + v.From + "&to=" + v.To)
	}
	if v.Months, err = p.monthOptions(ctx, f, l); err != nil {
		return networkView{}, err
	}
	if period.From.IsZero() {
		v.Empty = v.T("empty.none")
	} else {
		v.When = locale.Period(l, period)
		m, err := watch.ReadMatrix(ctx, p.Figures, period, nil)
		if err != nil {
			return networkView{}, err
		}
		p.journeys(&v, m)
	}
	if err := p.besides(ctx, &v); err != nil {
		return networkView{}, err
	}
	return v, nil
}

// journeys draws the completed table of origins and destinations.
func (p *Pages) journeys(v *networkView, m watch.Matrix) {
	l, countries := v.Lang, p.Operation.Lists["country"]
	if len(m.Journeys) == 0 {
		v.Empty = v.T("network.empty")
		return
	}
	h := chart.Heat{Axis: v.T("network.from"), Across: v.T("network.to"), Measure: v.T("network.measure")}
	var from, to []string
	sums := map[[2]string]float64{}
	all, spread := 0.0, false
	list := slices.Concat(m.Journeys, m.Withheld)
	for _, j := range list {
		for _, x := range []struct {
			set  *[]string
			code string
			side string
		}{{&from, j.From, "from"}, {&to, j.To, "to"}} {
			if j.From == "" || j.To == "" {
				continue
			}
			if !slices.Contains(*x.set, x.code) {
				*x.set = append(*x.set, x.code)
			}
			if !math.IsNaN(j.Completed) {
				sums[[2]string{x.side, x.code}] += j.Completed
			}
		}
		if !math.IsNaN(j.Completed) {
			all += j.Completed
			spread = spread || math.Round(j.Completed) != math.Round(j.Observed)
		}
	}
	for side, set := range map[string][]string{"from": from, "to": to} {
		slices.SortStableFunc(set, func(a, b string) int {
			return cmp.Or(cmp.Compare(sums[[2]string{side, b}], sums[[2]string{side, a}]), cmp.Compare(a, b))
		})
	}
	from, to = from[:min(len(from), mostCountries)], to[:min(len(to), mostCountries)]
	for _, a := range from {
		h.Rows = append(h.Rows, countries.Label(a, l))
		row := make([]chart.Cell, len(to))
		for k, b := range to {
			i := slices.IndexFunc(list, func(j watch.Journey) bool { return j.From == a && j.To == b })
			switch {
			case i < 0: // nobody made this journey
			case math.IsNaN(list[i].Completed):
				row[k] = chart.Withheld()
			default:
				row[k] = chart.Cell{Value: value(list[i].Completed)}
			}
		}
		h.Cells = append(h.Cells, row)
	}
	for _, b := range to {
		h.Columns = append(h.Columns, countries.Label(b, l))
	}
	top := m.Journeys[0]
	title := v.T("network.heat", countries.Label(top.From, l), countries.Label(top.To, l), locale.Percent(l, 100*top.Completed/all, 0))
	v.Heat = v.hang(p, p.alone("network", h, title, v.T("network.heat.sub", v.When), v.Release, l, "origin_destination"), l)
	v.Told = append(v.Told, v.T("network.known", count(l, m.Known), count(l, m.Half), count(l, m.Left)))
	if len(m.Withheld) > 0 {
		v.Told = append(v.Told, v.T("network.withheld", len(m.Withheld)))
	}
	v.Journeys = listed{ID: "journeys", Lead: 2, Title: v.T("network.list"), Text: v.T("network.list.text"), Columns: []string{v.T("network.from"), v.T("network.to"), v.T("watch.observed"), v.T("network.completed")}}
	if !spread {
		v.Journeys.Text = v.T("network.list.all")
	}
	for _, j := range m.Journeys {
		done := count(l, j.Completed)
		if math.Round(j.Completed) != math.Round(j.Observed) {
			done = "≈\u202f" + done
		}
		v.Journeys.Rows = append(v.Journeys.Rows, []string{countries.Label(j.From, l), countries.Label(j.To, l), count(l, j.Observed), done})
	}
}

// besides shows what others counted beside ours, by month. A count of theirs that would be
// too small to publish were it ours is not shown either.
func (p *Pages) besides(ctx context.Context, v *networkView) error {
	if p.Outsides == nil || len(p.Operation.Besides) == 0 {
		return nil
	}
	l := v.Lang
	list, err := p.Outsides.Outside(ctx)
	if err != nil {
		return err
	}
	for _, b := range p.Operation.Besides {
		theirs := dtm.OutsideMonths(list, b.Series)
		if len(theirs) > besideMonths {
			theirs = theirs[len(theirs)-besideMonths:]
		}
		if len(theirs) == 0 {
			v.NoBeside = v.T("network.beside.none", b.Name.In(l), b.Ours.In(l))
			continue
		}
		months, err := watch.ReadBeside(ctx, p.Figures, b, theirs)
		if err != nil {
			return err
		}
		v.Beside = append(v.Beside, p.seriesBeside(v, b, months, list))
	}
	return nil
}

func (p *Pages) seriesBeside(v *networkView, b dtm.Beside, months []watch.BesideMonth, list []dtm.Outside) besideView {
	l := v.Lang
	out := besideView{ID: b.Series, Title: b.Name.In(l)}
	c := chart.Trend{Axis: v.T("alert.axis.month"), Lines: []chart.Line{{Label: b.Ours.In(l)}, {Label: b.Name.In(l)}}}
	t := listed{ID: "months-" + b.Series, Title: v.T("network.beside.table"), Columns: []string{v.T("alert.axis.month"), b.Ours.In(l), b.Name.In(l), v.T("network.beside.ratio")}}
	by := map[dtm.Month]watch.BesideMonth{}
	for _, m := range months {
		by[m.Month] = m
	}
	withheld := overview.Suppressed(p.Operation)
	var last *watch.BesideMonth // with both
	for _, m := range dtm.Months(months[0].Month, months[len(months)-1].Month).Months() {
		c.Steps = append(c.Steps, stepOf(l, m))
		x, ok := by[m]
		ours, theirs := chart.Cell{}, chart.Cell{}
		row := []string{locale.Month(l, m), v.T("chart.missing"), v.T("chart.missing"), "–"}
		if ok {
			small := x.Small(p.Operation.Threshold)
			switch {
			case small:
				theirs, row[2] = chart.Withheld(), withheld
			default:
				n := float64(x.People)
				theirs, row[2] = chart.Cell{Value: &n}, count(l, n)
			}
			switch {
			case x.Withheld:
				ours, row[1] = chart.Withheld(), v.T("release.withheld")
			case x.Ours != nil:
				ours, row[1] = chart.Cell{Value: x.Ours}, count(l, *x.Ours)
				if !small && *x.Ours > 0 {
					row[3] = locale.Percent(l, 100*float64(x.People)/(*x.Ours), 0)
				}
				if !small {
					last = &x
				}
			}
		}
		c.Lines[0].Cells, c.Lines[1].Cells = append(c.Lines[0].Cells, ours), append(c.Lines[1].Cells, theirs)
		t.Rows = append(t.Rows, row)
	}
	slices.Reverse(t.Rows)
	title := b.Name.In(l)
	if last != nil {
		title = b.Ours.In(l) + v.T("word.colon") + " " + count(l, *last.Ours) + " · " + b.Name.In(l) + v.T("word.colon") + " " + count(l, float64(last.People)) + " · " + locale.Month(l, last.Month)
	}
	out.Table = t
	var sources, places []string
	for _, x := range list {
		if x.Series != b.Series {
			continue
		}
		if !slices.Contains(sources, x.Source) {
			sources = append(sources, x.Source)
		}
		if x.Place != "" && !slices.Contains(places, x.Place) {
			places = append(places, x.Place)
		}
	}
	slices.Sort(sources)
	out.Text = []string{v.T("network.beside.text")}
	if len(places) > 0 {
		out.Text = append(out.Text, v.T("network.beside.places", joined(v.page, places)))
	}
	panel := p.alone("network-"+b.Series, c, title, v.T("network.beside.sub"), v.Release, l, b.Base)
	panel.Notes = append(panel.Notes, v.T("network.beside.source", joined(v.page, sources)))
	out.Chart = v.hang(p, panel, l)
	out.Chart.period = dtm.Months(months[0].Month, months[len(months)-1].Month).String()
	return out
}

// joined writes a list of names; of more than six the first and how many more.
func joined(g page, names []string) string {
	const most = 6
	s := together(g.Lang, names[:min(len(names), most)])
	if len(names) > most {
		s += " " + g.T("network.more", len(names)-most)
	}
	return s
}

type staffNetworkView struct {
	page
	Months       []option
	From, To     string
	When         string
	Public       string // address of the public page
	Balance      listed
	BalanceText  []string
	Roads        listed
	Persons      listed
	PersonsLead  string
	PersonsText  []string
	Pairs        listed
	BalanceEmpty string
	PersonsEmpty string
}

// staffNetwork holds the counts of points on one road against each other, and estimates
// the persons behind the movements.
func (p *Pages) staffNetwork(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := staffNetworkView{page: p.inside(r, "network", "network.staff", "/network/")}
	f, period, err := p.networkPeriod(r)
	if err != nil {
		return err
	}
	l := v.Lang
	if v.Months, err = p.monthOptions(ctx, f, l); err != nil {
		return err
	}
	v.From, v.To = f.From.String(), f.To.String()
	v.Public = v.Link("/network/?from=" + v.From + "&to=" + v.To)
	if period.From.IsZero() {
		v.BalanceEmpty, v.PersonsEmpty = v.T("empty.none"), v.T("empty.none")
		return p.show(w, http.StatusOK, "staffnetwork", v)
	}
	v.When = locale.Period(l, period)
	figures := p.Staff.Planning.Figures
	b, err := watch.ReadBalance(ctx, figures, p.Operation, period)
	switch {
	case dtm.KindOf(err) == dtm.NotFound:
		v.BalanceEmpty = locale.Error(l, err)
	case err != nil:
		return err
	default:
		p.balance(&v, b)
	}
	movements, err := movementsBy(ctx, figures, period)
	if err != nil {
		return err
	}
	var list []dtm.Interview
	err = p.Staff.Surveying.Interviews.Interviews(ctx, period, func(i dtm.Interview) error {
		list = append(list, i)
		return nil
	})
	if err != nil {
		return err
	}
	e, err := survey.EstimatePersons(list, movements)
	if err != nil {
		return err
	}
	p.persons(&v, e)
	return p.show(w, http.StatusOK, "staffnetwork", v)
}

func (p *Pages) pointLabel(code string, l dtm.Lang) string { return p.seriesName(code, "point", l) }

func (p *Pages) balance(v *staffNetworkView, b watch.NetworkBalance) {
	l := v.Lang
	v.BalanceText = []string{v.T("network.balance.of", p.Operation.Flow.Name.In(l)), v.T("network.balance.text")}
	if b.Conditions == 0 {
		v.BalanceEmpty = v.T("network.balance.none")
	}
	v.Balance = listed{ID: "balance", Words: 1, Title: v.T("network.balance"), Columns: []string{v.T("word.point"), v.T("watch.observed"), v.T("network.se"), v.T("network.balanced"), v.T("network.z"), v.T("network.look")}}
	worst := -1
	for i, x := range b.Points {
		z, look := "–", ""
		if !math.IsNaN(x.Z) {
			z = locale.Number(l, x.Z, 1)
		}
		if x.Told() {
			look = v.T("network.look.low")
			if x.Z > 0 {
				look = v.T("network.look.high")
			}
			if worst < 0 || math.Abs(x.Z) > math.Abs(b.Points[worst].Z) {
				worst = i
			}
		}
		balanced := count(l, x.Balanced)
		if !math.IsNaN(x.Balanced) {
			balanced = "≈\u202f" + balanced
		}
		v.Balance.Rows = append(v.Balance.Rows, []string{p.pointLabel(x.Point, l), count(l, x.Observed), "±\u2009" + count(l, x.SE), balanced, z, look})
	}
	switch {
	case b.Conditions == 0:
	case worst >= 0:
		v.Balance.Text = v.T("network.balance.worst", p.pointLabel(b.Points[worst].Point, l), v.When)
	default:
		v.Balance.Text = v.T("network.balance.fine", v.When)
	}
	v.Roads = listed{ID: "roads", Lead: 2, Words: 1, Title: v.T("network.roads"), Columns: []string{v.T("network.road.from"), v.T("network.road.to"), v.T("network.balanced"), v.T("network.days"), v.T("network.basis")}}
	for _, x := range b.Roads {
		v.Roads.Rows = append(v.Roads.Rows, []string{p.pointLabel(x.From, l), p.pointLabel(x.To, l), "≈\u202f" + count(l, x.People), locale.Number(l, x.Days, -1), x.Basis.In(l)})
	}
}

func (p *Pages) persons(v *staffNetworkView, e survey.Persons) {
	l := v.Lang
	v.PersonsText = []string{v.T("network.persons.text")}
	if len(e.Points) == 0 {
		v.PersonsEmpty = v.T("network.persons.none")
		return
	}
	v.PersonsLead = v.T("network.persons.lead", count(l, e.Movements), count(l, e.People.Estimate), span(l, e.People.Low, e.People.High))
	if e.Left > 0 {
		v.PersonsText = append(v.PersonsText, v.T("network.persons.left", count(l, e.Left)))
	}
	v.Persons = listed{ID: "persons", Words: 1, Title: v.T("network.persons.table"), Columns: []string{v.T("word.point"), v.T("word.movements"), v.T("network.asked"), v.T("network.before"), v.T("network.first"), v.T("network.in95"), v.T("network.caveats")}}
	for _, x := range e.Points {
		caveats := ""
		for i, c := range x.Caveats {
			if i > 0 {
				caveats += " "
			}
			caveats += v.T("survey.caveat." + c)
		}
		v.Persons.Rows = append(v.Persons.Rows, []string{p.pointLabel(x.Point, l), count(l, x.Movements), locale.Number(l, float64(x.Answered), 0), locale.Percent(l, 100*x.Share.Estimate, 0), "≈\u202f" + count(l, x.People.Estimate), span(l, x.People.Low, x.People.High), caveats})
	}
	v.Pairs = listed{ID: "pairs", Lead: 2, Title: v.T("network.pairs"), Text: v.T("network.pairs.text"), Columns: []string{v.T("network.road.from"), v.T("network.road.to"), v.T("network.counted"), v.T("network.asked"), v.T("network.again"), v.T("network.onway"), v.T("network.in95")}}
	for _, x := range e.Pairs {
		v.Pairs.Rows = append(v.Pairs.Rows, []string{p.pointLabel(x.From, l), p.pointLabel(x.To, l), count(l, x.Counted), locale.Number(l, float64(x.Asked), 0), locale.Number(l, float64(x.Again), 0), "≈\u202f" + count(l, x.People.Estimate), span(l, x.People.Low, x.People.High)})
	}
}
