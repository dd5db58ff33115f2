package storetest

import (
	"testing"
	"time"

	"dtm"
)

// computed: the last result of a name is there after a restart; another name has none.
func computed(t *testing.T, d Dialect) {
	s, place := d.open(t)
	at := time.Date(2026, 11, 28, 14, 5, 0, 0, time.UTC)
	for _, c := range []dtm.Computed{{Name: "team", Basis: "1", At: at, Body: []byte("one")}, {Name: "team", Basis: "2", At: at.Add(time.Hour), Body: []byte{0, 255}}} {
		must(t, s.KeepComputed(ctx, c))
	}
	must(t, s.Close())
	s = d.openAt(t, place)
	got, err := s.Computed(ctx, "team")
	if err != nil || got.Basis != "2" || !got.At.Equal(at.Add(time.Hour)) || string(got.Body) != "\x00\xff" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Computed(ctx, "other"); err != nil || got.Name != "" || got.Body != nil {
		t.Errorf("what was never computed: %+v, %v", got, err)
	}
}
