package chart_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/chart"
	"dtm/disseminate/chart/draw/drawtest"
)

func TestGoldenFaults(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		for name, c := range samples(l) {
			for _, w := range []float64{280, 358, 480, 640, 1000} {
				check(t, name+" "+string(l), c, options(l, w))
			}
		}
	}
}

// check draws c and fails on any fault; it returns the drawing.
func check(t *testing.T, name string, c chart.Chart, o chart.Options) *drawtest.Drawing {
	t.Helper()
	svg := c.SVG(o)
	d, err := drawtest.Parse(svg)
	if err != nil {
		t.Fatalf("%s at %g: %v\n%s", name, o.Width, err, svg)
	}
	for _, f := range d.Faults() {
		t.Errorf("%s at %g: %s", name, o.Width, f)
	}
	if d.Title == "" && d.Desc == "" {
		t.Errorf("%s: neither title nor description", name)
	}
	if !bytes.Equal(svg, c.SVG(o)) {
		t.Errorf("%s: two drawings of one chart differ", name)
	}
	return d
}

var words = []string{
	"Obock", "Ali Sabieh (Ancienne Gare)", "PK9", "République démocratique populaire de Quelquepart-sur-Mer et des îles", "السعودية",
	"الإمارات العربية المتحدة (دبي 12)", "A&B <10> \"x\"", "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", "", "ጅቡቲ", "吉布提共和国", "0–4", "x\u202ey", "Moins de\u202f18\u00a0ans",
}

// secret stands behind suppressed cells: it must not show, in no form.
const secret = 7654321.0

func randomCell(r *rand.Rand) chart.Cell {
	v := math.Floor(math.Exp(r.Float64() * 15))
	switch r.Intn(10) {
	case 0:
		return chart.Cell{}
	case 1, 2:
		s := secret
		return chart.Cell{Value: &s, Suppressed: true}
	case 3:
		return chart.Of(0)
	case 4:
		return chart.Of(math.NaN())
	case 5:
		return chart.Of(v + 0.25)
	}
	return chart.Of(v)
}

func randomChart(r *rand.Rand) (string, chart.Chart) {
	word := func() string { return words[r.Intn(len(words))] }
	head := chart.Head{ID: word(), Title: "T " + word(), Subtitle: word(), Source: word(), Notes: []string{word(), word()}}
	cells := func(n int) []chart.Cell {
		out := make([]chart.Cell, n)
		for i := range out {
			out[i] = randomCell(r)
		}
		return out
	}
	n, m := 1+r.Intn(14), 1+r.Intn(6)
	names := make([]string, m)
	for i := range names {
		names[i] = word()
	}
	list := make([]chart.Step, n+r.Intn(30))
	for i := range list {
		list[i] = chart.Step{Label: word(), Group: []string{"2021", "2022", ""}[i*3/len(list)], Name: word()}
	}
	tones := []chart.Tone{chart.Plain, chart.Accented, chart.Quiet}
	switch r.Intn(6) {
	case 0:
		b := chart.Bars{Head: head, Axis: word(), Measure: word(), ReferenceLabel: word()}
		for i := 0; i < n; i++ {
			b.Items = append(b.Items, chart.Bar{Label: word(), Cell: randomCell(r), Note: word(), Unknown: r.Intn(6) == 0, Reference: randomCell(r), Tone: tones[r.Intn(3)]})
			if r.Intn(8) == 0 {
				b.Items[i].Cell = chart.Of(-math.Floor(math.Exp(r.Float64() * 12)))
			}
		}
		return "bars", b
	case 1:
		s := chart.Stacked{Head: head, Axis: word(), Series: names, UnknownSeries: r.Intn(m + 1), Mode: []chart.Mode{chart.Stack, chart.Group, chart.Share}[r.Intn(3)], TotalLabel: word()}
		for i := 0; i < n; i++ {
			s.Rows = append(s.Rows, chart.Row{Label: word(), Cells: cells(m), Unknown: r.Intn(6) == 0})
		}
		return "stacked", s
	case 2:
		tr := chart.Trend{Head: head, Axis: word(), Steps: list, Floating: r.Intn(2) == 0, Strip: &chart.Strip{Label: word(), Cells: cells(len(list))}, Baseline: &chart.Level{Label: word(), Cell: randomCell(r)},
			Band: &chart.Range{Label: word(), Low: lows(1000, len(list)), High: lows(5000, len(list)-1)}, Marks: []chart.Moment{{Step: r.Intn(len(list)), Label: word()}, {Step: r.Intn(len(list)), Label: word()}}}
		for i := 0; i < m; i++ {
			tr.Lines = append(tr.Lines, chart.Line{Label: word(), Cells: cells(len(list)), Tone: tones[r.Intn(3)], Forecast: r.Intn(len(list))})
		}
		return "trend", tr
	case 3:
		h := chart.Heat{Head: head, Axis: word(), Across: word(), Columns: names}
		sums := &chart.HeatSums{Columns: cells(m), All: randomCell(r)}
		for i := 0; i < n; i++ {
			h.Rows = append(h.Rows, word())
			h.Cells = append(h.Cells, cells(m))
			sums.Rows = append(sums.Rows, randomCell(r))
		}
		if r.Intn(2) == 0 {
			h.Totals = sums
		}
		return "heat", h
	case 4:
		p := chart.Pyramid{Head: head, Axis: word(), Left: word(), Right: word(), Unknown: &chart.Bar{Label: word(), Cell: randomCell(r)}}
		for i := 0; i < n; i++ {
			p.Rows = append(p.Rows, chart.PyramidRow{Label: word(), Left: randomCell(r), Right: randomCell(r), Unknown: r.Intn(6) == 0})
		}
		return "pyramid", p
	}
	switch r.Intn(3) {
	case 0:
		sk := chart.Sankey{Head: head, From: word(), To: word(), Measure: word()}
		for i := 0; i < 2*n; i++ {
			sk.Links = append(sk.Links, chart.Link{From: word(), To: word(), Cell: randomCell(r)})
		}
		return "sankey", sk
	case 1:
		c := chart.Calendar{Head: head, Axis: word(), Measure: word(), Weekdays: [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "الأحد"}}
		first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := 0; i < n; i++ {
			c.Months = append(c.Months, chart.MonthName{First: first.AddDate(0, i, 0), Name: word()})
		}
		for at := first; at.Before(first.AddDate(0, n, -3)); at = at.AddDate(0, 0, 1) {
			c.Days = append(c.Days, chart.Day{At: at, Name: word(), Cell: randomCell(r)})
		}
		return "calendar", c
	}
	mu := chart.Multiples{Head: head, Axis: word(), Steps: list, Free: r.Intn(2) == 0, FreeNote: word()}
	for i := 0; i < n; i++ {
		mu.Panels = append(mu.Panels, chart.Panel{Label: word(), Note: word(), Cells: cells(len(list)), Band: &chart.Range{Label: word(), Low: lows(10, len(list)), High: lows(5000, len(list))}})
	}
	return "multiples", mu
}

// TestRandom draws charts of every kind with hostile labels, gaps, withheld and
// absurd values: nothing overlaps, nothing leaves the drawing, nothing withheld
// shows in drawing or table.
func TestRandom(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(20221231))
	for i := 0; i < 600 && !t.Failed(); i++ {
		kind, c := randomChart(r)
		o := options(languages[r.Intn(3)], []float64{280, 300, 358, 430, 640, 900}[r.Intn(6)])
		o.Titled = r.Intn(2) == 0
		check(t, kind, c, o)
		shown := string(c.SVG(o))
		for _, row := range append(c.Table().Text(o), c.Table().Records("<10")...) {
			shown += strings.Join(row, "|")
		}
		for _, leak := range []string{"7654321", "7,654,321", "7\u202f654\u202f321", "7.65"} {
			if strings.Contains(shown, leak) {
				t.Errorf("%s shows a withheld value as %s", kind, leak)
			}
		}
		if t.Failed() {
			t.Logf("chart %d at %g, %s: %+v\n%s", i, o.Width, o.Lang, c, c.SVG(o))
		}
	}
}

// A withheld cell is drawn the same whatever stands behind it.
func TestWithheldGeometry(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"bars", "stacked", "share", "group", "trend", "heat", "pyramid", "multiples", "sankey", "calendar"} {
		c := samples(dtm.English)[kind]
		fill := func(v float64) []byte {
			raw, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			value, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			raw = bytes.ReplaceAll(raw, []byte(`"value":null,"suppressed":true`), append(append([]byte(`"value":`), value...), []byte(`,"suppressed":true`)...))
			return decode(t, kind, raw).SVG(options(dtm.English, 640))
		}
		if !bytes.Equal(fill(1), fill(9)) || !bytes.Equal(fill(9), c.SVG(options(dtm.English, 640))) {
			t.Errorf("%s: the drawing depends on withheld values", kind)
		}
	}
}

func decode(t *testing.T, kind string, raw []byte) chart.Chart {
	t.Helper()
	switch kind {
	case "bars":
		return as[chart.Bars](t, raw)
	case "stacked", "share", "group":
		return as[chart.Stacked](t, raw)
	case "trend":
		return as[chart.Trend](t, raw)
	case "heat":
		return as[chart.Heat](t, raw)
	case "pyramid":
		return as[chart.Pyramid](t, raw)
	case "sankey":
		return as[chart.Sankey](t, raw)
	case "calendar":
		return as[chart.Calendar](t, raw)
	}
	return as[chart.Multiples](t, raw)
}

func as[T chart.Chart](t *testing.T, raw []byte) chart.Chart {
	t.Helper()
	var c T
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Bars begin at one zero and their lengths are to each other as their values.
func TestBarsZero(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		b := chart.Bars{Head: chart.Head{ID: "z", Title: "t"}, Axis: "Point", Measure: "n"}
		values := map[string]float64{"a": 1000, "b": 250, "c": 37, "d": -120}
		for _, k := range []string{"a", "b", "c", "d"} {
			b.Items = append(b.Items, chart.Bar{Label: k, Cell: chart.Of(values[k])})
		}
		d := check(t, "bars", b, options(l, 640))
		zero, unit := math.NaN(), math.NaN()
		for _, r := range d.Rects {
			v := values[r.Mark]
			if r.Mark == "" {
				continue
			}
			start := r.X
			if (v < 0) != l.RTL() {
				start = r.X + r.W
			}
			if math.IsNaN(zero) {
				zero, unit = start, r.W/v
			}
			if math.Abs(start-zero) > 0.11 || math.Abs(r.W-math.Abs(v)*unit) > 0.11 {
				t.Errorf("%s: bar %s of %g begins at %.1f and is %.1f long; zero is %.1f, the unit %.4f", l, r.Mark, v, start, r.W, zero, unit)
			}
		}
	}
}

// The parts of a stack add up to its total's length.
func TestStackedSums(t *testing.T) {
	t.Parallel()
	c := chart.Stacked{Head: chart.Head{ID: "s", Title: "t"}, Axis: "Age", Series: []string{"f", "m", "u"}, Rows: []chart.Row{
		{Label: "r0", Cells: some(100, 250, 50)}, {Label: "r1", Cells: some(500, 250, 250)}, {Label: "r2", Cells: some(0, 125, 0)},
	}}
	d := check(t, "stacked", c, options(dtm.English, 640))
	length := map[string]float64{}
	for _, r := range d.Rects {
		if row, _, ok := strings.Cut(r.Mark, ", "); ok {
			length[row] += r.W + 1 // and the gap after it
		}
	}
	for row, share := range map[string]float64{"r0": 0.4, "r1": 1, "r2": 0.125} {
		if math.Abs(length[row]-share*length["r1"]) > 0.5 {
			t.Errorf("%s is %.1f long, want %.3f of %.1f", row, length[row], share, length["r1"])
		}
	}
}

// A thousand points: the drawing stays one that can be read and says how many it leaves
// out; the table leaves out none.
func TestManyAreBounded(t *testing.T) {
	t.Parallel()
	const n = 1000
	bars := chart.Bars{Head: chart.Head{ID: "b", Title: "t"}, Axis: "Point", Measure: "n"}
	multiples := chart.Multiples{Head: chart.Head{ID: "m", Title: "t"}, Axis: "Month", Steps: []chart.Step{{Label: "Jan"}, {Label: "Feb"}}}
	for i := range n {
		name := fmt.Sprintf("point %04d", i)
		bars.Items = append(bars.Items, chart.Bar{Label: name, Cell: chart.Of(float64(n - i))})
		multiples.Panels = append(multiples.Panels, chart.Panel{Label: name, Cells: []chart.Cell{chart.Of(1), chart.Of(float64(n - i))}})
	}
	for _, l := range languages {
		for kind, c := range map[string]chart.Chart{"bars": bars, "multiples": multiples} {
			o := options(l, 640)
			svg, drawn := string(c.SVG(o)), 0
			check(t, kind, c, o)
			for i := range n {
				if strings.Contains(svg, fmt.Sprintf("point %04d", i)) {
					drawn++
				}
			}
			if drawn < 12 || len(svg) > 64<<10 {
				t.Errorf("%s %s: %d are drawn, in %d bytes", l, kind, drawn, len(svg))
			}
			if !strings.Contains(svg, "+"+o.Number(float64(n-drawn))+" ") {
				t.Errorf("%s %s: %d are drawn, and not said how many are not", l, kind, drawn)
			}
			if table := c.Table(); max(len(table.Rows), len(table.Columns)-1) != n {
				t.Errorf("%s %s: the table has %d rows and %d columns", l, kind, len(table.Rows), len(table.Columns))
			}
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	b := samples(dtm.French)["bars"].(chart.Bars)
	b.Items[0].Label = "=SUM(A1)"
	rows := b.Table().Text(options(dtm.French, 640))
	if got := strings.Join(rows[0], "|"); got != "=SUM(A1)|4\u202f312|3\u202f900" {
		t.Errorf("page row %q", got)
	}
	csv := b.Table().Records("<10")
	if got := strings.Join(csv[0], "|"); got != "'=SUM(A1)|4312|3900" {
		t.Errorf("csv row %q", got)
	}
	if got := strings.Join(csv[7], "|"); got != "Balho|<10|" {
		t.Errorf("withheld row %q", got)
	}
	if got := strings.Join(csv[8], "|"); got != "Loyada||" {
		t.Errorf("missing row %q", got)
	}
	for kind, c := range samples(dtm.English) {
		table := c.Table()
		for i, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Errorf("%s: row %d has %d fields under %d columns", kind, i, len(row), len(table.Columns))
			}
		}
	}
}

func FuzzChart(f *testing.F) {
	f.Add(`</text><script>`, "Obock", 1234.5, 358.0, int64(1))
	f.Add("نقطة", "\x00\xff", -5.0, 0.0, int64(2))
	f.Add(strings.Repeat("W", 3000), "", math.MaxFloat64, math.Inf(1), int64(3))
	f.Add("a", "b", 5e-324, math.NaN(), int64(4))
	f.Fuzz(func(t *testing.T, label, group string, v, width float64, seed int64) {
		o := chart.Options{Width: width, Titled: true}
		if len(label)+len(group) > 4000 {
			return
		}
		_, c := randomChart(rand.New(rand.NewSource(seed)))
		for _, c := range []chart.Chart{
			c,
			chart.Bars{Head: chart.Head{ID: label, Title: label}, Items: []chart.Bar{{Label: label, Cell: chart.Of(v), Note: group}, {Label: group, Cell: chart.Withheld()}}},
			chart.Trend{Head: chart.Head{Title: group}, Steps: []chart.Step{{Label: label, Group: group}, {Label: group}}, Lines: []chart.Line{{Label: label, Cells: []chart.Cell{chart.Of(v), chart.Of(1)}}}},
			chart.Heat{Head: chart.Head{Title: label}, Rows: []string{label}, Columns: []string{group, label}, Cells: [][]chart.Cell{{chart.Of(v)}}},
		} {
			if _, err := drawtest.Parse(c.SVG(o)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
