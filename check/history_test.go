package check_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/stat"
	"dtm/check"
	"dtm/gather/bulk"
	"dtm/operation"
)

// memory keeps the chunks of an import.
type memory struct{ chunks []dtm.Chunk }

func (m *memory) AddChunk(_ context.Context, c dtm.Chunk) (bool, error) {
	m.chunks = append(m.chunks, c)
	return true, nil
}

// history are the real rows of 2018 to 2022 as records, both files, with the figures
// that were published of the same months.
func history(t *testing.T) (*dtm.Operation, []*check.Record, []dtm.Reference) {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data", "movements")
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip("real material is missing: ", err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	var out []*check.Record
	for _, name := range []string{"DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv"} {
		var m memory
		if _, err := bulk.Import(t.Context(), op, bulk.Source{Name: name, Data: open(name)}, &m, bulk.Options{Now: time.Now}); err != nil {
			t.Fatal(err)
		}
		for _, c := range m.chunks {
			rows, err := bulk.Decode(op, c.Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				out = append(out, &check.Record{ID: r.Source, Point: r.Point, Observed: r.Observed, Received: c.Imported, Imported: true, Rows: []dtm.Movement{r}})
			}
		}
	}
	list, faults, err := dtm.ReadReferences("published.csv", open("published.csv"))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return op, out, list
}

// TestHistory: the known problems of the real data (README there) are found and
// named; what is found beside them is counted. Nothing in the rules knows this data.
func TestHistory(t *testing.T) {
	t.Parallel()
	op, records, published := history(t)
	rules, frame := check.Built(), check.FrameOf(op)
	found := map[string][]check.Finding{}
	main, _ := check.Once(records)
	total := map[dtm.Month]int{}
	for _, x := range main {
		total[dtm.MonthOf(x.Observed)] += x.Rows[0].People
		for _, f := range rules.One(op, frame, x) {
			found[f.Rule] = append(found[f.Rule], f)
		}
	}
	for _, f := range rules.Months(op, records, stat.Regular) {
		found[f.Rule] = append(found[f.Rule], f)
	}
	var compared []check.Compared
	for _, r := range published {
		if r.Indicator == "total_movements" {
			c := check.Compared{Reference: r, Known: true}
			for _, m := range r.Period.Months() {
				c.Computed += float64(total[m])
			}
			compared = append(compared, c)
		}
	}
	if len(compared) != 20 {
		t.Errorf("%d published totals", len(compared))
	}
	for _, f := range rules.References(compared) {
		found[f.Rule] = append(found[f.Rule], f)
	}
	names := func(rule string) (out []string) {
		for _, f := range found[rule] {
			s := f.Day.Format("2006-01") + " " + f.Subject
			if strings.HasSuffix(rule, ".spelling") {
				s = f.Text
			}
			out = append(out, s)
		}
		slices.Sort(out)
		return out
	}
	sum := func(rule string) (n float64) {
		for _, f := range found[rule] {
			n += f.Seen
		}
		return n
	}
	for rule, want := range map[string][]string{
		"point.blank":     {"2020-10 "}, // four movements without a point
		"point.spelling":  {"Ali-Sabieh (Ancienne Gare) → Ali Sabieh", "Galafi (DJI) → Galafi", "Gueliléh → Guelileh", "Holl Holl → Holl-Holl"},
		"code.spelling":   {"Nothern Corridor → Northern Corridor"},
		"month.cell":      {"2019-07 badaf"}, // 12,592 people in one row, 44 % of the month
		"month.asked":     {"2022-03 uac"},   // the first month with unaccompanied children; 7,573 by the end of the year
		"month.reference": {"2021-10 total_movements"},
		// Sex and age are said from 2020-04 on; "undefined" is half of 2022. That the route
		// is "Undefined" for a quarter of the people from 2019-10 on, the README does not say.
		"month.coding": {"2019-10 route", "2019-10 subroute", "2020-04 age", "2020-04 sex", "2022-01 movement"},
	} {
		if got := names(rule); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
	if list := names("month.unknown"); len(list) != 27 || list[0] != "2018-01 " || list[26] != "2020-03 " {
		t.Errorf("months without sex and age: %q", list)
	}
	gaps := map[string]float64{}
	for _, f := range found["month.gap"] {
		gaps[f.Subject] += f.Seen
	}
	for point, n := range map[string]float64{"galafi": 38, "loyada": 38, "obock": 14} {
		if gaps[point] != n {
			t.Errorf("%s: %v months without rows, want %v", point, gaps[point], n)
		}
	}
	for rule, want := range map[string]float64{
		"month.small":       1244,  // rows of 1 to 9
		"month.destination": 1196,  // movements
		"month.origin":      42,    //
		"month.nationality": 554,   //
		"month.within":      15229, // of the 24,003 with one country at both ends; the rest is route.same
	} {
		if got := sum(rule); got != want {
			t.Errorf("%s: %v in all, want %v", rule, got, want)
		}
	}
	same := 0
	for _, f := range found["route.same"] {
		for _, x := range main {
			if x.ID == f.Record {
				same += x.Rows[0].People
			}
		}
	}
	if same != 24003-15229 {
		t.Errorf("%d movements come from where they go, want %d", same, 24003-15229)
	}
	if sum("month.reason") < 0.8*53384 { // only months in which they are many
		t.Errorf("%v movements without a reason in months with many, of 53,384", sum("month.reason"))
	}
	// What is no known problem of the data: each is looked at by a person.
	const most = 20
	others := 2 // the route and sub-route of 2019-10
	for _, f := range found["month.outlier"] {
		t.Logf("unlike its season: %s %s %.0f, usual %.0f", f.Day.Format("2006-01"), f.Subject, f.Seen, f.Usual)
		others++
	}
	for _, rule := range slices.Sorted(maps.Keys(found)) {
		t.Logf("%-20s %d", rule, len(found[rule]))
		switch rule {
		case "point.blank", "point.spelling", "code.spelling", "month.cell", "month.asked", "month.reference", "month.coding", "month.unknown", "month.gap",
			"month.small", "month.destination", "month.origin", "month.nationality", "month.within", "route.same", "month.reason", "month.outlier":
		default:
			others += len(found[rule])
			t.Logf("not in the README: %s %q", rule, names(rule))
		}
	}
	if t.Logf("%d findings are no known problem", others); others > most {
		t.Errorf("%d findings are no known problem, want at most %d", others, most)
	}
}

// TestOtherHistory: the rules know no file. A history of another kind, with other
// faults in it, is found out as well, and one without faults is left alone.
func TestOtherHistory(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	from := dtm.Month{Year: 2019, Month: 2}
	type spoil func(line []string, m dtm.Month, n int) []string // n: number of the row in its month
	file := func(seed uint64, f spoil) string {
		r := rand.New(rand.NewPCG(seed, 3))
		b := []string{"month,fmp,fmp_country,route,subroute,movement,origin,previous,next,final,sex,age,n,uac,reason_economic,reason_conflict"}
		for k := range 40 {
			m, n := from.Add(k), 0
			season := 1 + 0.4*math.Sin(2*math.Pi*float64(m.Month)/12)
			for _, point := range []string{"Obock", "Yoboki", "Ali Sabieh", "Loyada"} {
				for _, next := range []string{"SAU", "YEM"} {
					for _, who := range []string{"male,adults", "female,adults", "male,children", "female,children"} {
						line := strings.Split(fmt.Sprintf("%s,%s,DJI,Eastern Corridor,Outgoing to Eastern Corridor,outgoing,OOO,ETH,%s,OOO,%s,%d,,1,0", m, point, next, who, int(season*float64(100+r.IntN(40)))), ",")
						if strings.HasSuffix(who, "children") {
							line[13] = strconv.Itoa(5 + r.IntN(10))
						}
						if f != nil {
							line = f(line, m, n)
						}
						for _, l := range strings.Split(strings.Join(line, ","), "\n") {
							if l != "" {
								b = append(b, l)
							}
						}
						n++
					}
				}
			}
		}
		return strings.Join(b, "\n") + "\n"
	}
	at := func(k int) dtm.Month { return from.Add(k) }
	for name, c := range map[string]struct {
		spoil spoil
		want  string // rule, month and subject, or what is written; "" for nothing
	}{
		"nothing": {nil, ""},
		"a point misspelt": {func(l []string, m dtm.Month, n int) []string {
			if m == at(9) && l[1] == "Yoboki" {
				l[1] = "Yobokki"
			}
			return l
		}, "point.spelling Yobokki → Yoboki"},
		"a route with two letters swapped": {func(l []string, m dtm.Month, n int) []string {
			if n == 3 {
				l[3] = "Eastren Corridor"
			}
			return l
		}, "code.spelling Eastren Corridor → Eastern Corridor"},
		"a country of no list": {func(l []string, m dtm.Month, n int) []string {
			if m == at(20) && n == 4 {
				l[8] = "QQQ"
			}
			return l
		}, "code.unknown QQQ"},
		"a row copied": {func(l []string, m dtm.Month, n int) []string {
			if m == at(5) && n == 9 {
				return append(l[:len(l)-1], l[len(l)-1]+"\n"+strings.Join(l, ","))
			}
			return l
		}, "row.twice 2019-07 yoboki"},
		"a digit too many": {func(l []string, m dtm.Month, n int) []string {
			if m == at(17) && (n == 12 || n == 13) {
				l[12] += "0"
			}
			return l
		}, "month.outlier 2020-07 yoboki"},
		"an enormous cell": {func(l []string, m dtm.Month, n int) []string {
			if m == at(17) && n == 12 {
				l[12] = "9000"
			}
			return l
		}, "month.cell 2020-07 yoboki"},
		"destinations that cease to be asked": {func(l []string, m dtm.Month, n int) []string {
			if !m.Before(at(24)) && n%2 == 0 {
				l[8] = "UNK"
			}
			return l
		}, "month.coding 2021-02 next"},
		"unaccompanied children that cease to be counted": {func(l []string, m dtm.Month, n int) []string {
			if !m.Before(at(25)) && l[13] != "" {
				l[13] = "0"
			}
			return l
		}, "month.asked 2021-03 uac"},
		"a month to come": {func(l []string, m dtm.Month, n int) []string {
			if m == at(30) && n == 1 {
				l[0] = "2031-08"
			}
			return l
		}, "date.future 2031-08 obock"},
		"a point without a name": {func(l []string, m dtm.Month, n int) []string {
			if m == at(2) && n == 1 {
				l[1] = ""
			}
			return l
		}, "point.blank 2019-04 "},
		"a point that was closed": {func(l []string, m dtm.Month, n int) []string {
			if m == at(12) && n == 1 {
				l[1] = "Assamo"
			}
			return l
		}, "point.closed 2020-02 assamo"},
		"more children alone than children": {func(l []string, m dtm.Month, n int) []string {
			if m == at(12) && n == 2 {
				l[13] = "999"
			}
			return l
		}, "vulnerable.exceeds 2020-02 obock"},
		"nobody": {func(l []string, m dtm.Month, n int) []string {
			if m == at(12) && n == 2 {
				l[12] = "0"
			}
			return l
		}, "group.empty 2020-02 obock"},
		"a silent quarter": {func(l []string, m dtm.Month, n int) []string {
			if l[1] == "Obock" && !m.Before(at(14)) && m.Before(at(17)) {
				return nil
			}
			return l
		}, "month.gap 2020-04 obock"},
		"few people": {func(l []string, m dtm.Month, n int) []string {
			if m == at(12) && n < 3 {
				l[12] = "7"
			}
			return l
		}, "month.small 2020-02 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) {
				var m memory
				sum, err := bulk.Import(t.Context(), op, bulk.Source{Name: "f.csv", Data: strings.NewReader(file(seed, c.spoil))}, &m, bulk.Options{Now: time.Now})
				if err != nil || sum.Rejected > 0 {
					t.Fatal(err, sum.Reasons)
				}
				var records []*check.Record
				for _, ch := range m.chunks {
					rows, err := bulk.Decode(op, ch.Data)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range rows {
						records = append(records, &check.Record{ID: r.Source, Point: r.Point, Observed: r.Observed, Received: ch.Imported, Imported: true, Rows: []dtm.Movement{r}})
					}
				}
				rules := check.Built()
				list := rules.Months(op, records, stat.Regular)
				for _, x := range records {
					list = append(list, rules.One(op, check.FrameOf(op), x)...)
				}
				var got []string
				for _, f := range list {
					s := f.Rule + " " + f.Day.Format("2006-01") + " " + f.Subject
					if strings.HasPrefix(f.Rule, "code.") || strings.HasSuffix(f.Rule, ".spelling") {
						s = f.Rule + " " + f.Text
					}
					got = append(got, s)
				}
				if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
					t.Errorf("seed %d: found %.300q, want %q", seed, got, c.want)
				}
			}
		})
	}
}
