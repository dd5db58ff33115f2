package web

import (
	"net/http"
	"strings"

	"dtm"
	"dtm/locale"
)

type indicatorRow struct{ ID, Name, Unit, Definition, Href string }

func (p *Pages) indicators(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	v := struct {
		page
		Rows []indicatorRow
	}{page: p.page(l, "indicators", locale.Say(l, "page.indicators"), "/indicators/", nil)}
	for _, i := range p.Figures.Catalogue() {
		v.Rows = append(v.Rows, indicatorRow{i.ID, i.Name.In(l), unit(i, l), i.Definition.In(l), v.Link("/indicators/" + i.ID)})
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
		ID    string
		Lines []line
	}{page: p.page(l, "indicators", i.Name.In(l), "/indicators/"+i.ID, nil), ID: i.ID}
	for _, x := range []line{{"def.definition", i.Definition.In(l)}, {"def.formula", i.Formula}, {"def.unit", unit(i, l)}, {"def.denominator", i.Denominator.In(l)},
		{"def.missing", i.Missing.In(l)}, {"def.by", strings.Join(i.By, ", ")}, {"def.source", i.Source}} {
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
