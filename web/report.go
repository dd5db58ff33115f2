package web

import (
	"net/http"
	"strings"

	"dtm"
)

// report serves the monthly report: /fr/report/2022-12.pdf.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	name, ok := strings.CutSuffix(r.PathValue("file"), ".pdf")
	if !ok || p.Options.Report == nil {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	m, err := dtm.ParseMonth(name)
	if err != nil {
		return err
	}
	b, err := p.Options.Report(r.Context(), r.URL.Query().Get("release"), m, l)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+m.String()+"-"+string(l)+`.pdf"`)
	_, err = w.Write(b)
	return err
}
