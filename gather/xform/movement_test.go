package xform_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/gather/xform"
)

// group writes an FMR submission: answers of the form, then of each block.
func group(answers map[string]string, blocks ...map[string]string) []byte {
	get := func(m map[string]string, key, otherwise string) string {
		if v, ok := m[key]; ok {
			return v
		}
		return otherwise
	}
	var b strings.Builder
	b.WriteString(`<data id="fmr" version="1">`)
	leaf := func(m map[string]string, names ...string) {
		for _, n := range names {
			fmt.Fprintf(&b, "<%s>%s</%s>", n, get(m, n, ""), n)
		}
	}
	leaf(answers, "start", "end", "deviceid", "point", "observed", "mode")
	b.WriteString("<route>")
	leaf(answers, "direction", "flow_type", "previous", "next", "final")
	b.WriteString("</route>")
	for _, m := range blocks {
		b.WriteString("<block>")
		leaf(m, "nationality", "men", "women", "boys", "girls", "not_known")
		b.WriteString("</block>")
	}
	leaf(answers, "total", "total_note", "reason", "transport", "vulnerable_seen")
	if answers["vulnerable_seen"] == "yes" {
		b.WriteString("<vulnerable>")
		leaf(answers, "v_uac", "v_pregnant", "v_lactating", "v_under_5", "v_elderly", "v_disability", "v_chronic_illness", "v_injured", "v_single_head")
		b.WriteString("</vulnerable>")
	}
	leaf(answers, "position", "photo", "remarks")
	b.WriteString("<meta><instanceID>uuid:g</instanceID></meta></data>")
	return []byte(b.String())
}

func answers(more ...string) map[string]string {
	m := map[string]string{
		"start": "2026-11-20T08:15:00.000+03:00", "point": "obock", "observed": "2026-11-20", "mode": "observation", "direction": "outgoing",
		"flow_type": "arabian_peninsula", "previous": "ETH", "next": "YEM", "reason": "economic conflict economic", "transport": "foot",
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

func TestMovements(t *testing.T) {
	t.Parallel()
	op, f := fmr(t)
	eth := map[string]string{"nationality": "ETH", "men": "5", "women": "2", "boys": "1", "girls": "0", "not_known": "3"}
	tests := []struct {
		name    string
		answers map[string]string
		blocks  []map[string]string
		rows    string
		flags   string
	}{
		{
			"two nationalities", answers("total", "12"), []map[string]string{eth, {"nationality": "SOM", "women": "1"}},
			"ETH male adults 5; ETH female adults 2; ETH male children 1; ETH unknown unknown 3; SOM female adults 1", "",
		},
		{"the total differs", answers("total", "13"), []map[string]string{eth}, "ETH male adults 5; ETH female adults 2; ETH male children 1; ETH unknown unknown 3", "answers.sum /data/total"},
		{"an unknown point", answers("point", "Atlantis"), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "point.unknown /data/point"},
		{"no point", answers("point", ""), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "point.blank "},
		{
			"counts that are none", answers(), []map[string]string{{"nationality": "ETH", "men": "-2", "women": "two", "boys": "1.5", "girls": "99999999999", "not_known": "4.0"}},
			"ETH unknown unknown 4", "count.negative /data/block/men; count.invalid /data/block/women; count.invalid /data/block/boys; count.absurd /data/block/girls",
		},
		{"codes of no list", answers("previous", "XXX", "reason", "economic fun"), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "code.unknown /data/route/previous; code.unknown /data/reason"},
		{"the future", answers("observed", "2026-12-20"), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "date.future "},
		{"no day, but the phone's", answers("observed", ""), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "date.missing "},
		{"a day that is none", answers("observed", "2026-02-30"), []map[string]string{{"nationality": "ETH", "men": "1"}}, "ETH male adults 1", "date.invalid /data/observed; date.missing "},
		{"no day at all", answers("observed", "", "start", ""), []map[string]string{{"nationality": "ETH", "men": "1"}}, "", "date.missing "},
		{"nobody", answers("total", "0"), []map[string]string{{"nationality": "ETH", "men": "0"}}, "", "group.empty "},
		{"no nationality", answers(), []map[string]string{{"men": "1"}}, " male adults 1", ""},
		{"a position off the globe", answers("position", "111.5 43 0 0"), []map[string]string{{"men": "1"}}, " male adults 1", "position.invalid /data/position"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := xform.Read(f, group(tt.answers, tt.blocks...))
			if err != nil {
				t.Fatal(err)
			}
			rows, flags := xform.Movements(op, f, in)
			var got []string
			for _, m := range rows {
				got = append(got, fmt.Sprintf("%s %s %s %d", m.Nationality, m.Sex, m.Age, m.People))
			}
			if diff := cmp.Diff(tt.rows, strings.Join(got, "; ")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.flags, rules(append(in.Flags, flags...))); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a whole row", func(t *testing.T) {
		t.Parallel()
		in, err := xform.Read(f, group(answers("final", "SAU", "transport", "truck foot"), map[string]string{"nationality": "ETH", "women": "2"}))
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := xform.Movements(op, f, in)
		want := []dtm.Movement{{
			Source: "uuid:g", Observed: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Point: "obock", PointText: "obock", Direction: "outgoing", FlowType: "arabian_peninsula",
			Previous: "ETH", Next: "YEM", Final: "SAU", Breakdown: dtm.Full, Nationality: "ETH", Sex: "female", Age: "adults", People: 2,
			Reasons: []string{"conflict", "economic"}, Transports: []string{"foot", "truck"},
		}}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an alias is the point", func(t *testing.T) {
		t.Parallel()
		in, err := xform.Read(f, group(answers("point", "Holl Holl"), map[string]string{"women": "2"}))
		if err != nil {
			t.Fatal(err)
		}
		rows, flags := xform.Movements(op, f, in)
		if len(flags) > 0 || rows[0].Point != "holl-holl" || rows[0].PointText != "Holl Holl" {
			t.Errorf("%v %+v", flags, rows)
		}
	})
}

// TestVulnerabilities: counts lie on rows they can be of, and rows that were
// looked at say so with 0.
func TestVulnerabilities(t *testing.T) {
	t.Parallel()
	op, f := fmr(t)
	in, err := xform.Read(f, group(answers("vulnerable_seen", "yes", "v_uac", "3", "v_pregnant", "1", "v_injured", "6", "v_elderly", "9"),
		map[string]string{"nationality": "ETH", "men": "5", "women": "2", "boys": "2", "girls": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	rows, flags := xform.Movements(op, f, in)
	var got []string
	for _, m := range rows {
		for _, v := range m.Vulnerable {
			got = append(got, fmt.Sprintf("%s %s %s %d", m.Sex, m.Age, v.Code, v.People))
		}
	}
	want := []string{
		"male adults injured 5", "male adults elderly 5", "female adults pregnant 1", "female adults injured 1", "female adults elderly 4",
		"male children uac 2", "male children injured 0", "female children uac 1", "female children pregnant 0", "female children injured 0",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := rules(flags); r != "vulnerable.exceeds /data/vulnerable/v_elderly" {
		t.Error(r)
	}
}

// TestTags: counts by age band, counts outside a repeat, and forms that count
// nobody.
func TestTags(t *testing.T) {
	t.Parallel()
	op, _ := fmr(t)
	bands := form(t, `
| survey |
| | type    | name | label | hxl |
| | date    | d    | D     | #date+observed |
| | integer | a    | A     | #affected +f +age_0_4 |
| | integer | b    | B     | #affected+age_60 |
| | integer | c    | C     | #affected+m |
`)
	in, err := xform.Read(bands, []byte(`<data id="f"><d>2026-01-05</d><a>1</a><b>2</b><c>3</c><meta><instanceID>u</instanceID></meta></data>`))
	if err != nil {
		t.Fatal(err)
	}
	rows, flags := xform.Movements(op, bands, in)
	var got []string
	for _, m := range rows {
		got = append(got, fmt.Sprintf("%s %s %d", m.Sex, m.Age, m.People))
	}
	if diff := cmp.Diff("female 0_4 1; unknown 60_plus 2; male unknown 3", strings.Join(got, "; ")); diff != "" || rules(flags) != "point.blank " {
		t.Error(diff, flags)
	}
	plain := form(t, "\n| survey |\n| | type | name | label | hxl |\n| | text | q | Q | #description |\n| | integer | n | N | #affected+vulnerable+v_uac |\n")
	in, err = xform.Read(plain, []byte(`<data id="f"><q>x</q><n>1</n><meta><instanceID>u</instanceID></meta></data>`))
	if err != nil {
		t.Fatal(err)
	}
	if rows, flags := xform.Movements(op, plain, in); rows != nil || flags != nil {
		t.Errorf("a form that counts nobody gives %v %v", rows, flags)
	}
}

// TestPeopleAreKept: however the group is split, the rows hold everybody once.
func TestPeopleAreKept(t *testing.T) {
	t.Parallel()
	op, f := fmr(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var blocks []map[string]string
		total := 0
		for range r.IntN(5) {
			m := map[string]string{"nationality": []string{"ETH", "SOM", "YEM", ""}[r.IntN(4)]}
			for _, k := range []string{"men", "women", "boys", "girls", "not_known"} {
				n := r.IntN(40)
				total += n
				m[k] = fmt.Sprint(n)
			}
			blocks = append(blocks, m)
		}
		in, err := xform.Read(f, group(answers("total", fmt.Sprint(total)), blocks...))
		if err != nil {
			t.Fatal(err)
		}
		rows, flags := xform.Movements(op, f, in)
		sum := 0
		for _, m := range rows {
			sum += m.People
			if m.People <= 0 || m.Source != "uuid:g" || m.Breakdown != dtm.Full {
				t.Fatalf("%+v", m)
			}
		}
		if sum != total || total > 0 && len(flags) > 0 {
			t.Fatalf("%d people became %d, flags %v", total, sum, flags)
		}
	}
}
