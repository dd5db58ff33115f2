package xform

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"path"
	"strings"

	"dtm"
	"dtm/gather/xpath"
)

// ReadList reads a file that a form draws choices from, as phones see it: CSV with
// a header, GeoJSON, or XML. Invalid when it is none of these.
func ReadList(name string, data []byte) (*xpath.Node, error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".xml":
		return readTree(data)
	case ".csv":
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			return nil, dtm.Errorf(dtm.Invalid, "the list cannot be read: %w", err).At(name).Coded("list.csv")
		}
		b := listBuilder{}
		for i := 1; i < len(rows); i++ {
			item := b.item()
			for k, v := range rows[i][:min(len(rows[i]), len(rows[0]))] {
				b.cell(item, rows[0][k], v)
			}
		}
		return b.done(), nil
	case ".geojson":
		var g struct {
			Features []struct {
				ID         any            `json:"id"`
				Properties map[string]any `json:"properties"`
			} `json:"features"`
		}
		if err := json.Unmarshal(data, &g); err != nil {
			return nil, dtm.Errorf(dtm.Invalid, "the list cannot be read: %w", err).At(name).Coded("list.geojson")
		}
		b := listBuilder{}
		for _, f := range g.Features {
			item := b.item()
			if s, ok := f.ID.(string); ok && f.Properties["id"] == nil {
				b.cell(item, "id", s)
			}
			for k, v := range f.Properties {
				if s, ok := v.(string); ok {
					b.cell(item, k, s)
				} else if raw, err := json.Marshal(v); err == nil {
					b.cell(item, k, string(raw))
				}
			}
		}
		return b.done(), nil
	}
	return nil, dtm.Errorf(dtm.Invalid, "a list is a .csv, .geojson or .xml").At(name).Coded("list.type")
}

type listBuilder struct{ root *xpath.Node }

func (b *listBuilder) item() *xpath.Node {
	if b.root == nil {
		b.root = &xpath.Node{Kind: xpath.Element, Name: "root"}
	}
	n := &xpath.Node{Kind: xpath.Element, Name: "item", Parent: b.root}
	b.root.Children = append(b.root.Children, n)
	return n
}

func (b *listBuilder) cell(item *xpath.Node, name, value string) {
	item.Children = append(item.Children, &xpath.Node{Kind: xpath.Element, Name: strings.TrimSpace(name), Value: value, Parent: item})
}

func (b *listBuilder) done() *xpath.Node {
	doc := &xpath.Node{Kind: xpath.Document}
	if b.root == nil {
		b.root = &xpath.Node{Kind: xpath.Element, Name: "root"}
	}
	b.root.Parent, doc.Children = doc, []*xpath.Node{b.root}
	doc.Number()
	return doc
}
