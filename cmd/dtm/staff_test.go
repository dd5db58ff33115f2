package main

import (
	"testing"

	"dtm"
	"dtm/gather/xlsform"
)

// TestPointName: a point that was chosen is named in the reader's language.
func TestPointName(t *testing.T) {
	op, err := loadOperation("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, p := range op.Points {
		for _, l := range op.Languages {
			r := answerReader{op: op, form: &xlsform.Form{}, reader: l}
			if got := r.say(&xlsform.Node{Type: "select_one_from_file", File: pointsFile}, p.Code); got != p.Name.In(l) {
				t.Errorf("%s in %s: %q, want %q", p.Code, l, got, p.Name.In(l))
			}
			if p.Name.In(l) != p.Name.In(dtm.English) {
				tried++
			}
		}
	}
	if tried == 0 {
		t.Error("no point has another name in another language")
	}
}
