package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/maps"
)

type submissionView struct {
	page
	S            dtm.Submission
	Reading      dtm.Reading
	Name         string
	Form         string // its title
	Device       string
	PointName    string
	Distance     string // from its point
	Map          template.HTML
	Answers      []Answer
	Unread       string            // why the answers cannot be shown
	Remarks      map[string]string // by path: what the rules found there
	Flags        []flagView
	Files        []fileView
	Conflicts    []conflictView
	Versions     []versionView // when there is more than this one
	History      []happened
	Base         string
	List         string // back to where the reader came from
	Newer, Older string
}

// versionView is one of the versions of a record: an edit replaces the one before.
type versionView struct {
	ID, Href, Received string
	Current            bool // the one that is shown
	Latest             bool
}

// happened is an entry of the log in words.
type happened struct{ At, What, Who, Detail string }

type flagView struct{ Words, Rule, Path, Note string }

type fileView struct {
	Name, Href string
	Size       int64
	Image      bool
	Missing    bool
}

// conflictView sets what was refused under the same id beside what was kept.
type conflictView struct {
	Received string
	Rows     []difference
}

type difference struct{ Label, Kept, Refused string }

func (p *Pages) submission(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := p.Staff.Submissions.Submission(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	base := "/submissions/" + url.PathEscape(s.ID)
	v := submissionView{page: p.inside(r, "submissions", "staff.submission", base), S: s, Remarks: map[string]string{}}
	v.Base = v.Link("/staff" + base)
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	if v.Reading, err = p.Staff.Readings.Reading(ctx, s.ID); err != nil {
		return err
	}
	v.Device, v.Name, v.Form = names[s.Device], p.Staff.Name(ctx, s), s.Form
	p.place(&v)
	if err := p.around(r, &v); err != nil {
		return err
	}
	if err := p.versions(ctx, &v); err != nil {
		return err
	}
	if err := p.history(ctx, &v, names); err != nil {
		return err
	}
	switch f, err := p.Staff.Forms.Form(ctx, s.Form, s.Version); {
	case err == nil:
		v.Form = f.TitleIn(v.Lang)
	case dtm.KindOf(err) != dtm.NotFound:
		return err
	}
	if v.Answers, err = p.Staff.Answers(ctx, s, v.Lang); err != nil {
		if dtm.KindOf(err) == dtm.Internal {
			return err
		}
		v.Unread = dtm.Public(err)
	}
	for _, f := range s.Flags {
		v.Flags = append(v.Flags, flagView{v.Rule(f.Rule), f.Rule, f.Path, f.Note})
		if f.Path != "" {
			v.Remarks[f.Path] = v.Rule(f.Rule)
		}
	}
	for _, a := range s.Attachments {
		v.Files = append(v.Files, fileView{Name: a.Name, Href: v.Base + "/attachments/" + url.PathEscape(a.Name), Size: a.Size, Image: slices.Contains(pictures, a.Type)})
	}
	for _, e := range s.Expected {
		if !slices.ContainsFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == e }) {
			v.Files = append(v.Files, fileView{Name: e, Missing: true})
		}
	}
	refused, err := p.Staff.Submissions.Conflicts(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, c := range refused {
		other, err := p.Staff.Answers(ctx, c, v.Lang)
		if err != nil && dtm.KindOf(err) == dtm.Internal {
			return err
		}
		v.Conflicts = append(v.Conflicts, conflictView{v.When(c.Received), differences(v.Answers, other)})
	}
	return p.show(w, http.StatusOK, "submission", v)
}

// place says where the submission was made and draws it.
func (p *Pages) place(v *submissionView) {
	x := v.Reading
	if x.Point != "" {
		v.PointName = v.page.PointName(x.Point)
	}
	if !x.Positioned {
		return
	}
	pt, ok := p.Operation.Point(x.Point)
	at := dtm.Place{}
	if day, err := time.Parse(time.DateOnly, x.Day); ok && err == nil {
		at = pt.PlaceAt(day) // where the point was then
	} else if ok {
		at = pt.PlaceAt(p.civilToday())
	}
	if at.Positioned {
		v.Distance = v.T("submission.distance", v.distance(dtm.Kilometres(x.Lat, x.Lon, at.Lat, at.Lon)), pt.Name.In(v.Lang))
	} else {
		v.Distance = p.near(v.page, x.Lat, x.Lon)
	}
	if p.ground() != nil {
		v.Map, _ = p.dots(v.page, "where", v.T("submission.map.one"), narrow, []maps.Dot{{Lon: x.Lon, Lat: x.Lat, Count: 1, Label: v.Position(x.Lat, x.Lon), Value: v.Distance}})
	}
}

// around finds the submissions before and after this one in the list that the
// reader came from, whose filter is in the address.
func (p *Pages) around(r *http.Request, v *submissionView) error {
	s, err := p.search(r, v.page)
	if err != nil {
		return err
	}
	v.List = s.address(v.page, "")
	for _, way := range []struct {
		into          *string
		before, after int64
	}{{&v.Older, v.Reading.Seq, 0}, {&v.Newer, 0, v.Reading.Seq}} {
		q := s.SubmissionSearch
		q.Limit, q.Before, q.After, q.Uncounted = 1, way.before, way.after, true
		list, _, err := p.Staff.Readings.Find(r.Context(), q)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			*way.into = s.address(v.page, url.PathEscape(list[0].ID))
		}
	}
	return nil
}

// maxVersions bounds how long a chain of edits a page follows each way.
const maxVersions = 50

// versions follows the edits that this submission replaced and that replaced it.
func (p *Pages) versions(ctx context.Context, v *submissionView) error {
	one := func(s dtm.Submission) versionView {
		return versionView{ID: s.ID, Href: v.Link("/staff/submissions/" + url.PathEscape(s.ID)), Received: v.When(s.Received), Current: s.ID == v.S.ID}
	}
	list := []versionView{one(v.S)}
	for s := v.S; s.Deprecates != "" && len(list) < maxVersions; {
		before, err := p.Staff.Submissions.Submission(ctx, s.Deprecates)
		if err != nil {
			return err
		}
		list = append(list, one(before))
		s = before
	}
	slices.Reverse(list)
	for id := v.S.ID; len(list) < 2*maxVersions; {
		by, err := p.Staff.Replacement(ctx, id)
		if err != nil && dtm.KindOf(err) == dtm.NotFound {
			break
		}
		if err != nil {
			return err
		}
		s, err := p.Staff.Submissions.Submission(ctx, by)
		if err != nil {
			return err
		}
		list, id = append(list, one(s)), by
	}
	if len(list) > 1 {
		list[len(list)-1].Latest = true
		v.Versions = list
	}
	return nil
}

// history says what the log has of the submission.
func (p *Pages) history(ctx context.Context, v *submissionView, devices map[string]string) error {
	list, err := p.Staff.Readings.History(ctx, v.S.ID)
	if err != nil {
		return err
	}
	for _, e := range list {
		h := happened{At: v.When(e.At), What: v.EventName(e.Name), Who: v.Actor(e.Actor, devices)}
		var d struct {
			Name, State string
			Rules       []string
		}
		if json.Unmarshal([]byte(e.Detail), &d) == nil {
			switch {
			case d.State != "":
				h.Detail = v.StateName(d.State)
			case len(d.Rules) > 0:
				for i, r := range d.Rules {
					d.Rules[i] = v.Rule(r)
				}
				h.Detail = strings.Join(d.Rules, " · ")
			default:
				h.Detail = d.Name
			}
		}
		v.History = append(v.History, h)
	}
	return nil
}

// submissionOf leads from an address that names the form too.
func (p *Pages) submissionOf(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Staff.Submissions.Submission(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if s.Form != r.PathValue("form") {
		return dtm.Errorf(dtm.NotFound, "there is no submission %s of that form", s.ID).Coded("submission.unknown", s.ID)
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/submissions/"+url.PathEscape(s.ID), http.StatusFound)
	return nil
}

// differences lists the answers that the two do not share, in the form's order.
func differences(kept, refused []Answer) []difference {
	var out []difference
	seen := map[string]int{}
	used := make([]bool, len(refused))
	nth := func(list []Answer, path string, n int) int {
		for i, a := range list {
			if a.Path == path && !a.Head {
				if n == 0 {
					return i
				}
				n--
			}
		}
		return -1
	}
	for _, a := range kept {
		if a.Head {
			continue
		}
		i := nth(refused, a.Path, seen[a.Path])
		seen[a.Path]++
		if i < 0 {
			if a.Value != "" {
				out = append(out, difference{a.Label, a.Value, ""})
			}
			continue
		}
		used[i] = true
		if refused[i].Value != a.Value {
			out = append(out, difference{a.Label, a.Value, refused[i].Value})
		}
	}
	for i, b := range refused {
		if !used[i] && !b.Head && b.Value != "" {
			out = append(out, difference{b.Label, "", b.Value})
		}
	}
	return out
}

func (p *Pages) submissionXML(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Staff.Submissions.Submission(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	download(w, "application/xml", s.ID+".xml")
	_, err = w.Write(s.XML)
	return err
}

// pictures are the types that a browser shows and cannot run.
var pictures = []string{"image/jpeg", "image/png", "image/webp", "image/gif"}

func (p *Pages) attachment(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Staff.Submissions.Submission(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == r.PathValue("name") })
	if i < 0 {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	a := s.Attachments[i]
	f, err := p.Staff.Blobs.Open(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer f.Close()
	return giveFile(w, a.Name, a.Type, f)
}

// giveFile shows what is called a picture and is one, and lets anything else be kept:
// nobody's file runs in a staff page, whatever it is called. What is shown is shown on
// ground of its own, without this site's cookie, storage or scripts.
func giveFile(w http.ResponseWriter, name, kind string, f io.Reader) error {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if is := http.DetectContentType(head[:n]); slices.Contains(pictures, kind) && slices.Contains(pictures, is) {
		w.Header().Set("Content-Type", is)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	} else {
		download(w, "application/octet-stream", name)
	}
	_, err = io.Copy(w, io.MultiReader(bytes.NewReader(head[:n]), f))
	return err
}

func download(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
