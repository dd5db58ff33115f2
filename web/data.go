package web

import (
	"encoding/csv"
	"net/http"
	"path"
	"strings"

	"dtm"
)

// data serves a panel as CSV, as a drawing or as a picture of it, by the address of the
// page with another ending: /en/data/points.csv?from=2022-12.
func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	file := r.PathValue("file")
	ext := path.Ext(file)
	if ext != ".csv" && ext != ".svg" && (ext != ".png" || p.Picture == nil) {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	o, panel, l, err := p.panel(r, strings.TrimSuffix(file, ext))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+panel.ID+"-"+o.period+ext+`"`)
	if ext != ".csv" {
		options := panel.Options(o.op, l, 640)
		options.Titled = true
		b, kind := panel.SVG(o.base, options, panel.ID), "image/svg+xml"
		if ext == ".png" {
			if b, err = p.Picture(r.Context(), b); err != nil {
				return err
			}
			kind = "image/png"
		}
		w.Header().Set("Content-Type", kind)
		_, err := w.Write(b)
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c := csv.NewWriter(w)
	rows := append([][]string{panel.Table.Columns}, panel.Table.Records(panel.Options(o.op, l, 0).Words.Suppressed)...)
	for i, row := range rows {
		extra := []string{o.period, o.release}
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
