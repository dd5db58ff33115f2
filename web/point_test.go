package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/check"
	"dtm/store/sqlite"
	"dtm/web"
)

// registrar keeps the register on a real store, as the program does.
type registrar struct {
	op *dtm.Operation
	db *sqlite.DB
}

func (x registrar) Register(ctx context.Context) (*dtm.Register, error) {
	list, err := x.db.PointChanges(ctx, 0)
	return dtm.NewRegister(x.op.Points, list), err
}

func (x registrar) ChangePoint(ctx context.Context, c dtm.PointChange) (dtm.PointChange, error) {
	r, err := x.Register(ctx)
	if err != nil {
		return c, err
	}
	c, err = x.db.ChangePoint(ctx, c, r.Seq())
	if err == nil {
		r, err = x.Register(ctx)
		x.op.Follow(r.On(time.Now()))
	}
	return c, err
}

// arrivals of one point: it sent yesterday, one record from 30 km away.
type arrivals struct{}

func (arrivals) PointDays(context.Context, dtm.Period) ([]dtm.PointDay, error) {
	return []dtm.PointDay{{Point: "obock", Day: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), Records: 4, Hours: 2}}, nil
}

func (arrivals) Senders(context.Context, dtm.Period) ([]dtm.Sender, error) {
	return []dtm.Sender{{Point: "obock", Device: "d", Records: 4, Days: 1}}, nil
}

func (arrivals) Delays(context.Context, dtm.Period) ([]dtm.Delay, error) {
	return []dtm.Delay{{Records: 4, Median: 90 * time.Minute, P90: 60 * time.Hour}, {Point: "obock", Records: 4, Median: 90 * time.Minute, P90: 60 * time.Hour}}, nil
}

func (arrivals) Late(context.Context, dtm.Period) ([]dtm.Arrived, error) { return nil, nil }

func (arrivals) Sightings(context.Context, string, dtm.Period, int) ([]dtm.Sighting, error) {
	return []dtm.Sighting{{Submission: "uuid:far", Lon: 43.0154, Lat: 11.9631}, {Submission: "uuid:near", Lon: 43.2906, Lat: 11.9631}}, nil
}

func network(op *dtm.Operation, db *sqlite.DB) *web.Network {
	return &web.Network{Points: registrar{op, db}, Arrivals: arrivals{}, Silences: db,
		Coverage: func(ctx context.Context, p dtm.Period) ([]check.PointCoverage, time.Time, error) {
			days, err := arrivals{}.PointDays(ctx, p)
			at := time.Date(2026, 11, 5, 12, 0, 0, 0, op.Zone)
			return check.Coverage(op.Network(), days, nil, p, op.Zone, at), at, err
		},
		Touched: func(context.Context, dtm.Effect) (int64, error) { return 1234, nil },
		Crew: func(_ context.Context, devices, people []string) (dtm.Crew, error) {
			return dtm.Crew{Devices: devices, Enumerators: people}, nil
		}}
}

// TestPoints: a manager sees what a change would do, records it, and undoes it; a
// supervisor reads; somebody who changed meanwhile is not overwritten.
func TestPoints(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	manager, supervisor := visitor(t, s, dtm.RoleManager), visitor(t, s, dtm.RoleSupervisor)
	at := s.URL + "/en/staff/points/obock"
	has := func(what, body string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q", what, w)
			}
		}
	}
	status, body := send(t, supervisor, s.URL+"/en/staff/points/", nil)
	if status != http.StatusOK || strings.Contains(body, "Open a new point") {
		t.Errorf("the list for a supervisor: %d", status)
	}
	has("the list", body, "Obock", "Galafi", "<svg")
	_, body = send(t, supervisor, at, nil)
	has("the page", body, `class="line"`, "29.9 km" /* 0.2752 degrees of longitude at that latitude */, "/staff/submissions/uuid:far")
	if strings.Contains(body, "Record the change") || strings.Contains(body, "Close the point") {
		t.Error("a supervisor is offered to change")
	}
	change := url.Values{"kind": {dtm.PointRoleSet}, "role": {dtm.RoleTransit}, "from": {"2026-02-01"}, "reason": {"a <new> road"}, "seen": {"0"}}
	if status, _ := send(t, supervisor, at, change); status != http.StatusForbidden {
		t.Errorf("a supervisor changes: %d", status)
	}
	status, body = send(t, manager, at, change)
	if status != http.StatusOK {
		t.Errorf("preview: %d", status)
	}
	has("the preview", body, "from 1 February 2026", "exit", "transit", "1,234", "a &lt;new&gt; road", "Record the change")
	if list, err := db.PointChanges(t.Context(), 0); err != nil || len(list) != 0 {
		t.Fatalf("a preview was recorded: %v, %v", list, err)
	}
	change.Set("do", "1")
	status, body = send(t, manager, at, change)
	has("the change", body, "The change is recorded", "a &lt;new&gt; road", "manager@example.org")
	list, err := db.PointChanges(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].Role != dtm.RoleTransit || list[0].Actor != "user:manager@example.org" || status != http.StatusOK {
		t.Fatalf("recorded: %d, %+v, %v", status, list, err)
	}
	// Who had looked before that change is told, and loses nothing.
	change.Set("role", dtm.RoleEntry)
	status, body = send(t, manager, at, change)
	has("the conflict", body, "changed the points meanwhile")
	if status != http.StatusConflict {
		t.Errorf("a change upon an old page: %d", status)
	}
	for name, bad := range map[string]url.Values{
		"no day":     {"kind": {dtm.PointClosed}, "from": {"soon"}},
		"no role":    {"kind": {dtm.PointRoleSet}, "from": {"2026-02-01"}, "role": {"boss"}},
		"no such":    {"kind": {"point.exploded"}, "from": {"2026-02-01"}},
		"off earth":  {"kind": {dtm.PointMoved}, "from": {"2026-02-01"}, "lat": {"200"}, "lon": {"1"}},
		"bad hours":  {"kind": {dtm.PointPlanned}, "from": {"2026-02-01"}, "days": {"mon"}, "start": {"x"}, "end": {"y"}},
		"not undone": {"kind": {dtm.PointUndone}, "undoes": {"99"}},
	} {
		status, body := send(t, manager, at, bad)
		if status < 400 || status >= 500 || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d", name, status)
		}
	}
	_, _ = send(t, manager, at, url.Values{"kind": {dtm.PointUndone}, "undoes": {"1"}, "do": {"1"}})
	undo := url.Values{"kind": {dtm.PointUndone}, "undoes": {strconv.FormatInt(list[0].Seq, 10)}, "do": {"1"}}
	_, body = send(t, manager, at, undo)
	has("the undo", body, "undone by event")
	// A new point.
	fresh := url.Values{"kind": {dtm.PointOpened}, "new": {"1"}, "code": {"well"}, "name_en": {"The Well"}, "name_fr": {"Le Puits"}, "role": {dtm.RoleEntry},
		"region": {"DJ0314"}, "lat": {"11.5"}, "lon": {"42.2"}, "from": {"2026-01-01"}}
	status, body = send(t, manager, s.URL+"/en/staff/points/new", fresh)
	has("the preview of a new point", body, "The Well", "entry", "Record the change")
	if status != http.StatusOK {
		t.Errorf("preview of a new point: %d", status)
	}
	fresh.Set("do", "1")
	_, body = send(t, manager, s.URL+"/en/staff/points/new", fresh)
	has("the new point", body, "The Well", "The change is recorded")
	_, body = send(t, manager, s.URL+"/fr/staff/points/", nil)
	has("the list in French", body, "Le Puits")
	fresh.Set("code", "Bad Code")
	if status, body := send(t, manager, s.URL+"/en/staff/points/new", fresh); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || !strings.Contains(body, `value="The Well"`) {
		t.Errorf("a bad code: %d; what was typed is kept: %v", status, strings.Contains(body, `value="The Well"`))
	}
	// An alert, dismissed with a reason.
	raised, err := db.RaiseSilence(t.Context(), dtm.Silence{Point: "obock", Day: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), Due: time.Now()})
	if err != nil || !raised {
		t.Fatal(err)
	}
	_, body = send(t, supervisor, s.URL+"/en/staff/points/", nil)
	has("the list with an alert", body, "Silent points: 1")
	status, body = send(t, manager, at+"/silence", url.Values{"day": {"2026-11-27"}, "reason": {" "}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", status)
	}
	has("without a reason", body, "Say why nothing came.")
	_, body = send(t, manager, at+"/silence", url.Values{"day": {"2026-11-27"}, "reason": {"sandstorm"}})
	if strings.Contains(body, "Dismiss the alert") {
		t.Error("the alert is still open")
	}
	if status, _ := send(t, manager, s.URL+"/en/staff/points/nowhere", nil); status != http.StatusNotFound {
		t.Errorf("a point that is none: %d", status)
	}
	if status, body := send(t, supervisor, at+"/", nil); status != http.StatusOK || !strings.Contains(body, "<h1>Obock") {
		t.Errorf("with a slash at the end: %d", status)
	}
	_, body = send(t, supervisor, s.URL+"/en/staff/coverage/?month=2026-11", nil)
	has("coverage", body, "3 November 2026: observed · records: 4", "4 November 2026: silent", "5 November 2026: to come", "1.5 h", "2.5 d")
	if status, _ := send(t, supervisor, s.URL+"/en/staff/coverage/?month=2026-13", nil); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		t.Errorf("a month that is none: %d", status)
	}
}

// TestOwnFigures: an enumerator sees the figures of the devices at the points that they
// are assigned to, beside the team's, and no others; who is assigned nowhere is told.
func TestOwnFigures(t *testing.T) {
	t.Parallel()
	s, _ := office(t)
	enumerator, manager := visitor(t, s, dtm.RoleEnumerator), visitor(t, s, dtm.RoleManager)
	if _, body := send(t, enumerator, s.URL+"/en/staff/", nil); !strings.Contains(body, "not assigned to a point yet") || strings.Contains(body, "1,234") {
		t.Error("assigned nowhere")
	}
	assign := url.Values{"kind": {dtm.PointAssigned}, "from": {"2026-01-01"}, "device": {"phone-of-obock"}, "enumerators": {"enumerator@example.org"}, "do": {"1"}}
	if status, body := send(t, manager, s.URL+"/en/staff/points/obock", assign); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	_, body := send(t, enumerator, s.URL+"/en/staff/", nil)
	for _, want := range []string{"phone-of-obock", "1,234", "2,777", "1.5 min"} {
		if !strings.Contains(body, want) {
			t.Errorf("the enumerator's page lacks %q", want)
		}
	}
	if strings.Contains(body, "4,321") {
		t.Error("somebody else's figures are shown")
	}
	if status, _ := send(t, enumerator, s.URL+"/en/staff/enumerators/", nil); status != http.StatusForbidden {
		t.Errorf("the whole team: %d", status)
	}
	if _, body := send(t, visitor(t, s, dtm.RolePartner), s.URL+"/en/staff/", nil); strings.Contains(body, "1,234") {
		t.Error("a partner sees figures")
	}
}

// TestPlanSaid: days of a plan are said in the shortest way.
func TestPlanSaid(t *testing.T) {
	t.Parallel()
	s, _ := office(t)
	manager := visitor(t, s, dtm.RoleManager)
	for days, want := range map[string]string{"mon tue wed thu fri": "Monday to Friday", "mon tue wed thu sat sun": "daily but Friday", "tue thu": "Tuesday, Thursday", "mon tue wed thu fri sat sun": "daily"} {
		_, body := send(t, manager, s.URL+"/en/staff/points/obock", url.Values{"kind": {dtm.PointPlanned}, "from": {"2026-01-01"}, "days": strings.Fields(days), "start": {"06:00"}, "end": {"18:00"}})
		if !strings.Contains(body, want+" · 06:00") {
			t.Errorf("%s is not %q", days, want)
		}
	}
}
