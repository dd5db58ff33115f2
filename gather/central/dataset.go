package central

import (
	"encoding/csv"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/gather/entity"
	"dtm/serve"
)

// Datasets answers about entity lists in the shape of ODK Central (its API
// documentation, "Datasets" and "Entities"), as pyodk and ruODK ask. Who may ask is
// decided before it: the actor is in the request's context.
type Datasets struct {
	Entities dtm.Entities
	NewID    func() string // a new entity's id, a UUID
	// ActorID gives an actor's number in this API; nil: one made from its name.
	ActorID func(actor string) int
	// Table answers LIST.svc: the list as a table; nil: there is none.
	Table serve.Func
}

// Register adds the routes to mux under base, "/v1/projects/{project}"; wrap makes
// a handler of each, with authentication and the family's errors.
func (h *Datasets) Register(mux *http.ServeMux, base string, wrap func(serve.Func) http.Handler) {
	for _, r := range []struct {
		pattern string
		do      serve.Func
	}{
		{"GET /datasets", h.lists},
		{"POST /datasets", h.createList},
		{"GET /datasets/{name}", h.list},
		{"POST /datasets/{name}/properties", h.createProperty},
		{"GET /datasets/{name}/entities", h.entities},
		{"POST /datasets/{name}/entities", h.create},
		{"GET /datasets/{name}/entities.csv", h.table},
		{"GET /datasets/{name}/entities/{uuid}", h.entity},
		{"PATCH /datasets/{name}/entities/{uuid}", h.update},
		{"DELETE /datasets/{name}/entities/{uuid}", h.remove},
		{"POST /datasets/{name}/entities/{uuid}/restore", h.restore},
		{"GET /datasets/{name}/entities/{uuid}/versions", h.versions},
		{"GET /datasets/{name}/entities/{uuid}/diffs", h.diffs},
		{"GET /datasets/{name}/entities/{uuid}/audits", h.audits},
	} {
		method, path, _ := strings.Cut(r.pattern, " ")
		mux.Handle(method+" "+base+path, wrap(r.do))
	}
}

type datasetJSON struct {
	Name      string         `json:"name"`
	Project   int            `json:"projectId"`
	Created   string         `json:"createdAt"`
	Approval  bool           `json:"approvalRequired"`
	OwnerOnly bool           `json:"ownerOnly"`
	Count     *int           `json:"entities,omitempty"`
	Latest    *string        `json:"lastEntity,omitempty"`
	Conflicts *int           `json:"conflicts,omitempty"`
	Property  []propertyJSON `json:"properties,omitempty"`
	Linked    []formJSON     `json:"linkedForms,omitempty"`
	Sources   []formJSON     `json:"sourceForms,omitempty"`
}

type propertyJSON struct {
	Name      string   `json:"name"`
	OData     string   `json:"odataName"`
	Published string   `json:"publishedAt"`
	Forms     []string `json:"forms"`
}

type formJSON struct {
	ID   string `json:"xmlFormId"`
	Name string `json:"name"`
}

type entityJSON struct {
	ID       string       `json:"uuid"`
	Creator  int          `json:"creatorId"`
	Created  string       `json:"createdAt"`
	Updated  *string      `json:"updatedAt"`
	Deleted  *string      `json:"deletedAt"`
	Conflict *string      `json:"conflict"`
	Current  *versionJSON `json:"currentVersion,omitempty"`
}

type versionJSON struct {
	Label       string            `json:"label"`
	Data        map[string]string `json:"data,omitempty"`
	Version     int               `json:"version"`
	Current     bool              `json:"current"`
	Created     string            `json:"createdAt"`
	Creator     int               `json:"creatorId"`
	Agent       string            `json:"userAgent"`
	Base        *int              `json:"baseVersion"`
	Received    map[string]string `json:"dataReceived,omitempty"`
	Conflicting []string          `json:"conflictingProperties"`
	Conflict    *string           `json:"conflict,omitempty"`
	Trunk       *int              `json:"trunkVersion,omitempty"`
	Branch      *string           `json:"branchId,omitempty"`
	BranchBase  *int              `json:"branchBaseVersion,omitempty"`
	Source      *sourceJSON       `json:"source,omitempty"`
}

type sourceJSON struct {
	Name       string `json:"name,omitempty"`
	Submission string `json:"submission,omitempty"`
}

// instant is a time as ODK Central writes it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func optionalInstant(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := instant(*t)
	return &s
}

// given is nil for the zero value.
func given[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// Actor is the number of an actor in this API.
func (h *Datasets) Actor(name string) int {
	if h.ActorID != nil {
		return h.ActorID(name)
	}
	sum := fnv.New32a()
	sum.Write([]byte(name))
	return int(sum.Sum32() >> 1)
}

func datasetOf(l dtm.EntityList, whole, extended bool) datasetJSON {
	d := datasetJSON{Name: l.Name, Project: 1, Created: instant(l.Created), Approval: l.Approval}
	if extended {
		d.Count, d.Latest, d.Conflicts = &l.Count, optionalInstant(l.Latest), &l.Conflicts
	}
	if whole {
		d.Property = []propertyJSON{}
		for _, p := range l.Properties {
			forms := p.Forms
			if forms == nil {
				forms = []string{}
			}
			d.Property = append(d.Property, propertyJSON{Name: p.Name, OData: odataName(p.Name), Published: instant(p.Added), Forms: forms})
			for _, f := range forms {
				if !slices.ContainsFunc(d.Sources, func(o formJSON) bool { return o.ID == f }) {
					d.Sources = append(d.Sources, formJSON{ID: f, Name: f})
				}
			}
		}
	}
	return d
}

// odataName is a property's name as OData may write it.
func odataName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, s)
}

func (h *Datasets) entityOf(e dtm.Entity, data bool) entityJSON {
	v := h.versionOf(e.Current, true)
	v.Received = nil
	if !data {
		v.Data = nil
	}
	return entityJSON{ID: e.ID, Creator: h.Actor(e.Creator), Created: instant(e.Created), Updated: optionalInstant(e.Updated),
		Deleted: optionalInstant(e.Deleted), Conflict: given(e.Conflict), Current: &v}
}

func (h *Datasets) versionOf(v dtm.EntityVersion, current bool) versionJSON {
	out := versionJSON{Label: v.Label, Data: v.Data, Version: v.Number, Current: current, Created: instant(v.At), Creator: h.Actor(v.Actor),
		Agent: v.Agent, Base: given(v.Base), Received: v.Received, Conflicting: v.Conflicting, Conflict: given(v.Conflict),
		Trunk: given(v.Trunk), Branch: given(v.Branch), BranchBase: given(v.BranchBase)}
	if v.Source != "" || v.Submission != "" {
		out.Source = &sourceJSON{Name: v.Source, Submission: v.Submission}
	}
	return out
}

func extended(r *http.Request) bool { return r.Header.Get("X-Extended-Metadata") == "true" }

func answer(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	return json.NewEncoder(w).Encode(v)
}

func success(w http.ResponseWriter) error { return answer(w, map[string]bool{"success": true}) }

// maxEntities is the size in bytes of what may be sent at once.
const maxEntities = 100 << 20

// asked reads the body into v.
func asked(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEntities))
	if err := d.Decode(v); err != nil {
		if e := serve.BodyError(err); dtm.KindOf(e) == dtm.TooLarge {
			return e
		}
		return (&dtm.Error{Kind: dtm.Invalid, Err: err, Msg: "the body is not the JSON that is asked for here: " + err.Error()}).Coded("json.malformed")
	}
	return nil
}

func (h *Datasets) lists(w http.ResponseWriter, r *http.Request) error {
	list, err := h.Entities.EntityLists(r.Context())
	if err != nil {
		return err
	}
	out := []datasetJSON{}
	for _, l := range list {
		out = append(out, datasetOf(l, false, extended(r)))
	}
	return answer(w, out)
}

func (h *Datasets) list(w http.ResponseWriter, r *http.Request) error {
	if h.Table != nil && strings.HasSuffix(r.PathValue("name"), ".svc") {
		return h.Table(w, r)
	}
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	return answer(w, datasetOf(l, true, extended(r)))
}

func (h *Datasets) createList(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name     string `json:"name"`
		Approval bool   `json:"approvalRequired"`
	}
	if err := asked(w, r, &body); err != nil {
		return err
	}
	_, err := h.Entities.EntityList(r.Context(), body.Name)
	if err == nil {
		return dtm.Errorf(dtm.Conflict, "there is an entity list %q already", body.Name).Coded("entity.list_exists", body.Name)
	}
	if dtm.KindOf(err) != dtm.NotFound {
		return err
	}
	if err := h.Entities.DeclareEntityList(r.Context(), dtm.EntityList{Name: body.Name, Approval: body.Approval}); err != nil {
		return err
	}
	l, err := h.Entities.EntityList(r.Context(), body.Name)
	if err != nil {
		return err
	}
	return answer(w, datasetOf(l, true, extended(r)))
}

func (h *Datasets) createProperty(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name string `json:"name"`
	}
	if err := asked(w, r, &body); err != nil {
		return err
	}
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	if slices.ContainsFunc(l.Properties, func(p dtm.EntityProperty) bool { return p.Name == body.Name }) {
		return dtm.Errorf(dtm.Conflict, "the list %q has a property %q already", l.Name, body.Name).Coded("entity.property_exists", l.Name, body.Name)
	}
	if err := h.Entities.DeclareEntityList(r.Context(), dtm.EntityList{Name: l.Name, Properties: []dtm.EntityProperty{{Name: body.Name}}}); err != nil {
		return err
	}
	return success(w)
}

func (h *Datasets) entities(w http.ResponseWriter, r *http.Request) error {
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	deleted := r.URL.Query().Get("deleted") == "true"
	f := dtm.EntityFilter{List: l.Name, Deleted: &deleted}
	if f.Limit, err = count(r, "limit"); err != nil {
		return err
	}
	if f.Offset, err = count(r, "offset"); err != nil {
		return err
	}
	list, _, err := h.Entities.Entities(r.Context(), f)
	if err != nil {
		return err
	}
	out := []entityJSON{}
	for _, e := range list {
		out = append(out, h.entityOf(e, false))
	}
	return answer(w, out)
}

// count reads a number of the query; 0 when it is not there.
func count(r *http.Request, name string) (int, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, dtm.Errorf(dtm.Invalid, "%s=%s is not a number", name, s).Coded("query.number", name, s)
	}
	return n, nil
}

func (h *Datasets) entity(w http.ResponseWriter, r *http.Request) error {
	e, err := h.living(r)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", `"`+strconv.Itoa(e.Current.Number)+`"`)
	return answer(w, h.entityOf(e, true))
}

// living is the entity that a request names; one that was deleted is not found.
func (h *Datasets) living(r *http.Request) (dtm.Entity, error) {
	list, id := r.PathValue("name"), entity.NormalID(r.PathValue("uuid"))
	if _, err := h.Entities.EntityList(r.Context(), list); err != nil {
		return dtm.Entity{}, err
	}
	e, err := h.Entities.Entity(r.Context(), list, id)
	if err == nil && e.Deleted != nil {
		err = dtm.Errorf(dtm.NotFound, "entity %q of %q was deleted", id, list).Coded("entity.deleted", list, id)
	}
	return e, err
}

// newEntity is an entity as it is sent. Values are text; numbers and the like are
// taken as they are written.
type newEntity struct {
	ID    string                     `json:"uuid"`
	Label *string                    `json:"label"`
	Data  map[string]json.RawMessage `json:"data"`
}

// values reads the data and makes sure that the list has the properties.
func (n newEntity) values(l dtm.EntityList) (map[string]string, error) {
	out := map[string]string{}
	for k, raw := range n.Data {
		if !slices.ContainsFunc(l.Properties, func(p dtm.EntityProperty) bool { return p.Name == k }) {
			return nil, dtm.Errorf(dtm.Invalid, "the list %q has no property %q; add it first", l.Name, k).At("data."+k).Coded("entity.no_property", l.Name, k)
		}
		s := strings.TrimSpace(string(raw))
		switch {
		case s == "null":
			continue
		case strings.HasPrefix(s, `"`):
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, err
			}
			out[k] = text
		case strings.HasPrefix(s, "{"), strings.HasPrefix(s, "["):
			return nil, dtm.Errorf(dtm.Invalid, "the value of %q must be text", k).At("data."+k).Coded("entity.value", k)
		default:
			out[k] = s
		}
	}
	return out, nil
}

func (h *Datasets) create(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		newEntity
		All    []newEntity `json:"entities"`
		Source *struct {
			Name string `json:"name"`
		} `json:"source"`
	}
	if err := asked(w, r, &body); err != nil {
		return err
	}
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	source := ""
	if body.Source != nil {
		source = body.Source.Name
	}
	all, single := body.All, body.All == nil
	if single {
		all = []newEntity{body.newEntity}
	}
	var work dtm.EntityWork
	seen := map[string]bool{}
	for i, n := range all {
		c, err := h.creation(r, l, n, source)
		if err == nil && seen[c.ID] {
			err = dtm.Errorf(dtm.Conflict, "the id %q is sent twice", c.ID).Coded("entity.twice", c.ID)
		}
		if err != nil {
			return within(err, i, single)
		}
		seen[c.ID] = true
		work.Changes = append(work.Changes, c)
	}
	if err := h.Entities.ChangeEntities(r.Context(), work); err != nil {
		return err
	}
	if !single {
		return success(w)
	}
	e, err := h.Entities.Entity(r.Context(), l.Name, work.Changes[0].ID)
	if err != nil {
		return err
	}
	return answer(w, h.entityOf(e, true))
}

// within says which of several entities an error is of.
func within(err error, i int, single bool) error {
	if e, ok := err.(*dtm.Error); ok && !single {
		return e.At(strings.TrimSuffix("entities["+strconv.Itoa(i)+"]."+e.Where, "."))
	}
	return err
}

func (h *Datasets) creation(r *http.Request, l dtm.EntityList, n newEntity, source string) (dtm.EntityChange, error) {
	if n.Label == nil || strings.TrimSpace(*n.Label) == "" {
		return dtm.EntityChange{}, dtm.Errorf(dtm.Invalid, "an entity needs a label").At("label").Coded("entity.no_label")
	}
	data, err := n.values(l)
	if err != nil {
		return dtm.EntityChange{}, err
	}
	id := entity.NormalID(n.ID)
	if id == "" {
		id = h.NewID()
	}
	return dtm.EntityChange{List: l.Name, ID: id, Version: &dtm.EntityVersion{Label: *n.Label, Data: data,
		Received: received(*n.Label, data), Agent: r.UserAgent(), Source: source}}, nil
}

func received(label string, data map[string]string) map[string]string {
	out := map[string]string{"label": label}
	for k, v := range data {
		out[k] = v
	}
	return out
}

// attempts bounds how often a forced change is made anew because somebody else was
// quicker.
const attempts = 10

// update changes label and properties that are named. It needs ?force=true, or
// ?baseVersion (or If-Match) with the version that the sender has seen; ?resolve
// ends a conflict.
func (h *Datasets) update(w http.ResponseWriter, r *http.Request) error {
	var body newEntity
	if r.ContentLength != 0 {
		if err := asked(w, r, &body); err != nil {
			return err
		}
	}
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	data, err := body.values(l)
	if err != nil {
		return err
	}
	if body.Label != nil && strings.TrimSpace(*body.Label) == "" {
		return dtm.Errorf(dtm.Invalid, "an entity needs a label").At("label").Coded("entity.no_label")
	}
	q := r.URL.Query()
	force, resolve := q.Get("force") == "true" || q.Get("force") == "True", q.Get("resolve") == "true"
	base, err := count(r, "baseVersion")
	if err != nil {
		return err
	}
	if m := strings.Trim(strings.TrimPrefix(r.Header.Get("If-Match"), "W/"), `"`); base == 0 && m != "" {
		if base, err = strconv.Atoi(m); err != nil {
			return dtm.Errorf(dtm.Invalid, "If-Match is not a version").Coded("entity.if_match")
		}
	}
	for n := 1; ; n++ {
		e, err := h.living(r)
		if err != nil {
			return err
		}
		if !force && base != e.Current.Number {
			return dtm.Errorf(dtm.Conflict, "entity %q is at version %d; give ?baseVersion=%d after looking at it, or ?force=true", e.ID, e.Current.Number, e.Current.Number).
				Coded("entity.version", e.ID, e.Current.Number)
		}
		err = h.Entities.ChangeEntities(r.Context(), dtm.EntityWork{Changes: []dtm.EntityChange{patched(e, body.Label, data, resolve, r.UserAgent())}})
		if err != nil && dtm.KindOf(err) == dtm.Conflict && force && n < attempts {
			continue
		}
		if err != nil {
			return err
		}
		e, err = h.Entities.Entity(r.Context(), e.List, e.ID)
		if err != nil {
			return err
		}
		return answer(w, h.entityOf(e, true))
	}
}

func patched(e dtm.Entity, label *string, data map[string]string, resolve bool, agent string) dtm.EntityChange {
	c := dtm.EntityChange{List: e.List, ID: e.ID, After: e.Current.Number, Conflict: e.Conflict}
	if resolve {
		c.Conflict = ""
	}
	if label == nil && len(data) == 0 {
		return c
	}
	v := dtm.EntityVersion{Label: e.Current.Label, Data: map[string]string{}, Received: map[string]string{}, Base: e.Current.Number, Agent: agent}
	for k, x := range e.Current.Data {
		v.Data[k] = x
	}
	for k, x := range data {
		v.Data[k], v.Received[k] = x, x
	}
	if label != nil {
		v.Label, v.Received["label"] = *label, *label
	}
	c.Version = &v
	return c
}

func (h *Datasets) remove(w http.ResponseWriter, r *http.Request) error {
	for n := 1; ; n++ {
		e, err := h.living(r)
		if err != nil {
			return err
		}
		err = h.Entities.ChangeEntities(r.Context(), dtm.EntityWork{Changes: []dtm.EntityChange{
			{List: e.List, ID: e.ID, After: e.Current.Number, Conflict: e.Conflict, Deleted: true}}})
		if err == nil {
			return success(w)
		}
		if dtm.KindOf(err) != dtm.Conflict || n == attempts {
			return err
		}
	}
}

func (h *Datasets) restore(w http.ResponseWriter, r *http.Request) error {
	e, err := h.Entities.Entity(r.Context(), r.PathValue("name"), entity.NormalID(r.PathValue("uuid")))
	if err != nil {
		return err
	}
	if e.Deleted == nil {
		return dtm.Errorf(dtm.NotFound, "entity %q was not deleted", e.ID).Coded("entity.not_deleted", e.ID)
	}
	err = h.Entities.ChangeEntities(r.Context(), dtm.EntityWork{Changes: []dtm.EntityChange{
		{List: e.List, ID: e.ID, After: e.Current.Number, Conflict: e.Conflict}}})
	if err != nil {
		return err
	}
	return success(w)
}

// history is all versions of the entity that a request names, oldest first.
func (h *Datasets) history(r *http.Request) (dtm.Entity, []dtm.EntityVersion, error) {
	e, err := h.Entities.Entity(r.Context(), r.PathValue("name"), entity.NormalID(r.PathValue("uuid")))
	if err != nil {
		return e, nil, err
	}
	list, err := h.Entities.EntityVersions(r.Context(), e.List, e.ID)
	return e, list, err
}

func (h *Datasets) versions(w http.ResponseWriter, r *http.Request) error {
	_, list, err := h.history(r)
	if err != nil {
		return err
	}
	out := []versionJSON{}
	for i, v := range list {
		out = append(out, h.versionOf(v, i == len(list)-1))
	}
	return answer(w, out)
}

type diffJSON struct {
	Old      *string `json:"old"`
	New      *string `json:"new"`
	Property string  `json:"propertyName"`
}

// diffs lists for every version but the first what it changed.
func (h *Datasets) diffs(w http.ResponseWriter, r *http.Request) error {
	_, list, err := h.history(r)
	if err != nil {
		return err
	}
	out := [][]diffJSON{}
	for i := 1; i < len(list); i++ {
		out = append(out, difference(list[i-1], list[i]))
	}
	return answer(w, out)
}

func difference(a, b dtm.EntityVersion) []diffJSON {
	out := []diffJSON{}
	if a.Label != b.Label {
		out = append(out, diffJSON{&a.Label, &b.Label, "label"})
	}
	var names []string
	for k := range a.Data {
		names = append(names, k)
	}
	for k := range b.Data {
		if _, ok := a.Data[k]; !ok {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		before, had := a.Data[k]
		now, has := b.Data[k]
		if had == has && before == now {
			continue
		}
		d := diffJSON{Property: k}
		if had {
			d.Old = &before
		}
		if has {
			d.New = &now
		}
		out = append(out, d)
	}
	return out
}

type auditJSON struct {
	Actor   int            `json:"actorId"`
	Action  string         `json:"action"`
	Details map[string]any `json:"details"`
	At      string         `json:"loggedAt"`
}

// audits tells how the entity came to be what it is, newest first.
func (h *Datasets) audits(w http.ResponseWriter, r *http.Request) error {
	e, list, err := h.history(r)
	if err != nil {
		return err
	}
	out := []auditJSON{}
	for i, v := range list {
		a := auditJSON{Actor: h.Actor(v.Actor), Action: "entity.update.version", At: instant(v.At),
			Details: map[string]any{"entity": map[string]any{"uuid": e.ID, "dataset": e.List}, "version": v.Number}}
		if i == 0 {
			a.Action = "entity.create"
		}
		if v.Submission != "" {
			a.Details["submission"] = map[string]any{"instanceId": v.Submission}
		}
		out = append(out, a)
	}
	if e.Deleted != nil {
		out = append(out, auditJSON{Action: "entity.delete", At: instant(*e.Deleted),
			Details: map[string]any{"uuid": e.ID, "dataset": e.List}})
	}
	slices.Reverse(out)
	return answer(w, out)
}

// table is the list as CSV, one row an entity.
func (h *Datasets) table(w http.ResponseWriter, r *http.Request) error {
	l, err := h.Entities.EntityList(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	no := false
	list, _, err := h.Entities.Entities(r.Context(), dtm.EntityFilter{List: l.Name, Deleted: &no})
	if err != nil {
		return err
	}
	tag := `W/"` + strings.TrimPrefix(entity.Hash(l.Name, dtm.EntityScope{}, dtm.EntityState{Count: l.Count, Seq: l.Seq}), "md5:") + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+l.Name+`.csv"`)
	c := csv.NewWriter(w)
	row := []string{"__id", "label"}
	for _, p := range l.Properties {
		row = append(row, p.Name)
	}
	if err := c.Write(append(row, "__createdAt", "__creatorId", "__creatorName", "__updates", "__updatedAt", "__version")); err != nil {
		return err
	}
	for _, e := range list {
		row = append(row[:0], e.ID, e.Current.Label)
		for _, p := range l.Properties {
			row = append(row, e.Current.Data[p.Name])
		}
		updated := ""
		if e.Updated != nil {
			updated = instant(*e.Updated)
		}
		row = append(row, instant(e.Created), strconv.Itoa(h.Actor(e.Creator)), e.Creator, strconv.Itoa(e.Current.Number-1), updated, strconv.Itoa(e.Current.Number))
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
