package web

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/disseminate/maps"
	"dtm/gather/boundary"
	"dtm/locale"
	"dtm/serve"
)

// Areas is what the pages about areas need.
type Areas interface {
	// AreaVersions lists the replacements up to event seq, oldest first; 0: all.
	AreaVersions(ctx context.Context, seq int64) ([]dtm.AreaVersion, error)
	// Atlas gives the areas of a version, 0 for the pack's: NotFound.
	Atlas(ctx context.Context, n int) (*dtm.Atlas, error)
	// UploadAreas keeps files for a check, UploadedAreas gives them back: NotFound.
	UploadAreas(ctx context.Context, files []boundary.File) (int64, error)
	UploadedAreas(ctx context.Context, upload int64) ([]boundary.File, error)
	// CheckAreas tells what files would change.
	CheckAreas(ctx context.Context, files []boundary.File, names bool) (*boundary.Result, error)
	// ReplaceAreas takes them into use: Invalid, or Conflict when there is a version
	// after seen.
	ReplaceAreas(ctx context.Context, files []boundary.File, names, retire bool, reason string, seen int) (dtm.AreaVersion, error)
	// RestoreAreas takes an earlier version into use again: NotFound, Conflict.
	RestoreAreas(ctx context.Context, n int, reason string, seen int) (dtm.AreaVersion, error)
	// AreaFile is the i-th file that version n was made of, with its name: NotFound.
	AreaFile(ctx context.Context, n, i int) (string, []byte, error)
}

type areaRow struct {
	Code, Name, Points string
	Retired            bool
	Second             bool // of the second level
}

type areaVersionRow struct {
	N                           int
	Href, When, By, Reason, Say string
	Files                       []areaFileLink
	Current                     bool
}

type areaFileLink struct{ Name, Href, Size string }

type areasView struct {
	page
	Rows     []areaRow
	Versions []areaVersionRow
	Version  int
	First    int // areas in use of the first level
	Second   int
	Map      drawing
	Message  string
	Done     bool
	Most     int // MB of an upload
}

func (p *Pages) areas(w http.ResponseWriter, r *http.Request) error {
	return p.showAreas(w, r, http.StatusOK, "")
}

func (p *Pages) showAreas(w http.ResponseWriter, r *http.Request, status int, message string) error {
	v := areasView{page: p.inside(r, "points", "area.title", "/areas/"), Message: message, Done: r.URL.Query().Has("done"), Most: boundary.MostBytes >> 20}
	atlas := p.Operation.Atlas()
	v.Version = atlas.Version
	points := map[string][]string{}
	for _, pt := range p.Operation.Network() {
		at := pt.PlaceAt(p.civilToday())
		code := cmp.Or(at.Area2, at.Area)
		points[code] = append(points[code], pt.Name.In(v.Lang))
	}
	for _, first := range atlas.Areas {
		if first.Level != 1 {
			continue
		}
		for _, a := range append([]dtm.Area{first}, below(atlas, first.Code)...) {
			v.Rows = append(v.Rows, areaRow{a.Code, a.Name.In(v.Lang), together(v.Lang, points[a.Code]), a.Retired, a.Level > 1})
			if !a.Retired && a.Level == 1 {
				v.First++
			} else if !a.Retired {
				v.Second++
			}
		}
	}
	v.Map = p.network(v.page, "areas-map", v.T("area.title"))
	var err error
	if v.Versions, err = p.areaVersions(r.Context(), v.page); err != nil {
		return err
	}
	return p.show(w, status, "areas", v)
}

// below are the areas of the second level in one of the first.
func below(atlas *dtm.Atlas, code string) (out []dtm.Area) {
	for _, a := range atlas.Areas {
		if a.Level > 1 && a.Parent == code {
			out = append(out, a)
		}
	}
	return out
}

// areaVersions lists the versions, the newest first, the pack's last.
func (p *Pages) areaVersions(ctx context.Context, g page) ([]areaVersionRow, error) {
	list, err := p.Staff.Points.Areas.AreaVersions(ctx, 0)
	if err != nil {
		return nil, err
	}
	at := func(n int) string { return g.Link("/staff/areas/" + strconv.Itoa(n)) }
	out := []areaVersionRow{{Href: at(0), Say: g.T("area.pack"), Current: len(list) == 0}}
	for _, x := range list {
		row := areaVersionRow{N: x.N, Href: at(x.N), When: g.When(x.At), By: g.Who(x.Actor), Reason: x.Reason, Current: x.N == len(list)}
		if x.Backs != nil {
			row.Say = g.T("area.again", *x.Backs)
		}
		if len(x.Gone) > 0 {
			row.Say = strings.TrimSpace(row.Say + " " + g.T("area.gone", together(g.Lang, x.Gone)))
		}
		for i, f := range x.Files {
			row.Files = append(row.Files, areaFileLink{f.Name, at(x.N) + "/files/" + strconv.Itoa(i), g.Size(f.Size)})
		}
		out = append(out, row)
	}
	slices.Reverse(out)
	return out, nil
}

// uploadAreas keeps the files that were chosen and leads to their check.
func (p *Pages) uploadAreas(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, boundary.MostBytes+1<<20)
	if err := r.ParseMultipartForm(4 << 20); err != nil { // the rest goes to disk
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
			return p.showAreas(w, r, http.StatusUnprocessableEntity, locale.Say(p.guess(r), "error.area.file"))
		}
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return p.showAreas(w, r, http.StatusRequestEntityTooLarge, locale.Say(p.guess(r), "error.boundary.large.bytes", boundary.MostBytes>>20))
		}
		return serve.BodyError(err)
	}
	defer r.MultipartForm.RemoveAll()
	var files []boundary.File
	for _, h := range r.MultipartForm.File["file"] {
		f, err := h.Open()
		if err != nil {
			return err
		}
		b, err := serve.ReadAll(r.Context(), f, boundary.MostBytes)
		f.Close()
		if err != nil {
			return serve.BodyError(err)
		}
		if h.Size > 0 {
			files = append(files, boundary.File{Name: path.Base(strings.ReplaceAll(h.Filename, `\`, "/")), Data: b})
		}
	}
	if len(files) == 0 {
		return p.showAreas(w, r, http.StatusUnprocessableEntity, locale.Say(p.guess(r), "error.area.file"))
	}
	upload, err := p.Staff.Points.Areas.UploadAreas(r.Context(), files)
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/areas/check/"+strconv.FormatInt(upload, 10), http.StatusSeeOther)
	return nil
}

type areaChangeRow struct{ Code, Name, Level, Uses string }

type areaNameRow struct{ Code, Lang, Is, To string }

type areaCheckView struct {
	page
	Upload         string
	Files          []areaFileLink
	Faults, Doubts []string
	Added, Missing []areaChangeRow
	Retired        int // missing areas in use
	Renamed        []areaNameRow
	Kept           bool
	Read           string
	Map            drawing
	Version        int
	Message        string
	Reason         string
	Names, Retire  bool
	Nothing        bool // the same areas with the same names
}

func (p *Pages) checkAreas(w http.ResponseWriter, r *http.Request) error {
	return p.showAreaCheck(w, r, http.StatusOK, areaCheckView{})
}

func (p *Pages) showAreaCheck(w http.ResponseWriter, r *http.Request, status int, v areaCheckView) error {
	ctx := r.Context()
	v.Upload = r.PathValue("upload")
	v.page = p.inside(r, "points", "area.check", "/areas/check/"+v.Upload)
	v.Version = p.Operation.Atlas().Version
	files, err := p.uploadedAreas(r)
	if err != nil {
		return err
	}
	for _, f := range files {
		v.Files = append(v.Files, areaFileLink{Name: f.Name, Size: v.SizeOf(len(f.Data))})
	}
	res, err := p.Staff.Points.Areas.CheckAreas(ctx, files, v.Names)
	if err != nil {
		return err
	}
	for _, f := range res.Faults {
		v.Faults = append(v.Faults, locale.Error(v.Lang, f))
	}
	for _, d := range res.Doubts {
		v.Doubts = append(v.Doubts, locale.Error(v.Lang, d))
	}
	v.Kept = res.Kept
	v.Read = v.T("area.read", res.Read[1], res.Read[2]) + " " + v.T("area.differs", len(res.Added), len(res.Missing), len(res.Renamed))
	row := func(c boundary.Change) areaChangeRow {
		var uses []string
		for _, u := range c.Uses {
			name := u.Name
			if u.Kind == "point" {
				name = v.PointName(u.Name)
			}
			uses = append(uses, v.T("area.use."+u.Kind, name))
		}
		name := c.Name
		if a, ok := p.Operation.Area(c.Code); ok {
			name = a.Name.In(v.Lang)
		}
		return areaChangeRow{c.Code, name, strconv.Itoa(c.Level), together(v.Lang, uses)}
	}
	for _, c := range res.Added {
		v.Added = append(v.Added, row(c))
	}
	for _, c := range res.Missing {
		v.Missing = append(v.Missing, row(c))
	}
	for _, x := range res.Renamed {
		v.Renamed = append(v.Renamed, areaNameRow{x.Code, ownNames[x.Lang], x.Is, x.To})
	}
	v.Retired = len(res.InUse())
	v.Nothing = len(v.Added)+len(v.Missing)+len(v.Renamed) == 0
	if res.Atlas != nil {
		if v.Map, err = p.against(v.page, "areas-new", v.T("area.map.against"), res.Atlas, p.Operation.Atlas()); err != nil {
			return err
		}
	}
	return p.show(w, status, "areacheck", v)
}

// against draws areas with those of another version dashed.
func (p *Pages) against(g page, id, title string, is, was *dtm.Atlas) (d drawing, err error) {
	if len(is.Boundaries) == 0 || len(was.Boundaries) == 0 {
		return d, nil
	}
	a, err := maps.Parse(is.Boundaries)
	if err != nil {
		return d, err
	}
	b, err := maps.Parse(was.Boundaries)
	if err != nil {
		return d, err
	}
	draw := func(id string, width float64) template.HTML {
		spec := p.placed(g, id, title, width)
		for _, x := range is.Areas {
			spec.Names[x.Code] = x.Name.In(g.Lang)
		}
		return template.HTML(a.Against(b, spec)) //nolint:gosec // our own drawing
	}
	return drawing{draw(id+"-n", narrow), draw(id+"-w", 0)}, nil
}

func (p *Pages) uploadedAreas(r *http.Request) ([]boundary.File, error) {
	n, err := strconv.ParseInt(r.PathValue("upload"), 10, 64)
	if err != nil || n < 1 {
		return nil, dtm.Errorf(dtm.NotFound, "there is no such upload of areas").Coded("area.upload")
	}
	return p.Staff.Points.Areas.UploadedAreas(r.Context(), n)
}

func (p *Pages) replaceAreas(w http.ResponseWriter, r *http.Request) error {
	files, err := p.uploadedAreas(r)
	if err != nil {
		return err
	}
	v := areaCheckView{Reason: strings.TrimSpace(r.PostFormValue("reason")), Names: r.PostFormValue("names") != "", Retire: r.PostFormValue("retire") != ""}
	seen, _ := strconv.Atoi(r.PostFormValue("seen"))
	if _, err = p.Staff.Points.Areas.ReplaceAreas(r.Context(), files, v.Names, v.Retire, v.Reason, seen); err != nil {
		if dtm.KindOf(err) == dtm.Internal {
			return err
		}
		v.Message = locale.Error(p.guess(r), err)
		return p.showAreaCheck(w, r, serve.Status(dtm.KindOf(err)), v)
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/areas/?done=1", http.StatusSeeOther)
	return nil
}

type areaVersionView struct {
	page
	N, Version int
	Row        areaVersionRow
	Rows       []areaRow
	Map        drawing
	Current    bool
	Message    string
}

func (p *Pages) areaVersion(w http.ResponseWriter, r *http.Request) error {
	return p.showAreaVersion(w, r, http.StatusOK, "")
}

func areaNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(r.PathValue("version"))
	if err != nil || n < 0 {
		return 0, dtm.Errorf(dtm.NotFound, "there is no such version of the areas").Coded("area.version", r.PathValue("version"))
	}
	return n, nil
}

func (p *Pages) showAreaVersion(w http.ResponseWriter, r *http.Request, status int, message string) error {
	n, err := areaNumber(r)
	if err != nil {
		return err
	}
	v := areaVersionView{page: p.inside(r, "points", "area.title", "/areas/"+strconv.Itoa(n)), N: n, Message: message}
	v.Title = v.T("area.version.n", n)
	now := p.Operation.Atlas()
	v.Version, v.Current = now.Version, now.Version == n
	atlas, err := p.Staff.Points.Areas.Atlas(r.Context(), n)
	if err != nil {
		return err
	}
	rows, err := p.areaVersions(r.Context(), v.page)
	if err != nil {
		return err
	}
	for _, x := range rows {
		if x.N == n {
			v.Row = x
		}
	}
	for _, a := range atlas.Areas {
		v.Rows = append(v.Rows, areaRow{Code: a.Code, Name: a.Name.In(v.Lang), Retired: a.Retired, Second: a.Level > 1})
	}
	if v.Map, err = p.against(v.page, "areas-then", v.Title, atlas, now); err != nil {
		return err
	}
	return p.show(w, status, "areaversion", v)
}

func (p *Pages) restoreAreas(w http.ResponseWriter, r *http.Request) error {
	n, err := areaNumber(r)
	if err != nil {
		return err
	}
	seen, _ := strconv.Atoi(r.PostFormValue("seen"))
	if _, err := p.Staff.Points.Areas.RestoreAreas(r.Context(), n, strings.TrimSpace(r.PostFormValue("reason")), seen); err != nil {
		if dtm.KindOf(err) == dtm.Internal || dtm.KindOf(err) == dtm.NotFound {
			return err
		}
		return p.showAreaVersion(w, r, serve.Status(dtm.KindOf(err)), locale.Error(p.guess(r), err))
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/areas/?done=1", http.StatusSeeOther)
	return nil
}

// areaFile gives a file back as it came.
func (p *Pages) areaFile(w http.ResponseWriter, r *http.Request) error {
	n, err := areaNumber(r)
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(r.PathValue("file"))
	if err != nil {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	name, b, err := p.Staff.Points.Areas.AreaFile(r.Context(), n, i)
	if err != nil {
		return err
	}
	download(w, "application/octet-stream", name)
	_, err = io.Copy(w, strings.NewReader(string(b)))
	return err
}

// drawing is a map for a phone and for a desk.
type drawing struct{ Narrow, Wide template.HTML }

// network is a map of the open points; empty when there are no boundaries.
func (p *Pages) network(g page, id, title string) (d drawing) {
	if p.ground() != nil {
		d.Narrow, _ = p.dots(g, id+"-n", title, narrow, nil)
		d.Wide, _ = p.dots(g, id+"-w", title, 0, nil)
	}
	return d
}

// HasAreas tells whether there are pages about areas.
func (g page) HasAreas() bool {
	return g.p.Staff != nil && g.p.Staff.Points != nil && g.p.Staff.Points.Areas != nil
}
