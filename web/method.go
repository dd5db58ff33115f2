package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/locale"
)

// pointRow is a flow monitoring point as it is today.
type pointRow struct{ Name, Region, Role, Status, Since string }

type methodsView struct {
	page
	Public, Disclaimer string
	Baseline           string // "" when there is none
	Bases              []string
	On                 string
	Points             []pointRow
}

func (p *Pages) methods(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	op, now := p.Operation, p.Now().In(p.Operation.Zone)
	v := methodsView{page: p.page(l, "methods", locale.Say(l, "page.methods"), "/methods", nil), Public: p.public(l),
		Disclaimer: op.Disclaimer.In(l), On: locale.Date(l, now)}
	if b := op.Baseline; !b.Period.From.IsZero() {
		v.Baseline = locale.Say(l, "method.baseline", b.Name.In(l), locale.Period(l, b.Period))
	}
	for _, d := range op.ChangeBasis {
		s := locale.Say(l, "method.basis."+d.Value)
		if !d.From.IsZero() {
			s = locale.Say(l, "method.since", s, locale.Month(l, dtm.MonthOf(d.From)))
		}
		v.Bases = append(v.Bases, s)
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	for _, pt := range op.Network() {
		row := pointRow{Name: pt.Name.In(l)}
		if a, ok := op.Area(pt.Area); ok {
			row.Region = a.Name.In(l)
		}
		if role := dtm.ValueAt(pt.Role, day); role != "" {
			row.Role = locale.Say(l, "role."+role)
		}
		if status := dtm.ValueAt(pt.Status, day); status != "" {
			row.Status = locale.Say(l, "status."+status)
			row.Since = since(l, pt.Status, day)
		}
		v.Points = append(v.Points, row)
	}
	open := locale.Say(l, "status.open")
	slices.SortStableFunc(v.Points, func(a, b pointRow) int {
		if (a.Status == open) != (b.Status == open) {
			if a.Status == open {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return p.show(w, http.StatusOK, "methods", v)
}

// since is the day from which the value of the day holds; "" when it always did.
func since(l dtm.Lang, list []dtm.Dated, day time.Time) string {
	var from time.Time
	for _, d := range list {
		if !d.From.After(day) {
			from = d.From
		}
	}
	if from.IsZero() {
		return ""
	}
	return locale.Month(l, dtm.MonthOf(from))
}
