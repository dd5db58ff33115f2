package release_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dtm"
	"dtm/analyse/indicator"
	"dtm/analyse/release"
	"dtm/analyse/warehouse"
	"dtm/analyse/warehouse/duckdb"
	"dtm/operation"
)

var december = dtm.Month{Year: 2022, Month: time.December}

func djibouti(t testing.TB) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// rows invents submissions of November to January and imported rows of October.
func rows(r *rand.Rand) (subs []warehouse.Submission, chunk warehouse.Chunk) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	move := func(source string, day time.Time, monthOnly bool) dtm.Movement {
		m := dtm.Movement{Source: source, Observed: day, MonthOnly: monthOnly, Point: pick("obock", "dikhil", "galafi", ""), PointText: pick("", "somewhere, \"else\"\nhere"), Direction: "incoming",
			Previous: pick("ETH", "YEM", ""), Next: pick("DJI", "SAU"), Nationality: pick("ETH", "SOM"), Sex: pick("male", "female", dtm.Unknown), Age: pick("18_59", "5_17"), Breakdown: dtm.Full, People: r.IntN(30)}
		if m.Point != "" {
			m.PointText = ""
		}
		if r.IntN(3) == 0 {
			m.Reasons = []string{"conflict", "economic"}
			m.Vulnerable = []dtm.Vulnerable{{Code: "medical", People: r.IntN(3)}}
		}
		return m
	}
	for i := range 120 {
		id := fmt.Sprintf("uuid:%03d", i)
		day := time.Date(2022, 11, 1+r.IntN(80), 0, 0, 0, 0, time.UTC)
		s := warehouse.Submission{Source: id}
		for range 1 + r.IntN(3) {
			s.Facts.Movements = append(s.Facts.Movements, move(id, day, false))
		}
		where := dtm.Where{Site: "Old  station", Region: "DJ01", Area: "DJ0115"}
		switch i % 4 {
		case 0:
			s.Facts.Presence = &dtm.Presence{Where: where, Observed: day, Counted: day.Add(time.Duration(i) * time.Minute), Slot: "morning", Arrived: r.IntN(3) - 1, Left: dtm.NotRecorded,
				People: []dtm.Present{{Nationality: "ETH", Sex: "male", Age: "adults", People: 1 + r.IntN(30)}, {Nationality: "ETH", Sex: "female", Age: "5_17", People: 1 + r.IntN(9)}}}
			s.Facts.Need = &dtm.Need{Where: where, Observed: day, Subject: dtm.SubjectSite, People: 4, Years: dtm.NotRecorded, Asked: []string{"food", "water"}, Lacks: []string{pick("food", "water")}}
		case 1:
			s.Facts.Interview = &dtm.Interview{Where: dtm.Where{Point: "obock"}, Observed: day, Years: 15 + r.IntN(30), Reasons: []string{"conflict", "economic"}, Difficulties: []string{pick("none", "hunger")}}
		case 2:
			s.Facts.Incident = &dtm.Incident{Where: where, Observed: day, Kind: "flood", Affected: r.IntN(90), Dead: dtm.NotRecorded, Population: []string{"host"}}
		}
		subs = append(subs, s)
	}
	chunk.Hash = "c"
	for i := range 40 {
		m := move(fmt.Sprintf("october:%d", i), time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC), true)
		m.Breakdown, m.Nationality = dtm.BySexAge, ""
		if i%2 == 1 {
			m.Breakdown, m.Nationality, m.Sex, m.Age = dtm.ByNationality, "ETH", "", ""
		}
		chunk.Rows = append(chunk.Rows, m)
	}
	return subs, chunk
}

func read(t testing.TB, wh *duckdb.Warehouse, op *dtm.Operation) warehouse.Frozen {
	t.Helper()
	var f warehouse.Frozen
	err := wh.Read(context.Background(), func(rd warehouse.Reader) error {
		var err error
		f, err = release.Read(context.Background(), rd, op.Code, december)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCanonical: the same facts give the same bytes, whatever the batches and the order
// they came in; read back and thawed they are the same again, and every indicator says
// of the release what it says of the warehouse.
func TestCanonical(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	op := djibouti(t)
	for seed := range uint64(3) {
		subs, chunk := rows(rand.New(rand.NewPCG(seed, 1)))
		load := func(sizes, order uint64) *duckdb.Warehouse {
			wh, err := duckdb.Open(ctx, "", op)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { wh.Close() })
			r := rand.New(rand.NewPCG(sizes, order))
			mixed := slices.Clone(subs)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			at := warehouse.Position{}
			for n := 0; len(mixed) > 0 || n == 0; n++ {
				k := min(len(mixed), 1+r.IntN(60))
				b := warehouse.Batch{From: at, Submissions: mixed[:k]}
				if n == 0 {
					b.Chunks = []warehouse.Chunk{chunk}
				}
				at = warehouse.Position{Seq: at.Seq + 1, Hash: fmt.Sprint(at.Seq), At: time.Date(2023, 1, 25, 0, 0, 0, 0, time.UTC)}
				b.To = at
				if _, err := wh.Apply(ctx, b); err != nil {
					t.Fatal(err)
				}
				mixed = mixed[k:]
			}
			return wh
		}
		one, two := load(1, 2), load(3, 4)
		a, b := release.Encode(read(t, one, op)), release.Encode(read(t, two, op))
		if !cmp.Equal(a, b) {
			t.Fatalf("seed %d: %s", seed, cmp.Diff(a, b))
		}
		f, err := release.Decode(december, read(t, one, op).At, a)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Facts) == 0 || len(f.Days) == 0 || len(f.Vulnerable) == 0 {
			t.Fatal("nothing was frozen")
		}
		if again := release.Encode(f); !cmp.Equal(a, again) {
			t.Errorf("seed %d: read back: %s", seed, cmp.Diff(a, again))
		}
		thawed, err := duckdb.Thaw(ctx, op, f)
		if err != nil {
			t.Fatal(err)
		}
		defer thawed.Close()
		if again := release.Encode(read(t, thawed, op)); !cmp.Equal(a, again) {
			t.Errorf("seed %d: thawed: %s", seed, cmp.Diff(a, again))
		}
		tables := func(wh *duckdb.Warehouse) []dtm.Table {
			e, err := indicator.New(op, wh)
			if err != nil {
				t.Fatal(err)
			}
			list, err := release.Tables(ctx, e, december)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		was, is := tables(one), tables(thawed)
		if len(was) < 50 {
			t.Fatalf("%d tables", len(was))
		}
		if !cmp.Equal(was, is) {
			t.Errorf("seed %d: figures: %s", seed, cmp.Diff(was, is))
		}
	}
}

// TestNamed: what a release does not hold is refused, not answered wrongly.
func TestNamed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	op := djibouti(t)
	wh, err := duckdb.Thaw(ctx, op, warehouse.Frozen{Month: december})
	if err != nil {
		t.Fatal(err)
	}
	defer wh.Close()
	e, err := indicator.New(op, wh)
	if err != nil {
		t.Fatal(err)
	}
	f := release.Named(e, dtm.FrozenRelease{Release: dtm.Release{Number: "2022-12/1"}, Month: december})
	for _, c := range []struct {
		from, to string
		by       []string
		kind     dtm.Kind // Internal: answered
	}{
		{"2022-12", "2022-12", nil, dtm.Internal}, {"2020", "2022", nil, dtm.Internal}, {"2022-12-03", "2022-12-09", nil, dtm.Internal}, {"2022-12", "2022-12", []string{"day"}, dtm.Internal},
		{"2022-11", "2022-12", []string{"day"}, dtm.Invalid}, {"2022-11-28", "2022-12-04", nil, dtm.Invalid}, {"2022-12", "2023-01", nil, dtm.NotFound},
	} {
		p, err := dtm.ParsePeriod(c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		table, err := f.Table(ctx, dtm.Query{Indicator: "total_movements", Period: p, By: c.by})
		if (err == nil) != (c.kind == dtm.Internal) || err != nil && dtm.KindOf(err) != c.kind {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && table.Release.Number != "2022-12/1" {
			t.Errorf("%+v: release %q", c, table.Release.ID())
		}
	}
}

func TestOperation(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	a, err := release.EncodeOperation(op, op.Atlas(), op.Network())
	if err != nil {
		t.Fatal(err)
	}
	back, err := release.DecodeOperation(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := release.EncodeOperation(back, back.Atlas(), back.Network())
	if err != nil || string(regexp.MustCompile(`(?s),\s*"Forms": \[.*?\n \]`).ReplaceAll(a, nil)) != string(b) && !bytes.Equal(a, b) {
		t.Errorf("not the same again (%v)", err)
	}
	if warehouse.NewPack(op).Fingerprint() != warehouse.NewPack(back).Fingerprint() || back.Zone.String() != op.Zone.String() {
		t.Error("the operation read back makes other facts")
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	cell := func(point string) warehouse.Cell { return warehouse.Cell{Point: point} }
	f := warehouse.Frozen{Month: december, Cells: []warehouse.Cell{cell(""), cell("obock"), cell("dikhil")}}
	for _, p := range []struct {
		month string
		cell  int32
		n     int64
		main  bool
	}{{"2022-10", 1, 50, true}, {"2022-11", 1, 100, true}, {"2022-12", 0, 4, true}, {"2022-12", 1, 200, true}, {"2022-12", 1, 200, false}} {
		f.Months = append(f.Months, warehouse.FrozenSum{Month: p.month, MonthOnly: p.cell != 2, Cell: p.cell, People: p.n, Main: p.main})
	}
	say := func(list []release.Check) (s string) {
		for _, c := range list {
			s += fmt.Sprintf("%s:%s%v ", c.ID, c.Verdict, c.Args)
			for _, i := range c.Items {
				s += fmt.Sprintf("(%s %d %d %s) ", i.Name, i.Was, i.Is, i.Label)
			}
		}
		return s
	}
	if got := say(release.Coverage(op, f)); !strings.Contains(got, "(dikhil 31 0 )") || strings.Contains(got, "(obock") || !strings.Contains(got, "placed:look[4 204]") {
		t.Errorf("coverage: %s", got)
	}
	checks, months := release.Totals(f, []release.Published{{december, "2022-12/1", 204}, {december.Add(-1), "2022-11/1", 90}, {december.Add(-2), "2022-10/3", 50}})
	if got := say(checks); got != "total:ok[204] previous:ok[2022-12/1 204] month_before:look[100 204 104] months:look[] (2022-11 90 100 2022-11/1) " || len(months) != 1 {
		t.Errorf("totals: %s %v", got, months)
	}
	checks, _ = release.Totals(f, []release.Published{{december, "2022-12/1", 200}})
	if got := say(checks); !strings.Contains(got, "previous:look[2022-12/1 200 204 4]") {
		t.Errorf("totals: %s", got)
	}
	checks, _ = release.Totals(warehouse.Frozen{Month: december}, nil)
	if release.Worst(checks) != release.Stop {
		t.Errorf("an empty month: %s", say(checks))
	}
	zone := op.Zone
	if c := release.Over(op, time.Date(2022, 12, 31, 23, 59, 0, 0, zone), december); c.Verdict != release.Stop {
		t.Error("the last minute of the month is not after it")
	}
	if c := release.Over(op, time.Date(2023, 1, 1, 0, 0, 0, 0, zone), december); c.Verdict != release.OK {
		t.Error("midnight is after the month")
	}
}

// TestPointsOf: small totals do not leave by the table of changes.
func TestPointsOf(t *testing.T) {
	t.Parallel()
	make := func(n ...int64) warehouse.Frozen {
		f := warehouse.Frozen{Month: december, Cells: []warehouse.Cell{{Point: "obock"}, {Point: "dikhil"}}}
		for i, p := range n {
			if p > 0 {
				f.Facts = append(f.Facts, warehouse.FrozenFact{Source: fmt.Sprint("s", i), Observed: "2022-12-01", Cell: int32(i % 2), People: p, Main: true})
			}
		}
		return f
	}
	points, sources := release.PointsOf(make(100, 3, 50), make(100, 40, 60, 7), 10)
	if len(points) != 2 || points[0].Point != "dikhil" || points[0].Was != nil || points[0].Added != 1 || points[0].Changed != 1 || *points[1].Was != 150 || *points[1].Is != 160 {
		t.Errorf("%+v", points)
	}
	if !slices.Equal(sources, []string{"s1", "s2", "s3"}) {
		t.Errorf("sources %v", sources)
	}
}

func TestReleaseNumber(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{"2022-12/1": true, "2022-12-10": true, "2022-12": false, "2022-12/0": false, "2022-12/01": false, "2022-12/+1": false, "2022-13/1": false, "2022-12/1x": false, "": false, "2022-12/": false} {
		m, n, err := dtm.ParseReleaseNumber(s)
		if (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
		if ok && strings.ReplaceAll(dtm.ReleaseNumber(m, n), "/", "-") != strings.ReplaceAll(s, "/", "-") {
			t.Errorf("%q reads as %s", s, dtm.ReleaseNumber(m, n))
		}
	}
}

// FuzzDecode: whatever the parts hold, it is read or refused, and what is read is
// written as it was read.
func FuzzDecode(f *testing.F) {
	f.Add("source,observed,month_only,cell,people,assessed,main\nu,2022-12-01,0,0,3,,1\n", "month,month_only,cell,people,main\n2022-12,0,0,3,1\n")
	f.Add("x", "\"")
	head := release.Encode(warehouse.Frozen{Cells: []warehouse.Cell{{Point: "obock"}}})
	f.Fuzz(func(t *testing.T, facts, months string) {
		parts := map[string][]byte{release.PartFacts: []byte(facts), release.PartMonths: []byte(months), release.PartCells: head[release.PartCells], release.PartVulnerable: head[release.PartVulnerable], release.PartDays: head[release.PartDays]}
		got, err := release.Decode(december, warehouse.Position{}, parts)
		if err != nil {
			if dtm.KindOf(err) != dtm.Conflict {
				t.Fatal(err)
			}
			return
		}
		again, err := release.Decode(december, warehouse.Position{}, release.Encode(got))
		if err != nil || !cmp.Equal(got, again) {
			t.Fatalf("%v\n%s", err, cmp.Diff(got, again))
		}
	})
}

// TestQueries: the texts are of the subset that both engines read.
func TestQueries(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("query/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bad := regexp.MustCompile(`(?i)[^(]sum\(|to_char|qualify|now\(|;|::|select\s+\*`).FindString(string(b)); bad != "" && !strings.Contains(bad, "CAST(") {
			t.Errorf("%s: %q", file, bad)
		}
	}
}
