package web

import (
	"cmp"
	"net/http"
	"slices"

	"dtm"
	"dtm/locale"
)

type indicatorRow struct{ ID, Name, Unit, Definition, Href string }

func (p *Pages) indicators(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	type group struct {
		Facts, Label string
		Lead         string
		Rows         []indicatorRow
	}
	v := struct {
		page
		Groups []group
	}{page: p.page(l, "indicators", locale.Say(l, "page.indicators"), "/indicators/", nil)}
	list := p.Figures.Catalogue()
	for _, g := range groups(list, l, "") {
		var rows group
		for _, item := range g.Items {
			i := list[slices.IndexFunc(list, func(i dtm.Indicator) bool { return i.ID == item.Value })]
			rows.Facts = i.Facts
			rows.Rows = append(rows.Rows, indicatorRow{i.ID, i.Name.In(l), unit(i, l), i.Definition.In(l), v.Link("/indicators/" + i.ID)})
		}
		rows.Label = g.Label
		v.Groups = append(v.Groups, rows)
	}
	if p.Staff != nil && p.Staff.Referring != nil {
		rows := group{Facts: "referral", Label: v.T("referral.title"), Lead: v.T("referral.catalogue")}
		for _, key := range referralShares {
			rows.Rows = append(rows.Rows, indicatorRow{Name: v.T("referral.title") + v.T("word.colon") + " " + v.T("figures."+key), Unit: unit(dtm.Indicator{Unit: "percent"}, l), Definition: v.T("figures." + key + ".note"), Href: v.Link("/staff/referrals/figures")})
		}
		v.Groups = append(v.Groups, rows)
	}
	return p.show(w, http.StatusOK, "indicators", v)
}

func (p *Pages) indicator(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	i, err := p.Figures.Indicator(r.PathValue("id"))
	if err != nil {
		return err
	}
	type line struct{ Term, Text string }
	v := struct {
		page
		ID            string
		Lines         []line
		SQL, Workshop string
	}{page: p.page(l, "indicators", i.Name.In(l), "/indicators/"+i.ID, nil), ID: i.ID}
	names := func(dims []string) string {
		var out []string
		for _, d := range dims {
			if p.Word != nil {
				d = p.Word(d, l)
			}
			out = append(out, d)
		}
		return together(l, out)
	}
	if p.QueryText != nil {
		if v.SQL, err = p.QueryText(i.ID); err != nil {
			return err
		}
	}
	if p.Staff != nil && p.Staff.Workshop != nil {
		v.Workshop = v.Link("/staff/workshop/?indicator=" + i.ID)
	}
	for _, x := range []line{{"def.facts", locale.Say(l, "facts."+cmp.Or(i.Facts, "movement"))}, {"def.definition", i.Definition.In(l)}, {"def.formula", i.Formula.In(l)}, {"def.unit", unit(i, l)}, {"def.denominator", i.Denominator.In(l)},
		{"def.missing", i.Missing.In(l)}, {"def.default", names(i.Default)}, {"def.by", names(i.By)}, {"def.source", i.Source.In(l)}} {
		if x.Text != "" {
			v.Lines = append(v.Lines, line{locale.Say(l, x.Term), x.Text})
		}
	}
	return p.show(w, http.StatusOK, "indicator", v)
}

func unit(i dtm.Indicator, l dtm.Lang) string {
	if locale.Has("unit." + i.Unit) {
		return locale.Say(l, "unit."+i.Unit)
	}
	return i.Unit
}
