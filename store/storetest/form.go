package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func placeholders(t *testing.T, d Dialect) {
	s, place := d.open(t)
	must(t, s.Close())
	// Drivers that number placeholders by their order would answer one, two, one.
	got := d.Query(t, place, `SELECT $2, $1, $2`, "one", "two")
	if !cmp.Equal(got, []string{"two", "one", "two"}) {
		t.Errorf("SELECT $2, $1, $2 = %v", got)
	}
}

func forms(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	day := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	v1 := dtm.Form{ID: "fmr", Version: "1", Title: "Registre — «é» ب", Titles: dtm.Text{dtm.French: "Registre — «é» ب", dtm.Arabic: "سجل", "so": "Diiwaan"}, Hash: "md5:1", XForm: []byte("<x>1</x>"),
		Source: []byte{0, 1, 0xff}, SourceName: "fmr.xlsx", Published: day,
		Media: []dtm.Media{{Name: "a.png", Type: "image/png", Hash: "md5:a", Data: []byte{0, 255}}, {Name: "points é.csv", Type: "text/csv", Hash: "md5:p", Data: []byte("x")}}}
	v2 := dtm.Form{ID: "fmr", Version: "2", Title: "T2", Hash: "md5:2", XForm: []byte("<x>2</x>"), Source: []byte{}, Published: day.Add(-time.Hour)}
	other := dtm.Form{ID: "fms", Version: "", Title: "FMS", Hash: "md5:3", XForm: []byte("<x>3</x>"), Source: []byte{}, Published: day}

	list, err := s.Forms(ctx)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("a new store has forms: %v", list)
	}
	for _, f := range []dtm.Form{v1, other, v2} {
		must(t, s.Publish(ctx, f))
	}
	got, err := s.Form(ctx, "fmr", "1")
	must(t, err)
	if diff := cmp.Diff(v1, got); diff != "" {
		t.Errorf("version 1 came back changed (-sent +got):\n%s", diff)
	}
	// The one published last is current, whatever its date says.
	if got, err = s.Form(ctx, "fmr", ""); err != nil || got.Version != "2" {
		t.Errorf("current = %q, %v", got.Version, err)
	}
	list, err = s.Forms(ctx)
	must(t, err)
	if len(list) != 2 || list[0].ID != "fmr" || list[0].Version != "2" || list[0].Titles != nil || list[1].ID != "fms" {
		t.Errorf("list = %v", list)
	}
	n := len(allEvents(t, s))
	must(t, s.Publish(ctx, v1)) // again: nothing
	if got, _ := s.Form(ctx, "fmr", ""); got.Version != "2" || len(allEvents(t, s)) != n {
		t.Error("publishing the same again changed something")
	}
	changed := v1
	changed.XForm = []byte("<x>other</x>")
	wantKind(t, s.Publish(ctx, changed), dtm.Conflict)
	changed = v1
	changed.Titles = dtm.Text{dtm.French: "Autre titre"}
	wantKind(t, s.Publish(ctx, changed), dtm.Conflict)
	changed = v1
	changed.Media = v1.Media[:1]
	wantKind(t, s.Publish(ctx, changed), dtm.Conflict)
	wantKind(t, s.Publish(ctx, dtm.Form{Version: "1"}), dtm.Invalid)
	twice := dtm.Form{ID: "m", Version: "1", Media: []dtm.Media{{Name: "a"}, {Name: "a"}}}
	wantKind(t, s.Publish(ctx, twice), dtm.Invalid)
	_, err = s.Form(ctx, "m", "")
	wantKind(t, err, dtm.NotFound) // nothing half-stored
	_, err = s.Form(ctx, "none", "")
	wantKind(t, err, dtm.NotFound)
	_, err = s.Form(ctx, "fmr", "9")
	wantKind(t, err, dtm.NotFound)
	list, err = s.Forms(ctx)
	must(t, err)
	for _, f := range list {
		if len(f.Source) > 0 || len(f.Media) > 0 && f.Media[0].Data != nil {
			t.Errorf("the list carries the content of %s", f.ID)
		}
	}
}
