package central

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"dtm"
	"dtm/access"
	"dtm/serve"
)

// Points answers for the register of points, which ODK Central has not: the commands
// and checks of the pages, as JSON.
type Points struct {
	Register dtm.Points
	// Crew finds devices by names or ids and users by addresses.
	Crew func(ctx context.Context, devices, people []string) (dtm.Crew, error)
	// Touched is how many movements were observed at an effect's point on its days.
	Touched func(ctx context.Context, e dtm.Effect) (int64, error)
	// Today is the civil day in the operation's zone.
	Today func() time.Time
}

func (h *Handler) pointRoutes(route func(string, access.Action, serve.Func)) {
	route("GET "+base+"/points", access.ReadSubmissions, h.points)
	route("GET "+base+"/points/{code}", access.ReadSubmissions, h.point)
	route("GET "+base+"/points/{code}/changes", access.ReadSubmissions, h.pointChanges)
	route("POST "+base+"/points/{code}/changes", access.ChangePoints, h.changePoint)
}

type pointJSON struct {
	Code        string     `json:"code"`
	Name        dtm.Text   `json:"name"`
	Status      string     `json:"status"`
	Role        string     `json:"role"`
	Place       dtm.Place  `json:"place"`
	Plan        dtm.Plan   `json:"plan"`
	Devices     []string   `json:"devices"`     // ids
	Enumerators []string   `json:"enumerators"` // addresses of users
	Aliases     []string   `json:"aliases"`
	StatusFrom  []sinceOut `json:"statusFrom,omitempty"` // of one point: each value with its first day
	RoleFrom    []sinceOut `json:"roleFrom,omitempty"`
	Seen        int64      `json:"seen"` // its latest change
}

type sinceOut struct {
	From  string `json:"from"` // "": since ever
	Value string `json:"value"`
}

func civil(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (h *Handler) pointOut(r *dtm.Register, p *dtm.Point, day time.Time) pointJSON {
	crew := p.CrewAt(day)
	return pointJSON{Code: p.Code, Name: p.NameAt(day), Status: dtm.ValueAt(p.Status, day), Role: dtm.ValueAt(p.Role, day), Place: p.PlaceAt(day), Plan: p.PlanAt(day),
		Devices: list(crew.Devices), Enumerators: list(crew.Enumerators), Aliases: list(p.Aliases), Seen: r.Latest(p.Code)}
}

// list is a list that is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// register is the register as of the event and the day that the address asks for: seq
// and on.
func (h *Handler) register(r *http.Request) (*dtm.Register, time.Time, error) {
	day := h.Points.Today()
	q := r.URL.Query()
	if s := q.Get("on"); s != "" {
		var err error
		if day, err = readDay(s); err != nil {
			return nil, day, err
		}
	}
	reg, err := h.Points.Register.Register(r.Context())
	if err != nil {
		return nil, day, err
	}
	if s := q.Get("seq"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return nil, day, dtm.Errorf(dtm.Invalid, "seq takes a whole number, 0 or more, not %q", s).At("seq").Coded("central.number", "seq", s)
		}
		reg = reg.AsOf(n)
	}
	return reg, day, nil
}

func readDay(s string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return d, dtm.Errorf(dtm.Invalid, "%q is not a day; write YYYY-MM-DD", s).Coded("day.invalid", s)
	}
	return d, nil
}

func (h *Handler) points(w http.ResponseWriter, r *http.Request) error {
	reg, day, err := h.register(r)
	if err != nil {
		return err
	}
	out := []pointJSON{}
	points := reg.On(day)
	for i := range points {
		out = append(out, h.pointOut(reg, &points[i], day))
	}
	return answer(w, out)
}

func noPoint(code string) error {
	return dtm.Errorf(dtm.NotFound, "there is no point %q", code).Coded("point.none", code)
}

func (h *Handler) point(w http.ResponseWriter, r *http.Request) error {
	reg, day, err := h.register(r)
	if err != nil {
		return err
	}
	p, ok := reg.Point(r.PathValue("code"), day)
	if !ok {
		return noPoint(r.PathValue("code"))
	}
	out := h.pointOut(reg, &p, day)
	for _, d := range p.Status {
		out.StatusFrom = append(out.StatusFrom, sinceOut{civil(d.From), d.Value})
	}
	for _, d := range p.Role {
		out.RoleFrom = append(out.RoleFrom, sinceOut{civil(d.From), d.Value})
	}
	return answer(w, out)
}

// changeJSON is a change of the register, as it is sent and as it is given back. Kind is
// the command's name.
type changeJSON struct {
	Seq    int64      `json:"seq,omitempty"`
	At     string     `json:"at,omitempty"`
	Actor  string     `json:"actor,omitempty"`
	Kind   string     `json:"kind"`
	From   string     `json:"from,omitempty"` // day; "ever" for all days
	Reason string     `json:"reason,omitempty"`
	Name   dtm.Text   `json:"name,omitempty"`
	Place  *placeJSON `json:"place,omitempty"`
	Role   string     `json:"role,omitempty"`
	Plan   *dtm.Plan  `json:"plan,omitempty"`
	Alias  string     `json:"alias,omitempty"`

	Devices     []string `json:"devices,omitempty"` // names or ids
	Enumerators []string `json:"enumerators,omitempty"`

	Undoes int64   `json:"undoes,omitempty"`
	Undone []int64 `json:"undoneBy,omitempty"`
}

// placeJSON is a place of which what is left out stays as it was.
type placeJSON struct {
	Area        *string  `json:"area,omitempty"`
	Area2       *string  `json:"area2,omitempty"`
	Lon         *float64 `json:"lon,omitempty"`
	Lat         *float64 `json:"lat,omitempty"`
	Approximate bool     `json:"approximate,omitempty"`
}

// pointKinds are the events of the register by the names of their commands.
var pointKinds = map[string]string{
	"open": dtm.PointOpened, "close": dtm.PointClosed, "move": dtm.PointMoved, "rename": dtm.PointRenamed, "role": dtm.PointRoleSet,
	"plan": dtm.PointPlanned, "alias": dtm.PointAliased, "assign": dtm.PointAssigned, "undo": dtm.PointUndone,
}

func changeOut(c dtm.PointChange) changeJSON {
	out := changeJSON{Seq: c.Seq, Actor: c.Actor, From: civil(c.From), Reason: c.Reason, Name: c.Name, Role: c.Role, Plan: c.Plan, Alias: c.Alias, Undoes: c.Undoes, Undone: c.Void}
	if !c.At.IsZero() {
		out.At = instant(c.At)
	}
	for name, event := range pointKinds {
		if event == c.Kind {
			out.Kind = name
		}
	}
	if c.From.IsZero() && c.Kind != dtm.PointAliased && c.Kind != dtm.PointUndone {
		out.From = "ever"
	}
	if c.Place != nil {
		p := *c.Place
		out.Place = &placeJSON{Approximate: p.Approximate}
		if p.Area != "" {
			out.Place.Area = &p.Area
		}
		if p.Area2 != "" {
			out.Place.Area2 = &p.Area2
		}
		if p.Positioned {
			out.Place.Lon, out.Place.Lat = &p.Lon, &p.Lat
		}
	}
	if c.Crew != nil {
		out.Devices, out.Enumerators = list(c.Crew.Devices), list(c.Crew.Enumerators)
	}
	return out
}

func (h *Handler) pointChanges(w http.ResponseWriter, r *http.Request) error {
	reg, day, err := h.register(r)
	if err != nil {
		return err
	}
	code := r.PathValue("code")
	changes := reg.Changes(code)
	if _, ok := reg.Point(code, day); !ok && len(changes) == 0 {
		return noPoint(code)
	}
	out := []changeJSON{}
	for _, c := range changes {
		out = append(out, changeOut(c))
	}
	return answer(w, out)
}

type effectJSON struct {
	Thing     string `json:"thing"`
	From      string `json:"from"`  // "": since ever
	Until     string `json:"until"` // last day; "": without end
	Before    any    `json:"before"`
	After     any    `json:"after"`
	Movements int64  `json:"movements"` // observed at the point on these days
}

func thing(name string, p *dtm.Point, day time.Time) any {
	switch name {
	case dtm.ThingStatus:
		return dtm.ValueAt(p.Status, day)
	case dtm.ThingRole:
		return dtm.ValueAt(p.Role, day)
	case dtm.ThingName:
		return p.NameAt(day)
	case dtm.ThingPlace:
		return p.PlaceAt(day)
	case dtm.ThingPlan:
		return p.PlanAt(day)
	case dtm.ThingCrew:
		return p.CrewAt(day)
	}
	return list(p.Aliases)
}

// changePoint records a change, or with "try" only says what it would do. "seen" is the
// latest change of the point that the caller knows: 409 when there is one after it.
func (h *Handler) changePoint(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var body struct {
		changeJSON
		Seen *int64
		Try  bool
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	reg, err := h.Points.Register.Register(ctx)
	if err != nil {
		return err
	}
	c, err := h.readPointChange(ctx, reg, r.PathValue("code"), body.changeJSON)
	if err != nil {
		return err
	}
	if last := reg.Latest(c.Point); body.Seen != nil && last > *body.Seen {
		return dtm.Errorf(dtm.Conflict, "somebody changed the point meanwhile (event %d); look again, then repeat the change", last).Coded("point.meanwhile")
	}
	if err := reg.Check(h.Operation, c, h.Points.Today()); err != nil {
		return err
	}
	effects := []effectJSON{}
	for _, e := range reg.Effects(c) {
		x := effectJSON{Thing: e.Thing, From: civil(e.From), Before: thing(e.Thing, &e.Before, e.From), After: thing(e.Thing, &e.After, e.From)}
		if !e.Until.IsZero() {
			x.Until = civil(e.Until.AddDate(0, 0, -1))
		}
		if e.Thing != dtm.ThingAlias {
			if x.Movements, err = h.Points.Touched(ctx, e); err != nil {
				return err
			}
		}
		effects = append(effects, x)
	}
	if !body.Try {
		if c, err = h.Points.Register.ChangePoint(ctx, c); err != nil {
			return err
		}
	}
	return answer(w, struct {
		Change  changeJSON   `json:"change"`
		Effects []effectJSON `json:"effects"`
	}{changeOut(c), effects})
}

func (h *Handler) readPointChange(ctx context.Context, reg *dtm.Register, code string, b changeJSON) (dtm.PointChange, error) {
	c := dtm.PointChange{Point: code, Kind: pointKinds[b.Kind], Reason: b.Reason, Name: b.Name, Role: b.Role, Plan: b.Plan, Alias: b.Alias, Undoes: b.Undoes}
	if c.Kind == "" {
		return c, dtm.Errorf(dtm.Invalid, "%q is no change of a point: want open, close, move, rename, role, plan, alias, assign or undo", b.Kind).At("kind").Coded("code.unknown", b.Kind, "kind")
	}
	switch {
	case b.From == "" && c.Kind != dtm.PointAliased && c.Kind != dtm.PointUndone:
		return c, dtm.Errorf(dtm.Invalid, "say from which day").At("from").Coded("point.from")
	case b.From == "" || b.From == "ever":
	default:
		var err error
		if c.From, err = readDay(b.From); err != nil {
			return c, err
		}
	}
	if len(b.Name) > 0 {
		for _, l := range h.Operation.Languages {
			if l != dtm.Arabic && b.Name[l] == "" {
				b.Name[l] = b.Name.In(l) // as the command does
			}
		}
	}
	if b.Place != nil {
		at := dtm.Place{}
		if p, ok := reg.Point(code, c.From); ok && c.Kind == dtm.PointMoved {
			at = p.PlaceAt(c.From)
		}
		if b.Place.Area != nil {
			at.Area, at.Area2 = *b.Place.Area, ""
		}
		if b.Place.Area2 != nil {
			at.Area2 = *b.Place.Area2
			if a, ok := h.Operation.Area(at.Area2); ok && b.Place.Area == nil {
				at.Area = a.Parent
			}
		}
		if (b.Place.Lon == nil) != (b.Place.Lat == nil) {
			return c, dtm.Errorf(dtm.Invalid, "a position is latitude and longitude").At("place").Coded("point.degrees", "")
		}
		if b.Place.Lon != nil {
			at.Lon, at.Lat, at.Positioned, at.Approximate = *b.Place.Lon, *b.Place.Lat, true, b.Place.Approximate
		}
		c.Place = &at
	}
	if c.Kind == dtm.PointAssigned {
		crew, err := h.Points.Crew(ctx, b.Devices, b.Enumerators)
		if err != nil {
			return c, err
		}
		c.Crew = &crew
	}
	return c, nil
}
