package entity_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/gather/entity"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/store/sqlite"
)

var ctx = context.Background()

const siteForm = `| survey |
| | type | name | label | save_to |
| | text | site | Site | |
| | integer | people | People | people |
| | text | water | Water | water |
| entities |
| | list_name | label | entity_id | create_if | update_if |
| | sites | ${site} | ${site} | true() | true() |
| settings |
| | form_id | version |
| | site | %s |`

// house is a store with a follower; its clock is set by the test.
type house struct {
	t    *testing.T
	file string
	db   *sqlite.DB
	f    *entity.Follower
	mu   sync.Mutex
	now  time.Time
	n    int
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, file: filepath.Join(t.TempDir(), "dtm.db"), now: time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)}
	h.open()
	t.Cleanup(func() { h.db.Close() })
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) open() {
	h.t.Helper()
	db, err := sqlite.Open(ctx, h.file, sqlite.Options{Operation: "test", Now: h.clock})
	h.must(err)
	h.db = db
	h.f = &entity.Follower{Log: db, Submissions: db, Entities: db, Progress: db, Now: h.clock,
		Lists: func(ctx context.Context, form, version string) ([]dtm.EntityList, error) {
			m, err := h.model(form, version)
			if err != nil {
				return nil, err
			}
			return m.Lists(), nil
		},
		Declared: func(ctx context.Context, s dtm.Submission) ([]entity.Declared, error) {
			m, err := h.model(s.Form, s.Version)
			if err != nil {
				return nil, err
			}
			return m.Declared(s.XML)
		},
		Failed: func(err error) { h.t.Error(err) },
	}
}

func (h *house) model(form, version string) (*entity.Model, error) {
	f, err := h.db.Form(ctx, form, version)
	if err != nil {
		return nil, err
	}
	return entity.ReadModel(form, f.XForm)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) publish(version string) {
	h.t.Helper()
	f, _, err := xlsform.Read("site.md", fmt.Appendf(nil, siteForm, version))
	h.must(err)
	doc, err := xform.Write(f)
	h.must(err)
	h.must(h.db.Publish(ctx, dtm.Form{ID: f.ID, Version: f.Version, Title: "Site", Hash: "md5:" + version, XForm: doc}))
}

// doc is a submission about site "s" with attributes of the entity element.
func doc(attrs, answers string) string {
	return `<answers id="site" version="1">` + answers + `<meta><entity dataset="sites" id="s" ` + attrs + `</entity></meta></answers>`
}

const (
	creates = `create="1"><label>Obock</label>`
	people  = `<people>%d</people>`
)

func branch(base int) string {
	return fmt.Sprintf(`update="1" baseVersion="%d" trunkVersion="" branchId="b">`, base)
}

func (h *house) send(xml, deprecates string) string {
	h.t.Helper()
	h.n++
	id := fmt.Sprintf("uuid:%04d", h.n)
	_, err := h.db.Receive(ctx, dtm.Submission{ID: id, Form: "site", Version: "1", Device: "d1", Deprecates: deprecates, XML: []byte(xml)})
	h.must(err)
	return id
}

func (h *house) state() string {
	h.t.Helper()
	e, err := h.db.Entity(ctx, "sites", "s")
	if dtm.KindOf(err) == dtm.NotFound && err != nil {
		return "none"
	}
	h.must(err)
	held, err := h.db.HeldEntities(ctx, "sites", "s")
	h.must(err)
	return fmt.Sprintf("v%d %s people=%s water=%s conflict=%s held=%d", e.Current.Number, e.Current.Label, e.Current.Data["people"], e.Current.Data["water"], e.Conflict, len(held))
}

func (h *house) want(state string) {
	h.t.Helper()
	h.must(h.f.CatchUp(ctx))
	if got := h.state(); got != state {
		h.t.Errorf("got %s, want %s", got, state)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish("1")
	h.must(h.f.CatchUp(ctx))
	l, err := h.db.EntityList(ctx, "sites")
	h.must(err)
	if len(l.Properties) != 2 || !slices.Equal(l.Properties[0].Forms, []string{"site"}) {
		t.Errorf("list = %+v", l)
	}
	first := h.send(doc(creates, `<people>10</people><water>yes</water>`), "")
	h.want("v1 Obock people=10 water=yes conflict= held=0")
	v, err := h.db.EntityVersions(ctx, "sites", "s")
	h.must(err)
	if v[0].Submission != first || v[0].Actor != "device:d1" {
		t.Errorf("version = %+v", v[0])
	}
	// An edit of the submission that created it does not make it again.
	h.send(doc(creates, `<people>11</people>`), first)
	h.want("v1 Obock people=10 water=yes conflict= held=0")
	h.send(doc(`update="1" baseVersion="1">`, `<people>12</people>`), "")
	h.want("v2 Obock people=12 water=yes conflict= held=0")
	h.send(doc(`update="1" baseVersion="1">`, `<people>13</people>`), "")
	h.want("v3 Obock people=13 water=yes conflict=hard held=0")
	// Doing everything again changes nothing.
	all, err := h.db.Events(ctx, 0, 1000)
	h.must(err)
	h.must(h.f.Handle(ctx, all))
	h.want("v3 Obock people=13 water=yes conflict=hard held=0")
	// What cannot be followed is recorded, and the next one is.
	h.send(`<answers id="site"><meta><entity id="other" update="1" baseVersion="4"/></meta></answers>`, "")
	h.send(`not XML at all`, "")
	h.send(doc(`update="1" baseVersion="3">`, `<water>no</water>`), "")
	h.want("v4 Obock people=13 water=no conflict=hard held=0")
	all, err = h.db.Events(ctx, 0, 1000)
	h.must(err)
	refused := 0
	for _, e := range all {
		if e.Name == dtm.EntityRefused {
			refused++
		}
		if strings.Contains(e.Detail, "Obock") {
			t.Errorf("the log says what was answered: %s", e.Detail)
		}
	}
	if refused != 1 {
		t.Errorf("%d refusals in the log", refused)
	}
	h.must(h.db.Verify(ctx))
}

// Updates made offline arrive in any order, across restarts; the result is the one
// of the order in which they were made.
func TestFollowOutOfOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		h := newHouse(t)
		h.publish("1")
		docs := []string{doc(creates, `<people>0</people><water>yes</water>`)}
		for n := 1; n <= 5; n++ {
			docs = append(docs, doc(branch(n), fmt.Sprintf(people, n)))
		}
		r := rand.New(rand.NewPCG(seed, 2))
		for i, at := range r.Perm(len(docs)) {
			h.send(docs[at], "")
			if r.IntN(2) == 0 {
				h.must(h.f.CatchUp(ctx))
			}
			if i == 3 {
				h.must(h.db.Close())
				h.open()
			}
		}
		h.want("v6 Obock people=5 water=yes conflict= held=0")
	}
}

func TestFollowOverdue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish("1")
	h.send(doc(creates, `<people>0</people>`), "")
	h.send(doc(branch(3), `<people>3</people>`), "")
	h.later(time.Hour)
	h.send(doc(branch(2), `<people>2</people><water>two</water>`), "")
	h.want("v1 Obock people=0 water= conflict= held=2")
	h.later(entity.Patience - 2*time.Hour)
	h.must(h.f.Overdue(ctx))
	h.want("v1 Obock people=0 water= conflict= held=2")
	h.must(h.db.Close())
	h.open()
	h.later(2 * time.Hour)
	h.must(h.f.Overdue(ctx))
	h.want("v3 Obock people=3 water=two conflict=soft held=0")
	// The one that was lost comes at last.
	h.send(doc(branch(1), `<people>1</people>`), "")
	h.want("v4 Obock people=1 water=two conflict=hard held=0")
}

func TestFollowApproval(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(h.db.DeclareEntityList(ctx, dtm.EntityList{Name: "sites", Approval: true}))
	h.publish("1")
	id := h.send(doc(creates, `<people>10</people>`), "")
	h.want("none")
	h.must(h.db.Review(ctx, id, dtm.StateRejected, ""))
	h.want("none")
	h.must(h.db.Review(ctx, id, dtm.StateConfirmed, ""))
	h.want("v1 Obock people=10 water= conflict= held=0")
	h.must(h.db.Review(ctx, id, dtm.StateRejected, ""))
	h.must(h.db.Review(ctx, id, dtm.StateConfirmed, "")) // once is enough
	h.want("v1 Obock people=10 water= conflict= held=0")
}

// The follower runs while phones send and staff change the same entity; no change
// is lost and versions are without gaps.
func TestFollowRace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.publish("1")
	h.send(doc(creates, `<people>0</people>`), "")
	h.must(h.f.CatchUp(ctx))
	h.f.Failed = func(err error) { // losing the race some times over is no failure: it is tried again
		if dtm.KindOf(err) != dtm.Conflict {
			t.Error(err)
		}
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); h.f.Run(run) }()
	const phones, staff = 40, 40
	var wg sync.WaitGroup
	wg.Go(func() {
		for range phones {
			h.send(doc(`update="1" baseVersion="1">`, `<people>1</people>`), "")
		}
	})
	wg.Go(func() {
		for made := 0; made < staff; {
			e, err := h.db.Entity(ctx, "sites", "s")
			if err != nil {
				t.Error(err)
				return
			}
			v := dtm.EntityVersion{Label: e.Current.Label, Data: e.Current.Data, Base: e.Current.Number}
			err = h.db.ChangeEntities(ctx, dtm.EntityWork{Changes: []dtm.EntityChange{{List: "sites", ID: "s", After: e.Current.Number, Version: &v, Conflict: e.Conflict}}})
			if err == nil {
				made++
			} else if dtm.KindOf(err) != dtm.Conflict {
				t.Error(err)
				return
			}
		}
	})
	wg.Wait()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if e, err := h.db.Entity(ctx, "sites", "s"); err == nil && e.Current.Number == 1+phones+staff {
			break
		}
	}
	stop()
	<-ended
	v, err := h.db.EntityVersions(ctx, "sites", "s")
	h.must(err)
	if len(v) != 1+phones+staff {
		t.Fatalf("%d versions, want %d", len(v), 1+phones+staff)
	}
	for i, x := range v {
		if x.Number != i+1 {
			t.Errorf("version %d has number %d", i+1, x.Number)
		}
	}
}
