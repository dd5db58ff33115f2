package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/locale"
)

// asOf is a state of the register: of which event, and how it shows a day.
type asOf struct {
	on  *string
	seq *int64
}

func asOfFlags(fs *flag.FlagSet) asOf {
	return asOf{
		fs.String("on", "", "`day` that is shown, YYYY-MM-DD; today when left out"),
		fs.Int64("seq", 0, "`number` of the event after which the register is shown; the newest when left out"),
	}
}

func (a asOf) read(ctx context.Context, h *house) (*dtm.Register, time.Time, error) {
	day := h.today()
	if *a.on != "" {
		var err error
		if day, err = civilDay(*a.on); err != nil {
			return nil, day, err
		}
	}
	r, err := h.Register(ctx)
	if err == nil && *a.seq > 0 {
		r = r.AsOf(*a.seq)
	}
	return r, day, err
}

func civilDay(s string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return d, dtm.Errorf(dtm.Invalid, "%q is not a day; write YYYY-MM-DD", s).Coded("day.invalid", s)
	}
	return d, nil
}

func runPointList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	at := asOfFlags(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	r, day, err := at.read(ctx, h)
	if err != nil {
		return err
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "code\tname\tstatus\trole\tregion\tplan\tchanges")
	for _, p := range r.On(day) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", p.Code, p.Name.In(l), saidOf("status.", dtm.ValueAt(p.Status, day), l), saidOf("role.", dtm.ValueAt(p.Role, day), l),
			p.Area, p.PlanAt(day), len(r.Changes(p.Code)))
	}
	return w.Flush()
}

func saidOf(prefix, code string, l dtm.Lang) string {
	if code == "" {
		return "-"
	}
	return locale.Say(l, prefix+code)
}

func runPointShow(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	at := asOfFlags(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	r, day, err := at.read(ctx, h)
	if err != nil {
		return err
	}
	code := args[0]
	if known, ok := h.op.ResolvePoint(code); ok {
		code = known
	}
	p, ok := r.Point(code, day)
	changes := r.Changes(code)
	if !ok && len(changes) == 0 {
		return noPoint(args[0])
	}
	l := dtm.Lang(*lang)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	if ok {
		fmt.Fprintf(w, "code\t%s\nname\t%s\n", p.Code, strings.Join(names(p.Name), " · "))
		fmt.Fprintf(w, "status\t%s\nrole\t%s\n", history(p.Status, "status.", l), history(p.Role, "role.", l))
		fmt.Fprintf(w, "place\t%s\n", placeText(p.PlaceAt(day)))
		fmt.Fprintf(w, "plan\t%s\n", p.PlanAt(day))
		crew := p.CrewAt(day)
		fmt.Fprintf(w, "devices\t%s\nenumerators\t%s\n", orDash(strings.Join(crew.Devices, ", ")), orDash(strings.Join(crew.Enumerators, ", ")))
		fmt.Fprintf(w, "aliases\t%s\n", orDash(strings.Join(p.Aliases, ", ")))
	}
	if err := w.Flush(); err != nil || len(changes) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nevent\trecorded\tby\twhat\tfrom\tsays\treason")
	for _, x := range changes {
		from := "-"
		if !x.From.IsZero() {
			from = x.From.Format(time.DateOnly)
		}
		says := changeText(x, l)
		if len(x.Void) > 0 {
			says += fmt.Sprintf(" (undone by %d)", x.Void[0])
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Seq, x.At.In(h.op.Zone).Format("2006-01-02 15:04"), x.Actor, locale.Say(l, "event."+x.Kind), from, says, orDash(x.Reason))
	}
	return w.Flush()
}

func noPoint(code string) error {
	return dtm.Errorf(dtm.NotFound, "there is no point %q; `dtm point list` shows them", code).Coded("point.none", code)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func names(t dtm.Text) (out []string) {
	for _, l := range locale.Languages {
		if n := t[l]; n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func history(list []dtm.Dated, prefix string, l dtm.Lang) string {
	var out []string
	for _, d := range list {
		s := saidOf(prefix, d.Value, l)
		if !d.From.IsZero() {
			s += " from " + d.From.Format(time.DateOnly)
		}
		out = append(out, s)
	}
	return orDash(strings.Join(out, ", "))
}

func placeText(p dtm.Place) string {
	out := []string{}
	if p.Positioned {
		s := fmt.Sprintf("%g, %g", p.Lat, p.Lon)
		if p.Approximate {
			s = "about " + s
		}
		out = append(out, s)
	}
	for _, a := range []string{p.Area, p.Area2} {
		if a != "" {
			out = append(out, a)
		}
	}
	return orDash(strings.Join(out, " · "))
}

// changeText is what a change says, without its day.
func changeText(x dtm.PointChange, l dtm.Lang) string {
	var out []string
	if x.Name != nil {
		out = append(out, strings.Join(names(x.Name), " · "))
	}
	if x.Role != "" {
		out = append(out, saidOf("role.", x.Role, l))
	}
	if x.Place != nil {
		out = append(out, placeText(*x.Place))
	}
	if x.Plan != nil {
		out = append(out, x.Plan.String())
	}
	if x.Crew != nil {
		out = append(out, orDash(strings.Join(append(slices.Clone(x.Crew.Devices), x.Crew.Enumerators...), ", ")))
	}
	if x.Alias != "" {
		out = append(out, x.Alias)
	}
	if x.Undoes > 0 {
		out = append(out, fmt.Sprint(x.Undoes))
	}
	return orDash(strings.Join(out, "; "))
}

// changing is what all commands that change a point share.
type changing struct {
	data, from, reason *string
	dry                *bool
}

func (c *call) changeFlags(fs *flag.FlagSet) changing {
	return changing{
		data:   c.dataFlag(fs),
		from:   fs.String("from", "", "first `day` that it holds, YYYY-MM-DD; \"ever\" for all days"),
		reason: fs.String("reason", "", "why, for those who read the history"),
		dry:    fs.Bool("n", false, "say what would change, and change nothing"),
	}
}

// change records what make says of the point, or with -n only says what it would do.
func (c *call) change(ctx context.Context, g changing, code string, make func(h *house, x *dtm.PointChange) error) error {
	h, done, err := c.open(ctx, *g.data)
	if err != nil {
		return err
	}
	defer done()
	x := dtm.PointChange{Point: code, Reason: *g.reason}
	if known, ok := h.op.ResolvePoint(code); ok {
		x.Point = known
	}
	switch *g.from {
	case "", "ever":
	default:
		if x.From, err = civilDay(*g.from); err != nil {
			return err
		}
	}
	if err := make(h, &x); err != nil {
		return err
	}
	if *g.from == "" && x.Kind != dtm.PointAliased && x.Kind != dtm.PointUndone {
		return wrongUse("-from is missing: the first day that it holds, or ever")
	}
	r, err := h.Register(ctx)
	if err != nil {
		return err
	}
	if err := r.Check(h.op, x, h.today()); err != nil {
		return err
	}
	effects := r.Effects(x)
	if !*g.dry {
		if x, err = h.ChangePoint(ctx, x); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "event %d: %s, %s\n", x.Seq, x.Point, locale.Say(dtm.English, "event."+x.Kind))
	}
	return c.printEffects(ctx, h, effects)
}

// printEffects says what changes on which days, and how many movements were observed
// at the point on them.
func (c *call) printEffects(ctx context.Context, h *house, list []dtm.Effect) error {
	if len(list) == 0 {
		fmt.Fprintln(c.err, "this changes nothing: a later entry holds")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "what\tfrom\tuntil\tbefore\tafter\tmovements on these days")
	for _, e := range list {
		n, err := h.touched(ctx, e)
		if err != nil {
			return err
		}
		from, until := "ever", "-"
		if !e.From.IsZero() {
			from = e.From.Format(time.DateOnly)
		}
		if !e.Until.IsZero() {
			until = e.Until.AddDate(0, 0, -1).Format(time.DateOnly)
		}
		if e.Thing == dtm.ThingAlias {
			from = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Thing, from, until, effectText(e.Thing, &e.Before, e.From), effectText(e.Thing, &e.After, e.From), locale.Number(dtm.English, float64(n), 0))
	}
	return w.Flush()
}

func effectText(thing string, p *dtm.Point, day time.Time) string {
	switch thing {
	case dtm.ThingStatus:
		return saidOf("status.", dtm.ValueAt(p.Status, day), dtm.English)
	case dtm.ThingRole:
		return saidOf("role.", dtm.ValueAt(p.Role, day), dtm.English)
	case dtm.ThingName:
		return orDash(strings.Join(names(p.NameAt(day)), " · "))
	case dtm.ThingPlace:
		return placeText(p.PlaceAt(day))
	case dtm.ThingPlan:
		return p.PlanAt(day).String()
	case dtm.ThingCrew:
		crew := p.CrewAt(day)
		return orDash(strings.Join(append(slices.Clone(crew.Devices), crew.Enumerators...), ", "))
	}
	return orDash(strings.Join(p.Aliases, ", "))
}

// touched is how many movements were observed at the effect's point on its days.
func (h *house) touched(ctx context.Context, e dtm.Effect) (int64, error) {
	code := e.After.Code
	if code == "" {
		code = e.Before.Code
	}
	if _, ok := h.op.Point(code); !ok || e.Thing == dtm.ThingAlias {
		return 0, nil
	}
	if err := h.current(ctx); err != nil {
		return 0, err
	}
	all, err := h.figures.Span(ctx)
	if err != nil || all.From.IsZero() {
		return 0, err
	}
	if e.From.After(all.From) {
		all.From = e.From
	}
	if !e.Until.IsZero() && e.Until.Before(all.To) {
		all.To = e.Until
	}
	if !all.From.Before(all.To) {
		return 0, nil
	}
	t, err := h.figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: all, Where: map[string][]string{"point": {code}}})
	if err != nil || len(t.Figures) == 0 {
		return 0, err
	}
	return t.Figures[0].People, nil
}

type pointFlags struct {
	en, fr, ar, area, area2, lat, lon, role, days, hours *string
	approximate                                          *bool
}

func nameFlags(fs *flag.FlagSet, f *pointFlags) {
	f.en, f.fr, f.ar = fs.String("en", "", "`name` in English"), fs.String("fr", "", "`name` in French; the English one when left out"), fs.String("ar", "", "`name` in Arabic")
}

func placeFlags(fs *flag.FlagSet, f *pointFlags) {
	f.lat, f.lon = fs.String("lat", "", "latitude in `degrees`"), fs.String("lon", "", "longitude in `degrees`")
	f.area, f.area2 = fs.String("region", "", "`P-code` of the region"), fs.String("area", "", "`P-code` of the area within the region")
	f.approximate = fs.Bool("approximate", false, "the position is of the town, not of the point")
}

func planFlags(fs *flag.FlagSet, f *pointFlags) {
	f.days = fs.String("days", "", "planned `days`: daily, mon-fri, mon,wed,sat, none")
	f.hours = fs.String("hours", "", "planned `hours`: 06:00-18:00; 18:00-06:00 runs over midnight")
}

func (f *pointFlags) name() dtm.Text {
	t := dtm.Text{}
	for l, s := range map[dtm.Lang]string{dtm.English: *f.en, dtm.French: *f.fr, dtm.Arabic: *f.ar} {
		if s != "" {
			t[l] = s
		}
	}
	if len(t) == 0 {
		return nil
	}
	for _, l := range []dtm.Lang{dtm.English, dtm.French} {
		if t[l] == "" {
			t[l] = t.In(l)
		}
	}
	return t
}

// place is where the flags say; nil when they say nothing. What they leave out stays
// as it was.
func (f *pointFlags) place(op *dtm.Operation, was dtm.Place) (*dtm.Place, error) {
	if *f.lat == "" && *f.lon == "" && *f.area == "" && *f.area2 == "" {
		return nil, nil
	}
	at := was
	if *f.lat != "" || *f.lon != "" {
		var err error
		if at.Lat, at.Lon, err = dtm.ParsePosition(*f.lat, *f.lon); err != nil {
			return nil, err
		}
		at.Positioned, at.Approximate = true, *f.approximate
	}
	if *f.area != "" {
		at.Area, at.Area2 = *f.area, ""
	}
	if *f.area2 != "" {
		at.Area2 = *f.area2
		if a, ok := op.Area(at.Area2); ok && *f.area == "" {
			at.Area = a.Parent
		}
	}
	return &at, nil
}

func (f *pointFlags) plan() (*dtm.Plan, error) {
	if *f.days == "" && *f.hours == "" {
		return nil, nil
	}
	days := *f.days
	if days == "" {
		days = "daily"
	}
	start, end, _ := strings.Cut(*f.hours, "-")
	p, err := dtm.NewPlan(days, start, end)
	return &p, err
}

func runPointOpen(ctx context.Context, c *call) error {
	fs := c.flags()
	g, f := c.changeFlags(fs), &pointFlags{}
	nameFlags(fs, f)
	placeFlags(fs, f)
	planFlags(fs, f)
	f.role = fs.String("role", "", strings.Join(dtm.Roles, ", "))
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(h *house, x *dtm.PointChange) error {
		x.Kind, x.Name, x.Role = dtm.PointOpened, f.name(), *f.role
		if x.Place, err = f.place(h.op, dtm.Place{}); err != nil {
			return err
		}
		if x.Name == nil && (x.Place != nil || x.Role != "") {
			return wrongUse("a point that is there already is moved with `dtm point move` and gets a role with `dtm point role`; a new one needs a name: -en, -fr")
		}
		x.Plan, err = f.plan()
		return err
	})
}

func runPointClose(ctx context.Context, c *call) error {
	fs := c.flags()
	g := c.changeFlags(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind = dtm.PointClosed
		return nil
	})
}

func runPointMove(ctx context.Context, c *call) error {
	fs := c.flags()
	g, f := c.changeFlags(fs), &pointFlags{}
	placeFlags(fs, f)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(h *house, x *dtm.PointChange) error {
		x.Kind = dtm.PointMoved
		p, _ := h.op.Point(x.Point)
		x.Place, err = f.place(h.op, p.PlaceAt(x.From))
		return err
	})
}

func runPointRename(ctx context.Context, c *call) error {
	fs := c.flags()
	g, f := c.changeFlags(fs), &pointFlags{}
	nameFlags(fs, f)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind, x.Name = dtm.PointRenamed, f.name()
		return nil
	})
}

func runPointRole(ctx context.Context, c *call) error {
	fs := c.flags()
	g := c.changeFlags(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind, x.Role = dtm.PointRoleSet, args[1]
		return nil
	})
}

func runPointPlan(ctx context.Context, c *call) error {
	fs := c.flags()
	g, f := c.changeFlags(fs), &pointFlags{}
	planFlags(fs, f)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind = dtm.PointPlanned
		x.Plan, err = f.plan()
		return err
	})
}

func runPointAlias(ctx context.Context, c *call) error {
	fs := c.flags()
	g := c.changeFlags(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind, x.Alias, x.From = dtm.PointAliased, args[1], time.Time{}
		return nil
	})
}

func runPointAssign(ctx context.Context, c *call) error {
	fs := c.flags()
	g := c.changeFlags(fs)
	devices := fs.String("devices", "", "`names` of the phones, separated by commas")
	people := fs.String("enumerators", "", "`addresses` of the users, separated by commas")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	return c.change(ctx, g, args[0], func(h *house, x *dtm.PointChange) error {
		x.Kind = dtm.PointAssigned
		crew, err := h.crew(ctx, listed(*devices), listed(*people))
		x.Crew = &crew
		return err
	})
}

// crew finds devices by their names or ids and users by their addresses.
func (h *house) crew(ctx context.Context, devices, people []string) (dtm.Crew, error) {
	var crew dtm.Crew
	known, err := h.db.Devices(ctx)
	if err != nil {
		return crew, err
	}
	for _, name := range devices {
		i := slices.IndexFunc(known, func(d dtm.Device) bool { return d.Revoked == nil && (d.Name == name || d.ID == name) })
		if i < 0 {
			return crew, dtm.Errorf(dtm.NotFound, "there is no device %q; `dtm device list` shows them", name).Coded("device.none", name)
		}
		crew.Devices = append(crew.Devices, known[i].ID)
	}
	for _, email := range people {
		u, _, err := h.db.User(ctx, strings.ToLower(email))
		if err != nil {
			return crew, err
		}
		crew.Enumerators = append(crew.Enumerators, u.Email)
	}
	return crew, nil
}

func runPointUndo(ctx context.Context, c *call) error {
	fs := c.flags()
	g := c.changeFlags(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	var seq int64
	if _, err := fmt.Sscan(args[1], &seq); err != nil || seq < 1 {
		return wrongUse("%q is no number of an event; `dtm point show %s` lists them", args[1], args[0])
	}
	return c.change(ctx, g, args[0], func(_ *house, x *dtm.PointChange) error {
		x.Kind, x.Undoes, x.From = dtm.PointUndone, seq, time.Time{}
		return nil
	})
}
