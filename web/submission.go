package web

import (
	"cmp"
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"dtm"
)

type submissionRow struct {
	dtm.Submission
	Name       string // what it calls itself, else its id
	Href       string
	Device     string
	Flags      []string
	More       int // flags beyond those shown
	Missing    int // attachments that have not come
	ReceivedAt string
}

type submissionsView struct {
	page
	Rows                   []submissionRow
	Total, From, To        int
	Form, State, DeviceID  string
	Forms, States, Devices []option
	Older, Newer           string
	Filtered               bool
}

const pageRows = 50

// row is a submission as a line of a list.
func (p *Pages) row(ctx context.Context, g page, s dtm.Submission, devices map[string]string) submissionRow {
	out := submissionRow{Submission: s, Name: cmp.Or(p.Staff.Name(ctx, s), s.ID), Href: g.Link("/staff/submissions/" + url.PathEscape(s.ID)), Device: devices[s.Device], ReceivedAt: g.When(s.Received)}
	for i, f := range s.Flags {
		if i == 2 {
			out.More = len(s.Flags) - i
			break
		}
		out.Flags = append(out.Flags, g.Rule(f.Rule))
	}
	for _, e := range s.Expected {
		if !slices.ContainsFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == e }) {
			out.Missing++
		}
	}
	return out
}

// Rule says what a rule found, in words; the rule's name when it has none.
func (g page) Rule(rule string) string {
	if s := g.T("rule." + rule); s != "rule."+rule {
		return s
	}
	return rule
}

// StateName says a submission's state.
func (g page) StateName(state string) string {
	if s := g.T("state." + state); s != "state."+state {
		return s
	}
	return state
}

var states = []string{"received", "flagged", dtm.StateConfirmed, dtm.StateCorrected, dtm.StateRejected, "superseded"}

func (p *Pages) submissions(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v := submissionsView{page: p.inside(r, "submissions", "staff.submissions", "/submissions/"), Form: q.Get("form"), State: q.Get("state"), DeviceID: q.Get("device")}
	f := dtm.SubmissionFilter{Limit: pageRows}
	for value, into := range map[*string]**string{&v.Form: &f.Form, &v.State: &f.State, &v.DeviceID: &f.Device} {
		if *value != "" {
			*into, v.Filtered = value, true
		}
	}
	if n, err := strconv.Atoi(q.Get("from")); err == nil && n > 0 {
		f.Offset = n
	}
	list, total, err := p.Staff.Submissions.Submissions(ctx, f)
	if err != nil {
		return err
	}
	devices, err := p.Staff.Devices.Devices(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	v.Devices = []option{{"", v.T("filter.all.device"), v.DeviceID == ""}}
	for _, d := range devices {
		names[d.ID] = d.Name
		v.Devices = append(v.Devices, option{d.ID, d.Name, d.ID == v.DeviceID})
	}
	forms, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return err
	}
	v.Forms = []option{{"", v.T("filter.all.form"), v.Form == ""}}
	for _, x := range forms {
		v.Forms = append(v.Forms, option{x.ID, x.Title, x.ID == v.Form})
	}
	v.States = []option{{"", v.T("filter.all.state"), v.State == ""}}
	for _, s := range states {
		v.States = append(v.States, option{s, v.StateName(s), s == v.State})
	}
	for _, s := range list {
		v.Rows = append(v.Rows, p.row(ctx, v.page, s, names))
	}
	v.Total, v.From, v.To = total, f.Offset+1, f.Offset+len(list)
	at := func(offset int) string {
		q := r.URL.Query()
		q.Set("from", strconv.Itoa(offset))
		return v.Link("/staff/submissions/?" + q.Encode())
	}
	if v.To < total {
		v.Older = at(f.Offset + pageRows)
	}
	if f.Offset > 0 {
		v.Newer = at(max(0, f.Offset-pageRows))
	}
	return p.show(w, http.StatusOK, "submissions", v)
}

type submissionView struct {
	page
	S         dtm.Submission
	Name      string
	Form      string // its title
	Device    string
	Answers   []Answer
	Unread    string            // why the answers cannot be shown
	Remarks   map[string]string // by path: what the rules found there
	Flags     []flagView
	Files     []fileView
	Conflicts []conflictView
	Base      string
}

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
	v.Device, v.Name, v.Form = names[s.Device], p.Staff.Name(ctx, s), s.Form
	switch f, err := p.Staff.Forms.Form(ctx, s.Form, s.Version); {
	case err == nil:
		v.Form = f.Title
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
	if slices.Contains(pictures, a.Type) {
		w.Header().Set("Content-Type", a.Type)
	} else {
		download(w, "application/octet-stream", a.Name) // nobody's file runs in a staff page
	}
	_, err = io.Copy(w, f)
	return err
}

func download(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
