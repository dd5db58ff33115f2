package web

import (
	"cmp"
	"net/http"
	"slices"

	"dtm"
	"dtm/locale"
)

type placeCell struct{ In, Agreed string }

type placeRow struct {
	Name, Screened, Reach, Present, Lacks string
	Cells                                 []placeCell
}

type placeView struct {
	page
	Lead, Older, Newer string
	Programmes         []string
	Capacity           []string // declared, by programme, for the month; nil: nobody may declare
	Rows               []placeRow
}

// needs is who needs what, where, and how many can be served: persons screened in a
// month, by region and programme.
func (p *Pages) needs(w http.ResponseWriter, r *http.Request) error {
	ctx, l, f := r.Context(), p.guess(r), p.workshopFigures(r)
	m := dtm.MonthOf(p.civilToday())
	if q := r.URL.Query().Get("month"); q != "" {
		var err error
		if m, err = dtm.ParseMonth(q); err != nil {
			return err
		}
	} else if span, err := f.Span(ctx); err == nil && !span.To.IsZero() {
		m = p.latest(span)
	}
	v := placeView{page: p.inside(r, "needs", "need.title", "/needs/"), Lead: locale.Say(l, "need.lead", locale.Month(l, m)), Older: m.Add(-1).String()}
	if m.Before(dtm.MonthOf(p.civilToday())) {
		v.Newer = m.Add(1).String()
	}
	ask := func(id string, by ...string) (map[string]dtm.Figure, dtm.Table, error) {
		t, err := f.Table(ctx, dtm.Query{Indicator: id, Period: dtm.Months(m, m), By: by})
		out := map[string]dtm.Figure{}
		for _, x := range t.Figures {
			key := ""
			for _, k := range x.Keys {
				key += k + "\x00"
			}
			out[key] = x
		}
		return out, t, err
	}
	said := func(t dtm.Table, x dtm.Figure, ok bool) string {
		switch {
		case x.Suppressed, !ok && slices.ContainsFunc(t.Notes, func(n dtm.Note) bool { return n.Code == dtm.NoteCompany }):
			// Of few people, guard tells not even that there are any.
			return "<" + locale.Number(l, float64(p.Operation.Threshold), 0)
		case !ok || x.Value == nil:
			return "–"
		case t.Indicator.Unit == "percent":
			return locale.Percent(l, *x.Value, 0)
		}
		return locale.Number(l, t.Indicator.Round(*x.Value), 0)
	}
	for _, g := range p.Operation.Programmes {
		v.Programmes = append(v.Programmes, g.Name.In(l))
	}
	if p.Staff.Planning != nil {
		declared, err := p.Staff.Planning.Capacities.Capacities(ctx)
		if err != nil {
			return err
		}
		for _, g := range p.Operation.Programmes {
			n, ok := dtm.CapacityOn(declared, g.Code, m.Add(1).First().AddDate(0, 0, -1))
			if !ok {
				v.Capacity = append(v.Capacity, v.T("planning.undeclared"))
				continue
			}
			v.Capacity = append(v.Capacity, locale.Number(l, float64(n), 0))
		}
	}
	// All regions, then each: the line of all is asked by itself, for who needs
	// several programmes is in several cells.
	for _, split := range [][]string{nil, {"region"}} {
		with := func(more ...string) []string { return append(slices.Clone(split), more...) }
		screened, tScreened, err := ask("people_screened", split...)
		if err != nil {
			return err
		}
		in, tIn, err := ask("people_by_programme", with("programme")...)
		if err != nil {
			return err
		}
		agreed, tAgreed, err := ask("people_agreed_by_programme", with("referred")...)
		if err != nil {
			return err
		}
		reach, tReach, err := ask("service_reach_share_pct", with("reach")...)
		if err != nil {
			return err
		}
		present, tPresent, err := ask("people_present_average", split...)
		if err != nil {
			return err
		}
		_, tNeed, err := ask("need_share_pct", with("need")...)
		if err != nil {
			return err
		}
		regions := map[string]bool{}
		for key := range screened {
			regions[key] = true
		}
		for key := range present {
			regions[key] = true
		}
		keys := make([]string, 0, len(regions))
		for key := range regions {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			row := placeRow{Name: locale.Say(l, "need.all")}
			if len(split) > 0 {
				row.Name = p.Staff.Workshop.Label("region", key[:len(key)-1], l)
			}
			x, ok := screened[key]
			row.Screened = said(tScreened, x, ok)
			x, ok = reach[key+"yes\x00"]
			row.Reach = said(tReach, x, ok)
			x, ok = present[key]
			row.Present = said(tPresent, x, ok)
			row.Lacks = p.mostLacking(tNeed, key, l)
			for _, g := range p.Operation.Programmes {
				a, okA := in[key+g.Code+"\x00"]
				b, okB := agreed[key+g.Code+"\x00"]
				row.Cells = append(row.Cells, placeCell{said(tIn, a, okA), said(tAgreed, b, okB)})
			}
			v.Rows = append(v.Rows, row)
		}
	}
	return p.show(w, http.StatusOK, "needs", v)
}

// mostLacking names the needs of most persons, up to three.
func (p *Pages) mostLacking(t dtm.Table, key string, l dtm.Lang) string {
	var list []dtm.Figure
	for _, f := range t.Figures {
		if (len(t.By) == 1 || f.Keys[0]+"\x00" == key) && f.Value != nil && *f.Value > 0 && !f.Suppressed {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b dtm.Figure) int { return cmp.Compare(*b.Value, *a.Value) })
	out := ""
	for _, f := range list[:min(3, len(list))] {
		if out != "" {
			out += ", "
		}
		out += p.Staff.Workshop.Label("need", f.Keys[len(f.Keys)-1], l) + " " + locale.Percent(l, *f.Value, 0)
	}
	return cmp.Or(out, "–")
}
