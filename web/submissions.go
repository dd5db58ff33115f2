package web

import (
	"cmp"
	"encoding/csv"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"dtm"
	"dtm/access"
	basemap "dtm/disseminate/maps"
	"dtm/event"
)

type submissionRow struct {
	dtm.Listed
	Title      string // what it calls itself, else its id
	FormTitle  string
	Href       string
	Device     string
	PointName  string
	Remarks    []string
	More       int // remarks beyond those shown
	Missing    int // attachments that have not come
	ReceivedAt string
}

// search is the filter of the lists as it stands in the address, and how it is
// chosen from.
type search struct {
	Text, From, To, By                                        string
	Forms, Points, Devices, Enumerators, States, Rules, Dates []option
	Filtered, Further                                         bool // anything is chosen; among what is folded away
	Problem                                                   string
	values                                                    url.Values // what was chosen, without the page
	dtm.SubmissionSearch
}

type submissionsView struct {
	page
	Search       search
	Rows         []submissionRow
	Count        string
	Older, Newer string
	Unread       int    // received, and not yet in the search
	Form         string // address that the filter is sent to
	List         string
	Map          string
	CSV          string // addresses of the exports, "" where they are not for this user
	Answers      string
}

const pageRows = 50

// row is a submission as a line of a list.
func (p *Pages) row(g page, s dtm.Listed, devices, forms map[string]string) submissionRow {
	out := submissionRow{Listed: s, FormTitle: cmp.Or(forms[s.Form], s.Form), Title: cmp.Or(s.Name, s.ID), Href: g.Link("/staff/submissions/" + url.PathEscape(s.ID)),
		Device: devices[s.Device], ReceivedAt: g.When(s.Received)}
	if s.Point != "" {
		out.PointName = g.PointName(s.Point)
	}
	for _, f := range s.Flags {
		words := g.Rule(f.Rule)
		switch {
		case slices.Contains(out.Remarks, words):
		case len(out.Remarks) == 2:
			out.More++
		default:
			out.Remarks = append(out.Remarks, words)
		}
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

// search reads the filter from the address and gives what can be chosen.
func (p *Pages) search(r *http.Request, g page) (search, error) {
	ctx, q := r.Context(), r.URL.Query()
	s := search{values: url.Values{}, Text: strings.TrimSpace(q.Get("q")), By: cmp.Or(q.Get("dates"), "received")}
	take := func(name string) string {
		v := strings.TrimSpace(q.Get(name))
		if v != "" {
			s.Filtered = true
			s.values.Set(name, v)
		}
		return v
	}
	optional := func(name string) *string {
		if v := take(name); v != "" {
			return &v
		}
		return nil
	}
	s.SubmissionSearch.Text = take("q")
	s.Form, s.State, s.Device = optional("form"), optional("state"), optional("device")
	s.Point, s.Enumerator, s.Rule = take("point"), take("enumerator"), take("rule")
	s.From, s.To = take("from"), take("to")
	s.Further = s.Device != nil || s.Enumerator != "" || s.Rule != "" || s.From != "" || s.To != ""
	if err := s.dates(p.Operation.Zone); err != nil {
		s.Problem = g.T("submission.date.invalid")
	}
	if s.Filtered && s.By != "received" {
		s.values.Set("dates", s.By)
	}
	pick := func(all string, chosen string, list ...option) []option {
		out := append([]option{{"", all, chosen == ""}}, list...)
		known := chosen == ""
		for i := range out {
			out[i].Selected = out[i].Value == chosen
			known = known || out[i].Selected
		}
		if !known {
			out = append(out, option{chosen, chosen, true})
		}
		return out
	}
	value := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	var list []option
	forms, err := p.Staff.Forms.Forms(ctx)
	if err != nil {
		return s, err
	}
	for _, x := range forms {
		list = append(list, option{x.ID, x.TitleIn(g.Lang), false})
	}
	s.Forms, list = pick(g.T("filter.all.form"), value(s.Form), list...), nil
	for _, x := range p.Operation.Network() {
		list = append(list, option{x.Code, x.Name.In(g.Lang), false})
	}
	slices.SortFunc(list, func(a, b option) int { return cmp.Compare(dtm.Fold(a.Label), dtm.Fold(b.Label)) })
	s.Points, list = pick(g.T("filter.all.point"), s.Point, list...), nil
	devices, err := p.Staff.Devices.Devices(ctx)
	if err != nil {
		return s, err
	}
	for _, x := range devices {
		list = append(list, option{x.ID, x.Name, false})
	}
	s.Devices, list = pick(g.T("filter.all.device"), value(s.Device), list...), nil
	who, err := p.Staff.Readings.Enumerators(ctx, 500)
	if err != nil {
		return s, err
	}
	for _, x := range who {
		list = append(list, option{x, x, false})
	}
	s.Enumerators, list = pick(g.T("filter.all.enumerator"), s.Enumerator, list...), nil
	for _, x := range states {
		list = append(list, option{x, g.StateName(x), false})
	}
	s.States, list = pick(g.T("filter.all.state"), value(s.State), list...), nil
	rules, err := p.Staff.Readings.Rules(ctx)
	if err != nil {
		return s, err
	}
	for _, x := range rules {
		list = append(list, option{x, g.Rule(x), false})
	}
	s.Rules = pick(g.T("filter.all.rule"), s.Rule, list...)
	for _, x := range []string{"received", "observed"} {
		s.Dates = append(s.Dates, option{x, g.T("filter.dates." + x), x == s.By})
	}
	return s, nil
}

// dates makes bounds of the two days: of the day of observation, or of the time of
// arrival where the operation is.
func (s *search) dates(zone *time.Location) error {
	bounds := [2]time.Time{}
	for i, v := range []string{s.From, s.To} {
		if v == "" {
			continue
		}
		t, err := time.ParseInLocation(time.DateOnly, v, zone)
		if err != nil {
			return err
		}
		bounds[i] = t
	}
	if s.By == "observed" {
		s.FromDay, s.ToDay = s.From, s.To
		return nil
	}
	s.SubmissionSearch.From = bounds[0]
	if !bounds[1].IsZero() {
		s.SubmissionSearch.To = bounds[1].AddDate(0, 0, 1)
	}
	return nil
}

// address is that of a page with the same filter; extra are pairs of name and
// value.
func (s search) address(g page, path string, extra ...string) string {
	q := url.Values{}
	for k, v := range s.values {
		q[k] = v
	}
	for i := 0; i < len(extra); i += 2 {
		q.Set(extra[i], extra[i+1])
	}
	to := g.Link("/staff/submissions/" + path)
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return to
}

// counted says how many are found.
func (g page) counted(n dtm.Found) string {
	if n.More {
		return g.T("submission.count.many", g.Number(n.N))
	}
	return g.T("submission.count", g.Number(n.N))
}

// found fills what list and map have in common.
func (p *Pages) found(r *http.Request, section string) (submissionsView, error) {
	v := submissionsView{page: p.inside(r, "submissions", "staff.submissions", section)}
	var err error
	if v.Search, err = p.search(r, v.page); err != nil {
		return v, err
	}
	v.Form = v.Link("/staff" + section)
	v.List, v.Map = v.Search.address(v.page, ""), v.Search.address(v.page, "map")
	if v.May(string(access.ExportData)) {
		v.CSV = v.Search.address(v.page, "list.csv")
		if v.Search.Form != nil && p.Staff.Answered != nil {
			v.Answers = v.Search.address(v.page, "answers.zip")
		}
	}
	v.Unread, err = p.Staff.Readings.Unread(r.Context())
	return v, err
}

func (p *Pages) submissions(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	v, err := p.found(r, "/submissions/")
	if err != nil {
		return err
	}
	if v.Search.Problem != "" {
		return p.show(w, http.StatusUnprocessableEntity, "submissions", v)
	}
	f := v.Search.SubmissionSearch
	f.Limit = pageRows + 1
	f.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64)
	f.After, _ = strconv.ParseInt(q.Get("after"), 10, 64)
	if f.Before > 0 {
		f.After = 0
	}
	list, total, err := p.Staff.Readings.Find(ctx, f)
	if err != nil {
		return err
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	more := len(list) > pageRows
	if more && f.After > 0 {
		list = list[1:]
	} else if more {
		list = list[:pageRows]
	}
	forms := map[string]string{}
	for _, f := range v.Search.Forms {
		forms[f.Value] = f.Label
	}
	for _, s := range list {
		row := p.row(v.page, s, names, forms)
		row.Href = v.Search.address(v.page, url.PathEscape(s.ID)) // the filter goes along: next is next in it
		v.Rows = append(v.Rows, row)
	}
	total.N = max(total.N, len(list))
	v.Count = v.counted(total)
	if n := len(list); n > 0 {
		if more || f.After > 0 {
			v.Older = v.Search.address(v.page, "", "before", strconv.FormatInt(list[n-1].Reading.Seq, 10))
		}
		if more && f.After > 0 || f.Before > 0 {
			v.Newer = v.Search.address(v.page, "", "after", strconv.FormatInt(list[0].Reading.Seq, 10))
		}
	}
	return p.show(w, http.StatusOK, "submissions", v)
}

type submissionsMapView struct {
	submissionsView
	Narrow, Wide template.HTML
	Spots        []spotRow
	Outside      int  // beyond the map's frame
	Rest         int  // spots that are not in the table
	Newest       bool // the map is of the newest, Most of them
	Most         string
}

type spotRow struct {
	Where, Count string
	Near         string // the nearest point of the register and its distance
	Href         string // the newest of them
}

// spotRows is how many places the table under the map lists.
const spotRows = 200

// submissionMap draws where the submissions of the filter were made.
func (p *Pages) submissionMap(w http.ResponseWriter, r *http.Request) error {
	v := submissionsMapView{}
	var err error
	if v.submissionsView, err = p.found(r, "/submissions/map"); err != nil {
		return err
	}
	if v.Search.Problem != "" {
		return p.show(w, http.StatusUnprocessableEntity, "submissions-map", v)
	}
	// A hundredth of a degree is about a kilometre, some two pixels of the map.
	spots, total, err := p.Staff.Readings.Spots(r.Context(), v.Search.SubmissionSearch, 0.01)
	if err != nil {
		return err
	}
	shown := 0
	for _, s := range spots {
		shown += s.Count
	}
	v.Count, v.Newest = v.counted(total), shown == dtm.MostSpots
	v.Most = v.Number(dtm.MostSpots)
	var dots []basemap.Dot
	for i, s := range spots {
		place := v.Position(s.Lat, s.Lon)
		dots = append(dots, basemap.Dot{Lon: s.Lon, Lat: s.Lat, Count: s.Count, Label: place, Value: v.T("submission.count", v.Number(s.Count))})
		if i < spotRows {
			v.Spots = append(v.Spots, spotRow{place, v.Number(s.Count), p.near(v.page, s.Lat, s.Lon), v.Link("/staff/submissions/" + url.PathEscape(s.ID))})
		}
	}
	v.Rest = len(spots) - len(v.Spots)
	if len(dots) > 0 && p.ground() != nil {
		title := v.T("submission.map.title", v.Count)
		v.Narrow, _ = p.dots(v.page, "where-n", title, narrow, dots)
		v.Wide, v.Outside = p.dots(v.page, "where-w", title, 900, dots)
	}
	return p.show(w, http.StatusOK, "submissions-map", v)
}

// dots is a map of the operation with its open points and dots on it.
func (p *Pages) dots(g page, id, title string, width float64, dots []basemap.Dot) (template.HTML, int) {
	svg, outside := p.ground().Dots(p.placed(g, id, title, width), dots)
	return template.HTML(svg), outside //nolint:gosec // our own drawing
}

// placed is a map with the operation's open points.
func (p *Pages) placed(g page, id, title string, width float64) basemap.Spec {
	spec := basemap.Spec{ID: id, Title: title, Country: p.Operation.Country, Width: width, Names: map[string]string{}, Lang: g.Lang,
		Texts: basemap.Texts{Disclaimer: p.Operation.Disclaimer.In(g.Lang)}}
	for _, a := range p.Operation.Atlas().Areas {
		spec.Names[a.Code] = a.Name.In(g.Lang)
	}
	for _, pt := range p.Operation.Network() {
		if pt.Positioned && dtm.ValueAt(pt.Status, p.Now()) == "open" {
			spec.Points = append(spec.Points, basemap.Point{Code: pt.Code, Label: pt.Name.In(g.Lang), Lon: pt.Lon, Lat: pt.Lat, Region: pt.Area, Approximate: pt.Approximate})
		}
	}
	return spec
}

// Position writes a position in degrees.
func (g page) Position(lat, lon float64) string {
	return strconv.FormatFloat(lat, 'f', 4, 64) + ", " + strconv.FormatFloat(lon, 'f', 4, 64)
}

// near names the nearest point of the register and how far it is.
func (p *Pages) near(g page, lat, lon float64) string {
	var best dtm.Point
	least := -1.0
	for _, pt := range p.Operation.Network() {
		if !pt.Positioned {
			continue
		}
		if km := dtm.Kilometres(lat, lon, pt.Lat, pt.Lon); least < 0 || km < least {
			best, least = pt, km
		}
	}
	if least < 0 {
		return ""
	}
	return g.T("submission.near", best.Name.In(g.Lang), g.distance(least))
}

// distance writes kilometres, metres below one.
func (g page) distance(km float64) string {
	if km < 1 {
		return g.T("size.metres", g.Number(int(km*1000)))
	}
	return g.T("size.kilometres", g.Decimal(km))
}

// submissionList is the filter's list as CSV, up to the newest of everything.
func (p *Pages) submissionList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.found(r, "/submissions/list.csv")
	if err != nil {
		return err
	}
	if v.Search.Problem != "" {
		return dtm.Errorf(dtm.Invalid, "%q is no day; write it 2026-11-23", v.Search.From+" "+v.Search.To).Coded("date.invalid", v.Search.From+" "+v.Search.To)
	}
	names, err := p.deviceNames(ctx)
	if err != nil {
		return err
	}
	f := v.Search.SubmissionSearch
	f.Limit, f.Uncounted = 1000, true
	list, _, err := p.Staff.Readings.Find(ctx, f) // before the first byte: an error is still an answer
	if err != nil {
		return err
	}
	how := map[string]any{"as": "csv"}
	if narrowed := slices.Sorted(maps.Keys(r.URL.Query())); len(narrowed) > 0 {
		how["options"] = narrowed
	}
	if err := p.exported(r, "submissions", how); err != nil {
		return err
	}
	download(w, "text/csv; charset=utf-8", p.Operation.Code+"-submissions.csv")
	c := csv.NewWriter(w)
	c.Write([]string{"id", "form", "version", "received", "device", "point", "enumerator", "observed", "latitude", "longitude", "state", "remarks", "attachments", "name"})
	for len(list) > 0 {
		for _, s := range list {
			var rules []string
			for _, f := range s.Flags {
				if !slices.Contains(rules, f.Rule) {
					rules = append(rules, f.Rule)
				}
			}
			lat, lon := "", ""
			if s.Positioned {
				lat, lon = strconv.FormatFloat(s.Lat, 'f', -1, 64), strconv.FormatFloat(s.Lon, 'f', -1, 64)
			}
			c.Write([]string{cell(s.ID), cell(s.Form), cell(s.Version), s.Received.UTC().Format(time.RFC3339), cell(names[s.Device]), cell(s.Point), cell(s.Enumerator),
				s.Day, lat, lon, s.State, strings.Join(rules, " "), strconv.Itoa(len(s.Attachments)), cell(s.Name)})
		}
		if c.Flush(); c.Error() != nil {
			return nil // who asked has gone
		}
		f.Before = list[len(list)-1].Reading.Seq
		if list, _, err = p.Staff.Readings.Find(ctx, f); err != nil {
			panic(http.ErrAbortHandler) // a cut file must not look like a whole one
		}
	}
	return nil
}

// cell keeps a spreadsheet from computing what somebody typed, also behind blanks and
// marks that it skips.
func cell(s string) string {
	bare := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' })
	if bare != "" && strings.ContainsRune("=@+-|%", rune(bare[0])) || s != "" && strings.ContainsRune("\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// exported notes that rows leave by a page.
func (p *Pages) exported(r *http.Request, what string, how map[string]any) error {
	return p.Staff.Trail.Exported(r.Context(), event.Actor(r.Context()), what, how)
}

// answersZip is the answers to one form of what the filter finds, as the tables of
// ODK Central.
func (p *Pages) answersZip(w http.ResponseWriter, r *http.Request) error {
	v, err := p.found(r, "/submissions/answers.zip")
	if err != nil {
		return err
	}
	if v.Search.Form == nil || v.Search.Problem != "" || p.Staff.Answered == nil {
		return dtm.Errorf(dtm.Invalid, "choose a form first: answers are exported form by form").Coded("submission.form.choose")
	}
	q := r.Clone(r.Context())
	q.URL.RawQuery = "attachments=false&hxl=true&groupPaths=false"
	q.Header.Del("If-None-Match")
	return p.Staff.Answered(w, q, *v.Search.Form, v.Search.SubmissionSearch)
}
