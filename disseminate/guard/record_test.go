package guard_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/disseminate/guard"
)

// nothing stands for no answer to a question of several, which is counted.
const nothing = "nothing"

// told is what people said, or what was recorded of them: by dimension, several answers
// joined by a blank. "" was not answered.
type told struct {
	subject string
	at      map[string]string
	n       float64
}

// recordedMonth makes up interviews, screenings and counts of sites of a month.
func recordedMonth(r *rand.Rand, op *dtm.Operation) (facts []dtm.Facts, people []told) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	several := func(list ...string) (out []string) {
		for _, x := range list {
			if r.IntN(3) == 0 {
				out = append(out, x)
			}
		}
		return out
	}
	day := func() time.Time { return time.Date(2022, 12, 1+r.IntN(28), 0, 0, 0, 0, time.UTC) }
	points := []string{"obock", "dikhil", "yoboki", "loyada", "galafi"}[:2+r.IntN(4)]
	place := func(p string) map[string]string {
		x, _ := op.Point(p)
		return map[string]string{"point": x.Code, "region": x.Area}
	}
	join := func(list []string) string { return strings.Join(list, " ") }
	for range 5 + r.IntN(180) {
		p := pick(points...)
		i := dtm.Interview{Where: dtm.Where{Point: p}, Observed: day(), Consent: pick("yes", "yes", "yes", "yes", "no"), CompanySize: dtm.NotRecorded, Years: dtm.NotRecorded}
		at := place(p)
		at["consent"] = i.Consent
		if i.Consent == "yes" {
			i.Sex, i.Nationality, i.GoBack, i.Final = pick("male", "male", "male", "female"), pick("ETH", "ETH", "ETH", "ETH", "SOM", "ERI"), pick("yes", "no", "no", ""), pick("SAU", "SAU", "YEM", "DJI")
			i.Reasons, i.Difficulties = several("economic", "conflict", "violence"), several("hunger", "robbery", "illness", "none")
			maps.Copy(at, map[string]string{"sex": i.Sex, "nationality": i.Nationality, "go_back": i.GoBack, "final": i.Final, "reason": join(i.Reasons), "difficulty": join(i.Difficulties)})
		}
		facts = append(facts, dtm.Facts{Interview: &i})
		people = append(people, told{"interview", at, 1})
	}
	for range 5 + r.IntN(180) {
		p := pick(points...)
		n := dtm.Need{Where: dtm.Where{Point: p}, Observed: day(), Subject: dtm.SubjectPerson, People: 1, Sex: pick("male", "male", "female"), Nationality: pick("ETH", "ETH", "ETH", "SOM"), Years: dtm.NotRecorded,
			Priority: pick("normal", "normal", "normal", "urgent", "emergency"), Reach: pick("yes", "no", "no", ""), Asked: []string{"water", "food", "shelter"}, Lacks: several("water", "food", "shelter"),
			Vulnerable: several("uac", "pregnant"), Proposed: several("health", "vhr", "protection")}
		if len(n.Lacks) == 0 {
			n.Lacks = []string{"none"}
		}
		for _, x := range n.Proposed {
			if r.IntN(4) > 0 {
				n.Referred = append(n.Referred, x)
			}
		}
		at := place(p)
		maps.Copy(at, map[string]string{"sex": n.Sex, "nationality": n.Nationality, "priority": n.Priority, "reach": n.Reach, "need": join(n.Lacks), "vulnerability": join(n.Vulnerable),
			"programme": join(n.Proposed), "referred": join(n.Referred), "age_group": ""})
		for _, q := range []string{"vulnerability", "programme", "referred"} {
			if at[q] == "" {
				at[q] = nothing
			}
		}
		facts = append(facts, dtm.Facts{Need: &n})
		people = append(people, told{"need", at, 1})
	}
	for s := range 2 + r.IntN(5) {
		region := pick("DJ01", "DJ02", "DJ05")
		days := 1 + r.IntN(4)
		var cells []dtm.Present
		for _, nat := range []string{"ETH", "SOM"} {
			for _, sex := range []string{"male", "female"} {
				for _, age := range []string{"adults", "children"} {
					if r.IntN(4) > 0 {
						cells = append(cells, dtm.Present{Nationality: nat, Sex: sex, Age: age})
					}
				}
			}
		}
		arrived := map[string]string{"region": region}
		for d := range days {
			p := dtm.Presence{Where: dtm.Where{Site: fmt.Sprint("site ", s), Region: region}, Observed: time.Date(2022, 12, 2+5*d, 0, 0, 0, 0, time.UTC), Arrived: r.IntN(30), Left: r.IntN(12)}
			for _, c := range cells {
				if c.People = r.IntN(1 + r.IntN(40)); c.People > 0 {
					p.People = append(p.People, c)
					people = append(people, told{"presence", map[string]string{"region": region, "nationality": c.Nationality, "sex": c.Sex, "age": c.Age}, float64(c.People) / float64(days)})
				}
			}
			people = append(people, told{"site_count:site_arrivals", arrived, float64(p.Arrived)}, told{"site_count:site_departures", arrived, float64(p.Left)})
			facts = append(facts, dtm.Facts{Presence: &p})
		}
	}
	return facts, people
}

// recordedFigures computes over them with the real engine.
func recordedFigures(t *testing.T, op *dtm.Operation, facts []dtm.Facts) *indicator.Engine {
	t.Helper()
	ctx := context.Background()
	wh, err := duckdb.Open(ctx, "", op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wh.Close() })
	b := warehouse.Batch{To: warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}}
	for n, f := range facts {
		b.Submissions = append(b.Submissions, warehouse.Submission{Source: fmt.Sprint("uuid:", n), Facts: f})
	}
	if _, err := wh.Apply(ctx, b); err != nil {
		t.Fatal(err)
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// questions are those that the people were asked, with whether they could give several
// answers, and whether everybody of the subject is asked.
var questions = map[string]struct{ several, all bool }{
	"interview:consent": {}, "interview:sex": {}, "interview:nationality": {}, "interview:go_back": {}, "interview:final": {},
	"interview:reason": {several: true}, "interview:difficulty": {several: true},
	"need:priority": {}, "need:reach": {}, "need:need": {true, true}, "need:vulnerability": {true, true}, "need:programme": {true, true}, "need:referred": {true, true},
}

// library is all that can be asked of the facts of a month beside movements: each count
// once, by what it is of, whatever table it is in; and all that follows from another.
type library struct {
	guard.Sums
	at     map[string]int
	names  []string
	hidden []bool
	judged []bool // somebody is behind it
}

func (l *library) add(name string, n float64) {
	if n == 0 {
		return
	}
	i, have := l.at[name]
	if !have {
		i = l.Add(0)
		l.at[name] = i
		l.names, l.hidden, l.judged = append(l.names, name), append(l.hidden, true), append(l.judged, true)
		l.Least, l.Most = append(l.Least, 0), append(l.Most, 1e9)
	}
	l.Count[i] += n
	of, dims, _ := strings.Cut(name, "map[")
	_, own, _ := strings.Cut(of, ":")
	if _, question := questions[of]; strings.Count(dims, ":") == 1 && of != "presence" && (!question || strings.HasPrefix(dims, own+":")) {
		l.Least[i] = 1 // its row is there, withheld or not
	}
}

// free adds a count that is in no table, but follows from two that are.
func (l *library) free(n float64, judged bool) int {
	i := l.Add(n)
	l.names, l.hidden, l.judged = append(l.names, "rest"), append(l.hidden, true), append(l.judged, judged)
	l.Least, l.Most = append(l.Least, 0), append(l.Most, 1e9)
	return i
}

// splits are the sets of dimensions that counts of a kind are asked by.
func splits(of string) [][]string {
	places := [][]string{{}, {"region"}, {"region", "point"}}
	subject, own, question := strings.Cut(of, ":")
	with := func(list [][]string, dims ...string) (out [][]string) {
		for _, l := range list {
			out = append(out, append(slices.Clone(l), dims...))
		}
		return out
	}
	switch {
	case subject == "presence":
		regions := places[:2]
		return slices.Concat(regions, with(regions, "sex"), with(regions, "age"), with(regions, "sex", "age"), with(regions, "nationality"))
	case subject == "site_count":
		return places[:2]
	case subject == "need" && !question:
		regions := places[:2]
		return slices.Concat(places, with(regions, "sex"), with(regions, "age_group"), with(regions, "nationality"))
	case !question:
		return places
	case own == "consent":
		return places[:1]
	case own != "sex":
		return append(places[:2:2], []string{"sex"})
	}
	return places[:2]
}

// counted adds all counts of the people up, and how they hang together.
func counted(people []told) *library {
	l := &library{at: map[string]int{}}
	kinds := append(slices.Sorted(maps.Keys(questions)), "interview", "need", "presence", "site_count:site_arrivals", "site_count:site_departures")
	for _, of := range kinds {
		subject, own, _ := strings.Cut(of, ":")
		q, asked := questions[of]
		for _, p := range people {
			if p.subject != subject && p.subject != of || of == "interview" && p.at["consent"] != "yes" || subject == "interview" && own != "" && own != "consent" && p.at["consent"] != "yes" {
				continue
			}
			for _, dims := range splits(of) {
				k := name(of, only(p.at, dims))
				if !asked {
					l.add(k, p.n)
					continue
				}
				if p.at[own] != "" && !q.all {
					l.add(k, p.n) // who answered
				}
				for _, code := range strings.Fields(p.at[own]) {
					at := only(p.at, dims)
					if at[own] = code; own == "sex" && slices.Contains(dims, "sex") {
						continue
					}
					l.add(name(of, at), p.n)
				}
			}
		}
	}
	for i, k := range l.names { // of few people, nothing that is withheld has a row
		of, _, _ := strings.Cut(k, "map[")
		subject, _, question := strings.Cut(of, ":")
		if question && subject == "site_count" {
			subject = of
		}
		if whole, is := l.at[subject+"map[]"]; !is || l.Count[whole] < 30 {
			l.Least[i] = 0
		}
	}
	l.hang(people, kinds)
	return l
}

// hang notes the sums: of each count by what it is split by, and of those who answered a
// question, by the answers.
func (l *library) hang(people []told, kinds []string) {
	row := func(total string, parts map[string]bool) {
		i, is := l.at[total]
		if !is {
			return
		}
		out := []int{i}
		for _, p := range slices.Sorted(maps.Keys(parts)) {
			if j, there := l.at[p]; there {
				out = append(out, j)
			}
		}
		l.Rows = append(l.Rows, out)
	}
	rest := func(whole, part string, judged bool) {
		w, there := l.at[whole]
		p, is := l.at[part]
		if !there || !is {
			return
		}
		out := []int{w, p}
		if n := l.Count[w] - l.Count[p]; n > 1e-9 {
			out = append(out, l.free(n, judged))
		}
		l.Rows = append(l.Rows, out)
	}
	done := map[string]bool{}
	for _, of := range kinds {
		subject, own, _ := strings.Cut(of, ":")
		q, asked := questions[of]
		codes := map[string]bool{}
		for _, p := range people {
			for _, c := range strings.Fields(p.at[own]) {
				codes[c] = codes[c] || p.subject == subject
			}
		}
		sums := map[string]map[string]bool{}
		for _, p := range people {
			if p.subject != subject && p.subject != of {
				continue
			}
			list := splits(of)
			for _, dims := range list {
				for _, more := range list { // one dimension more
					if len(more) != len(dims)+1 || slices.ContainsFunc(dims, func(d string) bool { return !slices.Contains(more, d) }) {
						continue
					}
					own := map[string]string{}
					for c := range codes {
						own[c] = c
					}
					own[""] = "" // those of all answers, or who are asked nothing
					for c := range own {
						at, further := only(p.at, dims), only(p.at, more)
						if c != "" {
							at[strings.TrimPrefix(of, subject+":")], further[strings.TrimPrefix(of, subject+":")] = c, c
						}
						k := name(of, at)
						extra := ""
						for _, d := range more {
							if !slices.Contains(dims, d) {
								extra = d
							}
						}
						id := k + "\x00" + extra
						if sums[id] == nil {
							sums[id] = map[string]bool{}
						}
						sums[id][name(of, further)] = true
					}
				}
				if !asked {
					continue
				}
				at := only(p.at, dims)
				k := name(of, at)
				if done[of+k] {
					continue
				}
				done[of+k] = true
				if !q.several {
					parts := map[string]bool{}
					for c := range codes {
						a := maps.Clone(at)
						a[own] = c
						parts[name(of, a)] = true
					}
					row(k, parts)
				}
				whole := k
				if q.all {
					whole = name(subject, at)
				}
				if of != "interview:consent" && !q.all {
					base := name(subject, at)
					if _, there := l.at[base]; !there {
						base = name(subject+":sex", at)
					}
					rest(base, k, false)
				}
				given, all, some := 0.0, []int{0}, -1
				{
					a := maps.Clone(at)
					a[own] = nothing
					w, there := l.at[whole]
					i, is := l.at[name(of, a)]
					if q.several && there && is && l.Count[w] > l.Count[i] {
						some = l.free(l.Count[w]-l.Count[i], true)
						l.Rows = append(l.Rows, []int{w, i, some})
					}
				}
				for _, c := range slices.Sorted(maps.Keys(codes)) {
					a := maps.Clone(at)
					a[own] = c
					part := name(of, a)
					if q.several {
						rest(whole, part, true)
						if i, there := l.at[part]; there && c != nothing {
							given, all = given+l.Count[i], append(all, i)
							if some >= 0 && l.Count[some] > l.Count[i] {
								l.Rows = append(l.Rows, []int{some, i, l.free(l.Count[some]-l.Count[i], true)})
							} else if some >= 0 {
								l.Rows = append(l.Rows, []int{some, i})
							}
						}
					}
					if of == "interview:consent" && c == "yes" {
						rest(part, name("interview", at), false)
					}
					if of == "need:referred" && c != nothing {
						b := maps.Clone(at)
						b["programme"] = c
						rest(name("need:programme", b), part, true)
					}
				}
				w, there := l.at[whole]
				if some >= 0 {
					w = some
				}
				if there && q.several && of != "need:need" && given > 0 {
					all[0] = l.free(given, false)
					l.Rows = append(l.Rows, all)
					more := []int{all[0], w}
					if n := given - l.Count[w]; n > 1e-9 {
						more = append(more, l.free(n, false))
					}
					l.Rows = append(l.Rows, more)
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(sums)) {
			k, _, _ := strings.Cut(id, "\x00")
			row(k, sums[id])
		}
	}
}

// ofIndicator names the people of an indicator as the library does; "" for those that
// the people made up were not asked.
func ofIndicator(i dtm.Indicator) string {
	of := i.Facts
	switch {
	case len(i.Default) > 0:
		of += ":" + i.Default[0]
	case i.Facts == "site_count":
		of += ":" + i.ID
	}
	if _, asked := questions[of]; asked || i.Kind == "count" && i.Facts != "incident" || i.Kind == "stock_average" {
		return of
	}
	return ""
}

// subsets are all ways to split by some of the dimensions.
func subsets(dims []string) [][]string {
	out := [][]string{{}}
	for _, d := range dims {
		for _, l := range slices.Clone(out) {
			out = append(out, append(slices.Clone(l), d))
		}
	}
	return out
}

// read asks for every table there is and notes what is shown.
func (l *library) read(t *testing.T, f dtm.Figures) (tables int) {
	t.Helper()
	month := dtm.Months(dtm.Month{Year: 2022, Month: 12}, dtm.Month{Year: 2022, Month: 12})
	shown := func(k string, v float64) {
		i, is := l.at[k]
		switch {
		case !is && v != 0:
			t.Fatalf("%s is %v, nobody", k, v)
		case is && math.Abs(l.Count[i]-v) > 1e-6:
			t.Fatalf("%s is %v, not %v", k, v, l.Count[i])
		case is:
			l.hidden[i] = false
		}
	}
	for _, i := range f.Catalogue() {
		of := ofIndicator(i)
		if of == "" {
			continue
		}
		_, own, _ := strings.Cut(of, ":")
		var dims []string
		for _, d := range i.By {
			if d != "month" {
				dims = append(dims, d)
			}
		}
		for _, by := range subsets(dims) {
			tab, err := f.Table(t.Context(), dtm.Query{Indicator: i.ID, Period: month, By: by})
			if dtm.KindOf(err) == dtm.Invalid {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			tables++
			for _, x := range tab.Figures {
				if slices.Contains(x.Keys, dtm.OtherCountry) { // follows from the others and their sum
					continue
				}
				at := map[string]string{}
				for n, d := range tab.By {
					at[d] = x.Keys[n]
				}
				if at["region"] == "" && at["point"] != "" {
					at["region"] = "?"
				}
				if code, is := at[own]; is && code == "" && questions[of].all {
					at[own] = nothing
				}
				k := name(of, at)
				whole := maps.Clone(at)
				delete(whole, own)
				base := name(of, whole)
				if questions[of].all {
					base = name(i.Facts, whole)
				}
				people := x.Value
				if i.Share {
					people = x.Numerator
				}
				if people != nil {
					shown(k, *people)
					if x.Denominator != nil && i.Share && i.Kind != "coded" {
						shown(base, *x.Denominator)
					}
				}
				if n, is := l.at[k]; is && x.Low != nil {
					low, high := *x.Low, *x.High
					if w, there := l.at[base]; i.Share && there {
						low, high = low*l.Count[w]/100-1e-6, high*l.Count[w]/100+1e-6
					}
					l.Least[n], l.Most[n] = max(l.Least[n], low), min(l.Most[n], high)
				}
			}
		}
	}
	return tables
}

// TestRecordUnion: a reader who asks for every table of a month's interviews, screenings
// and counts of sites, by every set of dimensions, and attacks all of them at once
// concludes no small count to within the threshold. Hiding the small ones only is found
// out.
func TestRecordUnion(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	r := rand.New(rand.NewPCG(31, uint64(number(t, "DTM_TEST_SEED", 1))))
	var counts, small, hidden, naive, narrow, tables int
	worlds := number(t, "DTM_TEST_MONTHS", 2)
	for range worlds {
		facts, people := recordedMonth(r, op)
		l := counted(people)
		start := time.Now()
		g := guard.New(recordedFigures(t, op, facts), op)
		tables += l.read(t, g)
		t.Logf("read in %v", time.Since(start))
		l.overlapping(t, g)
		poor := guard.Sums{Count: l.Count, Rows: l.Rows}
		first := make([]bool, len(l.Count))
		for i, n := range l.Count {
			first[i] = l.names[i] == "rest" || n < 10-1e-9 // rests are in no table
		}
		bounds, simple := guard.Attack(l.Sums, l.hidden), guard.Attack(poor, first)
		for i, b := range bounds {
			if !l.judged[i] {
				continue
			}
			counts++
			if l.hidden[i] {
				hidden++
			}
			if l.Count[i] >= 10-1e-9 {
				continue
			}
			small++
			if !l.hidden[i] {
				t.Errorf("%s is shown: %v", l.names[i], l.Count[i])
			} else if b.High-b.Low < 10-1e-6 {
				narrow++
				t.Logf("%s: %v is known to be %v to %v", l.names[i], l.Count[i], b.Low, b.High)
			}
			if s := simple[i]; s.High-s.Low < 10-1e-6 {
				naive++
			}
		}
	}
	t.Logf("%d months, %d tables, %d counts, %d small, %d withheld, %d concluded; hiding the small ones only gives %d of them away", worlds, tables, counts, small, hidden, narrow, naive)
	if narrow > 0 {
		t.Error("small counts are given away")
	}
	if naive == 0 {
		t.Error("the attack finds nothing where only the small counts are hidden: it cannot fail")
	}
}

// overlapping asks with filters that several counts pass: their sum is shown only where
// each of them is, so that one filter cannot be taken from another.
func (l *library) overlapping(t *testing.T, f dtm.Figures) {
	t.Helper()
	month := dtm.Months(dtm.Month{Year: 2022, Month: 12}, dtm.Month{Year: 2022, Month: 12})
	for _, q := range []struct{ id, of, dim string }{
		{"interviews", "interview", "region"}, {"people_screened", "need", "region"}, {"people_present_average", "presence", "region"}, {"site_arrivals", "site_count:site_arrivals", "region"},
		{"people_screened", "need", "sex"}, {"respondent_nationality_share_pct", "interview:nationality", "nationality"}, {"intended_destination_share_pct", "interview:final", "final"},
	} {
		var codes []string
		for k := range l.at {
			rest, is := strings.CutPrefix(k, q.of+"map["+q.dim+":")
			if code, whole := strings.CutSuffix(rest, "]"); is && whole && !strings.Contains(code, ":") && code != "" {
				codes = append(codes, code)
			}
		}
		slices.Sort(codes)
		for n, a := range codes {
			for _, b := range codes[:n] {
				tab, err := f.Table(t.Context(), dtm.Query{Indicator: q.id, Period: month, Where: map[string][]string{q.dim: {a, b}}, By: nil})
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range tab.Figures {
					if len(x.Keys) > 0 || x.Value == nil {
						continue
					}
					for _, c := range []string{a, b} {
						if i, is := l.at[name(q.of, map[string]string{q.dim: c})]; is && l.hidden[i] {
							t.Errorf("%s of %s and %s is told, that of %s is not", q.id, a, b, c)
						}
					}
				}
			}
		}
	}
}

// TestRecordReleases: who holds two releases of a month against each other, with all their
// tables, concludes no small count and no small change to within the threshold. Without
// looking at the first, the second gives them away.
func TestRecordReleases(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	r := rand.New(rand.NewPCG(32, uint64(number(t, "DTM_TEST_SEED", 1))))
	var changes, shown, narrow, naive, kept, before int
	for range number(t, "DTM_TEST_MONTHS", 1) {
		facts, people := recordedMonth(r, op)
		one := guard.New(recordedFigures(t, op, facts), op)
		first := counted(people)
		first.read(t, one)
		p, err := one.Pattern(t.Context(), dtm.Month{Year: 2022, Month: 12})
		if err != nil {
			t.Fatal(err)
		}
		later, more := recordedMonth(r, op)
		few := 1 + r.IntN(8)
		facts = append(facts, later[:few]...) // interviews that came late
		people = append(people, more[:few]...)
		for n := range later {
			if later[n].Need != nil && r.IntN(2) == 0 {
				facts, people = append(facts, later[n]), append(people, more[n])
				break
			}
		}
		two := recordedFigures(t, op, facts)
		prior := func(context.Context, dtm.Month) ([]map[string]int64, bool, error) {
			return []map[string]int64{p.Shown()}, true, nil
		}
		for _, looks := range []bool{true, false} {
			var options []guard.Option
			if looks {
				options = append(options, guard.After(prior))
			}
			second := counted(people)
			second.read(t, guard.New(two, op, options...))
			known := slices.Clone(second.hidden)
			for i, k := range second.names {
				j, was := first.at[k]
				if was && !first.hidden[j] && first.Count[j] == second.Count[i] {
					known[i] = false // who thinks that nothing changed knows it
				}
			}
			bounds := guard.Attack(second.Sums, known)
			for i, k := range second.names {
				j, was := first.at[k]
				was = was && !first.hidden[j] && k != "rest"
				if was && looks {
					if before++; !second.hidden[i] {
						kept++
					}
				}
				d := 0.0
				if was {
					d = math.Abs(second.Count[i] - first.Count[j])
				}
				if !(second.judged[i] && second.Count[i] < 10-1e-9) && (d == 0 || d >= 10) {
					continue
				}
				open := bounds[i].High-bounds[i].Low < 10-1e-6
				switch {
				case !looks && open:
					naive++
				case looks:
					if changes++; open {
						narrow++
						t.Logf("%s: %v, was %v: known to be %v to %v", k, second.Count[i], d, bounds[i].Low, bounds[i].High)
					}
					if d > 0 && !second.hidden[i] {
						shown++
					}
				}
			}
		}
	}
	t.Logf("%d small counts and changes, %d shown, %d concluded; %d where the first release is not looked at; of %d counts shown in the first, %d are in the second", changes, shown, narrow, naive, before, kept)
	if narrow > 0 || shown > 0 {
		t.Error("changes are given away")
	}
	if naive == 0 {
		t.Error("nothing is found where the first release is not looked at: it cannot fail")
	}
}
