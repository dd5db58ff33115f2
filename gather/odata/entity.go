package odata

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Entities gives entity lists as tables, in ODK Central's shape.
type Entities struct {
	Entities dtm.Entities
	Now      func() time.Time
	Base     string                 // as in Handler
	ActorID  func(actor string) int // an actor's number in the API
}

// List answers below /v1/projects/1/datasets/LIST.svc: rest is "", "$metadata" or
// "Entities".
func (h *Entities) List(w http.ResponseWriter, r *http.Request, list, rest string) error {
	w.Header().Set("OData-Version", "4.0")
	ctx := r.Context()
	l, err := h.Entities.EntityList(ctx, list)
	if err != nil {
		return err
	}
	base := strings.TrimRight(h.Base, "/")
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			base = "https://" + r.Host
		}
	}
	base += "/v1/projects/1/datasets/" + url.PathEscape(list) + ".svc"
	switch strings.Trim(rest, "/") {
	case "":
		w.Header().Set("Content-Type", jsonType)
		return json.NewEncoder(w).Encode(map[string]any{"@odata.context": base + "/$metadata", "value": []map[string]string{{"name": "Entities", "kind": "EntitySet", "url": "Entities"}}})
	case "$metadata":
		return h.metadata(w, l)
	case "Entities":
	default:
		return dtm.Errorf(dtm.NotFound, "there is no table %q; the service document lists them", rest).Coded("odata.table", rest)
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the address's query cannot be read: %w", err).Coded("odata.query")
	}
	o, err := parseOptions(q)
	if err != nil {
		return err
	}
	columns := h.columns(l)
	for _, e := range append(o.by(), o.filter) {
		if err := known(e, columns); err != nil {
			return err
		}
	}
	for _, p := range o.pick {
		if !slices.Contains(columns, strings.Join(p, "/")) && !(len(p) == 1 && p[0] == "__system") {
			return dtm.Errorf(dtm.Invalid, "$select: there is no column %q in this table", strings.Join(p, "/")).Coded("odata.column", strings.Join(p, "/"))
		}
	}
	if fresh(w, r, fmt.Sprintf(`W/"%d-%d"`, l.Seq, crc32.ChecksumIEEE([]byte(r.URL.RequestURI())))) {
		return nil
	}
	no := false
	all, _, err := h.Entities.Entities(ctx, dtm.EntityFilter{List: list, Deleted: &no})
	if err != nil {
		return err
	}
	slices.Reverse(all) // newest change first
	var rows []map[string]any
	for _, e := range arrange(all, o, h.Now(), h.get) {
		rows = append(rows, h.row(e, l, o.pick))
	}
	out := map[string]any{"@odata.context": base + "/$metadata#Entities"}
	if o.count {
		out["@odata.count"] = len(rows)
	}
	skip := o.skip
	if o.token != nil {
		skip = int(o.token.Seq)
	}
	rows = rows[min(skip, len(rows)):]
	if o.top >= 0 && len(rows) > o.top {
		rows = rows[:o.top]
		if o.top > 0 {
			q.Del("$skip")
			q.Set("$skiptoken", token{Seq: int64(skip + o.top)}.String())
			out["@odata.nextLink"] = base + "/Entities?" + q.Encode()
		}
	}
	if rows == nil {
		rows = []map[string]any{}
	}
	out["value"] = rows
	w.Header().Set("Content-Type", jsonType)
	return json.NewEncoder(w).Encode(out)
}

// by lists the expressions of $orderby.
func (o options) by() (out []*expr) {
	for _, x := range o.order {
		out = append(out, x.by)
	}
	return out
}

var entitySystem = []string{"createdAt", "creatorId", "creatorName", "updates", "updatedAt", "version", "conflict"}

func (h *Entities) columns(l dtm.EntityList) []string {
	out := []string{"__id", "label"}
	for _, s := range entitySystem {
		out = append(out, "__system/"+s)
	}
	for _, p := range l.Properties {
		out = append(out, identifier(p.Name))
	}
	return out
}

// known tells whether the paths of an expression are columns.
func known(e *expr, columns []string) error {
	if e == nil {
		return nil
	}
	if e.op == "path" && !slices.Contains(columns, strings.Join(e.path, "/")) {
		return dtm.Errorf(dtm.Invalid, "there is no column %q in this table", strings.Join(e.path, "/")).Coded("odata.column", strings.Join(e.path, "/"))
	}
	for _, a := range e.args {
		if err := known(a, columns); err != nil {
			return err
		}
	}
	return nil
}

func (h *Entities) get(e dtm.Entity) func(*expr) value {
	words := func(s string) value {
		if s == "" {
			return value{}
		}
		return value{kind: text, s: s}
	}
	return func(x *expr) value {
		switch name := x.path[len(x.path)-1]; {
		case len(x.path) == 1 && name == "__id":
			return words(e.ID)
		case len(x.path) == 1 && name == "label":
			return words(e.Current.Label)
		case len(x.path) == 1:
			for k, v := range e.Current.Data {
				if identifier(k) == name {
					return words(v)
				}
			}
			return value{}
		case name == "createdAt":
			return value{kind: instant, t: e.Created}
		case name == "updatedAt" && e.Updated != nil:
			return value{kind: instant, t: *e.Updated}
		case name == "version":
			return value{kind: num, f: float64(e.Current.Number)}
		case name == "updates":
			return value{kind: num, f: float64(e.Current.Number - 1)}
		case name == "creatorId":
			return value{kind: num, f: float64(h.ActorID(e.Creator))}
		case name == "creatorName":
			return words(e.Creator)
		case name == "conflict":
			return words(e.Conflict)
		}
		return value{}
	}
}

func (h *Entities) row(e dtm.Entity, l dtm.EntityList, pick [][]string) map[string]any {
	var updated, conflict any
	if e.Updated != nil {
		updated = e.Updated.UTC().Format(timeLayout)
	}
	if e.Conflict != "" {
		conflict = e.Conflict
	}
	sys := map[string]any{"createdAt": e.Created.UTC().Format(timeLayout), "creatorId": strconv.Itoa(h.ActorID(e.Creator)), "creatorName": e.Creator,
		"updates": e.Current.Number - 1, "updatedAt": updated, "version": e.Current.Number, "conflict": conflict}
	out := map[string]any{"__id": e.ID, "label": e.Current.Label, "__system": sys}
	for _, p := range l.Properties {
		var v any
		if s, ok := e.Current.Data[p.Name]; ok {
			v = s
		}
		out[identifier(p.Name)] = v
	}
	if len(pick) == 0 {
		return out
	}
	some := map[string]any{}
	for _, p := range pick {
		if len(p) == 1 {
			some[p[0]] = out[p[0]]
			continue
		}
		inner, _ := some[p[0]].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
		}
		inner[p[1]] = sys[p[1]]
		some[p[0]] = inner
	}
	return some
}

func (h *Entities) metadata(w http.ResponseWriter, l dtm.EntityList) error {
	const org = "org.opendatakit.entity"
	space := "org.opendatakit.user." + identifier(l.Name)
	sys := edmType{XMLName: xml.Name{Local: "ComplexType"}, Name: "metadata"}
	for _, name := range entitySystem {
		kind := "Edm.String"
		switch name {
		case "createdAt", "updatedAt":
			kind = "Edm.DateTimeOffset"
		case "updates", "version":
			kind = "Edm.Int64"
		}
		sys.Parts = append(sys.Parts, edmProperty{Name: name, Type: kind})
	}
	e := edmType{XMLName: xml.Name{Local: "EntityType"}, Name: "Entities", Key: &edmKey{}}
	e.Key.Ref.Name = "__id"
	e.Parts = append(e.Parts, edmProperty{Name: "__id", Type: "Edm.String", Nullable: "false"}, edmProperty{Name: "label", Type: "Edm.String"}, edmProperty{Name: "__system", Type: org + ".metadata"})
	for _, p := range l.Properties {
		e.Parts = append(e.Parts, edmProperty{Name: identifier(p.Name), Type: "Edm.String"})
	}
	user := edmSchema{Namespace: space, Types: []edmType{e}, Container: &edmContainer{Name: identifier(l.Name), Sets: []edmSet{{Name: "Entities", Type: space + ".Entities"}}}}
	return writeMetadata(w, []edmSchema{{Namespace: org, Types: []edmType{sys}}, user})
}
