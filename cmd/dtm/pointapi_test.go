package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/access"
)

// TestPointAPI: staff tools do over the API what the pages and commands do, with the
// same checks, permissions and events; a trial changes nothing; who has not seen the
// last change is told; everything is read back as of any day and event.
func TestPointAPI(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var out bytes.Buffer
	c := &call{dir: t.TempDir(), env: func(string) string { return "" }, out: &out, err: &out}
	h, err := c.makeHouse(ctx, "data", "djibouti", false, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	hash, err := access.HashPassword(ctx, rand.Reader, "a sentence of five words")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator} {
		if err := h.db.AddUser(ctx, dtm.User{Email: role + "@example.org", Role: role}, hash); err != nil {
			t.Fatal(err)
		}
	}
	d, _, err := h.db.AddDevice(ctx, "Well-1", "")
	if err != nil {
		t.Fatal(err)
	}
	routes, err := h.routes()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(routes)
	defer s.Close()
	ask := func(role, method, path, body string, into any) int {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, method, s.URL+"/v1/projects/1/points"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if role != "" {
			r.SetBasicAuth(role+"@example.org", "a sentence of five words")
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if into != nil {
			if err := json.Unmarshal(b, into); err != nil {
				t.Fatalf("%s %s: %v\n%s", method, path, err, b)
			}
		}
		return resp.StatusCode
	}
	type changed struct {
		Change struct {
			Seq               int64
			Kind, Actor, From string
			Devices           []string
			Undone            []int64 `json:"undoneBy"`
		}
		Effects []struct {
			Thing, From, Until string
			Before, After      any
			Movements          int64
		}
		Message string
	}
	type point struct {
		Code, Status, Role            string
		Name                          map[string]string
		Place                         dtm.Place
		Plan                          struct{ Days, Start, End string }
		Devices, Enumerators, Aliases []string
		RoleFrom                      []struct{ From, Value string }
		Seen                          int64
	}
	do := func(role, code, body string, want int) changed {
		t.Helper()
		var x changed
		if got := ask(role, "POST", "/"+code+"/changes", body, &x); got != want {
			t.Fatalf("%s at %s by %s: %d, want %d: %s", body, code, role, got, want, x.Message)
		}
		return x
	}
	var all []point
	if ask(dtm.RoleSupervisor, "GET", "", "", &all) != 200 || len(all) != len(h.op.Points) {
		t.Fatalf("%d points", len(all))
	}
	for role, want := range map[string]int{"": 401, dtm.RoleEnumerator: 403} {
		if got := ask(role, "GET", "", "", nil); got != want {
			t.Errorf("read by %q: %d", role, got)
		}
	}
	for role, want := range map[string]int{"": 401, dtm.RoleEnumerator: 403, dtm.RoleSupervisor: 403} {
		if got := ask(role, "POST", "/obock/changes", `{"kind":"close","from":"2026-11-01"}`, nil); got != want {
			t.Errorf("changed by %q: %d", role, got)
		}
	}
	manager := dtm.RoleManager
	open := `{"kind":"open","from":"2026-01-01","name":{"en":"The Well","fr":"Le Puits"},"role":"entry","place":{"area2":"DJ0314","lat":11.5,"lon":42.2},"plan":{"days":"mon-fri","start":"06:00","end":"18:00"},"reason":"a new road"`
	if x := do(manager, "well", open+`,"try":true}`, 200); x.Change.Seq != 0 || len(x.Effects) == 0 {
		t.Errorf("a trial: %+v", x)
	}
	if ask(manager, "GET", "/well", "", nil) != 404 {
		t.Error("a trial opened the point")
	}
	made := do(manager, "well", open+`}`, 200)
	if made.Change.Seq == 0 || made.Change.Actor != "user:manager@example.org" || made.Change.Kind != "open" {
		t.Errorf("opened: %+v", made)
	}
	role := do(manager, "well", `{"kind":"role","role":"exit","from":"2026-06-01","seen":`+jsonOf(made.Change.Seq)+`}`, 200)
	if e := role.Effects; len(e) != 1 || e[0].Thing != "role" || e[0].From != "2026-06-01" || e[0].Before != "entry" || e[0].After != "exit" {
		t.Errorf("effects of a role: %+v", e)
	}
	if x := do(manager, "well", `{"kind":"close","from":"2026-07-01","seen":`+jsonOf(made.Change.Seq)+`}`, 409); !strings.Contains(x.Message, "meanwhile") {
		t.Errorf("not seen: %s", x.Message)
	}
	for _, body := range []string{
		`{"kind":"move","from":"2026-06-01","place":{"lat":11.6,"lon":42.3}}`, // the area stays
		`{"kind":"rename","from":"2026-06-01","name":{"en":"Wells"}}`,
		`{"kind":"plan","from":"2026-06-01","plan":{"days":"daily","start":"18:00","end":"06:00"}}`,
		`{"kind":"alias","alias":"El Bir"}`,
		`{"kind":"assign","from":"2026-06-01","devices":["Well-1"],"enumerators":["enumerator@example.org"]}`,
		`{"kind":"close","from":"2026-10-01","reason":"the well is dry"}`,
	} {
		do(manager, "well", body, 200)
	}
	var now, spring, before point
	ask(manager, "GET", "/well?on=2026-09-01", "", &now)
	ask(manager, "GET", "/well?on=2026-03-02", "", &spring)
	ask(manager, "GET", "/well?on=2026-09-01&seq="+jsonOf(made.Change.Seq), "", &before)
	if now.Status != "open" || now.Role != "exit" || now.Name["fr"] != "Wells" || now.Place.Area2 != "DJ0314" || now.Place.Area != "DJ03" || now.Place.Lat != 11.6 || now.Plan.Start != "18:00" ||
		len(now.Devices) != 1 || now.Devices[0] != d.ID || now.Enumerators[0] != "enumerator@example.org" || now.Aliases[0] != "El Bir" || len(now.RoleFrom) != 2 {
		t.Errorf("in September: %+v", now)
	}
	if spring.Role != "entry" || spring.Name["fr"] != "Le Puits" || spring.Place.Lat != 11.5 || spring.Plan.Days != "mon,tue,wed,thu,fri" || len(spring.Devices) != 0 {
		t.Errorf("in March: %+v", spring)
	}
	if before.Role != "entry" || len(before.Aliases) != 0 {
		t.Errorf("as of the first event: %+v", before)
	}
	undo := do(manager, "well", `{"kind":"undo","undoes":`+jsonOf(role.Change.Seq)+`}`, 200)
	ask(manager, "GET", "/well?on=2026-09-01", "", &now)
	if now.Role != "entry" || undo.Change.Kind != "undo" {
		t.Errorf("after undoing: %+v", now)
	}
	for body, want := range map[string]int{
		`{"kind":"explode","from":"2026-06-01"}`:                          400,
		`{"kind":"role","role":"boss","from":"2026-06-01"}`:               400,
		`{"kind":"role","role":"exit"}`:                                   400,
		`{"kind":"role","role":"exit","from":"soon"}`:                     400,
		`{"kind":"move","from":"2026-06-01","place":{"lat":200,"lon":1}}`: 400,
		`{"kind":"move","from":"2026-06-01","place":{"lat":11}}`:          400,
		`{"kind":"move","from":"2026-06-01","place":{"area":"XX99"}}`:     400,
		`{"kind":"plan","from":"2026-06-01","plan":{"days":"noday"}}`:     400,
		`{"kind":"assign","from":"2026-06-01","devices":["nobody"]}`:      404,
		`{"kind":"undo","undoes":99999}`:                                  404,
		`{"kind":"close","from":"2026-11-01"}`:                            409,
		`{"kind":"alias","alias":"Obock"}`:                                409,
		`{`:                                                               400,
	} {
		do(manager, "well", body, want)
	}
	do(manager, "nowhere", `{"kind":"close","from":"2026-11-01"}`, 404)
	var history []struct {
		Kind   string
		Undone []int64 `json:"undoneBy"`
	}
	if ask(manager, "GET", "/well/changes", "", &history) != 200 || len(history) != 9 || history[1].Kind != "role" || len(history[1].Undone) != 1 {
		t.Errorf("history: %+v", history)
	}
	// Pages, commands and the log know of it.
	list, err := h.db.PointChanges(ctx, 0)
	if err != nil || len(list) != 9 || list[0].Actor != "user:manager@example.org" || list[0].Reason != "a new road" {
		t.Errorf("the register holds %+v, %v", list, err)
	}
	if refused, err := h.db.FindEvents(ctx, dtm.EventFilter{Name: dtm.AccessRefused}); err != nil || len(refused) != 3 {
		t.Errorf("refusals: %+v, %v", refused, err)
	}
}

func jsonOf(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}
