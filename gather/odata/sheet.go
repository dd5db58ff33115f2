package odata

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Sheet is a table of rows that are at hand. Its values are string, float64, bool or
// nil; its first column is a text that names the row.
type Sheet struct {
	Name    string
	Columns []SheetColumn
	// Rows gives all rows in a fixed order; asked are the parameters of the address that
	// are not OData's own.
	Rows func(ctx context.Context, asked url.Values) ([][]any, error)
}

// SheetColumn is a column; Kind is string, number or boolean.
type SheetColumn struct{ Name, Kind string }

// Sheets answers for tables below an address.
type Sheets struct {
	List  []Sheet
	Space string // of the types: "dtm.djibouti"
	Now   func() time.Time
}

// sheetPage is how many rows go out at once; a nextLink leads on.
const sheetPage = 10_000

var edmKinds = map[string]string{"string": "Edm.String", "number": "Edm.Double", "boolean": "Edm.Boolean"}

// Serve answers below root, the address of the service with a slash at its end: rest is
// "" (the service document), "$metadata", the name of a table, or that with "/$count".
func (h *Sheets) Serve(w http.ResponseWriter, r *http.Request, root, rest string) error {
	w.Header().Set("OData-Version", "4.0")
	if v := r.Header.Get("OData-MaxVersion"); v != "" && v < "4" {
		return dtm.Errorf(dtm.Invalid, "OData %s is not spoken here; 4.0 is", v).Coded("odata.query")
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the address's query cannot be read: %w", err).Coded("odata.query")
	}
	switch rest {
	case "":
		list := []map[string]string{}
		for _, s := range h.List {
			list = append(list, map[string]string{"name": s.Name, "kind": "EntitySet", "url": s.Name})
		}
		w.Header().Set("Content-Type", jsonType)
		return json.NewEncoder(w).Encode(map[string]any{"@odata.context": root + "$metadata", "value": list})
	case "$metadata":
		return h.metadata(w)
	}
	name, counts := strings.CutSuffix(rest, "/$count")
	i := slices.IndexFunc(h.List, func(s Sheet) bool { return s.Name == name })
	if i < 0 {
		return dtm.Errorf(dtm.NotFound, "there is no table %q; the service document lists them", rest).Coded("odata.table", rest)
	}
	s := h.List[i]
	o, err := parseOptions(q)
	if err != nil {
		return err
	}
	if o.expand || o.wkt {
		return unsupported("$expand or $wkt")
	}
	var columns []string
	for _, c := range s.Columns {
		columns = append(columns, c.Name)
	}
	for _, e := range append(o.by(), o.filter) {
		if err := known(e, columns); err != nil {
			return err
		}
	}
	for _, p := range o.pick {
		if len(p) != 1 || !slices.Contains(columns, p[0]) {
			return dtm.Errorf(dtm.Invalid, "$select: there is no column %q in this table", strings.Join(p, "/")).Coded("odata.column", strings.Join(p, "/"))
		}
	}
	asked := url.Values{}
	for k, v := range q {
		if !strings.HasPrefix(k, "$") {
			asked[k] = v
		}
	}
	all, err := s.Rows(r.Context(), asked)
	if err != nil {
		return err
	}
	rows := arrange(all, o, h.Now(), func(row []any) func(*expr) value {
		return func(e *expr) value { return valueOf(row[slices.Index(columns, e.path[0])]) }
	})
	if counts {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := w.Write([]byte(strconv.Itoa(len(rows))))
		return err
	}
	out := map[string]any{"@odata.context": root + "$metadata#" + s.Name}
	if o.count {
		out["@odata.count"] = len(rows)
	}
	from := o.skip
	if o.token != nil { // seq is where the page begins, and one
		from = int(o.token.Seq) - 1
	}
	from = min(from, len(rows))
	end := len(rows)
	if o.top >= 0 {
		end = min(end, o.skip+o.top) // what is wanted in all, on whichever page
	}
	end = max(end, from)
	if end-from > sheetPage {
		end = from + sheetPage
		q.Set("$skiptoken", token{Seq: int64(end) + 1}.String())
		out["@odata.nextLink"] = root + s.Name + "?" + q.Encode()
	}
	list := []map[string]any{}
	for _, row := range rows[from:end] {
		item := map[string]any{}
		for i, c := range columns {
			if len(o.pick) == 0 || slices.ContainsFunc(o.pick, func(p []string) bool { return p[0] == c }) {
				item[c] = row[i]
			}
		}
		list = append(list, item)
	}
	out["value"] = list
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
	return json.NewEncoder(w).Encode(out)
}

func valueOf(v any) value {
	switch v := v.(type) {
	case string:
		return value{kind: text, s: v}
	case float64:
		return value{kind: num, f: v}
	case bool:
		return value{kind: boolean, b: v}
	}
	return value{}
}

func (h *Sheets) metadata(w http.ResponseWriter) error {
	schema := edmSchema{Namespace: h.Space, Container: &edmContainer{Name: "data"}}
	for _, s := range h.List {
		e := edmType{XMLName: xml.Name{Local: "EntityType"}, Name: s.Name, Key: &edmKey{}}
		e.Key.Ref.Name = s.Columns[0].Name
		for i, c := range s.Columns {
			p := edmProperty{Name: c.Name, Type: edmKinds[c.Kind]}
			if i == 0 {
				p.Nullable = "false"
			}
			e.Parts = append(e.Parts, p)
		}
		schema.Types = append(schema.Types, e)
		schema.Container.Sets = append(schema.Container.Sets, edmSet{Name: s.Name, Type: h.Space + "." + s.Name})
	}
	return writeMetadata(w, []edmSchema{schema})
}

// arrange keeps the rows that pass the filter, in the order that is asked for.
func arrange[T any](all []T, o options, now time.Time, get func(T) func(*expr) value) []T {
	var rows []T
	var keys [][]value
	for _, x := range all {
		read := get(x)
		if o.filter != nil && !o.filter.evaluate(now, read).true() {
			continue
		}
		rows = append(rows, x)
		var k []value
		for _, by := range o.order {
			k = append(k, by.by.evaluate(now, read))
		}
		keys = append(keys, k)
	}
	if len(o.order) == 0 {
		return rows
	}
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		for i, x := range o.order {
			if c, _ := compare(keys[a][i], keys[b][i]); c != 0 {
				if x.down {
					return -c
				}
				return c
			}
		}
		return 0
	})
	ordered := make([]T, len(rows))
	for i, k := range at {
		ordered[i] = rows[k]
	}
	return ordered
}
