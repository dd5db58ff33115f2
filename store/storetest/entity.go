package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"dtm"
	"dtm/event"
)

func sites(t testing.TB, s Store, properties ...string) {
	t.Helper()
	l := dtm.EntityList{Name: "sites"}
	for _, p := range properties {
		l.Properties = append(l.Properties, dtm.EntityProperty{Name: p, Forms: []string{"registration"}})
	}
	must(t, s.DeclareEntityList(ctx, l))
}

// site is the next version of a site after version after.
func site(id string, after int, label string, data map[string]string) dtm.EntityChange {
	return dtm.EntityChange{List: "sites", ID: id, After: after,
		Version: &dtm.EntityVersion{Label: label, Data: data, Received: data, Base: after, Source: "test"}}
}

func change(t testing.TB, s Store, changes ...dtm.EntityChange) {
	t.Helper()
	must(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: changes}))
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var e *dtm.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

func entityLists(t *testing.T, d Dialect) {
	s, place := d.open(t)
	if l, err := s.EntityLists(ctx); err != nil || len(l) != 0 {
		t.Fatalf("lists of a new store: %v, %v", l, err)
	}
	_, err := s.EntityList(ctx, "sites")
	wantKind(t, err, dtm.NotFound)
	_, err = s.EntityState(ctx, "sites", dtm.EntityScope{})
	wantKind(t, err, dtm.NotFound)
	sites(t, s, "region", "capacité")
	before := len(allEvents(t, s))
	sites(t, s, "region", "capacité") // again: nothing
	if n := len(allEvents(t, s)); n != before {
		t.Errorf("declaring the same again wrote %d entries", n-before)
	}
	sites(t, s, "water", "region")
	must(t, s.DeclareEntityList(ctx, dtm.EntityList{Name: "sites", Properties: []dtm.EntityProperty{{Name: "region", Forms: []string{"another"}}}}))
	must(t, s.DeclareEntityList(ctx, dtm.EntityList{Name: "approved", Approval: true}))
	l, err := s.EntityList(ctx, "sites")
	must(t, err)
	var got []string
	for _, p := range l.Properties {
		got = append(got, fmt.Sprint(p.Name, p.Forms))
	}
	if want := []string{"region[another registration]", "capacité[registration]", "water[registration]"}; !slices.Equal(got, want) {
		t.Errorf("properties = %v, want %v", got, want)
	}
	for _, name := range []string{"", "a b", "__x", "a.b", "1a", "a/b"} {
		wantKind(t, s.DeclareEntityList(ctx, dtm.EntityList{Name: name}), dtm.Invalid)
	}
	for _, name := range []string{"", "name", "Label", "__x", "a b", "<"} {
		wantKind(t, s.DeclareEntityList(ctx, dtm.EntityList{Name: "sites", Properties: []dtm.EntityProperty{{Name: name}}}), dtm.Invalid)
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	// Many at a time: readers must not wait for each other's connections.
	soon, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	var many errgroup.Group
	for range 40 {
		many.Go(func() error {
			for range 25 {
				if _, err := s.EntityLists(soon); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, many.Wait())
	all, err := s.EntityLists(ctx)
	must(t, err)
	if len(all) != 2 || all[0].Name != "approved" || !all[0].Approval || all[1].Approval || all[1].Count != 0 || all[1].Latest != nil {
		t.Errorf("lists = %+v", all)
	}
}

func entities(t *testing.T, d Dialect) {
	s, place := d.open(t)
	sites(t, s, "region", "water")
	device := event.WithActor(ctx, "device:d1")
	must(t, s.ChangeEntities(device, dtm.EntityWork{Changes: []dtm.EntityChange{site("a", 0, "Obock", map[string]string{"region": "DJ01", "water": "è"})}}))
	_, err := s.Entity(ctx, "sites", "none")
	wantKind(t, err, dtm.NotFound)
	e, err := s.Entity(ctx, "sites", "a")
	must(t, err)
	if e.Creator != "device:d1" || e.Updated != nil || e.Deleted != nil || e.Current.Number != 1 || e.Current.Label != "Obock" || e.Current.Data["water"] != "è" || e.Created.IsZero() {
		t.Errorf("entity = %+v", e)
	}
	wantCode(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("a", 0, "again", nil)}}), "entity.stale")
	wantCode(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("a", 2, "too new", nil)}}), "entity.stale")
	wantCode(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("b", 1, "not there", nil)}}), "entity.stale")
	wantKind(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{{List: "none", ID: "x", Version: &dtm.EntityVersion{Label: "x"}}}}), dtm.NotFound)
	wantKind(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("x", 0, "x", map[string]string{"__version": "9"})}}), dtm.Invalid)

	second := site("a", 1, "Obock", map[string]string{"region": "DJ01", "water": "no"})
	second.Conflict, second.Version.Conflict = dtm.HardConflict, dtm.HardConflict
	second.Version.Conflicting, second.Version.Trunk, second.Version.Branch, second.Version.BranchBase = []string{"water"}, 1, "b1", 1
	second.Version.Submission, second.Version.Agent = "uuid:1", "Collect"
	change(t, s, second)
	// All or nothing: the first change is good, the second is not.
	wantCode(t, s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("c", 0, "c", nil), site("a", 1, "stale", nil)}, Done: 99}), "entity.stale")
	if _, err := s.Entity(ctx, "sites", "c"); dtm.KindOf(err) != dtm.NotFound || err == nil {
		t.Errorf("half of the work was done: %v", err)
	}
	if n, err := s.EntitiesDone(ctx); n != 0 || err != nil {
		t.Errorf("done = %d, %v", n, err)
	}
	versions, err := s.EntityVersions(ctx, "sites", "a")
	must(t, err)
	want := *second.Version
	want.Number, want.At, want.Actor = 2, versions[1].At, event.System
	if diff := cmp.Diff(want, versions[1]); diff != "" || len(versions) != 2 || versions[0].Data["water"] != "è" {
		t.Errorf("versions (-want +got): %s", diff)
	}
	if l, err := s.EntityList(ctx, "sites"); err != nil || l.Count != 1 || l.Conflicts != 1 || l.Latest == nil {
		t.Errorf("list = %+v, %v", l, err)
	}
	if from, err := s.FromSubmission(ctx, "sites", "uuid:1"); err != nil || !from {
		t.Errorf("from submission = %v, %v", from, err)
	}
	for _, none := range [][2]string{{"sites", "uuid:2"}, {"other", "uuid:1"}, {"sites", ""}} {
		if from, err := s.FromSubmission(ctx, none[0], none[1]); err != nil || from {
			t.Errorf("%v: from submission = %v, %v", none, from, err)
		}
	}
	change(t, s, dtm.EntityChange{List: "sites", ID: "a", After: 2}) // resolved
	if e, err := s.Entity(ctx, "sites", "a"); err != nil || e.Conflict != "" || e.Current.Number != 2 {
		t.Errorf("resolved = %+v, %v", e, err)
	}
	change(t, s, dtm.EntityChange{List: "sites", ID: "a", After: 2, Deleted: true})
	e, err = s.Entity(ctx, "sites", "a")
	must(t, err)
	if e.Deleted == nil || e.Current.Label != "Obock" {
		t.Errorf("deleted = %+v", e)
	}
	change(t, s, site("a", 2, "Obock again", nil)) // restored
	if e, err := s.Entity(ctx, "sites", "a"); err != nil || e.Deleted != nil || e.Current.Number != 3 {
		t.Errorf("restored = %+v, %v", e, err)
	}
	var got []string
	for _, e := range allEvents(t, s) {
		got = append(got, e.Name)
	}
	if want := []string{dtm.EntityListDeclared, dtm.EntityCreated, dtm.EntityUpdated, dtm.EntityUpdated, dtm.EntityDeleted, dtm.EntityUpdated}; !slices.Equal(got, want) {
		t.Errorf("log = %v, want %v", got, want)
	}
	must(t, s.Verify(ctx))
	must(t, s.Close())
	for _, statement := range []string{`UPDATE entity_version SET label = 'x'`, `DELETE FROM entity_version`} {
		if err := d.Protected(t, place, statement); err == nil {
			t.Errorf("%s: was done", statement)
		}
	}
}

func entityFilters(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sites(t, s, "region", "point")
	change(t, s,
		site("everywhere", 0, "1", nil),
		site("obock", 0, "2", map[string]string{"region": "DJ01"}),
		site("dikhil", 0, "3", map[string]string{"region": "DJ02"}),
		site("harbour", 0, "4", map[string]string{"region": "DJ01", "point": "OBK"}),
		site("yoboki", 0, "5", map[string]string{"point": "YBK"}))
	ids := func(f dtm.EntityFilter) (out []string) {
		f.List = "sites"
		list, n, err := s.Entities(ctx, f)
		must(t, err)
		if f.Limit == 0 && f.Offset == 0 && n != len(list) {
			t.Errorf("%+v: total %d of %d", f, n, len(list))
		}
		for _, e := range list {
			out = append(out, e.ID)
		}
		return out
	}
	state := func(sc dtm.EntityScope) dtm.EntityState {
		st, err := s.EntityState(ctx, "sites", sc)
		must(t, err)
		return st
	}
	obk := dtm.EntityScope{Point: "OBK", Region: "DJ01"}
	for _, c := range []struct {
		name string
		f    dtm.EntityFilter
		want []string
	}{
		{"all", dtm.EntityFilter{}, []string{"everywhere", "obock", "dikhil", "harbour", "yoboki"}},
		{"some", dtm.EntityFilter{IDs: []string{"obock", "none", "yoboki", "'"}}, []string{"obock", "yoboki"}},
		{"none of no ids", dtm.EntityFilter{IDs: []string{}}, nil},
		{"page", dtm.EntityFilter{Limit: 2, Offset: 1}, []string{"obock", "dikhil"}},
		{"point and region", dtm.EntityFilter{Scope: &obk}, []string{"everywhere", "obock", "harbour"}},
		{"region", dtm.EntityFilter{Scope: &dtm.EntityScope{Region: "DJ02"}}, []string{"everywhere", "dikhil", "yoboki"}},
		{"no scope", dtm.EntityFilter{Scope: &dtm.EntityScope{}}, []string{"everywhere", "obock", "dikhil", "harbour", "yoboki"}},
	} {
		if got := ids(c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if _, n, err := s.Entities(ctx, dtm.EntityFilter{List: "sites", Limit: 1}); err != nil || n != 5 {
		t.Errorf("total = %d, %v", n, err)
	}
	all, mine := state(dtm.EntityScope{}), state(obk)
	change(t, s, site("dikhil", 1, "3b", map[string]string{"region": "DJ02"}))
	if state(dtm.EntityScope{}) == all {
		t.Error("the state of all does not follow a change")
	}
	if state(obk) != mine {
		t.Error("a change elsewhere changes the state of a part")
	}
	if got := ids(dtm.EntityFilter{After: all.Seq}); !slices.Equal(got, []string{"dikhil"}) {
		t.Errorf("difference = %v", got)
	}
	change(t, s, site("harbour", 1, "4", map[string]string{"region": "DJ02"})) // moves away
	if state(obk) == mine || !slices.Equal(ids(dtm.EntityFilter{Scope: &obk}), []string{"everywhere", "obock"}) {
		t.Error("what leaves a part does not change its state")
	}
	mine = state(obk)
	change(t, s, dtm.EntityChange{List: "sites", ID: "obock", After: 1, Deleted: true})
	if state(obk) == mine {
		t.Error("a deletion does not change the state")
	}
	if got := ids(dtm.EntityFilter{Deleted: ptr(true)}); !slices.Equal(got, []string{"obock"}) {
		t.Errorf("deleted = %v", got)
	}
	if got := ids(dtm.EntityFilter{Deleted: ptr(false), Scope: &obk}); !slices.Equal(got, []string{"everywhere"}) {
		t.Errorf("left = %v", got)
	}
	mine = state(obk)
	sites(t, s, "water")
	if state(obk) == mine {
		t.Error("a new column does not change the state")
	}
}

func heldEntities(t *testing.T, d Dialect) {
	s, place := d.open(t)
	sites(t, s, "water")
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	got, err := s.Submission(ctx, submission(1).ID)
	must(t, err)
	h := dtm.HeldEntity{Submission: got.ID, List: "sites", ID: "a", Branch: "b", Base: 3, Trunk: 1, Since: got.Received, Label: "L", Data: map[string]string{"water": ""}}
	must(t, s.ChangeEntities(ctx, dtm.EntityWork{Hold: []dtm.HeldEntity{h}, Refuse: []dtm.EntityRefusal{{Submission: got.ID, List: "sites", ID: "z", Code: "entity.unknown"}}, Done: 7}))
	must(t, s.ChangeEntities(ctx, dtm.EntityWork{Hold: []dtm.HeldEntity{h}, Done: 8}))
	must(t, s.Close())
	s = d.openAt(t, place)
	if n, err := s.EntitiesDone(ctx); n != 8 || err != nil {
		t.Errorf("done = %d, %v", n, err)
	}
	list, err := s.HeldEntities(ctx, "", "")
	must(t, err)
	if diff := cmp.Diff([]dtm.HeldEntity{h}, list); diff != "" {
		t.Errorf("held (-want +got): %s", diff)
	}
	if list, err := s.HeldEntities(ctx, "sites", "b"); err != nil || len(list) != 0 {
		t.Errorf("held for another = %v, %v", list, err)
	}
	must(t, s.ChangeEntities(ctx, dtm.EntityWork{Release: []dtm.HeldEntity{h}}))
	if list, err := s.HeldEntities(ctx, "sites", "a"); err != nil || len(list) != 0 {
		t.Errorf("held after release = %v, %v", list, err)
	}
	n := 0
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.EntityHeld || e.Name == dtm.EntityRefused {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d entries, want one of each", n)
	}
}

// Of many who change the same version at once one succeeds.
func entityRace(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sites(t, s, "n")
	change(t, s, site("a", 0, "a", nil))
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := s.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{site("a", 1, "a", map[string]string{"n": fmt.Sprint(i)})}})
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			} else if dtm.KindOf(err) != dtm.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if v, err := s.EntityVersions(ctx, "sites", "a"); err != nil || won != 1 || len(v) != 2 {
		t.Errorf("%d won, %d versions, %v", won, len(v), err)
	}
}
