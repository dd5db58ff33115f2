package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dtm"
)

// TestAgreements: an administrator records an agreement and ends it, with a reason; what
// is wrong with one is said; others read them or not at all.
func TestAgreements(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	c := visitor(t, s, dtm.RoleAdmin)
	today := time.Now().UTC()
	form := url.Values{"partner": {"onars"}, "kind": {dtm.AgreementCases}, "purpose": {"Direct assistance at Dikhil <b>"}, "programme": {"direct_assistance"}, "group": {dtm.GroupNeed, dtm.GroupIdentity},
		"area": {"DJ03"}, "from": {today.AddDate(0, 0, -1).Format(time.DateOnly)}, "to": {today.AddDate(1, 0, 0).Format(time.DateOnly)}}
	with := func(key string, v ...string) url.Values {
		f := url.Values{}
		for k, x := range form {
			f[k] = x
		}
		f[key] = v
		return f
	}
	for name, bad := range map[string]url.Values{"partner": with("partner", "nobody"), "purpose": with("purpose", " "), "days": with("to", "2020-01-01"), "long": with("to", "2099-01-01"), "no day": with("from", "x"),
		"programme": with("programme"), "group": with("group", "everything"), "area": with("area", "DJ0301"), "rows by figures": with("kind", dtm.AgreementFigures)} {
		if status, body := send(t, c, s.URL+"/en/staff/agreements/", bad); status != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, body := send(t, c, s.URL+"/en/staff/agreements/", form); status != http.StatusOK || !strings.Contains(body, "ONARS") || !strings.Contains(body, "Dikhil &lt;b&gt;") || !strings.Contains(body, "in force") {
		t.Fatalf("%d %s", status, body)
	}
	list, err := db.Agreements(t.Context(), "onars")
	if err != nil || len(list) != 1 || list[0].Author != "user:admin@example.org" || !list[0].Stands(time.Now(), time.UTC) || list[0].Stands(time.Now().AddDate(2, 0, 0), time.UTC) {
		t.Fatalf("%+v, %v", list, err)
	}
	end := url.Values{"end": {list[0].ID}, "why": {"replaced"}}
	if status, _ := send(t, visitor(t, s, dtm.RoleManager), s.URL+"/en/staff/agreements/", end); status != http.StatusForbidden {
		t.Errorf("a data manager ends it: %d", status)
	}
	if status, body := send(t, visitor(t, s, dtm.RoleAuditor), s.URL+"/fr/staff/agreements/", nil); status != http.StatusOK || strings.Contains(body, `name="end"`) {
		t.Errorf("an auditor reads them and cannot change them: %d", status)
	}
	if status, _ := send(t, visitor(t, s, dtm.RolePartner), s.URL+"/en/staff/agreements/", nil); status != http.StatusForbidden {
		t.Errorf("a partner reads the others' agreements: %d", status)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/agreements/", url.Values{"end": {list[0].ID}}); status != http.StatusUnprocessableEntity {
		t.Errorf("ended without a reason: %d", status)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/agreements/", end); status != http.StatusOK {
		t.Errorf("not ended: %d", status)
	}
	if status, _ := send(t, c, s.URL+"/en/staff/agreements/", end); status != http.StatusUnprocessableEntity {
		t.Errorf("ended twice: %d", status)
	}
	if list, _ = db.Agreements(t.Context(), ""); list[0].Stands(time.Now(), time.UTC) || list[0].Why != "replaced" {
		t.Errorf("%+v", list[0])
	}
	if a, b := noted(t, db, dtm.AgreementAdded), noted(t, db, dtm.AgreementEnded); len(a) != 1 || len(b) != 1 {
		t.Errorf("log: %v, %v", a, b)
	}
}
