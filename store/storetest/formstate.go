package storetest

import (
	"fmt"
	"testing"

	"dtm"
)

func formStates(t *testing.T, d Dialect) {
	s, place := d.open(t)
	wantKind(t, s.SetFormState(ctx, "fmr", dtm.FormClosed), dtm.NotFound)
	must(t, s.Publish(ctx, dtm.Form{ID: "fmr", Version: "1", XForm: []byte("x")}))
	must(t, s.Publish(ctx, dtm.Form{ID: "fms", Version: "1", XForm: []byte("x")}))
	wantKind(t, s.SetFormState(ctx, "fmr", "ajar"), dtm.Invalid)
	must(t, s.SetFormState(ctx, "fmr", dtm.FormOpen)) // it is
	if m, err := s.FormStates(ctx); err != nil || len(m) != 0 {
		t.Errorf("states = %v, %v", m, err)
	}
	before := len(allEvents(t, s))
	for _, state := range []string{dtm.FormClosing, dtm.FormClosing, dtm.FormClosed, dtm.FormOpen, dtm.FormClosed} {
		must(t, s.SetFormState(ctx, "fmr", state))
	}
	if n := len(allEvents(t, s)) - before; n != 4 {
		t.Errorf("%d entries, want one for each change", n)
	}
	must(t, s.Publish(ctx, dtm.Form{ID: "fmr", Version: "2", XForm: []byte("y")})) // stays closed
	must(t, s.Close())
	s = d.openAt(t, place)
	if m, err := s.FormStates(ctx); err != nil || fmt.Sprint(m) != "map[fmr:closed]" {
		t.Errorf("states = %v, %v", m, err)
	}
	must(t, s.Verify(ctx))
}
