package overview_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/disseminate/guard"
	"dtm/disseminate/overview"
	"dtm/gather/bulk"
	"dtm/operation"
)

// rows keeps what an import stores, to load it at once.
type rows struct {
	op     *dtm.Operation
	chunks []warehouse.Chunk
}

func (r *rows) AddChunk(_ context.Context, c dtm.Chunk) (bool, error) {
	m, err := bulk.Decode(r.op, c.Data)
	r.chunks = append(r.chunks, warehouse.Chunk{Hash: c.Hash, Rows: m})
	return true, err
}

// figures computes over the given registry files with the real engine and guard.
func figures(t *testing.T, op *dtm.Operation, files ...[]byte) dtm.Figures {
	t.Helper()
	return figuresAt(t, op, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), files...)
}

// figuresAt has the last data received at a moment.
func figuresAt(t *testing.T, op *dtm.Operation, at time.Time, files ...[]byte) dtm.Figures {
	t.Helper()
	ctx := context.Background()
	wh, err := duckdb.Open(ctx, "", op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wh.Close() })
	r := &rows{op: op}
	for _, f := range files {
		if _, err := bulk.Import(ctx, op, bulk.Source{Name: "f.csv", Data: bytes.NewReader(f)}, r, bulk.Options{Now: func() time.Time { return time.Unix(0, 0) }}); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.chunks) > 0 {
		to := warehouse.Position{Seq: 1, Hash: "0123456789abcdef", At: at}
		if _, err := wh.Apply(ctx, warehouse.Batch{To: to, Chunks: r.chunks}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	return guard.New(e, op)
}

func djibouti(t *testing.T) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func month(t *testing.T, s string) dtm.Month {
	t.Helper()
	m, err := dtm.ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPublishedMonth says what was published of December 2022, in three languages.
func TestPublishedMonth(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	var files [][]byte
	for _, f := range []string{"DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", f))
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip("real material is missing: ", err)
		}
		files = append(files, b)
	}
	fig := figures(t, op, files...)
	dec := month(t, "2022-12")
	for l, want := range map[dtm.Lang][]string{
		dtm.English: {"In December 2022, 19,156 movements were observed", "618, over 31 calendar days", "5% more than in November 2022 (totals compared)", "Movements in Obock region: 3,557 (19% of all)", "Entries from Ethiopia: 13,830 (+4% on November 2022)"},
		dtm.French:  {"En décembre 2022, 19\u202f156 mouvements", "5\u202f% plus nombreux qu’en novembre 2022", "3\u202f557 (19\u202f% du total)", "13\u202f830 (+4\u202f% par rapport à novembre 2022)"},
		dtm.Arabic:  {"ديسمبر 2022", "19,156", "3,557"},
	} {
		o, err := overview.Build(context.Background(), fig, op, overview.Filter{From: dec, To: dec}, l)
		if err != nil {
			t.Fatal(err)
		}
		text := o.Text()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", l, w, text)
			}
		}
		if len(o.Panels) != 7 {
			t.Errorf("%s: %d panels", l, len(o.Panels))
		}
		for _, p := range o.Panels {
			if p.Title == "" || p.Subtitle == "" || p.Alt == "" || len(p.Table.Rows) == 0 || len(p.Indicators) == 0 {
				t.Errorf("%s: panel %s is not whole: %+v", l, p.ID, p)
			}
		}
	}
}

const small = "month,fmp,movement,previous,next,sex,age,n,reason_economic\n" +
	"2022-12,Obock,outgoing,ETH,SAU,male,adults,4,1\n" +
	"2022-12,Galafi (DJI),incoming,ETH,DJI,female,adults,500,1\n" +
	"2022-12,Yoboki,incoming,ETH,DJI,male,adults,77,1\n"

// TestSmallCells: a count below the threshold is nowhere in what is shown.
func TestSmallCells(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	o, err := overview.Build(context.Background(), figures(t, op, []byte(small)), op, overview.Filter{}, dtm.English)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range o.Panels {
		for _, row := range p.Table.Text(overview.ChartOptions(op, dtm.English, 640)) {
			for _, field := range row[1:] {
				if field == "4" || field == "77" && p.ID == "points" {
					t.Errorf("%s shows %q in %v", p.ID, field, row)
				}
			}
		}
	}
	p, _ := o.Panel("points")
	svg := string(p.Chart.SVG(overview.ChartOptions(op, dtm.English, 640)))
	if !strings.Contains(svg, "&lt;10") {
		t.Error("a withheld point is left out silently")
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	o, err := overview.Build(context.Background(), figures(t, op), op, overview.Filter{}, dtm.French)
	if err != nil || !o.Empty || !o.NoData {
		t.Errorf("nothing recorded: %v, %+v", err, o)
	}
	may := month(t, "2023-05")
	o, err = overview.Build(context.Background(), figures(t, op, []byte(small)), op, overview.Filter{From: may, To: may}, dtm.French)
	if err != nil || !o.Empty || o.NoData {
		t.Errorf("nothing in the month: %v, %+v", err, o)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	for _, q := range []string{"", "from=2022-01&to=2022-12", "direction=incoming&from=2022-12&point=obock&to=2022-12", "from=2021-03&region=DJ01&to=2021-03"} {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		f, err := overview.ParseFilter(op, v)
		if err != nil || f.Query().Encode() != q {
			t.Errorf("%q comes back as %q, %v", q, f.Query().Encode(), err)
		}
	}
	for _, q := range []string{"from=2022-13", "from=2022-12&to=2022-01", "point=nowhere", "region=DJ0115", "direction=up"} {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := overview.ParseFilter(op, v); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%q: %v", q, err)
		}
	}
}
