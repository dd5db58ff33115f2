package demo_test

import (
	"bytes"
	"testing"
	"time"

	"dtm/demo"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
)

// TestForms: a quarter of a year of every other form of the pack is deterministic,
// and what the form itself would not take is not in it.
func TestForms(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range op.Forms {
		form, _, err := xlsform.Read(pack.File, pack.Data)
		if err != nil {
			t.Fatal(err)
		}
		f, err := demo.NewForm(op, form)
		if err != nil || (f == nil) != (form.ID == "fmr") {
			t.Fatalf("%s: %v %v", form.ID, f, err)
		}
		if f == nil {
			continue
		}
		doc, err := xform.Write(form)
		if err != nil {
			t.Fatal(err)
		}
		m, err := xform.ReadModel(doc)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		ids := map[string]bool{}
		for d := range 91 {
			day := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, d)
			again := f.Day(day, 3)
			for i, x := range f.Day(day, 3) {
				if n++; !bytes.Equal(x.XML, again[i].XML) || ids[x.ID] {
					t.Fatalf("%s: another run gives other data, or an id is there twice", form.ID)
				}
				ids[x.ID] = true
				in, err := xform.Read(form, x.XML)
				if err != nil {
					t.Fatal(err)
				}
				facts, odd := xform.Facts(op, form, in)
				if facts.Need == nil || len(odd) > 0 || len(facts.Movements) > 0 ||
					(facts.Interview != nil) != (form.ID == "fms") || (facts.Presence != nil) != (form.ID == "presence") || (facts.Incident != nil) != (form.ID == "event") {
					t.Fatalf("%s: facts %+v, flags %v", form.ID, facts, odd)
				}
				if flags := append(in.Flags, xform.Recheck(m, x.XML, xform.Env{Now: x.At})...); len(flags) > 0 || in.InstanceName == "" {
					t.Fatalf("%s: %v %q in %s", form.ID, flags, in.InstanceName, x.XML)
				}
			}
		}
		t.Logf("%s: %d", form.ID, n)
		if n < 5 {
			t.Errorf("%d submissions of %s in a quarter of a year", n, form.ID)
		}
	}
}
