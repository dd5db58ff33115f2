package web

import (
	"net/http"

	"dtm/locale"
)

func (p *Pages) about(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	release, err := p.Figures.Release(r.Context())
	if err != nil {
		return err
	}
	v := p.page(l, "about", locale.Say(l, "about.title"), "/about", nil)
	v.Release = release.ID()
	return p.show(w, http.StatusOK, "about", v)
}
