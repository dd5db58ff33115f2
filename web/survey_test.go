package web_test

import (
	"net/http"
	"strings"
	"testing"

	"dtm"
)

// The page about interviews says when there are none, and refuses what is no question.
func TestSurveyPage(t *testing.T) {
	t.Parallel()
	s, _ := office(t)
	c := visitor(t, s, dtm.RoleSupervisor)
	for path, want := range map[string]string{"/en/staff/survey/": "Nobody answered this question", "/fr/staff/survey/?question=wants_help&weights=none&from=2026-01&to=2025-12": "Demande de l’aide"} {
		if status, body := send(t, c, s.URL+path, nil); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, lacks %q", path, status, want)
		}
	}
	if status, _ := send(t, c, s.URL+"/en/staff/survey/?question=tea", nil); status != http.StatusNotFound {
		t.Errorf("no question: %d", status)
	}
	if status, _ := send(t, visitor(t, s, dtm.RoleEnumerator), s.URL+"/en/staff/survey/", nil); status != http.StatusForbidden {
		t.Errorf("an enumerator: %d", status)
	}
}
