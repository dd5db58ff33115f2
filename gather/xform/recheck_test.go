package xform_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/gather/xpath"
)

const ruleForm = `<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa">
<h:head><h:title>Rules</h:title><model>
<instance><data id="rules"><start/><end/><age/><adult/><why/><group><inside/></group><kind/><place/><day/><chance/><kept/><late/><spot/>
<rep jr:template=""><n/><double/><big/></rep><total/><meta><instanceID/></meta></data></instance>
<instance id="kind"><root><item><name>a</name></item><item><name>b</name></item></root></instance>
<instance id="place" src="jr://file-csv/place.csv"/>
<bind nodeset="/data/end" jr:preload="timestamp" jr:preloadParams="end" type="dateTime"/>
<bind nodeset="/data/age" type="int" required="true()" constraint=". &gt;= 0 and . &lt; 120"/>
<bind nodeset="/data/adult" calculate="if(/data/age &gt;= 18, 'yes', 'no')"/>
<bind nodeset="/data/why" relevant="/data/adult = 'no'" required="true()"/>
<bind nodeset="/data/group" relevant="/data/adult = 'yes'"/>
<bind nodeset="/data/day" type="date" constraint=". &lt;= today()"/>
<bind nodeset="/data/chance" calculate="random()"/>
<bind nodeset="/data/kept" calculate="once(/data/age)"/>
<bind nodeset="/data/late" calculate="format-date(now(), '%Y')"/>
<bind nodeset="/data/spot" type="geopoint" calculate="'11.5 43.1 0 5'"/>
<bind nodeset="/data/rep/n" type="int" constraint=". != 13"/>
<bind nodeset="/data/rep/double" type="int" calculate="../n * 2"/>
<bind nodeset="/data/rep/big" relevant="../double &gt; 10"/>
<bind nodeset="/data/total" calculate="sum(/data/rep/double)"/>
</model></h:head><h:body><input ref="/data/age"/><input ref="/data/why"/><group ref="/data/group"><input ref="/data/group/inside"/></group>
<select ref="/data/kind"><itemset nodeset="instance('kind')/root/item[/data/age &gt; 5 or name = 'a']"><value ref="name"/></itemset></select>
<select1 ref="/data/place"><itemset nodeset="instance('place')/root/item"><value ref="code"/></itemset></select1>
<input ref="/data/day"/><group><repeat nodeset="/data/rep"><input ref="/data/rep/n"/><input ref="/data/rep/big"/></repeat></group></h:body></h:html>`

func TestRecheck(t *testing.T) {
	t.Parallel()
	m, err := xform.ReadModel([]byte(ruleForm))
	if err != nil {
		t.Fatal(err)
	}
	places, err := xform.ReadList("place.csv", []byte("code,label\nx,X\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, answers, want string
	}{
		{"nothing wrong", `<age>20</age><adult>yes</adult><group><inside>i</inside></group><kind>a b</kind><place>x</place>`, ""},
		{"numbers by value", `<age>20</age><adult>yes</adult><rep><n>2</n><double>4.0</double></rep><total>4</total>`, ""},
		{"required", `<age/><adult>no</adult><why>w</why>`, "answer.required /data/age"},
		{"required and left out", `<age>3</age><adult>no</adult>`, "answer.required /data/why"},
		{"not asked", `<age>20</age><adult>yes</adult><why>w</why>`, "answer.irrelevant /data/why"},
		{"not asked by its group", `<age>2</age><adult>no</adult><why>w</why><group><inside>i</inside></group>`, "answer.irrelevant /data/group/inside"},
		{"not allowed", `<age>200</age><adult>yes</adult>`, "answer.constraint /data/age"},
		{"wrongly computed", `<age>20</age><adult>no</adult><group><inside/></group><why>w</why>`, "answer.calculate /data/adult"},
		{"no choice", `<age>3</age><adult>no</adult><why>w</why><kind>a b z</kind>`, "answer.choice /data/kind, answer.choice /data/kind"},
		{"no choice of a file", `<age>30</age><adult>yes</adult><place>y</place>`, "answer.choice /data/place"},
		{"chance and clocks are not judged", `<age>30</age><adult>yes</adult><chance>7</chance><kept>5</kept><late>1999</late>`, ""},
		{"its own today", `<end>2026-02-01T10:00:00.000+03:00</end><age>30</age><adult>yes</adult><day>2026-02-02</day>`, "answer.constraint /data/day"},
		{"no today", `<age>30</age><adult>yes</adult><day>2027-02-02</day>`, ""},
		{
			"turns of a repeat", `<age>30</age><adult>yes</adult><rep><n>6</n><double>12</double><big>b</big></rep><rep><n>13</n><double>25</double></rep><rep><n>1</n><double>2</double><big>b</big></rep><total>39</total>`,
			"answer.calculate /data/rep[2]/double, answer.irrelevant /data/rep[3]/big, answer.constraint /data/rep[2]/n",
		},
		{"positions by value", `<age>30</age><adult>yes</adult><spot>11.5 43.1 0.0 5.00</spot>`, ""},
		{"another position", `<age>30</age><adult>yes</adult><spot>11.6 43.1 0 5</spot>`, "answer.calculate /data/spot"},
		{"a sum over a blank, in which programs differ", `<age>30</age><adult>yes</adult><rep><n>6</n><double>12</double></rep><rep><n/><double/></rep><total/>`, ""},
		{"a repeat added up wrongly", `<age>30</age><adult>yes</adult><rep><n>6</n><double>12</double></rep><total>13</total>`, "answer.calculate /data/total"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			flags := xform.Recheck(m, []byte(`<data id="rules">`+c.answers+`<meta><instanceID>uuid:1</instanceID></meta></data>`),
				xform.Env{Now: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), Lists: map[string]*xpath.Node{"place.csv": places}})
			var got []string
			for _, f := range flags {
				got = append(got, f.Rule+" "+f.Path)
				if told := f.Rule != "answer.required" && f.Rule != "answer.irrelevant"; told != (f.Note != "") {
					t.Errorf("%s: note %q", f.Rule, f.Note)
				}
			}
			want := strings.Split(c.want, ", ")
			if c.want == "" {
				want = nil
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v; %v", got, want, flags)
			}
		})
	}
}

// registry is the model of the registry, and a submission of it.
func registry(t testing.TB) (*xform.Model, []byte) {
	t.Helper()
	data, err := os.ReadFile("../../operation/djibouti/forms/fmr.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := xlsform.Read("fmr.xlsx", data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := xform.Write(f)
	if err != nil {
		t.Fatal(err)
	}
	m, err := xform.ReadModel(out)
	if err != nil {
		t.Fatal(err)
	}
	return m, []byte(`<data id="` + m.ID + `" version="` + m.Version + `"><start>2026-02-01T09:00:00.000+03:00</start><end>2026-02-01T10:00:00.000+03:00</end><deviceid>d</deviceid><point>p</point><observed>2026-02-01</observed><mode>direct</mode><route><direction>incoming</direction><flow_type>incoming</flow_type><previous>ET</previous><next>DJ</next></route><block><nationality>ET</nationality><men>3</men><women>2</women><boys>0</boys><girls>1</girls><not_known>0</not_known></block><total>7</total><reason/><transport/><vulnerable_seen>yes</vulnerable_seen><vulnerable><v_uac>9</v_uac></vulnerable><meta><instanceID>uuid:1</instanceID></meta></data>`)
}

func TestRecheckRegistry(t *testing.T) {
	t.Parallel()
	m, doc := registry(t)
	var got []string
	for _, f := range xform.Recheck(m, doc, xform.Env{Now: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)}) {
		got = append(got, f.Rule+" "+f.Path)
	}
	for _, want := range []string{"answer.calculate /data/total", "answer.required /data/reason", "answer.constraint /data/vulnerable/v_uac"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not flagged: %v", want, got)
		}
	}
}

// TestRecheckShared: one model serves many goroutines.
func TestRecheckShared(t *testing.T) {
	t.Parallel()
	m, doc := registry(t)
	want := len(xform.Recheck(m, doc, xform.Env{}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := len(xform.Recheck(m, doc, xform.Env{})); got != want || got == 0 {
					t.Errorf("%d flags, and %d alone", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRecheck(b *testing.B) {
	m, doc := registry(b)
	b.ReportAllocs()
	for b.Loop() {
		xform.Recheck(m, doc, xform.Env{Now: time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)})
	}
}

func FuzzRecheck(f *testing.F) {
	f.Add([]byte(ruleForm), []byte(`<data id="rules"><age>3</age><rep><n>1</n></rep></data>`))
	m, doc := registry(f)
	f.Add([]byte(nil), doc)
	f.Fuzz(func(t *testing.T, form, doc []byte) {
		of := m
		if len(form) > 0 {
			var err error
			if of, err = xform.ReadModel(form); err != nil {
				return
			}
		}
		if n := len(xform.Recheck(of, doc, xform.Env{})); n > 200 {
			t.Fatalf("%d flags", n)
		}
	})
}
