package guard

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func one(by string, n ...int64) dtm.Table {
	t := dtm.Table{Indicator: dtm.Indicator{ID: "total_movements", Counts: true}, By: []string{by}}
	for i, x := range n {
		v := float64(x)
		t.Figures = append(t.Figures, dtm.Figure{Keys: []string{fmt.Sprint(i)}, Value: &v, Numerator: &v, People: x})
	}
	return t
}

func TestSuppress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   []int64
		want []bool
	}{
		"nothing small":                   {[]int64{100, 10, 30}, []bool{false, false, false}},
		"one small takes the next":        {[]int64{100, 9, 30}, []bool{false, true, true}},
		"two small keep each other":       {[]int64{100, 9, 3}, []bool{false, true, true}},
		"zero is no count of people":      {[]int64{100, 0, 30}, []bool{false, false, false}},
		"zero is hidden only in need":     {[]int64{4, 0}, []bool{true, true}},
		"alone there is nothing to share": {[]int64{4}, []bool{true}},
		"not the zero if there is more":   {[]int64{4, 0, 12}, []bool{true, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := withheld(one("point", c.in...))
			for i, f := range got.Figures {
				if f.Suppressed != c.want[i] || f.Suppressed != (f.Value == nil) || f.Suppressed && (f.People != 0 || f.Numerator != nil) {
					t.Errorf("%d: %+v", c.in[i], f)
				}
			}
		})
	}
}

// TestProperties: whatever the table, no small cell is shown, no line has a single
// hidden cell when another could join it, nothing else changes, and the answer is
// the same again.
func TestProperties(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		rows, cols := 1+r.IntN(6), 1+r.IntN(6)
		in := dtm.Table{Indicator: dtm.Indicator{Counts: true}, By: []string{"previous", "next"}}
		for i := range rows {
			for j := range cols {
				if r.IntN(5) == 0 {
					continue // not every pair occurs
				}
				n := int64(r.IntN(25))
				v := float64(n)
				in.Figures = append(in.Figures, dtm.Figure{Keys: []string{fmt.Sprint(i), fmt.Sprint(j)}, Value: &v, People: n})
			}
		}
		out := withheld(in)
		before := map[[2]string]dtm.Figure{}
		for _, f := range in.Figures {
			before[[2]string(f.Keys)] = f
		}
		line := map[string]int{}
		for _, f := range out.Figures {
			was, had := before[[2]string(f.Keys)]
			delete(before, [2]string(f.Keys))
			if !f.Suppressed && (!had || !cmp.Equal(f, was)) {
				t.Fatal("a cell that is shown was changed or made up")
			}
			if !f.Suppressed && f.People > 0 && f.People < 10 {
				t.Fatalf("%d people are shown", f.People)
			}
			if f.Suppressed {
				line["r"+f.Keys[0]]++
				line["c"+f.Keys[1]]++
			}
		}
		if len(before) > 0 {
			t.Fatalf("cells are lost: %v", before)
		}
		height, width := map[string]bool{}, map[string]bool{}
		for _, f := range in.Figures {
			height[f.Keys[0]], width[f.Keys[1]] = true, true
		}
		for k, n := range line {
			if n == 1 && (k[0] == 'r' && len(width) > 1 || k[0] == 'c' && len(height) > 1) {
				t.Fatalf("line %s has one hidden cell", k)
			}
		}
		if !cmp.Equal(out, withheld(in)) {
			t.Fatal("not the same again")
		}
	}
}

// TestLargeCellsStay: a few small flows must not take the large ones with them.
func TestLargeCellsStay(t *testing.T) {
	t.Parallel()
	in := dtm.Table{Indicator: dtm.Indicator{Counts: true}, By: []string{"previous", "next"}}
	for k, n := range map[[2]string]int64{{"ETH", "SAU"}: 8064, {"ETH", "YEM"}: 6500, {"ETH", "DJI"}: 3000, {"YEM", "ETH"}: 1100, {"DJI", "SOM"}: 4, {"SOM", "DJI"}: 300} {
		v := float64(n)
		in.Figures = append(in.Figures, dtm.Figure{Keys: k[:], Value: &v, People: n})
	}
	out := withheld(in)
	for _, f := range out.Figures {
		if f.Suppressed && f.Keys[0] == "ETH" && f.Keys[1] != "SOM" && f.Keys[1] != "ETH" {
			t.Errorf("%v is hidden", f.Keys)
		}
	}
}

func TestOthersPass(t *testing.T) {
	t.Parallel()
	in := one("month", 3, 4)
	in.Indicator = dtm.Indicator{ID: "active_points", Unit: "points"}
	if out := withheld(in); !cmp.Equal(in, out) {
		t.Error("a number of points is no number of people")
	}
}

// TestTimeIsNoLine: December is the same figure alone and in a trend, so that
// hiding it in the trend would protect no other month and contradict the page.
func TestTimeIsNoLine(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"month", "day"} {
		out := withheld(one(by, 100, 4, 30))
		if out.Figures[0].Suppressed || !out.Figures[1].Suppressed || out.Figures[2].Suppressed {
			t.Errorf("by %s: %+v", by, out.Figures)
		}
	}
	// Within a month the points still add up to its total.
	in := dtm.Table{Indicator: dtm.Indicator{Counts: true}, By: []string{"month", "point"}}
	for _, c := range []struct {
		month, point string
		n            int64
	}{{"2022-11", "a", 50}, {"2022-11", "b", 60}, {"2022-12", "a", 4}, {"2022-12", "b", 40}, {"2022-12", "c", 70}} {
		v := float64(c.n)
		in.Figures = append(in.Figures, dtm.Figure{Keys: []string{c.month, c.point}, Value: &v, People: c.n})
	}
	hidden := map[string]bool{}
	for _, f := range withheld(in).Figures {
		if f.Suppressed {
			hidden[f.Keys[0]+" "+f.Keys[1]] = true
		}
	}
	if want := map[string]bool{"2022-12 a": true, "2022-12 b": true}; !cmp.Equal(hidden, want) {
		t.Errorf("hidden are %v, want %v", hidden, want)
	}
}

// TestWhatGivesCountsAway: not only counts do.
func TestWhatGivesCountsAway(t *testing.T) {
	t.Parallel()
	count := dtm.Indicator{ID: "total_movements", Unit: "movements", Counts: true}
	average := dtm.Indicator{ID: "daily_average", Unit: "movements/day", Counts: true}
	share := dtm.Indicator{ID: "sex_age_share_pct", Unit: "percent", Share: true}
	answers := dtm.Indicator{ID: "reason_share_pct", Unit: "percent"}
	change := dtm.Indicator{ID: "change_on_previous_month_pct", Unit: "percent"}
	for name, c := range map[string]struct {
		i    dtm.Indicator
		f    dtm.Figure
		want bool
	}{
		"a count":                              {count, dtm.Figure{Value: number(9), People: 9}, true},
		"a count at the threshold":             {count, dtm.Figure{Value: number(10), People: 10}, false},
		"an average of few people":             {average, dtm.Figure{Value: number(0.2), Numerator: number(5), Denominator: number(31), People: 5}, true},
		"an average over few days":             {average, dtm.Figure{Value: number(20), Numerator: number(60), Denominator: number(3), People: 60}, false},
		"no average, but its count":            {average, dtm.Figure{Numerator: number(5), People: 5}, true},
		"a share of few people":                {share, dtm.Figure{Value: number(1), Numerator: number(3), Denominator: number(300), People: 3}, true},
		"nobody of a few":                      {share, dtm.Figure{Value: number(0), Numerator: number(0), Denominator: number(4)}, true},
		"nobody of many":                       {share, dtm.Figure{Value: number(0), Numerator: number(0), Denominator: number(400)}, false},
		"an answer of few people":              {answers, dtm.Figure{Value: number(1), Numerator: number(3), Denominator: number(300), People: 3}, true},
		"a change from few people":             {change, dtm.Figure{Value: number(900), Numerator: number(50), Denominator: number(5), People: 5}, true},
		"a change of few a day, many a month":  {change, dtm.Figure{Value: number(100), Numerator: number(4), Denominator: number(2), People: 60}, false},
		"nothing observed is nothing withheld": {count, dtm.Figure{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := withheld(dtm.Table{Indicator: c.i, Figures: []dtm.Figure{c.f}}).Figures[0]
			if f.Suppressed != c.want || f.Suppressed && (f.Value != nil || f.Numerator != nil || f.Denominator != nil || f.People != 0) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestAnswersDoNotAddUp: several answers are possible, so that one hidden share
// cannot be computed from the others and takes none with it.
func TestAnswersDoNotAddUp(t *testing.T) {
	t.Parallel()
	in := one("reason", 3, 200, 400)
	in.Indicator = dtm.Indicator{ID: "reason_share_pct", Unit: "percent"}
	out := withheld(in)
	if !out.Figures[0].Suppressed || out.Figures[1].Suppressed || out.Figures[2].Suppressed {
		t.Errorf("%+v", out)
	}
}

func withheld(t dtm.Table) dtm.Table {
	t, _, _ = alone(t, 10, func() (nest, error) { return nest{}, nil })
	return t
}
