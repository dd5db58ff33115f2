package opendata

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"

	"dtm"
)

// page is what is written of a dataset.
type page struct {
	dataset
	rows        [][]any
	all, offset int
	next        string
	release     dtm.Release
	operation   *dtm.Operation
	hxl         bool
}

var mediaTypes = map[string]string{
	"json": "application/json", "csv": "text/csv; charset=utf-8", "geojson": "application/geo+json", "parquet": "application/vnd.apache.parquet",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// write writes the page whole, or an error before the first byte.
func (p page) write(w http.ResponseWriter, r *http.Request, format string, a *API) error {
	var b []byte
	var err error
	switch format {
	case "json":
		b, err = p.json()
	case "csv":
		b, err = p.csv()
	case "xlsx":
		b, err = p.xlsx()
	case "parquet":
		b, err = p.parquet()
	case "geojson":
		b, err = p.geojson(a)
	}
	if err != nil {
		return err
	}
	return send(w, r, mediaTypes[format], b)
}

func (p page) json() ([]byte, error) {
	rows := []map[string]any{}
	for _, r := range p.rows {
		rows = append(rows, p.object(r))
	}
	b, err := json.Marshal(struct {
		Dataset   string           `json:"dataset"`
		Title     string           `json:"title"`
		Release   string           `json:"release"`
		Synthetic bool             `json:"synthetic,omitempty"`
		Source    dtm.Text         `json:"source"`
		Count     int              `json:"count"`
		Offset    int              `json:"offset"`
		Next      string           `json:"next,omitempty"`
		Rows      []map[string]any `json:"rows"`
	}{p.id, p.title, p.release.ID(), p.operation.Synthetic, p.operation.Source, p.all, p.offset, p.next, rows})
	return append(b, '\n'), err
}

func (p page) object(row []any) map[string]any {
	o := map[string]any{}
	for i, c := range p.columns {
		o[c.name] = row[i]
	}
	return o
}

func (p page) geojson(a *API) ([]byte, error) {
	features := []map[string]any{}
	for _, r := range p.rows {
		var at any
		if g := p.geometry(a, r); len(g) > 0 {
			at = g
		}
		features = append(features, map[string]any{"type": "Feature", "id": r[0], "geometry": at, "properties": p.object(r)})
	}
	b, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	return append(b, '\n'), err
}

// csv has a header of names; a row of HXL tags below it when asked for. Missing and
// withheld values are empty: the column suppressed tells them apart.
func (p page) csv() ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	rows := [][]string{{}}
	for _, c := range p.columns {
		rows[0] = append(rows[0], c.name)
	}
	if p.hxl {
		rows = append(rows, p.tags())
	}
	for _, r := range p.rows {
		var line []string
		for _, v := range r {
			line = append(line, written(v))
		}
		rows = append(rows, line)
	}
	err := out.WriteAll(rows)
	return b.Bytes(), err
}

func (p page) tags() (out []string) {
	for _, c := range p.columns {
		out = append(out, c.hxl)
	}
	return out
}

func written(v any) string {
	switch v := v.(type) {
	case string:
		// A spreadsheet would take it for a formula.
		if strings.ContainsAny(v[:min(1, len(v))], "=+-@\t\r") {
			return "'" + v
		}
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// xlsx has the rows on its first sheet and, on the second, where they are from.
func (p page) xlsx() ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	if err := f.SetSheetName("Sheet1", p.id); err != nil {
		return nil, err
	}
	// The day of the release stands for the day of making: the same rows, the same bytes.
	made := p.release.At.UTC().Format("2006-01-02T15:04:05Z")
	if err := f.SetDocProps(&excelize.DocProperties{Title: p.title, Creator: p.operation.Source.In(dtm.English), Created: made, Modified: made}); err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter(p.id)
	if err != nil {
		return nil, err
	}
	line := 0
	add := func(row []any) error {
		line++
		cell, err := excelize.CoordinatesToCellName(1, line)
		if err != nil {
			return err
		}
		return w.SetRow(cell, row)
	}
	var head, tags []any
	for _, c := range p.columns {
		head, tags = append(head, c.name), append(tags, c.hxl)
	}
	if err := add(head); err != nil {
		return nil, err
	}
	if p.hxl {
		if err := add(tags); err != nil {
			return nil, err
		}
	}
	for _, r := range p.rows {
		if err := add(r); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	const about = "about"
	if _, err := f.NewSheet(about); err != nil {
		return nil, err
	}
	rows := [][]any{{p.title}, {p.text}, {p.operation.Source.In(dtm.English)}, {"Release " + p.release.ID()}, {"Contact " + p.operation.Contact}}
	for _, c := range p.columns {
		rows = append(rows, []any{c.name, c.hxl, c.text})
	}
	for i, r := range rows {
		if err := f.SetSheetRow(about, "A"+strconv.Itoa(i+1), &r); err != nil {
			return nil, err
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

var goTypes = map[kind]reflect.Type{words: reflect.TypeFor[*string](), number: reflect.TypeFor[*float64](), flag: reflect.TypeFor[*bool]()}

// parquet has one optional column for each of the dataset's, in their order.
func (p page) parquet() ([]byte, error) {
	var fields []reflect.StructField
	for _, c := range p.columns {
		fields = append(fields, reflect.StructField{Name: "F" + strings.ToUpper(c.name[:1]) + c.name[1:], Type: goTypes[c.kind], Tag: reflect.StructTag(`parquet:"` + c.name + `,optional"`)})
	}
	shape := reflect.StructOf(fields)
	var b bytes.Buffer
	w := parquet.NewWriter(&b, parquet.SchemaOf(reflect.New(shape).Interface()), parquet.KeyValueMetadata("source", p.operation.Source.In(dtm.English)), parquet.KeyValueMetadata("release", p.release.ID()))
	for _, r := range p.rows {
		row := reflect.New(shape)
		for i, v := range r {
			switch v := v.(type) {
			case string:
				row.Elem().Field(i).Set(reflect.ValueOf(&v))
			case float64:
				row.Elem().Field(i).Set(reflect.ValueOf(&v))
			case bool:
				row.Elem().Field(i).Set(reflect.ValueOf(&v))
			}
		}
		if err := w.Write(row.Interface()); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
