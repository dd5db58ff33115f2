package web

import (
	"context"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/analyse/release"
	"dtm/event"
	"dtm/locale"
)

// Releases is what the pages about releases need.
type Releases interface {
	dtm.Releases
	dtm.Sources
	// Open reads a release's manifest, checks and changes: Conflict when a part is
	// damaged.
	Open(ctx context.Context, r dtm.FrozenRelease) (release.Opened, error)
	// Part reads one part: NotFound, Conflict when it is damaged.
	Part(ctx context.Context, r dtm.FrozenRelease, name string) ([]byte, error)
	// Check makes the release that the month would have now, without keeping it.
	Check(ctx context.Context, m dtm.Month) (release.Opened, error)
	// Propose freezes the month: Invalid when a check stops it, Conflict when one is
	// proposed already.
	Propose(ctx context.Context, m dtm.Month, note string) (dtm.FrozenRelease, error)
	// Approve publishes it for the context's actor: the errors of
	// dtm.FrozenRelease.Approvable, Conflict when a part is damaged.
	Approve(ctx context.Context, r dtm.FrozenRelease) (dtm.FrozenRelease, error)
}

// source is what the page answers from: what its address asks for, else the month's
// release, else the figures as they are.
func (p *Pages) source(ctx context.Context, asked string, month dtm.Month) (dtm.Source, error) {
	if p.Releases == nil {
		return dtm.Source{Figures: p.Figures, Operation: p.Operation}, nil
	}
	return p.Releases.Source(ctx, asked, month)
}

// standing says which state of the data a page shows.
type standing struct {
	Number, Href string // of the release shown; "" when provisional
	On           string // day it was published
	Newer        string // a later release of the month, with its address
	NewerHref    string
	Latest       string // the last release of all, where provisional figures are shown
	LatestHref   string
	LatestMonth  string
}

func (p *Pages) standing(ctx context.Context, s dtm.Source, l dtm.Lang) (*standing, error) {
	if p.Releases == nil {
		return nil, nil
	}
	list, err := p.Releases.FrozenReleases(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r dtm.FrozenRelease) bool { return r.State != dtm.StatePublished })
	v := &standing{}
	if s.Frozen == nil {
		if len(list) > 0 {
			v.Latest, v.LatestMonth = list[0].Number, locale.Month(l, list[0].Month)
			v.LatestHref = "/" + string(l) + "/?from=" + list[0].Month.String() + "&to=" + list[0].Month.String()
		}
		return v, nil
	}
	v.Number, v.Href = s.Frozen.Number, "/"+string(l)+"/releases/"+s.Frozen.Number
	if s.Frozen.Published != nil {
		v.On = locale.Date(l, s.Frozen.Published.In(p.Operation.Zone))
	}
	for _, r := range list {
		if r.Month == s.Frozen.Month && r.N > s.Frozen.N {
			v.Newer, v.NewerHref = r.Number, "/"+string(l)+"/releases/"+r.Number
			break
		}
	}
	return v, nil
}

// CheckText says a check.
func CheckText(l dtm.Lang, c release.Check) string {
	args := slices.Clone(c.Args)
	for i, a := range args {
		if s, ok := a.(string); ok {
			if m, err := dtm.ParseMonth(s); err == nil {
				args[i] = locale.Month(l, m)
			}
		}
	}
	return locale.Say(l, "release.check."+c.ID+"."+c.Verdict, args...)
}

// ItemText says what a check names.
func ItemText(op *dtm.Operation, figures dtm.Figures, l dtm.Lang, c release.Check, i release.Item) string {
	name := i.Name
	if c.ID == "reference" {
		id, cells, _ := strings.Cut(name, ":")
		if x, err := figures.Indicator(id); err == nil {
			name = strings.TrimSpace(x.Name.In(l) + " " + cells)
		}
	}
	if p, ok := op.Point(name); ok {
		name = p.Name.In(l)
	}
	if m, err := dtm.ParseMonth(name); err == nil {
		name = locale.Month(l, m)
	}
	return locale.Say(l, "release.item."+c.ID, name, i.Was, i.Is, i.Label)
}

// ReasonText says why records changed; inside adds what only the staff reads.
func ReasonText(l dtm.Lang, r release.Reason, inside bool) string {
	s := locale.Say(l, "release.reason."+r.Kind, r.Records)
	if inside && r.Text != "" {
		s += " · " + r.Text
	}
	return s
}

type releaseRow struct {
	dtm.FrozenRelease
	Name  string // "December 2022"
	Href  string
	On    string // published, else created
	Short string // beginning of the hash
	By    string // the release that replaced it
}

func (p *Pages) releaseRow(g page, r dtm.FrozenRelease, base string) releaseRow {
	row := releaseRow{FrozenRelease: r, Name: locale.Month(g.Lang, r.Month), Href: g.Link(base + r.Number), Short: r.ManifestHash[:min(12, len(r.ManifestHash))]}
	at := r.Created
	if r.Published != nil {
		at = *r.Published
	}
	row.On = locale.Date(g.Lang, at.In(p.Operation.Zone))
	return row
}

// replaced names, beside each published release, the latest published one of its month.
func replaced(rows []releaseRow) {
	latest := map[dtm.Month]string{}
	for i, x := range rows {
		if x.State != dtm.StatePublished {
			continue
		}
		if latest[x.Month] == "" {
			latest[x.Month] = x.Number
		} else {
			rows[i].By = latest[x.Month]
		}
	}
}

// releases lists what was published, what was withdrawn among it.
func (p *Pages) releases(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	v := struct {
		page
		Rows []releaseRow
	}{page: p.page(l, "releases", locale.Say(l, "release.title"), "/releases/", nil)}
	list, err := p.Releases.FrozenReleases(r.Context())
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.Published != nil { // a withdrawn proposal was never public
			v.Rows = append(v.Rows, p.releaseRow(v.page, x, "/releases/"))
		}
	}
	replaced(v.Rows)
	w.Header().Set("Cache-Control", "no-cache")
	return p.show(w, http.StatusOK, "releases", v)
}

type releaseView struct {
	page
	R         releaseRow
	M         release.Manifest
	Dashboard string
	Parts     []partView
	Changes   *changesView
	Total     int
	Seq       int
	Editions  []editionLink // reports in a writer's words
	Texts     string        // where they are written
	Areas     string        // which version of them it was frozen with
	At        string        // of the last event
	// Of the staff's page.
	Checks  []checkView
	Inside  bool
	Mine    bool // the reader created it
	Base    string
	Message string
	Month   string // to be frozen: a release that is not yet
	Stopped bool
	Note    string
}

type partView struct {
	release.Part
	Label, Href string
}

type checkView struct {
	Verdict, Word, Text string
	Items               []string
	Href                string // where what it counts can be looked at
}

// looked is where the staff looks at what a check of the month counts.
func looked(check, month string) string {
	switch check {
	case "flags":
		return "/staff/review/?month=" + month
	case "placed":
		return "/staff/review/?point=-&month=" + month
	case "coverage":
		return "/staff/coverage/?month=" + month
	}
	return ""
}

type changesView struct {
	Since   string
	None    bool
	Points  []pointChangeView
	Figures []figureChangeView
	More    int // figures beyond those shown
	Reasons []string
	Months  []string
}

type pointChangeView struct {
	Point                   string
	Added, Removed, Changed int
	Was, Is                 string
}

type figureChangeView struct{ Name, Of, Was, Is string }

// mostFigures are shown of the figures that changed; all are in the parts.
const mostFigures = 60

func (p *Pages) changes(g page, c *release.Changes, inside bool) *changesView {
	if c == nil {
		return nil
	}
	v := &changesView{Since: c.Since, None: c.None()}
	total := func(n *int64) string {
		if n == nil {
			return g.T("release.withheld")
		}
		return g.Number(int(*n))
	}
	for _, x := range c.Points {
		name := g.PointName(x.Point)
		if x.Point == "" {
			name = g.T("word.unknown_point")
		}
		v.Points = append(v.Points, pointChangeView{name, x.Added, x.Removed, x.Changed, total(x.Was), total(x.Is)})
	}
	said := func(s string) string {
		switch s {
		case "":
			return g.T("chart.missing")
		case release.Withheld:
			return g.T("release.withheld")
		}
		return s
	}
	for n, x := range c.Figures {
		if n == mostFigures {
			v.More = len(c.Figures) - n
			break
		}
		name := x.Indicator
		if i, err := p.Figures.Indicator(x.Indicator); err == nil {
			name = i.Name.In(g.Lang)
		}
		v.Figures = append(v.Figures, figureChangeView{name, p.keys(g, x), said(x.Was), said(x.Is)})
	}
	for _, x := range c.Reasons {
		v.Reasons = append(v.Reasons, ReasonText(g.Lang, x, inside))
	}
	for _, x := range c.Months {
		v.Months = append(v.Months, ItemText(p.Operation, p.Figures, g.Lang, release.Check{ID: "months"}, release.Item{Name: x.Month, Label: x.Release, Was: x.Was, Is: x.Is}))
	}
	return v
}

// keys says what a figure is of.
func (p *Pages) keys(g page, x release.FigureChange) string {
	if x.By == "" {
		return ""
	}
	dims, keys := strings.Split(x.By, "+"), strings.Split(x.Keys, "+")
	var out []string
	for i, d := range dims {
		if i >= len(keys) {
			break
		}
		k := keys[i]
		switch d {
		case "point":
			k = g.PointName(k)
		case "region":
			if a, ok := p.Operation.Area(k); ok {
				k = a.Name.In(g.Lang)
			}
		case "previous", "next", "nationality", "origin", "final":
			k = p.Operation.Lists["country"].Label(k, g.Lang)
		default:
			if list, ok := p.Operation.Lists[d]; ok {
				k = list.Label(k, g.Lang)
			}
		}
		if k == "" {
			k = g.T("word.unknown")
		}
		out = append(out, k)
	}
	return strings.Join(out, " → ")
}

func (g page) partLabel(name string) string {
	if l, ok := strings.CutPrefix(strings.TrimSuffix(name, ".pdf"), "report-"); ok {
		return g.T("release.part.report") + " (" + ownNames[dtm.Lang(l)] + ")"
	}
	return g.T("release.part." + strings.TrimSuffix(name, path.Ext(name)))
}

// frozenAt reads the address of a release: NotFound.
func (p *Pages) frozenAt(r *http.Request) (dtm.FrozenRelease, error) {
	m, n, err := dtm.ParseReleaseNumber(r.PathValue("month") + "/" + r.PathValue("n"))
	if err != nil {
		return dtm.FrozenRelease{}, dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	return p.Releases.FrozenRelease(r.Context(), m, n)
}

// public is the release of an address that everybody may see.
func (p *Pages) publicRelease(r *http.Request) (dtm.FrozenRelease, error) {
	x, err := p.frozenAt(r)
	if err == nil && x.Published == nil {
		err = dtm.Errorf(dtm.NotFound, "there is no release %s", x.Number).Coded("release.unknown", x.Number)
	}
	return x, err
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	x, err := p.publicRelease(r)
	if err != nil {
		return err
	}
	v := releaseView{page: p.page(l, "releases", locale.Say(l, "release.one", x.Number)+" · "+locale.Month(l, x.Month), "/releases/"+x.Number, nil)}
	if err := p.fill(r.Context(), &v, x, "/releases/"); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	return p.show(w, http.StatusOK, "release", v)
}

// fill adds what is said of a release, to everybody or inside.
func (p *Pages) fill(ctx context.Context, v *releaseView, x dtm.FrozenRelease, base string) error {
	o, err := p.Releases.Open(ctx, x)
	if err != nil {
		return err
	}
	v.R, v.M = p.releaseRow(v.page, x, base), o.Manifest
	v.Base = v.Link(base + x.Number)
	v.Seq, v.At = int(x.Seq), v.When(x.At)
	if v.HasAreas() {
		list, err := p.Staff.Points.Areas.AreaVersions(ctx, x.Seq)
		if err != nil {
			return err
		}
		v.Areas = v.T("area.release", len(list))
	}
	if v.Editions, err = p.editions(ctx, v.page, x); err != nil {
		return err
	}
	if p.Editor != nil && v.Inside {
		v.Texts = v.Base + "/texts/"
	}
	if x.State == dtm.StatePublished {
		v.Dashboard = v.Link("/?from=" + x.Month.String() + "&to=" + x.Month.String() + "&release=" + x.Number)
	}
	v.opened(p, o)
	return nil
}

func (v *releaseView) opened(p *Pages, o release.Opened) {
	v.M, v.Total = o.Manifest, int(o.Manifest.Total)
	for _, part := range o.Manifest.Parts {
		s := partView{Part: part, Label: v.partLabel(part.Name)}
		if (part.Public || v.Inside && strings.HasSuffix(part.Name, ".pdf")) && v.Base != "" && (v.R.State == dtm.StatePublished || v.Inside) {
			s.Href = v.Base + "/" + part.Name
		}
		v.Parts = append(v.Parts, s)
	}
	slices.SortStableFunc(v.Parts, func(a, b partView) int { // what can be had comes first, the reports before all
		rank := func(x partView) int {
			switch {
			case x.Href == "":
				return 2
			case path.Ext(x.Name) != ".pdf":
				return 1
			}
			return 0
		}
		return rank(a) - rank(b)
	})
	v.Changes = p.changes(v.page, o.Changes, v.Inside)
	for _, c := range o.Checks {
		x := checkView{Verdict: c.Verdict, Word: v.T("release.verdict." + c.Verdict), Text: CheckText(v.Lang, c)}
		for _, i := range c.Items {
			x.Items = append(x.Items, ItemText(p.Operation, p.Figures, v.Lang, c, i))
		}
		if to := looked(c.ID, o.Manifest.Month); to != "" && v.Inside && c.Verdict == release.Look {
			x.Href = v.Link(to)
		}
		v.Checks = append(v.Checks, x)
	}
}

// releasePart serves the manifest or a public part of a published release.
func (p *Pages) releasePart(w http.ResponseWriter, r *http.Request) error {
	x, err := p.publicRelease(r)
	if err != nil {
		return err
	}
	if x.State == dtm.StateWithdrawn && r.PathValue("file") != "manifest.json" {
		return dtm.Errorf(dtm.Gone, "release %s was withdrawn: %s", x.Number, x.Reason).Coded("release.withdrawn", x.Number, x.Reason)
	}
	if done, err := p.editionFile(w, r, x); done {
		return err
	}
	return p.part(w, r, x)
}

func (p *Pages) part(w http.ResponseWriter, r *http.Request, x dtm.FrozenRelease) error {
	name := r.PathValue("file")
	b := x.Manifest
	if name != "manifest.json" {
		if !release.Public(name) {
			return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
		}
		var err error
		if b, err = p.Releases.Part(r.Context(), x, name); err != nil {
			return err
		}
	}
	t := mime.TypeByExtension(path.Ext(name))
	if path.Ext(name) == ".csv" {
		t = "text/csv; charset=utf-8"
	}
	w.Header().Set("Content-Type", t)
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+strings.ReplaceAll(x.Number, "/", "-")+"-"+name+`"`)
	// Not immutable: a release may be withdrawn.
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+release.Hash(b)[:32]+`"`)
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(string(b)))
	return nil
}

// desk of releases.

type releasesView struct {
	page
	Rows    []releaseRow
	Months  []option
	Message string
}

func (p *Pages) staffReleases(w http.ResponseWriter, r *http.Request) error {
	v := releasesView{page: p.inside(r, "releases", "release.title", "/releases/")}
	list, err := p.Releases.FrozenReleases(r.Context())
	if err != nil {
		return err
	}
	has := map[dtm.Month]bool{}
	for _, x := range list {
		v.Rows = append(v.Rows, p.releaseRow(v.page, x, "/staff/releases/"))
		has[x.Month] = has[x.Month] || x.State == dtm.StatePublished
	}
	replaced(v.Rows)
	span, err := p.Figures.Span(r.Context())
	if err != nil {
		return err
	}
	chosen := false
	if !span.From.IsZero() {
		months := span.Months()
		slices.Reverse(months)
		for _, m := range months {
			if m.Before(p.today()) { // a month that is not over cannot be frozen
				o := option{m.String(), locale.Month(v.Lang, m), !chosen && !has[m]}
				chosen = chosen || o.Selected
				v.Months = append(v.Months, o)
			}
		}
	}
	return p.show(w, http.StatusOK, "staffreleases", v)
}

// checkRelease shows what freezing the month would give.
func (p *Pages) checkRelease(w http.ResponseWriter, r *http.Request) error {
	return p.showCheck(w, r, http.StatusOK, r.URL.Query().Get("month"), "", "")
}

func (p *Pages) showCheck(w http.ResponseWriter, r *http.Request, status int, month, note, message string) error {
	m, err := dtm.ParseMonth(month)
	if err != nil {
		return err
	}
	o, err := p.Releases.Check(r.Context(), m)
	if err != nil {
		return err
	}
	v := releaseView{page: p.inside(r, "releases", "release.title", "/releases/check"), Inside: true, Month: m.String(), Message: message, Note: note}
	v.Title = v.T("release.freeze.title", locale.Month(v.Lang, m))
	v.R.State = dtm.StateProposed
	v.opened(p, o)
	v.Stopped = release.Worst(o.Checks) == release.Stop
	return p.show(w, status, "staffrelease", v)
}

func (p *Pages) proposeRelease(w http.ResponseWriter, r *http.Request) error {
	m, err := dtm.ParseMonth(r.PostFormValue("month"))
	if err != nil {
		return err
	}
	note := strings.TrimSpace(r.PostFormValue("note"))
	x, err := p.Releases.Propose(event.WithActor(r.Context(), actor(r)), m, note)
	if k := dtm.KindOf(err); err != nil && (k == dtm.Conflict || k == dtm.Invalid) {
		return p.showCheck(w, r, http.StatusConflict, m.String(), note, locale.Error(p.guess(r), err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/releases/"+x.Number, http.StatusSeeOther)
	return nil
}

func (p *Pages) staffRelease(w http.ResponseWriter, r *http.Request) error {
	return p.showRelease(w, r, http.StatusOK, "")
}

func (p *Pages) showRelease(w http.ResponseWriter, r *http.Request, status int, message string) error {
	x, err := p.frozenAt(r)
	if err != nil {
		return err
	}
	v := releaseView{page: p.inside(r, "releases", "release.title", "/releases/"+x.Number), Inside: true, Message: message}
	v.Title = v.T("release.one", x.Number) + " · " + locale.Month(v.Lang, x.Month)
	v.Mine = x.Creator == actor(r)
	if err := p.fill(r.Context(), &v, x, "/staff/releases/"); err != nil {
		return err
	}
	return p.show(w, status, "staffrelease", v)
}

func (p *Pages) staffReleasePart(w http.ResponseWriter, r *http.Request) error {
	x, err := p.frozenAt(r)
	if err != nil {
		return err
	}
	if err := p.exported(r, "release:"+x.Number, map[string]any{"part": r.PathValue("file")}); err != nil {
		return err
	}
	return p.part(w, r, x)
}

func (p *Pages) approveRelease(w http.ResponseWriter, r *http.Request) error {
	x, err := p.frozenAt(r)
	if err != nil {
		return err
	}
	_, err = p.Releases.Approve(event.WithActor(r.Context(), actor(r)), x)
	return p.decided(w, r, x, err)
}

func (p *Pages) withdrawRelease(w http.ResponseWriter, r *http.Request) error {
	x, err := p.frozenAt(r)
	if err != nil {
		return err
	}
	_, err = p.Releases.WithdrawRelease(event.WithActor(r.Context(), actor(r)), x.Month, x.N, strings.TrimSpace(r.PostFormValue("reason")))
	return p.decided(w, r, x, err)
}

func (p *Pages) decided(w http.ResponseWriter, r *http.Request, x dtm.FrozenRelease, err error) error {
	switch k := dtm.KindOf(err); {
	case err == nil:
		http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/releases/"+x.Number, http.StatusSeeOther)
		return nil
	case k == dtm.Conflict, k == dtm.Invalid, k == dtm.Forbidden:
		return p.showRelease(w, r, http.StatusConflict, locale.Error(p.guess(r), err))
	}
	return err
}

// MayRelease tells whether the page's user may freeze months.
func (g page) MayRelease() bool { return access.Decide(g.User, access.CreateReleases) == nil }
