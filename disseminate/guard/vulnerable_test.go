package guard_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/guard"
)

// TestVulnerableUnion: all tables of vulnerabilities, and of those unaccompanied, which
// are one of them under another name, give no small count away together.
func TestVulnerableUnion(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	r := rand.New(rand.NewPCG(41, uint64(number(t, "DTM_TEST_SEED", 1))))
	codes := []string{"uac", "pregnant", "elderly"}
	var facts []dtm.Facts
	var people, asked []told
	for n := range 60 {
		code := []string{"obock", "dikhil", "yoboki", "loyada"}[r.IntN(4)]
		p, _ := op.Point(code)
		at := map[string]string{"point": p.Code, "region": p.Area, "direction": []string{"incoming", "outgoing"}[r.IntN(2)]}
		m := dtm.Movement{Source: fmt.Sprint("uuid:", n), Observed: time.Date(2022, 12, 1+r.IntN(28), 0, 0, 0, 0, time.UTC), Point: code, Direction: at["direction"], Previous: "ETH", Next: "DJI",
			Breakdown: dtm.Full, Nationality: "ETH", Sex: "female", Age: "unknown", People: 1 + r.IntN(60)}
		for _, v := range codes {
			if r.IntN(2) > 0 {
				continue
			}
			x := r.IntN(1 + m.People/2)
			m.Vulnerable = append(m.Vulnerable, dtm.Vulnerable{Code: v, People: x})
			of := maps.Clone(at)
			of["vulnerability"] = v
			people, asked = append(people, told{"with", of, float64(x)}), append(asked, told{"asked", of, float64(m.People)})
		}
		facts = append(facts, dtm.Facts{Movements: []dtm.Movement{m}})
	}
	l := &library{at: map[string]int{}}
	list := levels()
	for _, p := range slices.Concat(people, asked) {
		for _, dims := range list {
			l.add(name(p.subject, only(p.at, append(slices.Clone(dims), "vulnerability"))), p.n)
		}
	}
	for i := range l.Least {
		l.Least[i] = 0 // nobody of those asked may be one
	}
	for _, dims := range list {
		for _, more := range []string{"region", "point", "direction"} {
			if slices.Contains(dims, more) || more == "point" && !slices.Contains(dims, "region") {
				continue
			}
			rows := map[string][]int{}
			for _, p := range slices.Concat(people, asked) {
				at := only(p.at, append(slices.Clone(dims), "vulnerability"))
				further := maps.Clone(at)
				further[more] = p.at[more]
				total, part := name(p.subject, at), name(p.subject, further)
				if _, is := l.at[part]; !is {
					continue
				}
				if rows[total] == nil {
					rows[total] = []int{l.at[total]}
				}
				if !slices.Contains(rows[total][1:], l.at[part]) {
					rows[total] = append(rows[total], l.at[part])
				}
			}
			for _, k := range slices.Sorted(maps.Keys(rows)) {
				l.Rows = append(l.Rows, rows[k])
			}
		}
	}
	g := guard.New(recordedFigures(t, op, facts), op)
	month := dtm.Months(dtm.Month{Year: 2022, Month: 12}, dtm.Month{Year: 2022, Month: 12})
	shown := 0
	for _, id := range []string{"vulnerability_share_pct", "unaccompanied_children"} {
		for _, by := range list {
			tab, err := g.Table(t.Context(), dtm.Query{Indicator: id, Period: month, By: by})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range tab.Figures {
				at := map[string]string{"vulnerability": "uac"}
				for n, d := range tab.By {
					at[d] = x.Keys[n]
				}
				if x.Numerator == nil {
					continue
				}
				shown++
				for of, v := range map[string]float64{"with": *x.Numerator, "asked": *x.Denominator} {
					if i, is := l.at[name(of, at)]; is && l.Count[i] == v {
						l.hidden[i] = false
					} else if v != 0 {
						t.Fatalf("%s %v is %v", of, at, v)
					}
				}
			}
		}
	}
	small := 0
	for i, b := range guard.Attack(l.Sums, l.hidden) {
		if l.Count[i] >= 10 {
			continue
		}
		if small++; b.High-b.Low < 10-1e-6 {
			t.Errorf("%s: %v is known to be %v to %v", l.names[i], l.Count[i], b.Low, b.High)
		}
	}
	t.Logf("%d small counts of %d, %d figures shown", small, len(l.Count), shown)
	if small == 0 || shown == 0 {
		t.Error("nothing to find")
	}
}
