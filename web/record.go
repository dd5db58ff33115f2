package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/locale"
)

type fieldView struct {
	Field
	Sent   string // what was sent, where it was corrected since
	Other  string // what somebody else made of it meanwhile
	Remark string
	Typed  bool // not saved yet
}

type storyLine struct {
	When, Who, What, Why string
	Changes              []difference
	Refused              bool
	seq                  int64
}

type recordView struct {
	page
	S          dtm.Submission
	Name, Form string
	Device     string
	Base       int // number of the last correction
	State      string
	Flags      []flagRow
	Settled    []flagRow
	Fields     []fieldView
	Unread     string
	Story      []storyLine
	Questions  []dtm.Question
	Refused    []conflictView
	Why        string
	Question   string
	Message    string
	Conflict   []fieldView // the answers that two people changed at once
	Other      *storyLine  // the correction that came before
	Saved      bool
	Raw, At    string
	Replaced   bool
	Next       string // address of the next record with an open flag; "" when there is none
}

func (p *Pages) record(w http.ResponseWriter, r *http.Request) error {
	return p.showRecord(w, r, http.StatusOK, recordView{Saved: r.URL.Query().Get("saved") != ""}, nil)
}

// nextRecord is the address of the record with the heaviest open flag, other than this
// one.
func (p *Pages) nextRecord(ctx context.Context, g page, id string) (string, error) {
	list, err := p.Staff.Review.Flags.Queue(ctx, dtm.FlagFilter{Limit: pageRows})
	for _, f := range list {
		if f.Submission != "" && f.Submission != id {
			return g.Link("/staff/review/" + url.PathEscape(f.Submission)), err
		}
	}
	return "", err
}

// changesUpTo are those of the corrections up to a number.
func changesUpTo(list []dtm.Correction, number int) (out []dtm.Change) {
	for _, c := range list {
		if c.Number > 0 && c.Number <= number {
			out = append(out, c.Changes...)
		}
	}
	return out
}

// showRecord shows a submission as it stands, with what its reviewer typed.
func (p *Pages) showRecord(w http.ResponseWriter, r *http.Request, status int, v recordView, typed map[string]string) error {
	ctx, rv := r.Context(), p.Staff.Review
	s, err := p.Staff.Submissions.Submission(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v.page = p.inside(r, "review", "review.record", "/review/"+url.PathEscape(s.ID))
	v.S, v.State, v.Replaced = s, s.State, s.State == "superseded"
	v.At, v.Raw = v.Link("/staff/review/"+url.PathEscape(s.ID)), v.Link("/staff/submissions/"+url.PathEscape(s.ID)+"/xml")
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	v.Device, v.Name, v.Form = names[s.Device], p.Staff.Name(ctx, s), s.Form
	if f, err := p.Staff.Forms.Form(ctx, s.Form, s.Version); err == nil {
		v.Form = f.TitleIn(v.Lang)
	}
	corrections, err := rv.Corrections.Corrections(ctx, s.ID)
	if err != nil {
		return err
	}
	for _, c := range corrections {
		v.Base = max(v.Base, c.Number)
	}
	now, err := rv.Fields(ctx, s, changesUpTo(corrections, v.Base), v.Lang)
	if err != nil {
		if dtm.KindOf(err) == dtm.Internal {
			return err
		}
		v.Unread = locale.Error(v.Lang, err)
	}
	sent := map[string]Field{}
	if v.Base > 0 && v.Unread == "" {
		raw, err := rv.Fields(ctx, s, nil, v.Lang)
		if err != nil {
			return err
		}
		for _, f := range raw {
			sent[f.Path] = f
		}
	}
	flags, err := rv.Flags.Queue(ctx, dtm.FlagFilter{Submission: s.ID, Limit: 200})
	if err != nil {
		return err
	}
	if v.Next, err = p.nextRecord(ctx, v.page, s.ID); err != nil {
		return err
	}
	remarks := map[string]string{}
	for _, f := range flags {
		row := p.flagRow(v.page, f)
		if f.State != dtm.FlagOpen {
			v.Settled = append(v.Settled, row)
			continue
		}
		v.Flags = append(v.Flags, row)
		if f.Path != "" {
			remarks[f.Path] = row.Words
		}
	}
	labels := map[string]string{}
	for _, f := range now {
		labels[f.Path] = f.Label
		x := fieldView{Field: f, Remark: cmp.Or(remarks[f.Path], remarks[f.Form])}
		if was, ok := sent[f.Path]; v.Base > 0 && !f.Head && (!ok && f.Value != "" || was.Value != f.Value) {
			x.Sent = cmp.Or(was.Shown, was.Value, v.T("submission.empty"))
		}
		if t, ok := typed[f.Path]; ok && t != f.Value {
			x.Other, x.Value, x.Typed = cmp.Or(f.Shown, v.T("submission.empty")), t, true
			shown := x.Field
			shown.Shown = t
			for _, c := range f.Choices {
				if c.Value == t {
					shown.Shown = c.Label
				}
			}
			v.Conflict = append(v.Conflict, fieldView{Field: shown, Other: x.Other})
		}
		v.Fields = append(v.Fields, x)
	}
	if v.Story, err = p.story(r, v, corrections, labels); err != nil {
		return err
	}
	if status == http.StatusConflict {
		for i := range v.Story {
			if len(v.Story[i].Changes) > 0 && !v.Story[i].Refused {
				v.Other = &v.Story[i]
				break
			}
		}
	} else {
		v.Conflict = nil
	}
	if v.Questions, err = rv.Questions.QuestionsOf(ctx, s.ID); err != nil {
		return err
	}
	return p.show(w, status, "record", v)
}

// story tells what became of a submission, the newest first.
func (p *Pages) story(r *http.Request, v recordView, corrections []dtm.Correction, labels map[string]string) ([]storyLine, error) {
	verdicts, err := p.Staff.Review.Corrections.Verdicts(r.Context(), v.S.ID)
	if err != nil {
		return nil, err
	}
	var out []storyLine
	for _, c := range corrections {
		line := storyLine{When: v.When(c.At), Who: v.Who(c.Actor), What: v.T("review.correction", c.Number), Why: c.Why, Refused: c.Number == 0, seq: c.Seq}
		if line.Refused {
			line.What = v.T("review.correction.refused")
		}
		for _, x := range c.Changes {
			line.Changes = append(line.Changes, difference{cmp.Or(labels[x.Path], x.Path), x.Was, x.Now})
		}
		out = append(out, line)
	}
	for _, x := range verdicts {
		if slices.ContainsFunc(corrections, func(c dtm.Correction) bool { return c.Seq == x.Seq }) {
			continue // told by the correction itself
		}
		out = append(out, storyLine{When: v.When(x.At), Who: v.Who(x.Actor), What: v.StateName(x.From) + " → " + v.StateName(x.To), Why: x.Why, seq: x.Seq})
	}
	slices.SortFunc(out, func(a, b storyLine) int { return cmp.Compare(b.seq, a.seq) })
	return out, nil
}

// Who names an actor of the log.
func (g page) Who(actor string) string { return g.Actor(actor, nil) }

// correctRecord takes the answers that were typed, as differences upon the correction
// that their author saw.
func (p *Pages) correctRecord(w http.ResponseWriter, r *http.Request) error {
	ctx, rv, id := r.Context(), p.Staff.Review, r.PathValue("id")
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	s, err := p.Staff.Submissions.Submission(ctx, id)
	if err != nil {
		return err
	}
	base, err := strconv.Atoi(r.PostFormValue("base"))
	if err != nil || base < 0 {
		return dtm.Errorf(dtm.Invalid, "the page was sent without its version; open it again").Coded("entity.page")
	}
	corrections, err := rv.Corrections.Corrections(ctx, id)
	if err != nil {
		return err
	}
	l := p.guess(r)
	seen, err := rv.Fields(ctx, s, changesUpTo(corrections, base), l)
	if err != nil {
		return err
	}
	typed := map[string]string{}
	var changes []dtm.Change
	for _, f := range seen {
		if f.Head || f.Fixed || !slices.Contains(r.PostForm["has"], f.Path) {
			continue
		}
		value := strings.TrimSpace(strings.Join(r.PostForm["f:"+f.Path], " "))
		if f.Kind == "many" && sameSet(value, f.Value) {
			value = f.Value
		}
		if value != strings.TrimSpace(f.Value) {
			typed[f.Path] = value
			changes = append(changes, dtm.Change{Path: f.Path, Now: value})
		}
	}
	v := recordView{Why: strings.TrimSpace(r.PostFormValue("why"))}
	switch {
	case len(changes) == 0:
		v.Message = locale.Say(l, "error.correction.empty")
		return p.showRecord(w, r, http.StatusUnprocessableEntity, v, typed)
	case v.Why == "":
		v.Message = locale.Say(l, "error.review.why")
		return p.showRecord(w, r, http.StatusUnprocessableEntity, v, typed)
	}
	_, err = rv.Correct(by(r), id, base, v.Why, changes)
	if err != nil && dtm.KindOf(err) == dtm.Conflict {
		v.Message = locale.Error(l, err)
		return p.showRecord(w, r, http.StatusConflict, v, typed)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/review/"+url.PathEscape(id)+"?saved=1", http.StatusSeeOther)
	return nil
}

func sameSet(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// judgeRecord gives a submission a state.
func (p *Pages) judgeRecord(w http.ResponseWriter, r *http.Request) error {
	id, do, why := r.PathValue("id"), r.PostFormValue("do"), strings.TrimSpace(r.PostFormValue("why"))
	l := p.guess(r)
	if do == dtm.StateRejected && why == "" {
		return p.showRecord(w, r, http.StatusUnprocessableEntity, recordView{Message: locale.Say(l, "error.review.why")}, nil)
	}
	if do != dtm.StateRejected && do != dtm.StateConfirmed {
		return dtm.Errorf(dtm.Invalid, "a record is confirmed or rejected here, not %q", do).Coded("review.state", do)
	}
	if err := p.Staff.Review.Reviews.Review(by(r), id, do, why); err != nil {
		return err
	}
	if err := p.Staff.Review.Settled(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/review/"+url.PathEscape(id)+"?saved=1", http.StatusSeeOther)
	return nil
}

// askEnumerator sends a question to the device that sent the submission.
func (p *Pages) askEnumerator(w http.ResponseWriter, r *http.Request) error {
	id, body := r.PathValue("id"), r.PostFormValue("question")
	l := p.guess(r)
	_, err := p.Staff.Review.Questions.Ask(by(r), id, body)
	if err != nil && dtm.KindOf(err) == dtm.Invalid {
		return p.showRecord(w, r, http.StatusUnprocessableEntity, recordView{Message: locale.Error(l, err), Question: body}, nil)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/review/"+url.PathEscape(id)+"?saved=1#questions", http.StatusSeeOther)
	return nil
}
