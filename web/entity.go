package web

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

// registered is the entity list that follows the register of points; it is changed
// there.
const registered = "points"

type entityListsView struct {
	page
	Lists []entityListRow
}

type entityListRow struct {
	dtm.EntityList
	Href, Latest string
}

func (p *Pages) entityLists(w http.ResponseWriter, r *http.Request) error {
	v := entityListsView{page: p.inside(r, "entities", "staff.entities", "/entities/")}
	list, err := p.Staff.Entities.EntityLists(r.Context())
	if err != nil {
		return err
	}
	for _, l := range list {
		v.Lists = append(v.Lists, entityListRow{l, v.Link("/staff/entities/" + url.PathEscape(l.Name) + "/"), v.Ago(l.Latest)})
	}
	return p.show(w, http.StatusOK, "entity-lists", v)
}

type entityListView struct {
	page
	List        dtm.EntityList
	Rows        []entityRow
	Count       string
	Query       string
	Conflicted  bool // only those with conflicts
	Newer, More string
	Base        string
	Editable    bool
	Message     string
	Done        string
	Change      *entityUpload
	Label       string // of a new one, as typed
	Values      map[string]string
}

type entityRow struct {
	dtm.Entity
	Href   string
	Values []string
	When   string
}

// entityUpload is what a file would change, before it does.
type entityUpload struct {
	Carried                        string
	Name                           string
	New, Changed, Same, Gone, Late int
	Delete                         bool // remove what the file does not hold
	Rows                           []entityDifference
	Rest                           int
	work                           []dtm.EntityChange
	properties                     []string // that the list lacks
}

type entityDifference struct {
	What, Label string
	Values      []difference
}

func (p *Pages) entityList(w http.ResponseWriter, r *http.Request) error {
	return p.showEntities(w, r, http.StatusOK, entityListView{})
}

func (p *Pages) showEntities(w http.ResponseWriter, r *http.Request, status int, v entityListView) error {
	ctx := r.Context()
	l, err := p.Staff.Entities.EntityList(ctx, r.PathValue("list"))
	if err != nil {
		return err
	}
	v.page = p.inside(r, "entities", "staff.entities", "/entities/"+url.PathEscape(l.Name)+"/")
	v.List, v.Base = l, v.Link("/staff/entities/"+url.PathEscape(l.Name)+"/")
	v.Editable = l.Name != registered && v.May(string(access.PublishForms))
	q := r.URL.Query()
	v.Query, v.Conflicted = strings.TrimSpace(q.Get("q")), q.Get("conflict") != ""
	from, _ := strconv.Atoi(q.Get("from"))
	from = max(0, from)
	here := false
	f := dtm.EntityFilter{List: l.Name, Deleted: &here}
	if v.Conflicted {
		f.Conflict = &v.Conflicted
	}
	list, _, err := p.Staff.Entities.Entities(ctx, f)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b dtm.Entity) int { return cmp.Compare(dtm.Fold(a.Current.Label), dtm.Fold(b.Current.Label)) })
	if words := dtm.Fold(v.Query); words != "" {
		list = slices.DeleteFunc(list, func(e dtm.Entity) bool {
			if strings.Contains(dtm.Fold(e.Current.Label), words) || strings.Contains(dtm.Fold(e.ID), words) {
				return false
			}
			for _, x := range e.Current.Data {
				if strings.Contains(dtm.Fold(x), words) {
					return false
				}
			}
			return true
		})
	}
	v.Count = v.T("entity.count", v.Number(len(list)))
	at := func(n int) string {
		q := url.Values{}
		for k, x := range r.URL.Query() {
			q[k] = x
		}
		q.Set("from", strconv.Itoa(n))
		return v.Base + "?" + q.Encode()
	}
	if from+pageRows < len(list) {
		v.More = at(from + pageRows)
	}
	if from > 0 {
		v.Newer = at(max(0, from-pageRows))
	}
	for _, e := range list[min(from, len(list)):min(from+pageRows, len(list))] {
		row := entityRow{Entity: e, Href: v.Base + url.PathEscape(e.ID), When: v.When(e.Current.At)}
		for _, x := range l.Properties {
			row.Values = append(row.Values, e.Current.Data[x.Name])
		}
		v.Rows = append(v.Rows, row)
	}
	return p.show(w, status, "entity-list", v)
}

func (p *Pages) entityCSV(w http.ResponseWriter, r *http.Request) error {
	l, err := p.Staff.Entities.EntityList(r.Context(), r.PathValue("list"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := p.Staff.EntityCSV(r.Context(), &b, l); err != nil {
		return err
	}
	if err := p.exported(r, "entities:"+l.Name, map[string]any{"as": "csv"}); err != nil {
		return err
	}
	// Phones read values as they are; here a person opens them in a spreadsheet.
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		return err
	}
	for _, row := range rows {
		for i, x := range row {
			if _, err := strconv.ParseFloat(x, 64); err != nil {
				row[i] = cell(x)
			}
		}
	}
	download(w, "text/csv; charset=utf-8", l.Name+".csv")
	return csv.NewWriter(w).WriteAll(rows)
}

// asTyped undoes cell: a list that is taken, changed and brought back keeps its values.
func asTyped(s string) string {
	if typed, ok := strings.CutPrefix(s, "'"); ok && cell(typed) != typed {
		return typed
	}
	return s
}

type entityView struct {
	page
	E        dtm.Entity
	List     dtm.EntityList
	Base     string
	Back     string
	Editable bool
	Label    string
	Values   map[string]string // as typed, else as they are
	Versions []entityVersionView
	Message  string
}

type entityVersionView struct {
	dtm.EntityVersion
	When, Who string
	Changes   []difference
	Href      string // of the submission that it comes from
}

func (p *Pages) entity(w http.ResponseWriter, r *http.Request) error {
	return p.showEntity(w, r, http.StatusOK, entityView{})
}

func (p *Pages) showEntity(w http.ResponseWriter, r *http.Request, status int, v entityView) error {
	ctx := r.Context()
	var err error
	if v.List, err = p.Staff.Entities.EntityList(ctx, r.PathValue("list")); err != nil {
		return err
	}
	if v.E, err = p.Staff.Entities.Entity(ctx, v.List.Name, r.PathValue("id")); err != nil {
		return err
	}
	here := "/entities/" + url.PathEscape(v.List.Name) + "/"
	v.page = p.inside(r, "entities", "staff.entities", here+url.PathEscape(v.E.ID))
	v.Back, v.Base = v.Link("/staff"+here), v.Link("/staff"+here+url.PathEscape(v.E.ID))
	v.Editable = v.List.Name != registered && v.E.Deleted == nil && v.May(string(access.PublishForms))
	if v.Values == nil {
		v.Label, v.Values = v.E.Current.Label, v.E.Current.Data
	}
	versions, err := p.Staff.Entities.EntityVersions(ctx, v.List.Name, v.E.ID)
	if err != nil {
		return err
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	before := dtm.EntityVersion{}
	for _, x := range versions {
		y := entityVersionView{EntityVersion: x, When: v.When(x.At), Who: v.Actor(x.Actor, names), Changes: v.changed(before, x)}
		if x.Submission != "" {
			y.Href = v.Link("/staff/submissions/" + url.PathEscape(x.Submission))
		}
		v.Versions = append(v.Versions, y)
		before = x
	}
	slices.Reverse(v.Versions)
	return p.show(w, status, "entity", v)
}

// ConflictName says what kind of conflict an entity has.
func (g page) ConflictName(kind string) string { return g.T("entity.conflict." + kind) }

// changed lists what differs between two versions.
func (g page) changed(a, b dtm.EntityVersion) (out []difference) {
	if a.Label != b.Label {
		out = append(out, difference{g.T("entity.label"), a.Label, b.Label})
	}
	keys := slices.Sorted(maps.Keys(b.Data))
	for k := range a.Data {
		if _, ok := b.Data[k]; !ok {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		if a.Data[k] != b.Data[k] {
			out = append(out, difference{k, a.Data[k], b.Data[k]})
		}
	}
	return out
}

// typed reads label and properties from a page.
func typed(r *http.Request, l dtm.EntityList) (label string, data map[string]string) {
	data = map[string]string{}
	for _, x := range l.Properties {
		if v := strings.TrimSpace(r.PostFormValue("p:" + x.Name)); v != "" {
			data[x.Name] = v
		}
	}
	return strings.TrimSpace(r.PostFormValue("label")), data
}

// editable refuses to change what follows the register.
func (p *Pages) editable(r *http.Request) (dtm.EntityList, error) {
	l, err := p.Staff.Entities.EntityList(r.Context(), r.PathValue("list"))
	if err == nil && l.Name == registered {
		err = dtm.Errorf(dtm.Invalid, "this list follows the register of points; change the point there").Coded("entity.registered")
	}
	return l, err
}

// change writes changes of a person at the pages.
func (p *Pages) change(r *http.Request, source string, list ...dtm.EntityChange) error {
	for i := range list {
		if v := list[i].Version; v != nil {
			v.Source, v.Agent, v.Received = source, r.UserAgent(), v.Data
		}
	}
	return p.Staff.Entities.ChangeEntities(event.WithActor(r.Context(), actor(r)), dtm.EntityWork{Changes: list})
}

func (p *Pages) addEntity(w http.ResponseWriter, r *http.Request) error {
	l, err := p.editable(r)
	if err != nil {
		return err
	}
	v := entityListView{}
	if v.Label, v.Values = typed(r, l); v.Label == "" {
		v.Message = locale.Say(p.guess(r), "entity.label.missing")
		return p.showEntities(w, r, http.StatusUnprocessableEntity, v)
	}
	id := newUUID()
	if err := p.change(r, "", dtm.EntityChange{List: l.Name, ID: id, Version: &dtm.EntityVersion{Label: v.Label, Data: v.Values}}); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/entities/"+url.PathEscape(l.Name)+"/"+id, http.StatusSeeOther)
	return nil
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// editEntity saves, removes or settles one. What somebody changed meanwhile is not
// overwritten: the page comes again with what was typed.
func (p *Pages) editEntity(w http.ResponseWriter, r *http.Request) error {
	l, err := p.editable(r)
	if err != nil {
		return err
	}
	e, err := p.Staff.Entities.Entity(r.Context(), l.Name, r.PathValue("id"))
	if err != nil {
		return err
	}
	base, err := strconv.Atoi(r.PostFormValue("base"))
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the page was sent without its version; open it again").Coded("entity.page")
	}
	c := dtm.EntityChange{List: l.Name, ID: e.ID, After: base, Conflict: e.Conflict}
	back := "/" + string(p.guess(r)) + "/staff/entities/" + url.PathEscape(l.Name) + "/"
	v := entityView{}
	switch r.PostFormValue("do") {
	case "delete":
		c.Deleted = true
	case "settle":
		c.Conflict = ""
		back += url.PathEscape(e.ID)
	default:
		if v.Label, v.Values = typed(r, l); v.Label == "" {
			v.Message = locale.Say(p.guess(r), "entity.label.missing")
			return p.showEntity(w, r, http.StatusUnprocessableEntity, v)
		}
		c.Version = &dtm.EntityVersion{Label: v.Label, Data: v.Values, Base: base}
		back += url.PathEscape(e.ID)
	}
	err = p.change(r, "", c)
	if err != nil && dtm.KindOf(err) == dtm.Conflict {
		v.Message = locale.Say(p.guess(r), "entity.stale")
		return p.showEntity(w, r, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// maxEntityFile bounds a list that is sent, in bytes.
const maxEntityFile = 10 << 20

// uploadEntities compares a CSV file with the list, shows what would change, and
// changes it when that was agreed to.
func (p *Pages) uploadEntities(w http.ResponseWriter, r *http.Request) error {
	l, err := p.editable(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, 2*maxEntityFile)
	if err := r.ParseMultipartForm(maxEntityFile); err != nil {
		return dtm.Errorf(dtm.TooLarge, "the file is larger than %d MB", maxEntityFile>>20).Coded("entity.large", maxEntityFile>>20)
	}
	var data []byte
	up := &entityUpload{Name: r.PostFormValue("name"), Delete: r.PostFormValue("delete") != ""}
	if carried := r.PostFormValue("carried"); carried != "" {
		if data, err = base64.StdEncoding.DecodeString(carried); err != nil {
			return dtm.Errorf(dtm.Invalid, "the page was damaged on its way; open it again and send the file again").Coded("form.carried")
		}
	} else if file, head, err := r.FormFile("file"); err == nil {
		defer file.Close()
		if data, err = io.ReadAll(file); err != nil {
			return err
		}
		up.Name = head.Filename
	}
	v := entityListView{}
	lang := p.guess(r)
	if len(bytes.TrimSpace(data)) == 0 {
		v.Message = locale.Say(lang, "entity.file.missing")
		return p.showEntities(w, r, http.StatusUnprocessableEntity, v)
	}
	g := p.page(lang, "", "", "", nil)
	if err := p.compare(r, g, l, data, up); err != nil {
		if dtm.KindOf(err) == dtm.Internal {
			return err
		}
		v.Message = locale.Error(lang, err)
		return p.showEntities(w, r, http.StatusUnprocessableEntity, v)
	}
	up.Carried = base64.StdEncoding.EncodeToString(data)
	if r.PostFormValue("apply") == "" || len(up.work) == 0 {
		v.Change = up
		return p.showEntities(w, r, http.StatusOK, v)
	}
	if len(up.properties) > 0 {
		declare := dtm.EntityList{Name: l.Name, Approval: l.Approval}
		for _, name := range up.properties {
			declare.Properties = append(declare.Properties, dtm.EntityProperty{Name: name})
		}
		if err := p.Staff.Entities.DeclareEntityList(event.WithActor(r.Context(), actor(r)), declare); err != nil {
			return err
		}
	}
	if err := p.change(r, up.Name, up.work...); err != nil {
		if dtm.KindOf(err) == dtm.Conflict {
			v.Message, v.Change = locale.Say(lang, "entity.stale"), up
			return p.showEntities(w, r, http.StatusConflict, v)
		}
		return err
	}
	v.Done = locale.Say(lang, "entity.uploaded", up.New, up.Changed, up.Gone)
	return p.showEntities(w, r, http.StatusOK, v)
}

// compare reads a file and says what it would change: rows without name are new, those
// with a known one change what differs. A row with the column __version that is not
// the entity's is late: somebody changed it since the file was taken, and it is left.
func (p *Pages) compare(r *http.Request, g page, l dtm.EntityList, data []byte, up *entityUpload) error {
	if !utf8.Valid(data) {
		return dtm.Errorf(dtm.Invalid, "the file is not text in UTF-8; save it as “CSV UTF-8”").Coded("entity.csv.utf8")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	c := csv.NewReader(bytes.NewReader(data))
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';'
	}
	head, err := c.Read()
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the first line of the file cannot be read: %v", err).Coded("entity.csv.head")
	}
	label := -1
	for i, name := range head {
		head[i] = strings.TrimSpace(name)
		switch {
		case head[i] == "label":
			label = i
		case head[i] == "name" || strings.HasPrefix(head[i], "__"):
		case !slices.ContainsFunc(l.Properties, func(x dtm.EntityProperty) bool { return x.Name == head[i] }):
			up.properties = append(up.properties, head[i])
		}
	}
	if label < 0 {
		return dtm.Errorf(dtm.Invalid, "the file has no column label; its columns are name, label and those of the list").Coded("entity.csv.label")
	}
	here := false
	list, _, err := p.Staff.Entities.Entities(r.Context(), dtm.EntityFilter{List: l.Name, Deleted: &here})
	if err != nil {
		return err
	}
	known := map[string]dtm.Entity{}
	for _, e := range list {
		known[e.ID] = e
	}
	note := func(what, label string, values []difference) {
		if len(up.Rows) == pageRows {
			up.Rest++
			return
		}
		up.Rows = append(up.Rows, entityDifference{g.T("entity.diff." + what), label, values})
	}
	seen := map[string]bool{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			line := broken.Line
			return dtm.Errorf(dtm.Invalid, "line %d cannot be read: %v", line, err).Coded("entity.csv.line", line)
		}
		if err != nil {
			return err
		}
		line, _ := c.FieldPos(0)
		v := dtm.EntityVersion{Label: asTyped(strings.TrimSpace(row[label])), Data: map[string]string{}}
		id, version := "", 0
		for i, x := range row {
			switch x = asTyped(strings.TrimSpace(x)); {
			case head[i] == "name":
				id = x
			case head[i] == "__version":
				version, _ = strconv.Atoi(x)
			case i != label && !strings.HasPrefix(head[i], "__") && x != "":
				v.Data[head[i]] = x
			}
		}
		if v.Label == "" {
			return dtm.Errorf(dtm.Invalid, "line %d has no label", line).Coded("entity.csv.blank", line)
		}
		if id != "" && seen[id] {
			return dtm.Errorf(dtm.Invalid, "line %d: %s stands in the file twice", line, id).Coded("entity.csv.twice", line, id)
		}
		seen[id] = true
		e, ok := known[id]
		if !ok {
			up.New++
			up.work = append(up.work, dtm.EntityChange{List: l.Name, ID: cmp.Or(id, newUUID()), Version: &v})
			note("new", v.Label, g.changed(dtm.EntityVersion{Label: v.Label}, v))
			continue
		}
		for k, x := range e.Current.Data { // columns that the file does not have stay
			if !slices.Contains(head, k) {
				v.Data[k] = x
			}
		}
		differences := g.changed(e.Current, v)
		switch {
		case len(differences) == 0:
			up.Same++
		case version > 0 && version != e.Current.Number:
			up.Late++
			note("late", v.Label, differences)
		default:
			up.Changed++
			v.Base = e.Current.Number
			up.work = append(up.work, dtm.EntityChange{List: l.Name, ID: id, After: e.Current.Number, Version: &v, Conflict: e.Conflict})
			note("changed", v.Label, differences)
		}
	}
	if up.Delete {
		for _, e := range list {
			if !seen[e.ID] {
				up.Gone++
				up.work = append(up.work, dtm.EntityChange{List: l.Name, ID: e.ID, After: e.Current.Number, Conflict: e.Conflict, Deleted: true})
				note("gone", e.Current.Label, nil)
			}
		}
	}
	return nil
}
