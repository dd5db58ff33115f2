package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dtm"
)

// TestDevices: a device is added with a code and a sheet, told apart from one of the
// same name, moved, given a new code and shut out with a reason; each is in the log.
func TestDevices(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, dtm.RoleSupervisor)
	at := s.URL + "/en/staff/devices/"
	status, body := send(t, c, at, url.Values{"name": {"Obock-1"}, "point": {"obock"}, "lang": {"fr"}})
	if status != http.StatusOK || strings.Count(body, "data:image/png;base64,") != 2 || !strings.Contains(body, "http://dtm.example.org/entry/") {
		t.Fatalf("added: %d", status)
	}
	// The sheet is for the enumerator, in every language, the device's first.
	fr, en, ar := strings.Index(body, "Pour l’enquêteur"), strings.Index(body, "For the enumerator"), strings.Index(body, "لجامع البيانات")
	if fr < 0 || en < fr || ar < en {
		t.Errorf("languages of the sheet stand at %d, %d, %d", fr, en, ar)
	}
	if status, body := send(t, c, at, url.Values{"name": {"Obock-1"}}); status != http.StatusConflict || !strings.Contains(body, `value="Obock-1"`) {
		t.Errorf("the same name: %d", status)
	}
	if status, _ := send(t, c, at, url.Values{"name": {" "}}); status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", status)
	}
	for _, bad := range []url.Values{{"name": {"x"}, "point": {"nowhere"}}, {"name": {"x"}, "lang": {"xx"}}} {
		if status, _ := send(t, c, at, bad); status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, status)
		}
	}
	list, err := db.Devices(t.Context())
	if err != nil || len(list) != 1 || list[0].Point != "obock" || list[0].Lang != dtm.French {
		t.Fatal(list, err)
	}
	one := at + list[0].ID + "/"
	if status, body := send(t, c, one+"move", url.Values{"point": {"galafi"}}); status != http.StatusOK || !strings.Contains(body, "Galafi") || !strings.Contains(body, "The device is moved") || !strings.Contains(body, "supervisor@example.org") {
		t.Errorf("moved: %d", status)
	}
	if status, _ := send(t, c, one+"move", url.Values{"point": {"nowhere"}}); status == http.StatusOK {
		t.Error("moved to nowhere")
	}
	if posts, err := db.DevicePosts(t.Context(), list[0].ID); err != nil || len(posts) != 2 {
		t.Errorf("posts %v %v", posts, err)
	}
	if status, body := send(t, c, one+"code", url.Values{}); status != http.StatusOK || !strings.Contains(body, "data:image/png;base64,") || !strings.Contains(body, "The one before no longer works") {
		t.Errorf("a new code: %d", status)
	}
	for i := range 2 {
		if _, err := db.Receive(t.Context(), dtm.Submission{ID: "uuid:" + string(rune('a'+i)), Form: "f", Version: "7", Device: list[0].ID, XML: []byte("<data/>")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, body := send(t, c, one, nil); !strings.Contains(body, "Version 7") || !strings.Contains(body, "submissions: 2") {
		t.Error("the page does not say what came from the device")
	}
	if status, body := send(t, c, one+"revoke", url.Values{"reason": {"lost  <on> the road"}}); status != http.StatusOK || !strings.Contains(body, "lost &lt;on&gt; the road") || strings.Contains(body, one+"move") {
		t.Errorf("revoked: %d", status)
	}
	if list, _ = db.Devices(t.Context()); list[0].Revoked == nil || list[0].Reason != "lost <on> the road" {
		t.Errorf("it is not shut out: %+v", list[0])
	}
	if status, _ := send(t, c, one+"revoke", url.Values{}); status != http.StatusNotFound {
		t.Errorf("shut out twice: %d", status)
	}
	events, err := db.Events(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range events {
		if e.Subject == list[0].ID {
			names = append(names, e.Name+" "+e.Actor)
		}
	}
	const who = " user:supervisor@example.org"
	if want := []string{dtm.DeviceAdded + who, dtm.DeviceMoved + who, dtm.DeviceRenewed + who, dtm.DeviceRevoked + who}; strings.Join(names, ",") != strings.Join(want, ",") {
		t.Errorf("the log says %v", names)
	}
	if status, _ := send(t, c, at+"nobody/", nil); status != http.StatusNotFound {
		t.Errorf("no such device: %d", status)
	}
}
