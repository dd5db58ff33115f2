package main

import (
	"context"

	"dtm/disseminate/opendata"
	"dtm/gather/odata"
	"dtm/web"
)

// openData is the interface for programs, over the figures that may leave.
func (h *house) openData() *opendata.API {
	a := &opendata.API{Operation: h.op, Figures: h.public, Releases: h.releasePages(), Now: h.now, Base: h.config.BaseURL}
	sheets := &odata.Sheets{Space: "dtm." + h.op.Code, Now: h.now}
	for _, s := range a.Sheets() {
		x := odata.Sheet{Name: s.Name, Rows: s.Rows}
		for _, c := range s.Columns {
			x.Columns = append(x.Columns, odata.SheetColumn{Name: c.Name, Kind: c.Kind})
		}
		sheets.List = append(sheets.List, x)
	}
	a.OData = sheets.Serve
	return a
}

// datasets are what the page about open data tells, with their catalogue.
func (h *house) datasets(ctx context.Context) ([]web.Dataset, []byte, error) {
	span, err := h.public.Span(ctx)
	if err != nil {
		return nil, nil, err
	}
	release, err := h.public.Release(ctx)
	if err != nil {
		return nil, nil, err
	}
	catalog, err := h.openData().Catalog(span, release, "")
	if err != nil {
		return nil, nil, err
	}
	var out []web.Dataset
	for _, d := range opendata.Describe() {
		x := web.Dataset{ID: d.ID, Formats: d.Formats}
		for _, c := range d.Columns {
			x.Columns = append(x.Columns, [2]string{c.Name, c.HXL})
		}
		out = append(out, x)
	}
	return out, catalog, nil
}
