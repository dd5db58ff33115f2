package dtm_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"dtm"
)

func civil(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func pack() []dtm.Point {
	return []dtm.Point{
		{Code: "gate", Name: dtm.Text{"en": "Gate"}, Area: "AL01", Role: []dtm.Dated{{Value: dtm.RoleEntry}}, Status: []dtm.Dated{{From: civil("2020-01-01"), Value: dtm.Open}}},
		{Code: "port", Name: dtm.Text{"en": "Port"}, Aliases: []string{"Harbour"}, Role: []dtm.Dated{{Value: dtm.RoleExit}}},
	}
}

var roles = []string{dtm.RoleEntry, dtm.RoleTransit, dtm.RoleExit, dtm.RoleReturn}

// random gives changes of both points; no two of one thing from the same day when
// apart is set.
func random(r *rand.Rand, n int, apart bool) []dtm.PointChange {
	var out []dtm.PointChange
	taken := map[string]bool{}
	for len(out) < n {
		c := dtm.PointChange{Point: []string{"gate", "port"}[r.IntN(2)], From: civil("2024-01-01").AddDate(0, 0, r.IntN(200))}
		thing := ""
		switch r.IntN(6) {
		case 0:
			c.Kind, thing = dtm.PointOpened, "status"
		case 1:
			c.Kind, thing = dtm.PointClosed, "status"
		case 2:
			c.Kind, c.Role, thing = dtm.PointRoleSet, roles[r.IntN(4)], "role"
		case 3:
			c.Kind, c.Name, thing = dtm.PointRenamed, dtm.Text{"en": string(rune('A' + r.IntN(26)))}, "name"
		case 4:
			c.Kind, c.Place, thing = dtm.PointMoved, &dtm.Place{Area: "AL01", Lon: r.Float64(), Positioned: true}, "place"
		case 5:
			c.Kind, c.Plan, thing = dtm.PointPlanned, &dtm.Plan{Days: dtm.Weekdays(1 + r.IntN(127)), Start: time.Hour, End: 9 * time.Hour}, "plan"
		}
		key := c.Point + thing + c.From.String()
		if apart && taken[key] {
			continue
		}
		taken[key] = true
		out = append(out, c)
	}
	return numbered(out)
}

// numbered gives changes the numbers of events, with gaps as the log has them.
func numbered(list []dtm.PointChange) []dtm.PointChange {
	out := slices.Clone(list)
	for i := range out {
		out[i].Seq = int64(3*i + 5)
	}
	return out
}

func same(t *testing.T, what string, a, b *dtm.Register) {
	t.Helper()
	for _, day := range []string{"2019-01-01", "2024-02-01", "2024-05-05", "2030-01-01"} {
		if x, y := a.On(civil(day)), b.On(civil(day)); !reflect.DeepEqual(x, y) {
			t.Fatalf("%s, on %s:\n%+v\n%+v", what, day, x, y)
		}
	}
}

// What holds on a day does not depend on the order of recording, as long as no two
// changes of one thing are from the same day.
func TestRegisterOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		list := random(r, 1+r.IntN(12), true)
		shuffled := slices.Clone(list)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		same(t, "shuffled", dtm.NewRegister(pack(), list), dtm.NewRegister(pack(), numbered(shuffled)))
	}
}

// The state as of an event is that of the changes up to it, whatever came later.
func TestRegisterAsOf(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		list := random(r, 1+r.IntN(12), false)
		for range 3 { // undo some, and some of the undoing
			k := list[r.IntN(len(list))]
			list = append(list, dtm.PointChange{Seq: list[len(list)-1].Seq + 2, Point: k.Point, Kind: dtm.PointUndone, Undoes: k.Seq})
		}
		n := r.IntN(len(list) + 1)
		whole, seq := dtm.NewRegister(pack(), list), int64(0)
		if n > 0 {
			seq = list[n-1].Seq
		}
		same(t, "as of", whole.AsOf(seq), dtm.NewRegister(pack(), list[:n]))
		if n < len(list) {
			same(t, "just before the next", whole.AsOf(list[n].Seq-1), dtm.NewRegister(pack(), list[:n]))
		}
		same(t, "as of its end", whole.AsOf(whole.Seq()), whole)
	}
}

// A change that is undone is as if it had not been made; undoing that brings it back.
func TestRegisterUndo(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		list := random(r, 1+r.IntN(12), false)
		i := r.IntN(len(list))
		without := slices.Delete(slices.Clone(list), i, i+1)
		undo := dtm.PointChange{Seq: 1000, Point: list[i].Point, Kind: dtm.PointUndone, Undoes: list[i].Seq}
		again := dtm.PointChange{Seq: 1001, Point: list[i].Point, Kind: dtm.PointUndone, Undoes: 1000}
		whole := dtm.NewRegister(pack(), list)
		same(t, "undone", whole.With(undo), dtm.NewRegister(pack(), without))
		same(t, "brought back", whole.With(undo).With(again), whole)
	}
}

// A correction from the same day takes the place of the entry it corrects, and of
// nothing else.
func TestRegisterCorrection(t *testing.T) {
	t.Parallel()
	change := func(seq int64, from, role string) dtm.PointChange {
		return dtm.PointChange{Seq: seq, Point: "gate", Kind: dtm.PointRoleSet, From: civil(from), Role: role}
	}
	r := dtm.NewRegister(pack(), []dtm.PointChange{
		change(1, "2024-06-01", dtm.RoleExit),
		change(2, "2024-03-01", dtm.RoleTransit), // an earlier day, recorded later
		change(3, "2024-06-01", dtm.RoleReturn),  // a correction of the first
	})
	for day, want := range map[string]string{"2024-02-29": dtm.RoleEntry, "2024-03-01": dtm.RoleTransit, "2024-05-31": dtm.RoleTransit, "2024-06-01": dtm.RoleReturn} {
		p, _ := r.Point("gate", civil(day))
		if got := dtm.ValueAt(p.Role, civil(day)); got != want {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
	p, _ := r.AsOf(2).Point("gate", civil("2024-07-01"))
	if got := dtm.ValueAt(p.Role, civil("2024-07-01")); got != dtm.RoleExit {
		t.Errorf("as of event 2: %s", got)
	}
}

func TestRegisterDetail(t *testing.T) {
	t.Parallel()
	for _, c := range []dtm.PointChange{
		{Kind: dtm.PointOpened, From: civil("2024-01-02"), Name: dtm.Text{"en": "New", "fr": "Nouveau"}, Place: &dtm.Place{Area: "AL01", Lon: 42.5, Lat: 11, Positioned: true}, Role: dtm.RoleEntry, Plan: &dtm.Plan{Days: 0b0111110, Start: 18 * time.Hour, End: 6 * time.Hour}},
		{Kind: dtm.PointPlanned, Plan: &dtm.Plan{}},
		{Kind: dtm.PointAssigned, Crew: &dtm.Crew{Devices: []string{"d1"}, Enumerators: []string{"a@example.org"}}, Reason: "rotation"},
		{Kind: dtm.PointUndone, Undoes: 7},
		{Kind: dtm.PointAliased, Alias: "Gueliléh"},
	} {
		c.Seq, c.Point, c.Actor, c.At = 9, "gate", "user:a@example.org", time.Unix(1e9, 0).UTC()
		got, err := dtm.ReadPointChange(dtm.Event{Seq: 9, At: c.At, Name: c.Kind, Subject: "gate", Actor: c.Actor, Detail: c.Detail()})
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %+v, %v, want %+v", c.Detail(), got, err, c)
		}
	}
	if _, err := dtm.ReadPointChange(dtm.Event{Detail: `{"from":"yesterday"}`}); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("a wrong day: %v", err)
	}
}

func TestRegisterCheck(t *testing.T) {
	t.Parallel()
	op := &dtm.Operation{Languages: []dtm.Lang{"en"}, Areas: []dtm.Area{{Code: "AL01", Level: 1}, {Code: "AL0101", Parent: "AL01", Level: 2}, {Code: "AL02", Level: 1}}}
	today := civil("2024-06-01")
	r := dtm.NewRegister(pack(), []dtm.PointChange{
		{Seq: 3, Point: "gate", Kind: dtm.PointAliased, Alias: "Portal"},
		{Seq: 4, Point: "gate", Kind: dtm.PointUndone, Undoes: 3},
		{Seq: 5, Point: "port", Kind: dtm.PointAliased, Alias: "portal"},
	})
	day := civil("2024-05-01")
	for name, c := range map[string]struct {
		change dtm.PointChange
		want   dtm.Kind
	}{
		"no such point":           {dtm.PointChange{Point: "well", Kind: dtm.PointClosed, From: day}, dtm.NotFound},
		"new without a name":      {dtm.PointChange{Point: "well", Kind: dtm.PointOpened, From: day}, dtm.NotFound},
		"new with a bad code":     {dtm.PointChange{Point: "The Well", Kind: dtm.PointOpened, From: day, Name: dtm.Text{"en": "Well"}}, dtm.Invalid},
		"new with a taken name":   {dtm.PointChange{Point: "well", Kind: dtm.PointOpened, From: day, Name: dtm.Text{"en": "HARBOUR"}}, dtm.Conflict},
		"new without a day":       {dtm.PointChange{Point: "well", Kind: dtm.PointOpened, Name: dtm.Text{"en": "Well"}}, dtm.Invalid},
		"new in a wrong area":     {dtm.PointChange{Point: "well", Kind: dtm.PointOpened, From: day, Name: dtm.Text{"en": "Well"}, Place: &dtm.Place{Area: "AL02", Area2: "AL0101"}}, dtm.Invalid},
		"new where one is":        {dtm.PointChange{Point: "gate", Kind: dtm.PointOpened, From: day, Name: dtm.Text{"en": "Well"}}, dtm.Conflict},
		"open already":            {dtm.PointChange{Point: "gate", Kind: dtm.PointOpened, From: day}, dtm.Conflict},
		"a role that is none":     {dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: day, Role: "boss"}, dtm.Invalid},
		"the same role":           {dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: day, Role: dtm.RoleEntry}, dtm.Conflict},
		"off the earth":           {dtm.PointChange{Point: "gate", Kind: dtm.PointMoved, From: day, Place: &dtm.Place{Lat: 91, Positioned: true}}, dtm.Invalid},
		"a spelling of another":   {dtm.PointChange{Point: "gate", Kind: dtm.PointAliased, Alias: "harbour"}, dtm.Conflict},
		"a spelling of nothing":   {dtm.PointChange{Point: "gate", Kind: dtm.PointAliased, Alias: "-"}, dtm.Invalid},
		"undo of nothing":         {dtm.PointChange{Point: "gate", Kind: dtm.PointUndone, Undoes: 99}, dtm.NotFound},
		"undo of another's":       {dtm.PointChange{Point: "gate", Kind: dtm.PointUndone, Undoes: 5}, dtm.NotFound},
		"undone already":          {dtm.PointChange{Point: "gate", Kind: dtm.PointUndone, Undoes: 3}, dtm.Conflict},
		"back, but taken":         {dtm.PointChange{Point: "gate", Kind: dtm.PointUndone, Undoes: 4}, dtm.Conflict},
		"an impossible year":      {dtm.PointChange{Point: "gate", Kind: dtm.PointClosed, From: civil("0202-06-01")}, dtm.Invalid},
		"closed before it opened": {dtm.PointChange{Point: "gate", Kind: dtm.PointClosed, From: civil("2019-06-01")}, dtm.Conflict},
	} {
		if err := r.Check(op, c.change, today); err == nil || dtm.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, c := range map[string]dtm.PointChange{
		"new":           {Point: "well", Kind: dtm.PointOpened, From: day, Name: dtm.Text{"en": "Well"}, Role: dtm.RoleEntry, Place: &dtm.Place{Area: "AL01", Area2: "AL0101"}},
		"close":         {Point: "gate", Kind: dtm.PointClosed, From: day},
		"role":          {Point: "gate", Kind: dtm.PointRoleSet, From: day, Role: dtm.RoleExit},
		"role for ever": {Point: "gate", Kind: dtm.PointRoleSet, Role: dtm.RoleExit},
		"alias":         {Point: "gate", Kind: dtm.PointAliased, Alias: "Gateway"},
		"own name":      {Point: "gate", Kind: dtm.PointRenamed, From: day, Name: dtm.Text{"en": "The gate"}},
		"undo":          {Point: "port", Kind: dtm.PointUndone, Undoes: 5},
	} {
		if err := r.Check(op, c, today); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("EAT", 3*3600)
	for _, c := range []struct{ days, start, end, want, span string }{
		{"daily", "06:00", "18:00", "daily 06:00-18:00", "2024-06-01T06:00:00+03:00 2024-06-01T18:00:00+03:00"},
		{"fri-sun", "18:00", "06:00", "fri,sat,sun 18:00-06:00", "2024-06-01T18:00:00+03:00 2024-06-02T06:00:00+03:00"},
		{"mon,sat", "00:00", "24:00", "mon,sat 00:00-24:00", "2024-06-01T00:00:00+03:00 2024-06-02T00:00:00+03:00"},
		{"", "", "", "none", ""},
	} {
		p, err := dtm.NewPlan(c.days, c.start, c.end)
		if err != nil || p.String() != c.want {
			t.Errorf("%v: %s, %v", c, p, err)
			continue
		}
		if c.span == "" {
			continue
		}
		a, b := p.Span(civil("2024-06-01"), zone)
		if got := a.Format(time.RFC3339) + " " + b.Format(time.RFC3339); got != c.span || b.Sub(a) != p.Duration() {
			t.Errorf("%v: %s, %v", c, got, p.Duration())
		}
	}
	for _, bad := range [][3]string{{"someday", "06:00", "18:00"}, {"daily", "6", "18:00"}, {"daily", "06:00", "25:00"}, {"mon-", "06:00", "07:00"}} {
		if _, err := dtm.NewPlan(bad[0], bad[1], bad[2]); dtm.KindOf(err) != dtm.Invalid || err == nil {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestOpenThroughout(t *testing.T) {
	t.Parallel()
	p := dtm.Point{Status: []dtm.Dated{{From: civil("2024-01-15"), Value: dtm.Open}, {From: civil("2024-06-10"), Value: dtm.Closed}, {From: civil("2024-07-01"), Value: dtm.Open}}}
	for months, want := range map[[2]int]bool{{1, 2}: false, {2, 5}: true, {2, 6}: false, {6, 6}: false, {7, 9}: true, {5, 8}: false} {
		at := dtm.Months(dtm.Month{Year: 2024, Month: time.Month(months[0])}, dtm.Month{Year: 2024, Month: time.Month(months[1])})
		if p.OpenThroughout(at) != want {
			t.Errorf("%v: %v", months, !want)
		}
	}
	if unsaid := (dtm.Point{}); !unsaid.OpenThroughout(dtm.Period{From: civil("2024-01-01"), To: civil("2025-01-01")}) {
		t.Error("a point of which nothing is said counts as closed")
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	r := dtm.NewRegister(pack(), []dtm.PointChange{
		{Seq: 1, Point: "gate", Kind: dtm.PointRoleSet, From: civil("2024-06-01"), Role: dtm.RoleExit},
	})
	say := func(list []dtm.Effect) (out []string) {
		for _, e := range list {
			day := func(d time.Time) string {
				if d.IsZero() {
					return "-"
				}
				return d.Format(time.DateOnly)
			}
			s := e.Thing + " " + day(e.From) + " " + day(e.Until)
			if e.Thing == dtm.ThingRole {
				s += " " + dtm.ValueAt(e.Before.Role, e.From) + ">" + dtm.ValueAt(e.After.Role, e.From)
			}
			out = append(out, s)
		}
		return out
	}
	for name, c := range map[string]struct {
		change dtm.PointChange
		want   []string
	}{
		"until the next": {dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: civil("2024-03-01"), Role: dtm.RoleTransit}, []string{"role 2024-03-01 2024-06-01 entry>transit"}},
		"without end":    {dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: civil("2024-07-01"), Role: dtm.RoleEntry}, []string{"role 2024-07-01 - exit>entry"}},
		"undone":         {dtm.PointChange{Point: "gate", Kind: dtm.PointUndone, Undoes: 1}, []string{"role 2024-06-01 - exit>entry"}},
		"nothing new":    {dtm.PointChange{Point: "gate", Kind: dtm.PointRoleSet, From: civil("2024-08-01"), Role: dtm.RoleExit}, nil},
		"closed":         {dtm.PointChange{Point: "gate", Kind: dtm.PointClosed, From: civil("2024-08-01")}, []string{"status 2024-08-01 -"}},
		"alias":          {dtm.PointChange{Point: "gate", Kind: dtm.PointAliased, Alias: "Portal"}, []string{"alias - -"}},
		"new": {dtm.PointChange{Point: "well", Kind: dtm.PointOpened, From: civil("2024-08-01"), Name: dtm.Text{"en": "Well"}, Role: dtm.RoleEntry},
			[]string{"status 2024-08-01 -", "role - - >entry", "name - -"}},
	} {
		if got := say(r.Effects(c.change)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
