package storetest

import (
	"strings"
	"testing"

	"dtm"
)

func savedViews(t *testing.T, d Dialect) {
	s, place := d.open(t)
	const amina, hassan = "amina@example.org", "hassan@example.org"
	save := func(owner, name string, shared bool) int64 {
		t.Helper()
		id, err := s.SaveView(ctx, dtm.SavedView{Owner: owner, Name: name, Query: "indicator=entries", Shared: shared})
		must(t, err)
		return id
	}
	names := func(owner string) string {
		t.Helper()
		list, err := s.Views(ctx, owner)
		must(t, err)
		var out []string
		for _, v := range list {
			if v.Query != "indicator=entries" || v.Changed.IsZero() {
				t.Errorf("view %+v", v)
			}
			out = append(out, v.Name)
		}
		return strings.Join(out, ",")
	}
	mine := save(amina, " Entries,  by point ", false)
	save(amina, "All", true)
	theirs := save(hassan, "All", false)
	if got := names(amina); got != "All,Entries, by point" {
		t.Errorf("amina sees %q", got)
	}
	if got := names(hassan); got != "All,All" {
		t.Errorf("hassan sees %q, his own and the shared one", got)
	}
	for _, name := range []string{"", "  ", strings.Repeat("x", 121)} {
		_, err := s.SaveView(ctx, dtm.SavedView{Owner: amina, Name: name, Query: "q"})
		wantKind(t, err, dtm.Invalid)
	}
	_, err := s.SaveView(ctx, dtm.SavedView{Owner: amina, Name: "All", Query: "q"})
	wantKind(t, err, dtm.Conflict)
	_, err = s.SaveView(ctx, dtm.SavedView{Owner: amina, Name: "long", Query: strings.Repeat("q", 5000)})
	wantKind(t, err, dtm.Invalid)
	wantKind(t, s.RenameView(ctx, hassan, mine, "stolen", true), dtm.NotFound)
	wantKind(t, s.DeleteView(ctx, hassan, mine), dtm.NotFound)
	wantKind(t, s.RenameView(ctx, amina, mine, "All", true), dtm.Conflict)
	must(t, s.RenameView(ctx, amina, mine, "Entries", true))
	if got := names(hassan); got != "All,All,Entries" {
		t.Errorf("hassan sees %q", got)
	}
	must(t, s.DeleteView(ctx, amina, mine))
	wantKind(t, s.DeleteView(ctx, amina, mine), dtm.NotFound)
	other := save(amina, "Entries", false)
	wantKind(t, s.RestoreView(ctx, amina, mine), dtm.Conflict)
	must(t, s.DeleteView(ctx, amina, other))
	wantKind(t, s.RestoreView(ctx, hassan, mine), dtm.NotFound)
	must(t, s.RestoreView(ctx, amina, mine))
	wantKind(t, s.RestoreView(ctx, amina, mine), dtm.NotFound)
	must(t, s.DeleteView(ctx, hassan, theirs))
	must(t, s.Close())
	s = d.openAt(t, place)
	if got := names(hassan); got != "All,Entries" {
		t.Errorf("after opening again hassan sees %q", got)
	}
	must(t, s.Verify(ctx))
}
