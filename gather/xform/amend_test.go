package xform_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/gather/xform"
)

const amendable = `<?xml version="1.0"?><!-- as sent -->
<data id="rules" xmlns:jr="http://openrosa.org/javarosa"><age>20</age><adult>yes</adult><kind/><group><inside a="1">i&amp;i</inside></group>
<rep jr:template=""><n/></rep><rep><n>2</n><double>4</double></rep><rep><n>3</n><double>6</double></rep><total>10</total><jr:x/><meta><instanceID>uuid:1</instanceID></meta></data>`

func TestAmended(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, now, from, to string
		kind                dtm.Kind
	}{
		{"/data/age", "17", "<age>20<", "<age>17<", 0},
		{"/data/age", "", "<age>20<", "<age><", 0},
		{"/data/age", "<b>&", "<age>20<", "<age>&lt;b&gt;&amp;<", 0},
		{"/data/kind", "a b", "<kind/>", "<kind>a b</kind>", 0},
		{"/data/x", "y", "<jr:x/>", "<jr:x>y</jr:x>", 0},
		{"/data/group/inside", "o", "i&amp;i", "o", 0},
		{"/data/rep[2]/n", "5", "<n>3<", "<n>5<", 0},
		{"/data/rep/n", "5", "<n>2<", "<n>5<", 0},
		{"/data/rep[2]/big", "b", "<double>6</double>", "<double>6</double><big>b</big>", 0},
		{"/data/why", "w", "</meta></data>", "</meta><why>w</why></data>", 0},
		{"/data/rep[3]/n", "5", "", "", dtm.NotFound},
		{"/data/none/n", "5", "", "", dtm.NotFound},
		{"/data/group", "5", "", "", dtm.Invalid},
		{"/data/meta/instanceID", "5", "", "", dtm.Invalid},
		{"/data", "5", "", "", dtm.Invalid},
		{"age", "5", "", "", dtm.Invalid},
		{"/data/a b", "5", "", "", dtm.Invalid},
	} {
		got, err := xform.Amended([]byte(amendable), []dtm.Change{{Path: c.path, Now: c.now}})
		if c.kind != 0 {
			if err == nil || dtm.KindOf(err) != c.kind {
				t.Errorf("%s: %v", c.path, err)
			}
			continue
		}
		if want := strings.Replace(amendable, c.from, c.to, 1); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.path, err, got, want)
		}
		if v, err := xform.Value(got, c.path); err != nil || v != c.now {
			t.Errorf("%s: %q, %v", c.path, v, err)
		}
	}
	if got, err := xform.Amended([]byte(amendable), nil); err != nil || string(got) != amendable {
		t.Errorf("nothing to change: %v", err)
	}
	if _, err := xform.Amended([]byte("<data><a>"), []dtm.Change{{Path: "/data/a"}}); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("cut: %v", err)
	}
}

// TestFollow: what the form computes from a corrected answer is corrected with it, over
// as many steps as it takes; what was wrong before stays.
func TestFollow(t *testing.T) {
	t.Parallel()
	m, err := xform.ReadModel([]byte(ruleForm))
	if err != nil {
		t.Fatal(err)
	}
	env := xform.Env{Now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	got, err := xform.Follow(m, []byte(amendable), env, []dtm.Change{{Path: "/data/rep[2]/n", Now: "10"}, {Path: "/data/age", Now: "20"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []dtm.Change{{Path: "/data/rep[2]/n", Was: "3", Now: "10"}, {Path: "/data/rep[2]/double", Was: "6", Now: "20"}, {Path: "/data/total", Was: "10", Now: "24"}}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("change %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	wrong := strings.Replace(amendable, "<total>10<", "<total>99<", 1)
	if got, err = xform.Follow(m, []byte(wrong), env, []dtm.Change{{Path: "/data/kind", Now: "a"}}); err != nil || len(got) != 1 {
		t.Errorf("a correction elsewhere: %+v, %v", got, err)
	}
}

func FuzzAmended(f *testing.F) {
	f.Add([]byte(amendable), "/data/rep[2]/n", "<5>")
	f.Add([]byte(`<a:data xmlns:a="x"><b><![CDATA[x]]></b></a:data>`), "/data/b", "é")
	f.Add([]byte(`<data/>`), "/data/b", "1")
	f.Add([]byte(`<data><b >1<!-- x --></b ></data>`), "/data/b", "")
	f.Fuzz(func(t *testing.T, doc []byte, path, now string) {
		if strings.ContainsFunc(now, func(r rune) bool { return r < ' ' || r == '\uFFFD' || r == '\uFFFE' || r == '\uFFFF' }) {
			return
		}
		before := bytes.Clone(doc)
		got, err := xform.Amended(doc, []dtm.Change{{Path: path, Now: now}})
		if !bytes.Equal(doc, before) {
			t.Fatal("the submission itself was changed")
		}
		if err != nil {
			return
		}
		v, err := xform.Value(got, path)
		if err != nil {
			t.Fatalf("%q at %q became %q: %v", doc, path, got, err)
		}
		if strings.TrimSpace(v) != strings.TrimSpace(now) {
			t.Fatalf("%q at %q became %q: says %q, want %q", doc, path, got, v, now)
		}
	})
}
