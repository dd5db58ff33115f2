package xform_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/gather/xform"
)

func sealing(t testing.TB, name string) *xform.Sealing {
	t.Helper()
	_, f := packed(t, name)
	s, err := xform.SealingOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// filled is a screening as a phone sends it: what is not asked is left out, what the form
// computes is computed.
func filled(t testing.TB, m *xform.Model, pairs ...string) []byte {
	t.Helper()
	a := map[string]string{"point": "obock", "observed": "2026-11-28", "end": "2026-11-28T05:30:00.000Z", "consent": "yes", "sex": "female", "age": "25", "nationality": "ETH", "health": "no", "need": "water", "reach": "yes", "danger": "no",
		"asylum": "no", "forced": "no", "violence": "no", "go_home": "no", "papers": "yes", "share": "yes", "refer": "direct_assistance", "consulate": "no", "person_name": "Xylophena"}
	for i := 0; i+1 < len(pairs); i += 2 {
		a[pairs[i]] = pairs[i+1]
	}
	env := xform.Env{Now: time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)}
	made := xform.Computed(m, screened(m, a), env)
	var write func(n *xform.Node) string
	write = func(n *xform.Node) string {
		v, asked := made[n.Path]
		for _, c := range n.Children {
			v += write(c)
		}
		if v == "" && !asked {
			return ""
		}
		attr := ""
		if n == m.Root {
			attr = ` id="screening" version="1"`
		}
		return "<" + n.Name + attr + ">" + v + "</" + n.Name + ">"
	}
	return []byte(write(m.Root))
}

// TestSealedScreening: what a screening says on asylum, force, violence, risks of a child
// and the way home is not in what is left of it, nor what the form makes of that: two
// submissions that differ in nothing else are the same afterwards. Programmes and
// priority, by which need is counted, stay.
func TestSealedScreening(t *testing.T) {
	t.Parallel()
	m, _ := screening(t)
	s := sealing(t, "screening")
	var first []byte
	kinds := 0
	for _, asylum := range []string{"yes", "no", "unsure", ""} {
		for _, forced := range []string{"yes", "no", "unsure"} {
			for _, violence := range []string{"yes", "no", "unsure"} {
				for _, home := range []string{"yes", "no", "unsure"} {
					shut := asylum != "no" || forced != "no"
					if !shut && (violence != "yes" || home == "yes") {
						continue // other programmes are proposed: that may be told
					}
					doc := filled(t, m, "asylum", asylum, "forced", forced, "violence", violence, "go_home", home)
					public, private := s.Redacted(doc)
					if !private || bytes.Equal(doc, public) {
						t.Fatal("nothing was sealed")
					}
					if kinds++; first == nil {
						first = public
					}
					if !bytes.Equal(first, public) {
						t.Fatalf("asylum %s, force %s, violence %s, home %s can be told from what is left:\n%s\n%s", asylum, forced, violence, home, public, first)
					}
				}
			}
		}
	}
	if kinds < 80 {
		t.Fatalf("only %d kinds were tried", kinds)
	}
	for _, gone := range []string{"Xylophena", ">unsure<", "<consulate", "<n_closed", "<n_vhr", "<n_protection", "<p_vhr>", "<return_open>"} {
		if strings.Contains(string(first), gone) {
			t.Errorf("%s is left:\n%s", gone, first)
		}
	}
	for _, kept := range []string{"<point>obock</point>", "<need>water</need>", "<proposed>protection direct_assistance</proposed>", "<priority>urgent</priority>", "<refer>direct_assistance</refer>", "<share>yes</share>", "<asylum/>"} {
		if !strings.Contains(string(first), kept) {
			t.Errorf("%s is lost:\n%s", kept, first)
		}
	}
	if again, private := s.Redacted(first); private || !bytes.Equal(again, first) {
		t.Errorf("sealed twice:\n%s", again)
	}
	if s := sealing(t, "fms"); s != nil {
		t.Error("a survey that names nobody is sealed")
	}
}

// TestSealedRecheck: what rests on a sealed answer is not judged, what does not is; the
// same without the knowledge of what is sealed finds faults where there are none.
func TestSealedRecheck(t *testing.T) {
	t.Parallel()
	m, _ := screening(t)
	s := sealing(t, "screening")
	_, f := packed(t, "screening")
	env := xform.Env{Now: time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC), Sealed: s}
	for _, pairs := range [][]string{
		nil,
		{"asylum", "yes", "age", "15", "child_with", "alone", "child_risk", "yes"},
		{"go_home", "yes", "refer", "vhr", "consulate", "yes", "need", "return"},
		{"consent", "no"},
	} {
		doc := filled(t, m, pairs...)
		if flags := xform.Recheck(m, doc, xform.Env{Now: env.Now}); len(flags) > 0 {
			t.Fatalf("%v as sent: %v", pairs, flags)
		}
		public, _ := s.Redacted(doc)
		if flags := xform.Recheck(m, public, env); len(flags) > 0 {
			t.Errorf("%v: %v", pairs, flags)
		}
		in, err := xform.Read(f, public)
		if err != nil || len(in.Flags) > 0 {
			t.Errorf("%v: %v %v", pairs, in.Flags, err)
		}
		if blind := xform.Recheck(m, public, xform.Env{Now: env.Now}); len(blind) == 0 && pairs[0] != "consent" {
			t.Errorf("%v: the test has no teeth", pairs)
		}
	}
	public, _ := s.Redacted(filled(t, m, "age", "250", "reach", "", "need", "none water"))
	if got := rules(xform.Recheck(m, public, env)); got != "answer.constraint /data/screen/who/age; answer.constraint /data/screen/health_page/need; answer.required /data/screen/health_page/reach" {
		t.Errorf("what is not sealed is not judged: %s", got)
	}
	// A correction follows what can be computed and leaves the rest.
	public, _ = s.Redacted(filled(t, m, "asylum", "yes"))
	all, err := xform.Follow(m, public, env, []dtm.Change{{Path: "/data/screen/health_page/need", Now: "food"}, {Path: "/data/screen/health_page/health", Now: "soon"}})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, c := range all {
		paths = append(paths, c.Path+"="+c.Now)
	}
	if got := strings.Join(paths, " "); got != "/data/screen/health_page/need=food /data/screen/health_page/health=soon /data/screen/p_health=health " {
		t.Errorf("%q", got)
	}
}

// TestSealedForm: a form of somebody's own. What is computed from a sealed answer, asked
// by it, named after it, or stands where it does not belong goes too, in every turn.
func TestSealedForm(t *testing.T) {
	t.Parallel()
	f := form(t, `
| survey |
| | type         | name   | label  | relevant        | calculation                     | hxl |
| | text         | place  | Place  |                 |                                 | #loc+name |
| | begin_repeat | member | Member |                 |                                 |     |
| | text         | who    | Who    |                 |                                 | #person+name |
| | integer      | age    | Age    |                 |                                 |     |
| | text         | harm   | Harm   |                 |                                 | #protection+violence |
| | begin_group  | more   | More   | ${harm} = 'cut' |                                 |     |
| | text         | detail | Detail |                 |                                 |     |
| | end_group    |        |        |                 |                                 |     |
| | calculate    | greet  |        |                 | concat('Dear ', ${who})         |     |
| | calculate    | twice  |        |                 | concat(${greet}, ${age})        |     |
| | calculate    | level  |        |                 | if(${harm} = 'cut', 'high', '') | #severity+level |
| | text         | home   | Home   |                 |                                 | #meta+return+wish |
| | end_repeat   |        |        |                 |                                 |     |
| settings |
| | form_id | instance_name |
| | own     | concat(${place}, count(${who})) |
`)
	s, err := xform.SealingOf(f)
	if err != nil {
		t.Fatal(err)
	}
	doc := `<data id="own" version="1"><place>Obock</place>` +
		`<member><who>Abebe</who><age>30</age><harm note="cut">cut<!-- deep --></harm><more><detail>Knife</detail></more><greet>Dear Abebe</greet><twice>Dear Abebe30</twice><level>high</level><home>yes</home></member>` +
		`<member><who><![CDATA[Chaltu]]></who><who>Second</who><age>31</age><harm/><level/></member>` +
		`<stray><harm>burnt</harm></stray>` +
		`<meta><instanceID>uuid:1</instanceID><instanceName>Obock2</instanceName></meta></data>`
	public, private := s.Redacted([]byte(doc))
	want := `<data id="own" version="1"><place>Obock</place>` +
		`<member><who/><age>30</age><harm/><greet/><twice/><level>high</level><home>yes</home></member>` +
		`<member><who/><who/><age>31</age><harm/><level/></member>` +
		`<stray><harm/></stray>` +
		`<meta><instanceID>uuid:1</instanceID><instanceName/></meta></data>`
	if !private || string(public) != want {
		t.Errorf("got\n%s\nwant\n%s", public, want)
	}
	for path, sealed := range map[string]bool{"/data/member[2]/who": true, "/data/member[1]/more/detail": true, "/data/member/twice": true, "/data/member/level": false, "/data/place": false, "/data/member[1]/age": false, "/nothing": false} {
		if s.Has(path) != sealed {
			t.Errorf("%s: %v", path, !sealed)
		}
	}
	if s.Has("/data/place") || (*xform.Sealing)(nil).Has("/data/place") {
		t.Error("a form that seals nothing seals")
	}
}

// FuzzRedacted: whatever is sent, nothing of a sealed answer's text is left where the
// form has it, and what is left stays what it is.
func FuzzRedacted(f *testing.F) {
	s := sealing(f, "screening")
	_, form := packed(f, "screening")
	for _, x := range []string{
		`<data id="screening"><screen><safety><asylum>yes</asylum></safety></screen></data>`,
		`<data id="screening"><screen><safety><asylum>y<b/>es</asylum><asylum> </asylum></safety><result><consulate/></result></screen></data>`,
		`<x:data xmlns:x="u" id="screening"><!-- a --><screen><contact><x:person_name a="b"><![CDATA[<Abebe>]]></x:person_name></contact></screen></x:data>`,
		`<?xml version="1.0"?><data id="screening"><asylum>no</asylum></data>`,
	} {
		f.Add([]byte(x))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		public, private := s.Redacted(doc)
		if !private && !bytes.Equal(public, doc) {
			t.Fatal("changed without a reason")
		}
		if again, twice := s.Redacted(public); twice || private && !bytes.Equal(again, public) {
			t.Fatalf("something was left: %q of %q", public, doc)
		}
		in, err := xform.Read(form, public)
		if err != nil {
			if private {
				t.Fatalf("%v: %q", err, public)
			}
			return
		}
		in.Root.Each(func(a xform.Answer, _ *xform.Answers) {
			if slices.Contains([]string{"asylum", "forced", "person_name", "consulate", "return_open"}, a.Node.Name) && a.Value != "" && !in.Encrypted {
				t.Fatalf("%s is left in %q", a.Node.Name, public)
			}
		})
	})
}
