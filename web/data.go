package web

import (
	"encoding/csv"
	"net/http"
	"path"
	"strings"

	"dtm"
)

// data serves a panel as CSV or as a drawing, by the address of the page with
// another ending: /en/data/points.csv?from=2022-12.
func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	file := r.PathValue("file")
	ext := path.Ext(file)
	if ext != ".csv" && ext != ".svg" {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	o, panel, l, err := p.panel(r, strings.TrimSuffix(file, ext))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+panel.ID+"-"+o.Period.String()+ext+`"`)
	if ext == ".svg" {
		options := panel.Options(o.source.Operation, l, 640)
		options.Titled = true
		w.Header().Set("Content-Type", "image/svg+xml")
		_, err := w.Write(panel.SVG(o.base, options, panel.ID))
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c := csv.NewWriter(w)
	rows := append([][]string{panel.Table.Columns}, panel.Table.Records(panel.Options(o.source.Operation, l, 0).Words.Suppressed)...)
	for i, row := range rows {
		extra := []string{o.Period.String(), o.Release.ID()}
		if i == 0 {
			extra = []string{"period", "release"}
		}
		if err := c.Write(append(row, extra...)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
