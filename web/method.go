package web

import (
	"net/http"

	"dtm/locale"
)

func (p *Pages) methods(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	v := struct {
		page
		Public, Disclaimer string
	}{p.page(l, "methods", locale.Say(l, "page.methods"), "/methods", nil), locale.Say(l, "page.suppressed", p.Operation.Threshold-1), p.Operation.Disclaimer.In(l)}
	return p.show(w, http.StatusOK, "methods", v)
}
