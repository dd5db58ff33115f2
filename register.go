package dtm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Names of the events of points. The subject is the point's code, the detail the
// whole change: the log is the register.
const (
	PointOpened   = "point.opened" // also a new one
	PointClosed   = "point.closed"
	PointMoved    = "point.moved"
	PointRenamed  = "point.renamed"
	PointRoleSet  = "point.role"
	PointPlanned  = "point.planned"
	PointAliased  = "point.aliased"
	PointAssigned = "point.assigned"
	PointUndone   = "point.undone" // another change is as if it had never been made
)

// PointEvents lists them.
var PointEvents = []string{PointOpened, PointClosed, PointMoved, PointRenamed, PointRoleSet, PointPlanned, PointAliased, PointAssigned, PointUndone}

// PointChange is one entry of the register of points. It is never altered: a
// mistake is corrected by another change from the same day, or undone by a change
// that names it.
type PointChange struct {
	Seq   int64 // of the event
	At    time.Time
	Actor string

	Point  string
	Kind   string    // PointOpened ...
	From   time.Time // first civil day that it holds; zero: since ever
	Reason string

	Name   Text   // PointRenamed, and PointOpened of a new point
	Place  *Place // PointMoved, and PointOpened of a new point
	Role   string // PointRoleSet, and PointOpened of a new point
	Plan   *Plan  // PointPlanned, PointOpened
	Alias  string // PointAliased; a spelling means the point whatever the day
	Crew   *Crew  // PointAssigned
	Undoes int64  // PointUndone

	Void []int64 // filled by a Register: the undoing changes that hold
}

// New tells whether the change brings a point that was not there.
func (c PointChange) New() bool { return c.Kind == PointOpened && len(c.Name) > 0 }

type pointDetail struct {
	From   string `json:"from,omitempty"`
	Reason string `json:"reason,omitempty"`
	Name   Text   `json:"name,omitempty"`
	Place  *Place `json:"place,omitempty"`
	Role   string `json:"role,omitempty"`
	Plan   *Plan  `json:"plan,omitempty"`
	Alias  string `json:"alias,omitempty"`
	Crew   *Crew  `json:"crew,omitempty"`
	Undoes int64  `json:"undoes,omitempty"`
}

// Detail writes what the change says as the detail of its event.
func (c PointChange) Detail() string {
	d := pointDetail{"", c.Reason, c.Name, c.Place, c.Role, c.Plan, c.Alias, c.Crew, c.Undoes}
	if !c.From.IsZero() {
		d.From = c.From.Format(time.DateOnly)
	}
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // a position is checked to be a number before
	}
	return string(b)
}

// ReadPointChange reads an event of a point: Invalid when its detail is none.
func ReadPointChange(e Event) (PointChange, error) {
	var d pointDetail
	c := PointChange{Seq: e.Seq, At: e.At, Actor: e.Actor, Point: e.Subject, Kind: e.Name}
	err := json.Unmarshal([]byte(e.Detail), &d)
	if err == nil && d.From != "" {
		c.From, err = time.Parse(time.DateOnly, d.From)
	}
	if err != nil {
		return c, Errorf(Invalid, "event %d is no change of a point: %w", e.Seq, err)
	}
	c.Reason, c.Name, c.Place, c.Role, c.Plan, c.Alias, c.Crew, c.Undoes = d.Reason, d.Name, d.Place, d.Role, d.Plan, d.Alias, d.Crew, d.Undoes
	return c, nil
}

// Register is the points of an operation through time: what the pack declares, and
// every change since. It is never altered; With and AsOf give others.
//
// Of the changes of one thing (status, name, place, role, plan, crew) each holds
// from its day until the day of the next, whichever was recorded first; of two from
// the same day the one recorded last holds.
type Register struct {
	initial []Point
	changes []PointChange // in the order of recording
}

// NewRegister joins what the pack declares with changes in the order of recording.
func NewRegister(initial []Point, changes []PointChange) *Register {
	r := &Register{initial: initial, changes: slices.Clone(changes)}
	// From the last to the first: a change that undoes comes after what it undoes, so
	// that it is known whether it holds itself.
	undone := map[int64][]int64{}
	for i := len(r.changes) - 1; i >= 0; i-- {
		c := &r.changes[i]
		c.Void = undone[c.Seq]
		if c.Kind == PointUndone && len(c.Void) == 0 {
			undone[c.Undoes] = append(undone[c.Undoes], c.Seq)
		}
	}
	return r
}

// AsOf is the register as it was after event seq.
func (r *Register) AsOf(seq int64) *Register {
	n, _ := slices.BinarySearchFunc(r.changes, seq+1, func(c PointChange, s int64) int { return cmp.Compare(c.Seq, s) })
	return NewRegister(r.initial, r.changes[:n])
}

// With is the register with one more change at its end: what it would be.
func (r *Register) With(c PointChange) *Register {
	if c.Seq == 0 {
		c.Seq = r.Seq() + 1
	}
	return NewRegister(r.initial, append(slices.Clone(r.changes), c))
}

// Seq is the number of the latest change, 0 when there is none.
func (r *Register) Seq() int64 {
	if n := len(r.changes); n > 0 {
		return r.changes[n-1].Seq
	}
	return 0
}

// Changes lists the changes of a point ("" for all), oldest first, those that do
// not hold any more with what undid them.
func (r *Register) Changes(point string) []PointChange {
	return slices.DeleteFunc(slices.Clone(r.changes), func(c PointChange) bool { return point != "" && c.Point != point })
}

// Latest is the number of a point's latest change, 0 when there is none.
func (r *Register) Latest(point string) int64 {
	for i := len(r.changes) - 1; i >= 0; i-- {
		if r.changes[i].Point == point {
			return r.changes[i].Seq
		}
	}
	return 0
}

// On gives the points with the names, areas and positions of a day. The order is
// that of the pack; points that came later follow by code.
func (r *Register) On(day time.Time) []Point {
	by := map[string][]PointChange{}
	known := map[string]bool{}
	for _, p := range r.initial {
		known[p.Code] = true
	}
	var later []string
	for _, c := range r.changes {
		if len(c.Void) > 0 || c.Kind == PointUndone {
			continue
		}
		by[c.Point] = append(by[c.Point], c)
		if c.New() && !known[c.Point] {
			known[c.Point] = true
			later = append(later, c.Point)
		}
	}
	slices.Sort(later)
	out := make([]Point, 0, len(r.initial)+len(later))
	for _, p := range r.initial {
		out = append(out, fold(p, by[p.Code], day))
	}
	for _, code := range later {
		out = append(out, fold(Point{Code: code}, by[code], day))
	}
	return out
}

// Point gives one point with the name, areas and position of a day.
func (r *Register) Point(code string, day time.Time) (Point, bool) {
	for _, p := range r.On(day) {
		if p.Code == code {
			return p, true
		}
	}
	return Point{}, false
}

func fold(p Point, changes []PointChange, day time.Time) Point {
	status, role := since(p.Status), since(p.Role)
	if p.Name != nil && len(p.Names) == 0 {
		p.Names = []Since[Text]{{Value: p.Name}}
		p.Places = []Since[Place]{{Value: p.PlaceAt(day)}}
	}
	p.Aliases = slices.Clone(p.Aliases)
	for _, c := range changes {
		switch c.Kind {
		case PointOpened:
			status = put(status, c.From, Open)
			if c.New() {
				p.Names = put(p.Names, time.Time{}, c.Name)
			}
			if c.New() && c.Place != nil {
				p.Places = put(p.Places, time.Time{}, *c.Place)
			}
			if c.New() && c.Role != "" {
				role = put(role, time.Time{}, c.Role)
			}
			if c.Plan != nil {
				p.Plans = put(p.Plans, c.From, *c.Plan)
			}
		case PointClosed:
			status = put(status, c.From, Closed)
		case PointMoved:
			p.Places = put(p.Places, c.From, *c.Place)
		case PointRenamed:
			p.Names = put(p.Names, c.From, c.Name)
		case PointRoleSet:
			role = put(role, c.From, c.Role)
		case PointPlanned:
			p.Plans = put(p.Plans, c.From, *c.Plan)
		case PointAssigned:
			p.Crews = put(p.Crews, c.From, *c.Crew)
		case PointAliased:
			if !slices.Contains(p.Aliases, c.Alias) {
				p.Aliases = append(p.Aliases, c.Alias)
			}
		}
	}
	p.Status, p.Role = dated(status), dated(role)
	p.Name = p.NameAt(day)
	at := p.PlaceAt(day)
	p.Area, p.Area2, p.Lon, p.Lat, p.Positioned, p.Approximate = at.Area, at.Area2, at.Lon, at.Lat, at.Positioned, at.Approximate
	return p
}

// put gives the list with the value from the day, in the order of days.
func put[T any](list []Since[T], from time.Time, v T) []Since[T] {
	i, found := slices.BinarySearchFunc(list, from, func(s Since[T], t time.Time) int { return s.From.Compare(t) })
	list = slices.Clone(list)
	if found {
		list[i].Value = v
		return list
	}
	return slices.Insert(list, i, Since[T]{from, v})
}

func since(list []Dated) []Since[string] {
	out := make([]Since[string], 0, len(list))
	for _, d := range list {
		out = append(out, Since[string](d))
	}
	return out
}

func dated(list []Since[string]) []Dated {
	if len(list) == 0 {
		return nil
	}
	out := make([]Dated, 0, len(list))
	for _, s := range list {
		out = append(out, Dated(s))
	}
	return out
}

var pointCode = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Check tells what is wrong with a change that is to follow: Invalid with the
// place, NotFound for a point or a change that is not there, Conflict when it says
// nothing new.
func (r *Register) Check(op *Operation, c PointChange, today time.Time) error {
	p, known := r.Point(c.Point, today)
	switch {
	case !known && c.Kind != PointOpened && c.Kind != PointUndone:
		return Errorf(NotFound, "there is no point %q; `dtm point list` shows them", c.Point).Coded("point.none", c.Point)
	case !known && c.Kind == PointOpened && !c.New():
		return Errorf(NotFound, "there is no point %q; to open a new one, give its name", c.Point).Coded("point.new_name", c.Point)
	case known && c.New():
		return Errorf(Conflict, "there is a point %q already; to rename it, use `dtm point rename`", c.Point).Coded("point.exists", c.Point)
	case !known && !pointCode.MatchString(c.Point) && c.Kind == PointOpened:
		return Errorf(Invalid, "the code %q: want lower-case letters, digits and hyphens, for example ali-sabieh", c.Point).Coded("point.code", c.Point)
	}
	if y := c.From.Year(); !c.From.IsZero() && (y < 1990 || y > 2100) {
		return Errorf(Invalid, "the date %s cannot be right", c.From.Format(time.DateOnly)).Coded("point.date", c.From.Format(time.DateOnly))
	}
	if c.From.IsZero() && (c.Kind == PointOpened || c.Kind == PointClosed) {
		return Errorf(Invalid, "say from which day").Coded("point.from")
	}
	if c.Name != nil {
		for _, l := range op.Languages {
			if l != Arabic && Fold(c.Name[l]) == "" {
				return Errorf(Invalid, "the name in %q is missing", l).Coded("point.name", string(l))
			}
		}
		for _, n := range c.Name {
			if err := r.free(n, c.Point, today); err != nil {
				return err
			}
		}
	}
	if c.New() {
		if err := r.free(c.Point, c.Point, today); err != nil {
			return err
		}
	}
	if c.Place != nil {
		if err := checkPlace(op, *c.Place); err != nil {
			return err
		}
	}
	switch c.Kind {
	case PointOpened, PointRoleSet:
		if c.Role != "" && !slices.Contains(Roles, c.Role) || c.Role == "" && c.Kind == PointRoleSet {
			return Errorf(Invalid, "the role %q: want one of %s", c.Role, strings.Join(Roles, ", ")).Coded("point.role", c.Role, strings.Join(Roles, ", "))
		}
	case PointMoved:
		if c.Place == nil {
			return Errorf(Invalid, "say where to").Coded("point.place")
		}
	case PointRenamed:
		if c.Name == nil {
			return Errorf(Invalid, "say the new name").Coded("point.name", string(op.Languages[0]))
		}
	case PointPlanned:
		if c.Plan == nil {
			return Errorf(Invalid, "say the planned days and hours").Coded("point.plan")
		}
	case PointAssigned:
		if c.Crew == nil {
			return Errorf(Invalid, "say who is assigned").Coded("point.crew")
		}
	case PointAliased:
		if Fold(c.Alias) == "" {
			return Errorf(Invalid, "the spelling %q has no letters", c.Alias).Coded("point.alias", c.Alias)
		}
		return r.free(c.Alias, c.Point, today)
	case PointUndone:
		return r.checkUndo(c, today)
	}
	if c.Kind == PointOpened && known && ValueAt(p.Status, c.From) == Open && c.Plan == nil {
		return Errorf(Conflict, "%s is open on that day already", c.Point).Coded("point.open_already", c.Point)
	}
	if c.Kind == PointClosed && ValueAt(p.Status, c.From) != Open && len(p.Status) > 0 {
		return Errorf(Conflict, "%s is not open on that day", c.Point).Coded("point.closed_already", c.Point)
	}
	if c.Kind == PointRoleSet && ValueAt(p.Role, c.From) == c.Role {
		return Errorf(Conflict, "%s has that role on that day already", c.Point).Coded("point.role_already", c.Point)
	}
	return nil
}

// Roles lists the roles of a point.
var Roles = []string{RoleEntry, RoleTransit, RoleExit, RoleReturn}

func (r *Register) checkUndo(c PointChange, today time.Time) error {
	i, found := slices.BinarySearchFunc(r.changes, c.Undoes, func(x PointChange, s int64) int { return cmp.Compare(x.Seq, s) })
	switch {
	case !found || r.changes[i].Point != c.Point:
		return Errorf(NotFound, "event %d is no change of the point %q; `dtm point show` lists them", c.Undoes, c.Point).Coded("point.no_change", c.Undoes, c.Point)
	case len(r.changes[i].Void) > 0:
		return Errorf(Conflict, "event %d is undone already, by event %d", c.Undoes, r.changes[i].Void[0]).Coded("point.undone_already", c.Undoes)
	}
	// What comes back must not mean another point meanwhile.
	after := r.With(c)
	for _, p := range after.On(today) {
		if p.Code != c.Point {
			continue
		}
		for s := range p.Spellings {
			if err := after.free(s, c.Point, today); err != nil {
				return err
			}
		}
	}
	return nil
}

// free is a Conflict when the spelling means another point.
func (r *Register) free(spelling, code string, today time.Time) error {
	key := Fold(spelling)
	if key == "" {
		return nil
	}
	for _, p := range r.On(today) {
		if p.Code == code {
			continue
		}
		for s := range p.Spellings {
			if Fold(s) == key {
				return Errorf(Conflict, "%q means the point %q already", spelling, p.Code).Coded("point.taken", spelling, p.Code)
			}
		}
	}
	return nil
}

func checkPlace(op *Operation, at Place) error {
	if math.IsNaN(at.Lon) || math.IsNaN(at.Lat) || math.Abs(at.Lon) > 180 || math.Abs(at.Lat) > 90 {
		return Errorf(Invalid, "the position %g, %g: want degrees, latitude within 90 and longitude within 180", at.Lat, at.Lon).Coded("point.position", fmt.Sprintf("%g, %g", at.Lat, at.Lon))
	}
	for level, code := range []string{at.Area, at.Area2} {
		if a, ok := op.Area(code); code != "" && (!ok || a.Retired || a.Level != level+1) {
			return Errorf(Invalid, "the P-code %q is no area of level %d", code, level+1).Coded("point.area", code, level+1)
		}
	}
	if at.Area2 != "" && !strings.HasPrefix(at.Area2, at.Area) {
		return Errorf(Invalid, "the area %q does not lie in the region %q", at.Area2, at.Area).Coded("point.area_in", at.Area2, at.Area)
	}
	return nil
}

// PointRegister keeps the register of points.
type PointRegister interface {
	// PointChanges lists the changes up to event seq, oldest first; 0: all.
	PointChanges(ctx context.Context, seq int64) ([]PointChange, error)
	// ChangePoint adds a change and returns it with its number: Conflict when the
	// register has one after seen, the latest that the caller looked at.
	ChangePoint(ctx context.Context, c PointChange, seen int64) (PointChange, error)
}

// Points is the register as rooms use it: a change is checked, recorded, and
// followed at once by all that holds the operation.
type Points interface {
	// Register is the register as it is now.
	Register(ctx context.Context) (*Register, error)
	// ChangePoint adds a change and returns it with its number: an error of
	// Register.Check, or Conflict when somebody else changes the points at the same
	// moment.
	ChangePoint(ctx context.Context, c PointChange) (PointChange, error)
}
