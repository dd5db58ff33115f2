package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		s := Sessions(secure)
		mux := http.NewServeMux()
		mux.HandleFunc("/visit", func(w http.ResponseWriter, r *http.Request) { s.Put(r.Context(), "seen", true) })
		mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
			if err := s.RenewToken(r.Context()); err != nil {
				t.Error(err)
			}
			s.Put(r.Context(), "email", "a@example.org")
		})
		mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) {
			if err := s.Destroy(r.Context()); err != nil {
				t.Error(err)
			}
		})
		mux.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(s.GetString(r.Context(), "email"))) })
		h := s.LoadAndSave(mux)
		ask := func(path string, cookie *http.Cookie) (*http.Cookie, string) {
			r := httptest.NewRequest("GET", path, nil)
			if cookie != nil {
				r.AddCookie(cookie)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if c := w.Result().Cookies(); len(c) > 0 {
				return c[0], w.Body.String()
			}
			return nil, w.Body.String()
		}
		before, _ := ask("/visit", nil)
		after, _ := ask("/in", before)
		if after == nil || before == nil || after.Value == before.Value {
			t.Fatal("the token of before sign-in goes on")
		}
		if !after.HttpOnly || after.SameSite != http.SameSiteLaxMode || after.Secure != secure || after.MaxAge != 0 || after.Path != "/" || after.Domain != "" {
			t.Errorf("cookie %v", after)
		}
		if _, who := ask("/who", after); who != "a@example.org" {
			t.Errorf("signed in as %q", who)
		}
		if _, who := ask("/who", before); who != "" {
			t.Error("the cookie of before sign-in is signed in")
		}
		if _, found, _ := s.Store.Find(after.Value); found {
			t.Error("the store knows the token itself")
		}
		ask("/out", after)
		if _, who := ask("/who", after); who != "" {
			t.Error("signed in after signing out")
		}
	}
}
