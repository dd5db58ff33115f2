package web

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/check"
	"dtm/event"
	"dtm/locale"
	"dtm/serve"
)

// Network is what the pages about points need.
type Network struct {
	Points   dtm.Points
	Arrivals dtm.Arrivals
	Silences dtm.Silences
	// Coverage is what was expected of each point in a period and what came, as of the
	// moment that it gives.
	Coverage func(ctx context.Context, p dtm.Period) ([]check.PointCoverage, time.Time, error)
	// Touched is how many movements were observed at an effect's point on its days.
	Touched func(ctx context.Context, e dtm.Effect) (int64, error)
	// Areas are replaced here; nil: they are not.
	Areas Areas
	// Crew finds devices by names or ids and users by addresses.
	Crew func(ctx context.Context, devices, people []string) (dtm.Crew, error)
}

// civilToday is the civil day in the operation's zone.
func (p *Pages) civilToday() time.Time {
	t := p.Now().In(p.Operation.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// Day writes a civil day; "" for none.
func (g page) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return locale.Date(g.Lang, t)
}

// coded says a code of a catalogue; "" stays.
func (g page) coded(prefix, code string) string {
	if code == "" {
		return ""
	}
	return g.T(prefix + code)
}

func (g page) plan(pl dtm.Plan) string {
	if pl.Days == 0 {
		return g.T("plan.none")
	}
	// U+2060 keeps the hours on one line.
	return g.planDays(pl.Days) + " · " + dtm.Clock(pl.Start) + "\u2060–\u2060" + dtm.Clock(pl.End)
}

// planDays are the days of a plan, said in the shortest way.
func (g page) planDays(w dtm.Weekdays) string {
	var on, off []int // from Monday
	for i := range 7 {
		if w.Has(time.Weekday((i + 1) % 7)) {
			on = append(on, i)
		} else {
			off = append(off, i)
		}
	}
	name := func(i int) string { return g.T("weekday." + dtm.WeekdayCodes[(i+1)%7]) }
	switch {
	case len(off) == 0:
		return g.T("plan.daily")
	case len(off) == 1:
		return g.T("plan.but", name(off[0]))
	case len(on) > 2 && on[len(on)-1]-on[0] == len(on)-1:
		return g.T("plan.span", name(on[0]), name(on[len(on)-1]))
	}
	var list []string
	for _, i := range on {
		list = append(list, name(i))
	}
	return together(g.Lang, list)
}

func (g page) place(at dtm.Place) string {
	var out []string
	for _, code := range []string{at.Area, at.Area2} {
		if a, ok := g.p.Operation.Area(code); ok {
			out = append(out, a.Name.In(g.Lang))
		}
	}
	if at.Positioned {
		s := locale.Number(g.Lang, at.Lat, 4) + " ; " + locale.Number(g.Lang, at.Lon, 4)
		if at.Approximate {
			s = g.T("point.about", s)
		}
		out = append(out, s)
	}
	return strings.Join(slices.Compact(out), " · ")
}

type silenceRow struct {
	dtm.Silence
	Name, Text, Href string
}

// openSilences are the alerts that have not ended.
func (p *Pages) openSilences(ctx context.Context, g page) ([]silenceRow, error) {
	if p.Staff.Points == nil {
		return nil, nil
	}
	list, err := p.Staff.Points.Silences.Silences(ctx, p.civilToday())
	var out []silenceRow
	for _, s := range list {
		if s.Ended == nil {
			out = append(out, silenceRow{s, g.PointName(s.Point), g.T("silence.text", g.Day(s.Day), g.When(s.Due)), g.Link("/staff/points/" + url.PathEscape(s.Point))})
		}
	}
	return out, err
}

type pointLine struct {
	Code, Name, Href, Status, Role, Region, Plan, Last string
	Open                                               bool
	Records                                            int
}

type pointsView struct {
	page
	Silences []silenceRow
	Rows     []pointLine
	Map      drawing
	Message  string
	Typed    url.Values
	Roles    []option
	Regions  []option
	Today    string
	Reasons  string
}

// recent is how far back the pages about points look for records.
const recent = 30

func (p *Pages) points(w http.ResponseWriter, r *http.Request) error {
	return p.showPoints(w, r, http.StatusOK, "", url.Values{})
}

func (p *Pages) showPoints(w http.ResponseWriter, r *http.Request, status int, message string, typed url.Values) error {
	ctx, today := r.Context(), p.civilToday()
	v := pointsView{page: p.inside(r, "points", "point.title", "/points/"), Message: message, Typed: typed, Today: today.Format(time.DateOnly)}
	var err error
	if v.Silences, err = p.openSilences(ctx, v.page); err != nil {
		return err
	}
	days, err := p.Staff.Points.Arrivals.PointDays(ctx, dtm.Period{From: today.AddDate(0, 0, 1-recent), To: today.AddDate(0, 0, 1)})
	if err != nil {
		return err
	}
	records, last := map[string]int{}, map[string]time.Time{}
	for _, d := range days {
		records[d.Point] += d.Records
		if d.Last.After(last[d.Point]) {
			last[d.Point] = d.Last
		}
	}
	for _, pt := range p.Operation.Network() {
		line := pointLine{Code: pt.Code, Name: pt.Name.In(v.Lang), Href: v.Link("/staff/points/" + url.PathEscape(pt.Code)), Open: pt.OpenOn(today),
			Status: v.coded("status.", dtm.ValueAt(pt.Status, today)), Role: v.coded("role.", dtm.ValueAt(pt.Role, today)), Records: records[pt.Code], Last: v.When(last[pt.Code])}
		if a, ok := p.Operation.Area(pt.Area); ok {
			line.Region = a.Name.In(v.Lang)
		}
		if pl := pt.PlanAt(today); pl.Days != 0 {
			line.Plan = v.plan(pl)
		}
		v.Rows = append(v.Rows, line)
	}
	slices.SortStableFunc(v.Rows, func(a, b pointLine) int {
		if a.Open != b.Open {
			if a.Open {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	v.Map = p.network(v.page, "points-map", v.T("point.title"))
	v.Roles, v.Regions = p.roleOptions(v.page, typed.Get("role")), p.regionOptions(v.page, typed.Get("region"))
	return p.show(w, status, "points", v)
}

func (p *Pages) roleOptions(g page, chosen string) (out []option) {
	for _, role := range dtm.Roles {
		out = append(out, option{role, g.T("role." + role), role == chosen})
	}
	return out
}

func (p *Pages) regionOptions(g page, chosen string) []option {
	out := []option{{"", g.T("point.region.unknown"), chosen == ""}}
	for _, a := range p.Operation.Atlas().Areas {
		if a.Retired && a.Code != chosen {
			continue
		}
		name := a.Name.In(g.Lang)
		if a.Level > 1 {
			name = "– " + name
		}
		out = append(out, option{a.Code, name, a.Code == chosen})
	}
	return out
}

type historyRow struct {
	Seq                                int64
	Number                             string // of the event
	When, By, What, From, Says, Reason string
	Undone                             string // "" when it holds
}

type effectRow struct{ What, Days, Before, After, Movements string }

type pointView struct {
	page
	Code, Name               string
	There                    bool
	Facts                    [][2]string
	Timeline                 drawing
	History                  []historyRow
	Near                     template.HTML // where records were made
	Seen, Far                int
	MedianKm, MostKm         string
	FarRows                  []sightingRow
	Since                    string
	AllNear                  string // its submissions on the map of the country
	Edge                     int    // records farther off than the rings show
	Seq                      int64
	Today                    string
	Roles, Regions           []option
	Typed                    url.Values
	Message                  string
	Preview                  []effectRow
	Kind, KindSays           string
	Devices                  []option
	Silences                 []silenceRow
	Lat, Lon                 string
	PlanDays                 []option
	Start, End               string
	NameEN, NameFR, NameAR   string
	Changed                  bool
	IsOpen, Approximate      bool
	Crew                     string
	Nothing                  bool // the previewed change would change nothing
	PreviewFrom, PreviewText string
}

type sightingRow struct{ Href, Day, Km string }

func (p *Pages) pointPage(w http.ResponseWriter, r *http.Request) error {
	return p.showPoint(w, r, http.StatusOK, pointView{Typed: url.Values{}, Changed: r.URL.Query().Has("changed")})
}

func (p *Pages) showPoint(w http.ResponseWriter, r *http.Request, status int, v pointView) error {
	ctx, today := r.Context(), p.civilToday()
	v.Code = r.PathValue("code")
	v.page = p.inside(r, "points", "point.title", "/points/"+url.PathEscape(v.Code))
	register, err := p.Staff.Points.Points.Register(ctx)
	if err != nil {
		return err
	}
	pt, there := register.Point(v.Code, today)
	changes := register.Changes(v.Code)
	if !there && len(changes) == 0 && len(v.Preview) == 0 {
		return dtm.Errorf(dtm.NotFound, "there is no point %q", v.Code).Coded("point.none", v.Code)
	}
	v.There, v.Seq, v.Today = there, register.Latest(v.Code), today.Format(time.DateOnly)
	v.Name = cmp.Or(pt.Name.In(v.Lang), v.Code)
	v.Title = v.Name
	v.NameEN, v.NameFR, v.NameAR = pt.Name[dtm.English], pt.Name[dtm.French], pt.Name[dtm.Arabic]
	v.IsOpen = there && pt.OpenOn(today)
	at := pt.PlaceAt(today)
	if v.Approximate = at.Approximate; at.Positioned {
		v.Lat, v.Lon = strconv.FormatFloat(at.Lat, 'f', -1, 64), strconv.FormatFloat(at.Lon, 'f', -1, 64)
	}
	pl := pt.PlanAt(today)
	v.Start, v.End = "06:00", "18:00"
	if pl.Days != 0 {
		v.Start, v.End = dtm.Clock(pl.Start), dtm.Clock(pl.End)
	}
	for i := range 7 {
		d := time.Weekday((i + 1) % 7)
		v.PlanDays = append(v.PlanDays, option{dtm.WeekdayCodes[d], v.T("weekday." + dtm.WeekdayCodes[d]), pl.Days == 0 || pl.Days.Has(d)})
	}
	crew := pt.CrewAt(today)
	devices, err := p.Staff.Devices.Devices(ctx)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, d := range devices {
		names[d.ID] = d.Name
		if d.Revoked == nil {
			v.Devices = append(v.Devices, option{d.ID, d.Name, slices.Contains(crew.Devices, d.ID)})
		}
	}
	v.Crew = strings.Join(crew.Enumerators, ", ")
	v.Roles, v.Regions = p.roleOptions(v.page, dtm.ValueAt(pt.Role, today)), p.regionOptions(v.page, cmp.Or(at.Area2, at.Area))
	for _, f := range [][2]string{
		{v.T("word.status"), v.coded("status.", dtm.ValueAt(pt.Status, today))}, {v.T("word.role"), v.coded("role.", dtm.ValueAt(pt.Role, today))},
		{v.T("point.place"), v.place(at)}, {v.T("point.plan"), v.plan(pl)}, {v.T("point.crew"), v.crewText(crew, names)}, {v.T("point.aliases"), together(v.Lang, pt.Aliases)},
	} {
		if f[1] != "" && there {
			v.Facts = append(v.Facts, f)
		}
	}
	for _, c := range slices.Backward(changes) {
		h := historyRow{Seq: c.Seq, Number: strconv.FormatInt(c.Seq, 10), When: v.When(c.At), By: v.Who(c.Actor), What: v.T("event." + c.Kind), From: v.Day(c.From), Says: v.says(c, names), Reason: c.Reason}
		if len(c.Void) > 0 {
			h.Undone = v.T("point.undone_by", strconv.FormatInt(c.Void[0], 10))
		}
		v.History = append(v.History, h)
	}
	if there {
		v.Timeline = drawing{p.timeline(v.page, &pt, changes, today, narrow), p.timeline(v.page, &pt, changes, today, 640)}
		v.AllNear = v.Link("/staff/submissions/map?point=" + url.QueryEscape(v.Code))
		if err := p.sightings(ctx, &v, &pt, today); err != nil {
			return err
		}
	}
	all, err := p.openSilences(ctx, v.page)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Point == v.Code {
			v.Silences = append(v.Silences, s)
		}
	}
	return p.show(w, status, "point", v)
}

func (g page) crewText(c dtm.Crew, names map[string]string) string {
	var out []string
	for _, d := range c.Devices {
		out = append(out, cmp.Or(names[d], d))
	}
	return together(g.Lang, append(out, c.Enumerators...))
}

// says is what a change says, in the reader's language.
func (g page) says(c dtm.PointChange, names map[string]string) string {
	var out []string
	if c.Name != nil {
		out = append(out, c.Name.In(g.Lang))
	}
	out = append(out, g.coded("role.", c.Role))
	if c.Place != nil {
		out = append(out, g.place(*c.Place))
	}
	if c.Plan != nil {
		out = append(out, g.plan(*c.Plan))
	}
	if c.Crew != nil {
		out = append(out, g.crewText(*c.Crew, names))
	}
	out = append(out, c.Alias)
	if c.Undoes > 0 {
		out = append(out, g.T("point.undoes", strconv.FormatInt(c.Undoes, 10)))
	}
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return s == "" }), " · ")
}

// sightings draws where the records of the last days were made around the point.
func (p *Pages) sightings(ctx context.Context, v *pointView, pt *dtm.Point, today time.Time) error {
	from := today.AddDate(0, 0, 1-recent)
	v.Since = v.Day(from)
	list, err := p.Staff.Points.Arrivals.Sightings(ctx, pt.Code, dtm.Period{From: from, To: today.AddDate(0, 0, 1)}, 2000)
	if err != nil || !pt.Positioned {
		return err
	}
	type seen struct {
		dtm.Sighting
		km float64
	}
	var all []seen
	for _, s := range list {
		at := pt.PlaceAt(s.Day)
		all = append(all, seen{s, dtm.Kilometres(s.Lat, s.Lon, at.Lat, at.Lon)})
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b seen) int { return cmp.Compare(b.km, a.km) })
	v.Seen = len(all)
	v.MostKm, v.MedianKm = v.T("point.km", locale.Number(v.Lang, all[0].km, 1)), v.T("point.km", locale.Number(v.Lang, all[len(all)/2].km, 1))
	for _, s := range all {
		if s.km > farKm {
			v.Far++
			if len(v.FarRows) < 10 {
				v.FarRows = append(v.FarRows, sightingRow{v.Link("/staff/submissions/" + url.PathEscape(s.Submission)), v.Day(s.Day), v.T("point.km", locale.Number(v.Lang, s.km, 1))})
			}
		}
	}
	around := make([][2]float64, 0, len(all))
	for _, s := range all {
		around = append(around, [2]float64{check.East(pt.Lat, pt.Lon, s.Lon), check.North(pt.Lat, s.Lat)})
	}
	v.Near, v.Edge = nearby(v.page, around)
	return nil
}

// farKm is the distance from which a record is named: the rule position.far of points
// with a known position.
const farKm = 5

// changePoint shows what a change would do, or records it.
func (p *Pages) changePoint(w http.ResponseWriter, r *http.Request) error {
	ctx := event.WithActor(r.Context(), actor(r))
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read: %w", err).Coded("form.broken")
	}
	f, l := r.PostForm, p.guess(r)
	// A new point is opened at its own address, given with the form.
	fresh := f.Get("new") != ""
	if fresh {
		r.SetPathValue("code", strings.TrimSpace(f.Get("code")))
	}
	fail := func(err error) error {
		status, message := serve.Status(dtm.KindOf(err)), locale.Error(l, err)
		if dtm.KindOf(err) == dtm.Internal {
			return err
		}
		if fresh {
			return p.showPoints(w, r, status, message, f)
		}
		return p.showPoint(w, r, status, pointView{Message: message, Typed: f})
	}
	register, err := p.Staff.Points.Points.Register(ctx)
	if err != nil {
		return err
	}
	c, err := p.readChange(ctx, r.PathValue("code"), f)
	if err != nil {
		return fail(err)
	}
	if seen, err := strconv.ParseInt(f.Get("seen"), 10, 64); err == nil && register.Latest(c.Point) > seen {
		return fail(dtm.Errorf(dtm.Conflict, "somebody changed the point meanwhile").Coded("point.meanwhile"))
	}
	if err := register.Check(p.Operation, c, p.civilToday()); err != nil {
		return fail(err)
	}
	if f.Get("do") == "" {
		v := pointView{Typed: f, Kind: c.Kind, KindSays: p.page(l, "", "", "", nil).T("event." + c.Kind)}
		g := p.page(l, "", "", "", nil)
		effects := register.Effects(c)
		for _, e := range effects {
			row := effectRow{What: g.T("point.thing." + e.Thing), Days: g.spanText(e), Before: g.effect(e.Thing, &e.Before, e.From), After: g.effect(e.Thing, &e.After, e.From)}
			if e.Thing != dtm.ThingAlias {
				n, err := p.Staff.Points.Touched(ctx, e)
				if err != nil {
					return err
				}
				row.Movements = g.Number(int(n))
			}
			v.Preview = append(v.Preview, row)
		}
		v.Nothing = len(effects) == 0
		v.PreviewText = c.Reason
		return p.showPoint(w, r, http.StatusOK, v)
	}
	if c, err = p.Staff.Points.Points.ChangePoint(ctx, c); err != nil {
		return fail(err)
	}
	http.Redirect(w, r, "/"+string(l)+"/staff/points/"+url.PathEscape(c.Point)+"?changed=1", http.StatusSeeOther)
	return nil
}

// spanText is the days of an effect.
func (g page) spanText(e dtm.Effect) string {
	switch {
	case e.Thing == dtm.ThingAlias:
		return ""
	case e.From.IsZero() && e.Until.IsZero():
		return g.T("point.days.all")
	case e.From.IsZero():
		return g.T("point.days.until", g.Day(e.Until.AddDate(0, 0, -1)))
	case e.Until.IsZero():
		return g.T("point.days.from", g.Day(e.From))
	}
	return g.T("point.days.span", g.Day(e.From), g.Day(e.Until.AddDate(0, 0, -1)))
}

// effect is how a thing of a point is on a day.
func (g page) effect(thing string, pt *dtm.Point, day time.Time) string {
	s := ""
	switch thing {
	case dtm.ThingStatus:
		s = g.coded("status.", dtm.ValueAt(pt.Status, day))
	case dtm.ThingRole:
		s = g.coded("role.", dtm.ValueAt(pt.Role, day))
	case dtm.ThingName:
		s = pt.NameAt(day).In(g.Lang)
	case dtm.ThingPlace:
		s = g.place(pt.PlaceAt(day))
	case dtm.ThingPlan:
		s = g.plan(pt.PlanAt(day))
	case dtm.ThingCrew:
		s = g.crewText(pt.CrewAt(day), nil)
	case dtm.ThingAlias:
		s = together(g.Lang, pt.Aliases)
	}
	return cmp.Or(s, "–")
}

// readChange reads a change as the page's forms send it.
func (p *Pages) readChange(ctx context.Context, code string, f url.Values) (dtm.PointChange, error) {
	c := dtm.PointChange{Point: code, Kind: f.Get("kind"), Reason: strings.TrimSpace(f.Get("reason"))}
	if !slices.Contains(dtm.PointEvents, c.Kind) {
		return c, dtm.Errorf(dtm.Invalid, "%q is no change of a point", c.Kind).Coded("code.unknown", c.Kind, "kind")
	}
	if c.Kind != dtm.PointAliased && c.Kind != dtm.PointUndone {
		var err error
		if c.From, err = time.Parse(time.DateOnly, f.Get("from")); err != nil {
			return c, dtm.Errorf(dtm.Invalid, "%q is not a day", f.Get("from")).Coded("day.invalid", f.Get("from"))
		}
	}
	name := func() dtm.Text {
		t := dtm.Text{}
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			if s := strings.TrimSpace(f.Get("name_" + string(l))); s != "" {
				t[l] = s
			}
		}
		return t
	}
	place := func() (*dtm.Place, error) {
		at := dtm.Place{}
		if a, ok := p.Operation.Area(f.Get("region")); ok && a.Level == 1 {
			at.Area = a.Code
		} else if ok {
			at.Area, at.Area2 = a.Parent, a.Code
		}
		if f.Get("lat") != "" || f.Get("lon") != "" {
			var err error
			if at.Lat, at.Lon, err = dtm.ParsePosition(f.Get("lat"), f.Get("lon")); err != nil {
				return nil, err
			}
			at.Positioned, at.Approximate = true, f.Get("approximate") != ""
		}
		return &at, nil
	}
	var err error
	switch c.Kind {
	case dtm.PointOpened:
		if f.Get("new") != "" {
			c.Name, c.Role = name(), f.Get("role")
			c.Place, err = place()
			if len(c.Name) == 0 {
				c.Name = dtm.Text{dtm.English: ""} // a new point; the check names what is missing
			}
		}
	case dtm.PointRenamed:
		c.Name = name()
	case dtm.PointMoved:
		c.Place, err = place()
	case dtm.PointRoleSet:
		c.Role = f.Get("role")
	case dtm.PointPlanned:
		var pl dtm.Plan
		pl, err = dtm.NewPlan(strings.Join(f["days"], ","), f.Get("start"), f.Get("end"))
		c.Plan = &pl
	case dtm.PointAliased:
		c.Alias = strings.TrimSpace(f.Get("alias"))
	case dtm.PointAssigned:
		var crew dtm.Crew
		crew, err = p.Staff.Points.Crew(ctx, f["device"], strings.FieldsFunc(f.Get("enumerators"), func(r rune) bool { return r == ',' || r == ' ' }))
		c.Crew = &crew
	case dtm.PointUndone:
		c.Undoes, _ = strconv.ParseInt(f.Get("undoes"), 10, 64)
	}
	return c, err
}

func (p *Pages) dismissSilence(w http.ResponseWriter, r *http.Request) error {
	day, err := time.Parse(time.DateOnly, r.PostFormValue("day"))
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "%q is not a day", r.PostFormValue("day")).Coded("day.invalid", r.PostFormValue("day"))
	}
	code, reason := r.PathValue("code"), strings.TrimSpace(r.PostFormValue("reason"))
	if reason == "" {
		return p.showPoint(w, r, http.StatusUnprocessableEntity, pointView{Message: p.page(p.guess(r), "", "", "", nil).T("silence.reason.missing"), Typed: url.Values{}})
	}
	if err := p.Staff.Points.Silences.EndSilence(event.WithActor(r.Context(), actor(r)), dtm.Silence{Point: code, Day: day}, reason); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/points/"+url.PathEscape(code), http.StatusSeeOther)
	return nil
}

// MayChange tells whether the reader changes points.
func (g page) MayChange() bool { return access.Decide(g.User, access.ChangePoints) == nil }

// timeline draws a point over the years: bands of status and role, and a mark for each
// other change that holds.
func (p *Pages) timeline(g page, pt *dtm.Point, changes []dtm.PointChange, today time.Time, width float64) template.HTML {
	first := today.AddDate(-2, 0, 0)
	for _, list := range [][]dtm.Dated{pt.Status, pt.Role} {
		for _, d := range list {
			if !d.From.IsZero() && d.From.Before(first) {
				first = d.From
			}
		}
	}
	first = time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(today.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
	const left, band = 4.0, 30.0
	x := func(t time.Time) float64 {
		return left + (width-2*left)*t.Sub(first).Hours()/last.Sub(first).Hours()
	}
	type mark struct {
		at   float64
		says string
	}
	var marks []mark
	for _, c := range changes {
		switch c.Kind {
		case dtm.PointMoved, dtm.PointRenamed, dtm.PointPlanned, dtm.PointAssigned:
			if len(c.Void) == 0 && !c.From.IsZero() && c.From.After(first) && c.From.Before(last) {
				marks = append(marks, mark{x(c.From), g.T("event."+c.Kind) + " · " + g.Day(c.From)})
			}
		}
	}
	high := 2*band + 14
	if len(marks) > 0 {
		high += 18
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="line" viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, high+20, template.HTMLEscapeString(g.T("point.timeline.alt", g.PointName(pt.Code))))
	for i, list := range [][]dtm.Dated{pt.Status, pt.Role} {
		prefix := []string{"status.", "role."}[i]
		y := float64(i)*(band+6) + 2
		for k, d := range list {
			from, until := d.From, last
			if from.Before(first) {
				from = first
			}
			if k+1 < len(list) {
				until = list[k+1].From
			}
			w := x(until) - x(from)
			if w <= 0 {
				continue
			}
			word := template.HTMLEscapeString(g.T(prefix + d.Value))
			fmt.Fprintf(&b, `<g class="v-%s"><rect x="%.1f" y="%g" width="%.1f" height="%g"/>`, template.HTMLEscapeString(d.Value), x(from), y, w, band)
			fmt.Fprintf(&b, `<title>%s</title>`, template.HTMLEscapeString(g.T(prefix+d.Value)+" · "+g.Day(d.From)))
			if w > float64(len([]rune(word)))*7+8 {
				fmt.Fprintf(&b, `<text x="%.1f" y="%g">%s</text>`, x(from)+5, y+20, word)
			}
			b.WriteString(`</g>`)
		}
	}
	every := max(1, int(math.Ceil(float64(last.Year()-first.Year())*58/width)))
	for y := first.Year(); y < last.Year(); y += every {
		at := x(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC))
		fmt.Fprintf(&b, `<path class="tick" d="M%.1f 0V%g"/><text class="year" x="%.1f" y="%g">%d</text>`, at, high, at+2, high+12, y)
	}
	for _, m := range marks {
		fmt.Fprintf(&b, `<path class="mark-change" d="M%.1f %gl5 5l-5 5l-5 -5z"><title>%s</title></path>`, m.at, 2*band+13, template.HTMLEscapeString(m.says))
	}
	fmt.Fprintf(&b, `<path class="now" d="M%.1f 0V%g"/></svg>`, x(today), high)
	return template.HTML(b.String()) //nolint:gosec // our own drawing, words escaped
}

// nearby draws records around their point, with rings of kilometres as wide as nineteen
// of twenty need; east and north in kilometres. Those farther off stand, hollow, at the
// edge in their direction: how many is given too.
func nearby(g page, around [][2]float64) (drawn template.HTML, edge int) {
	far := make([]float64, 0, len(around))
	for _, at := range around {
		far = append(far, math.Hypot(at[0], at[1]))
	}
	slices.Sort(far)
	most := min(20, max(0.25, 1.15*far[(len(far)-1)*19/20]))
	const size = 320.0
	scale := (size/2 - 12) / most
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="near" viewBox="0 0 %g %g" role="img" aria-label="%s">`, size, size, template.HTMLEscapeString(g.T("point.near.alt", len(around))))
	rings := 0
	for _, km := range []float64{20, 10, 5, 2, 1, 0.5, 0.2, 0.1} {
		if km > most*1.02 || rings == 3 {
			continue
		}
		rings++
		digits := 0
		if km < 1 {
			digits = 1
		}
		fmt.Fprintf(&b, `<circle class="ring" cx="%g" cy="%g" r="%.1f"/><text x="%g" y="%.1f">%s</text>`, size/2, size/2, km*scale, size/2+3, size/2-km*scale+11, template.HTMLEscapeString(g.T("point.km", locale.Number(g.Lang, km, digits))))
	}
	for _, at := range around {
		d, class := math.Hypot(at[0], at[1]), "dot"
		if k := (size/2 - 5) / scale; d > k {
			at[0], at[1], class = at[0]*k/d, at[1]*k/d, "dot beyond"
			edge++
		}
		fmt.Fprintf(&b, `<circle class="%s" cx="%.1f" cy="%.1f" r="3"/>`, class, size/2+at[0]*scale, size/2-at[1]*scale)
	}
	fmt.Fprintf(&b, `<path class="mid" d="M%g %gh12m-6 -6v12"/></svg>`, size/2-6, size/2)
	return template.HTML(b.String()), edge //nolint:gosec // our own drawing, words escaped
}
