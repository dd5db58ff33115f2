package serve

import (
	"net/http/httptest"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.7:4711", "", "203.0.113.7"},
		{"203.0.113.7:4711", "198.51.100.1", "203.0.113.7"}, // no proxy of ours
		{"127.0.0.1:4711", "", "127.0.0.1"},
		{"127.0.0.1:4711", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.2:1", "6.6.6.6, 198.51.100.1", "198.51.100.1"}, // the first one was sent by the client
		{"[::1]:1", "2001:db8:1:2:3::9", "2001:db8:1:2::/64"},
		{"[2001:db8::1]:1", "", "2001:db8::/64"},
		{"[::ffff:203.0.113.7]:1", "", "203.0.113.7"},
		{"127.0.0.1:4711", "nonsense", "127.0.0.1"},
		{"@", "", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := Client(r); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
