package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/check"
	"dtm/event"
	"dtm/locale"
)

// Reviewing is what the pages of a review need.
type Reviewing struct {
	Reviews     dtm.Reviews
	Corrections dtm.Corrections
	Flags       dtm.Flags
	Questions   dtm.Questions
	// Fields reads a submission with the changes laid upon it, in the form's order.
	Fields func(ctx context.Context, s dtm.Submission, changes []dtm.Change, l dtm.Lang) ([]Field, error)
	// Correct makes a correction on number base and what follows from it. Its errors
	// are those of dtm.Corrections, and of paths that lead nowhere.
	Correct func(ctx context.Context, id string, base int, why string, changes []dtm.Change) (dtm.Correction, error)
	// Enumerators gives the figures of devices.
	Enumerators Enumerators
	// Rules are those in use.
	Rules func() check.Rules
	// Switches gives what the operation changed of rules, Switch changes it: Invalid
	// without a reason or with a limit that the rule does not have.
	Switches func(ctx context.Context) ([]dtm.RuleSwitch, error)
	Switch   func(ctx context.Context, s dtm.RuleSwitch) error
	// Try runs a rule over a period as it would be with other limits: Unsupported for
	// those that the reader of forms finds.
	Try func(ctx context.Context, rule string, limit map[string]float64, p dtm.Period) (Tried, error)
	// Measured says what a rule measured, in figures that need no translation.
	Measured func(f check.Finding) string
	// Settled returns when figures and flags follow what was decided.
	Settled func(ctx context.Context) error
}

// Tried is what a rule would find.
type Tried struct {
	Found   []check.Finding
	Records int
	On      bool // the rule is in use
	Now     int  // findings as it is in use
}

// Field is an answer as a person may correct it.
type Field struct {
	Depth   int
	Head    bool   // a group's or a turn's own line
	Path    string // in the submission, with the turns of repeats
	Form    string // path in the form
	Label   string
	Value   string // as it stands in the instance
	Shown   string // with the labels of choices
	Kind    string // "text", "integer", "decimal", "date", "one", "many"
	Choices []Choice
	Fixed   bool // computed, or noted by the phone: not for a person to change
	Sealed  bool // the answer, if there was one, is kept with the person
}

// Choice is one that a Field allows.
type Choice struct{ Value, Label string }

// Has tells whether the value is chosen.
func (f Field) Has(value string) bool { return slices.Contains(strings.Fields(f.Value), value) }

// Known tells whether the value is among the choices.
func (f Field) Known() bool {
	return f.Value == "" || slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == f.Value })
}

var severities = []string{"fault", "doubt", "note"}

type flagRow struct {
	dtm.Raised
	Words, Explain, Where, When, Href string
	Level                             string // name of the severity
	State                             string
}

func (p *Pages) flagRow(g page, f dtm.Raised) flagRow {
	out := flagRow{Raised: f, Words: g.Rule(f.Rule), Level: severities[min(max(f.Severity, 0), 2)], State: f.State, Where: g.PointName(f.Point)}
	if f.Point == "" && f.Subject != "" {
		out.Where = f.Subject
	}
	if !f.Day.IsZero() {
		out.When = locale.Date(g.Lang, f.Day)
	}
	switch {
	case f.Submission != "":
		out.Href = g.Link("/staff/review/" + url.PathEscape(f.Submission))
	case f.Rule == "month.reference":
		out.Href = g.Link("/staff/imports/published")
	case f.Point != "" && p.Staff.Points != nil: // its register and records
		out.Href = g.Link("/staff/points/" + url.PathEscape(f.Point))
	}
	return out
}

type queueView struct {
	page
	Rows                    []flagRow
	Severities, Points      []option
	Rules, States           []option
	Severity, Point, RuleID string
	StateID, Month          string
	Query                   string // of the page itself, for the way back
	Next, First             string
	Total                   int // that match
	Open                    [3]int
	Message, Why            string
	Done                    *doneView
}

type doneView struct {
	First, Last        int64
	Flags, Submissions int
	Passed             int
	Undone             bool
}

// reviewQueue shows open flags, the heaviest first, then by point.
func (p *Pages) reviewQueue(w http.ResponseWriter, r *http.Request) error {
	v := queueView{}
	q := r.URL.Query()
	number := func(name string) int64 { n, _ := strconv.ParseInt(q.Get(name), 10, 64); return n }
	if first := number("first"); first > 0 || q.Get("passed") != "" {
		v.Done = &doneView{First: first, Last: number("last"), Flags: int(number("flags")), Submissions: int(number("records")), Passed: int(number("passed")), Undone: q.Get("undone") != ""}
	}
	return p.showQueue(w, r, http.StatusOK, v)
}

func (p *Pages) showQueue(w http.ResponseWriter, r *http.Request, status int, v queueView) error {
	ctx, q := r.Context(), r.URL.Query()
	for _, k := range []string{"first", "last", "flags", "records", "passed", "undone"} {
		q.Del(k)
	}
	v.page = p.inside(r, "review", "staff.review", "/review/")
	v.Severity, v.Point, v.RuleID, v.StateID = q.Get("severity"), q.Get("point"), q.Get("rule"), q.Get("state")
	v.Query = q.Encode()
	f := dtm.FlagFilter{State: v.StateID, Rule: v.RuleID, Limit: pageRows}
	if i := slices.Index(severities, v.Severity); i >= 0 {
		f.Severity = &i
	}
	if v.Point != "" {
		code := strings.TrimPrefix(v.Point, "-") // "-": no point
		f.Point = &code
	}
	if m, err := dtm.ParseMonth(q.Get("month")); err == nil {
		f.Month, v.Month = m, m.String()
	}
	f.After = readAfter(q.Get("after"))
	list, err := p.Staff.Review.Flags.Queue(ctx, f)
	if err != nil {
		return err
	}
	for _, x := range list {
		v.Rows = append(v.Rows, p.flagRow(v.page, x))
	}
	counts, err := p.Staff.Review.Flags.FlagCounts(ctx, f.Month)
	if err != nil {
		return err
	}
	p.facets(&v, counts)
	link := func(after string) string {
		q := r.URL.Query()
		for _, k := range []string{"first", "last", "flags", "records", "passed", "undone", "after"} {
			q.Del(k)
		}
		if after != "" {
			q.Set("after", after)
		}
		return v.Link("/staff/review/?" + q.Encode())
	}
	if len(list) == pageRows {
		v.Next = link(writeAfter(list[len(list)-1]))
	}
	if f.After != nil {
		v.First = link("")
	}
	return p.show(w, status, "review", v)
}

// facets makes the choices of the filter, each with how many flags it leaves.
func (p *Pages) facets(v *queueView, counts []dtm.FlagCount) {
	state := v.StateID
	if state == "" {
		state = dtm.FlagOpen
	}
	bySeverity, byPoint, byRule := map[int]int{}, map[string]int{}, map[string]int{}
	byState := map[string]int{}
	for _, c := range counts {
		byState[c.State] += c.N
		if c.State == dtm.FlagOpen {
			v.Open[min(max(c.Severity, 0), 2)] += c.N
		}
		if c.State != state {
			continue
		}
		s := v.Severity == "" || severities[min(max(c.Severity, 0), 2)] == v.Severity
		pt := v.Point == "" || strings.TrimPrefix(v.Point, "-") == c.Point
		ru := v.RuleID == "" || v.RuleID == c.Rule
		if pt && ru {
			bySeverity[c.Severity] += c.N
		}
		if s && ru {
			byPoint[c.Point] += c.N
		}
		if s && pt {
			byRule[c.Rule] += c.N
		}
		if s && pt && ru {
			v.Total += c.N
		}
	}
	label := func(words string, n int) string { return words + " (" + v.Number(n) + ")" }
	v.Severities = []option{{"", v.T("review.all.severity"), v.Severity == ""}}
	for i, s := range severities {
		v.Severities = append(v.Severities, option{s, label(v.T("severity."+s), bySeverity[i]), s == v.Severity})
	}
	v.Points = []option{{"", v.T("filter.all.point"), v.Point == ""}}
	var points []option
	for code, n := range byPoint {
		value, words := code, v.PointName(code)
		if code == "" {
			value, words = "-", v.T("word.unknown_point")
		}
		points = append(points, option{value, label(words, n), value == v.Point})
	}
	sortOptions(points)
	v.Points = append(v.Points, points...)
	v.Rules = []option{{"", v.T("review.all.rule"), v.RuleID == ""}}
	var rules []option
	for id, n := range byRule {
		rules = append(rules, option{id, label(v.Rule(id), n), id == v.RuleID})
	}
	sortOptions(rules)
	v.Rules = append(v.Rules, rules...)
	for _, s := range []string{dtm.FlagOpen, dtm.FlagConfirmed, dtm.FlagDismissed, dtm.FlagCleared} {
		v.States = append(v.States, option{s, label(v.T("flag."+s), byState[s]), s == state})
	}
}

func sortOptions(list []option) {
	slices.SortFunc(list, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
}

// after is the place of a flag in the queue, as it stands in an address.
func writeAfter(f dtm.Raised) string {
	return strings.Join([]string{strconv.Itoa(f.Severity), f.Point, strconv.FormatInt(f.Seq, 10), f.ID}, "~")
}

func readAfter(s string) *dtm.Raised {
	part := strings.SplitN(s, "~", 4)
	if len(part) != 4 {
		return nil
	}
	severity, err1 := strconv.Atoi(part[0])
	seq, err2 := strconv.ParseInt(part[2], 10, 64)
	if err1 != nil || err2 != nil {
		return nil
	}
	return &dtm.Raised{Severity: severity, Point: part[1], Seq: seq, ID: part[3]}
}

// by is the context of what the signed-in user does.
func by(r *http.Request) context.Context { return event.WithActor(r.Context(), actor(r)) }

// backTo is the queue with the filter that the page carried, and more.
func (p *Pages) backTo(r *http.Request, more url.Values) string {
	q, _ := url.ParseQuery(r.PostFormValue("query"))
	out := url.Values{}
	for _, k := range []string{"severity", "point", "rule", "state", "month"} {
		if q.Get(k) != "" {
			out.Set(k, q.Get(k))
		}
	}
	for k, x := range more {
		out[k] = x
	}
	to := "/" + string(p.guess(r)) + "/staff/review/"
	if len(out) > 0 {
		to += "?" + out.Encode()
	}
	return to
}

// decideFlags does what the queue's buttons say to the flags that were chosen.
func (p *Pages) decideFlags(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	d := dtm.Decision{Flags: r.PostForm["flag"], State: r.PostFormValue("do"), Why: strings.TrimSpace(r.PostFormValue("why"))}
	v := queueView{Why: d.Why}
	l := p.guess(r)
	if len(d.Flags) == 0 {
		v.Message = locale.Say(l, "review.choose")
	} else if d.State == dtm.StateRejected && d.Why == "" {
		v.Message = locale.Say(l, "error.review.why")
	}
	if v.Message != "" {
		r.URL.RawQuery = r.PostFormValue("query")
		return p.showQueue(w, r, http.StatusUnprocessableEntity, v)
	}
	done, err := p.Staff.Review.Flags.DecideFlags(by(r), d)
	if err == nil {
		err = p.Staff.Review.Settled(r.Context())
	}
	if err != nil {
		return err
	}
	more := url.Values{"passed": {strconv.Itoa(done.Passed)}}
	if done.First > 0 {
		more.Set("first", strconv.FormatInt(done.First, 10))
		more.Set("last", strconv.FormatInt(done.Last, 10))
		more.Set("flags", strconv.Itoa(done.Flags))
		more.Set("records", strconv.Itoa(done.Submissions))
	}
	http.Redirect(w, r, p.backTo(r, more), http.StatusSeeOther)
	return nil
}

// undoReview takes back the last decision of the user.
func (p *Pages) undoReview(w http.ResponseWriter, r *http.Request) error {
	first, _ := strconv.ParseInt(r.PostFormValue("first"), 10, 64)
	last, _ := strconv.ParseInt(r.PostFormValue("last"), 10, 64)
	done, err := p.Staff.Review.Flags.UndoReview(by(r), first, last)
	if err == nil {
		err = p.Staff.Review.Settled(r.Context())
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, p.backTo(r, url.Values{"undone": {"1"}, "first": {strconv.FormatInt(done.First, 10)}, "flags": {strconv.Itoa(done.Flags)}, "records": {strconv.Itoa(done.Submissions)}, "passed": {"0"}}), http.StatusSeeOther)
	return nil
}
