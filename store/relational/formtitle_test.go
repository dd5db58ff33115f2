package relational_test

import (
	"context"
	"maps"
	"testing"

	"dtm"
	"dtm/store/relational"
)

// What was published before titles were kept by language gets them from its workbook,
// once; and publishing it again, with its titles, is no conflict before or after.
func TestTitleForms(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	old := dtm.Form{ID: "f", Version: "1", Title: "F", Hash: "md5:1", XForm: []byte("<x/>"), Source: []byte("f"), SourceName: "f.xlsx"}
	bare := dtm.Form{ID: "bare", Version: "1", Title: "B", Hash: "md5:1", XForm: []byte("<x/>"), Source: []byte{}}
	bad := dtm.Form{ID: "bad", Version: "1", Title: "B", Hash: "md5:1", XForm: []byte("<x/>"), Source: []byte("bad"), SourceName: "bad.xlsx"}
	for _, f := range []dtm.Form{old, bare, bad} {
		if err := db.Publish(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.SaveDraft(ctx, old); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`DROP TRIGGER form_title_not_changed`, `UPDATE form SET titles = NULL`, `UPDATE draft SET titles = NULL`} {
		if err := db.Update(ctx, "test", func(t *relational.Tx) error { return t.Exec(s) }); err != nil {
			t.Fatal(err)
		}
	}
	now := old
	now.Titles = dtm.Text{dtm.English: "F", dtm.French: "Le f"}
	if err := db.Publish(ctx, now); err != nil {
		t.Errorf("again, before its titles were read: %v", err)
	}
	asked := 0
	read := func(name string, source []byte) dtm.Text {
		if asked++; string(source) == "bad" {
			return nil
		}
		return now.Titles
	}
	for range 2 {
		if err := db.TitleForms(ctx, read); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("%d workbooks were read, want each once", asked)
	}
	f, err := db.Form(ctx, "f", "")
	if err != nil || !maps.Equal(f.Titles, now.Titles) {
		t.Errorf("%v %v", f.Titles, err)
	}
	if d, err := db.Draft(ctx, "f"); err != nil || !maps.Equal(d.Titles, now.Titles) {
		t.Errorf("draft: %v %v", d.Titles, err)
	}
	for _, id := range []string{"bare", "bad"} {
		if f, err := db.Form(ctx, id, ""); err != nil || f.Titles != nil || f.TitleIn(dtm.French) != "B" {
			t.Errorf("%s: %v %v", id, f.Titles, err)
		}
	}
	if err := db.Publish(ctx, now); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := db.Publish(ctx, old); dtm.KindOf(err) != dtm.Conflict {
		t.Errorf("without its titles: %v", err)
	}
}
