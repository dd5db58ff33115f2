package bulk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"dtm"
	"dtm/gather/bulk"
	"dtm/locale"
	"dtm/operation"
)

// chunks keeps chunks in memory as the contract of dtm.Imports promises.
type chunks struct {
	byHash map[string]dtm.Chunk
	order  []string
	stopAt int // fail when so many chunks are stored; 0: never
}

func (c *chunks) AddChunk(_ context.Context, k dtm.Chunk) (bool, error) {
	sum := sha256.Sum256(k.Data)
	if k.Hash != hex.EncodeToString(sum[:]) {
		return false, fmt.Errorf("hash of chunk is wrong")
	}
	if _, ok := c.byHash[k.Hash]; ok {
		return false, nil
	}
	if c.stopAt > 0 && len(c.order) >= c.stopAt {
		return false, fmt.Errorf("killed")
	}
	if c.byHash == nil {
		c.byHash = map[string]dtm.Chunk{}
	}
	c.byHash[k.Hash] = k
	c.order = append(c.order, k.Hash)
	return true, nil
}

// facts applies chunks in order as the warehouse does: the last row of a key wins.
func (c *chunks) facts(t *testing.T, op *dtm.Operation) map[string]dtm.Movement {
	t.Helper()
	out := map[string]dtm.Movement{}
	for _, h := range c.order {
		rows, err := bulk.Decode(op, c.byHash[h].Data)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != c.byHash[h].Rows {
			t.Fatalf("chunk says %d rows and holds %d", c.byHash[h].Rows, len(rows))
		}
		for _, m := range rows {
			out[m.Source] = m
		}
	}
	return out
}

func people(f map[string]dtm.Movement) (n int) {
	for _, m := range f {
		n += m.People
	}
	return n
}

func djibouti(t testing.TB) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func run(t testing.TB, op *dtm.Operation, store *chunks, name string, data []byte) (bulk.Summary, string, error) {
	t.Helper()
	var rejects bytes.Buffer
	sum, err := bulk.Import(context.Background(), op, bulk.Source{Name: name, Data: bytes.NewReader(data), Size: int64(len(data))}, store, bulk.Options{
		Now:     func() time.Time { return time.Unix(0, 0) },
		Rejects: func() (io.Writer, error) { return &rejects, nil },
	})
	if err == nil && sum.Rows != sum.Accepted+sum.Rejected {
		t.Errorf("%d rows, %d accepted, %d rejected", sum.Rows, sum.Accepted, sum.Rejected)
	}
	return sum, rejects.String(), err
}

const header = "month,fmp,fmp_country,route,subroute,movement,origin,previous,next,final,sex,age,n,uac,reason_economic,reason_conflict\n"

const good = header +
	"2022-12,Obock,DJI,Eastern Corridor,Outgoing to Eastern Corridor,outgoing,OOO,ETH,YEM,OOO,male,adults,100,,1,1\n" +
	"2022-12,Gueliléh,DJI,Nothern Corridor,Outgoing to Northern Corridor,incoming,OOO,ETH,DJI,OOO,female,children,20,3,0,0\n"

func TestImport(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(good)
	if err != nil {
		t.Fatal(err)
	}
	latin, err := charmap.Windows1252.NewEncoder().String(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"UTF-8":                good,
		"byte order mark":      "\ufeff" + good,
		"UTF-16":               utf16,
		"Latin-1":              latin,
		"semicolons":           strings.ReplaceAll(good, ",", ";"),
		"tabs":                 strings.ReplaceAll(good, ",", "\t"),
		"CRLF":                 strings.ReplaceAll(good, "\n", "\r\n"),
		"days of the month":    strings.ReplaceAll(good, "2022-12,", "2022-12-01,"),
		"times":                strings.ReplaceAll(good, "2022-12,", "2022-12-01T00:00:00Z,"),
		"spreadsheet numbers":  strings.ReplaceAll(good, "2022-12,", "44896,"),
		"no last line feed":    strings.TrimSuffix(good, "\n"),
		"spaces, no-break too": strings.ReplaceAll(good, ",Obock,", ",\u00a0Obock ,"),
		"XLSX":                 string(xlsx(t, good)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &chunks{}
			sum, rejects, err := run(t, op, store, "f", []byte(data))
			if err != nil || sum.Rejected > 0 {
				t.Fatalf("%v\n%s", err, rejects)
			}
			if sum.Flags["code.spelling"] != 1 {
				t.Errorf("flags: %v", sum.Flags)
			}
			want := map[string]int{"obock": 100, "guelileh": 20}
			for _, m := range store.facts(t, op) {
				if want[m.Point] != m.People || !m.MonthOnly || m.Observed.Format("2006-01-02") != "2022-12-01" || m.Breakdown != dtm.BySexAge {
					t.Errorf("got %+v", m)
				}
				if m.Point == "guelileh" {
					if m.Route != "Northern Corridor" || len(m.Reasons) != 0 || len(m.Vulnerable) != 1 || m.Vulnerable[0].People != 3 {
						t.Errorf("got %+v", m)
					}
				} else if !cmp.Equal(m.Reasons, []string{"conflict", "economic"}) || m.Vulnerable != nil {
					t.Errorf("got %+v", m)
				}
			}
		})
	}
}

func xlsx(t testing.TB, text string) []byte {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	f := excelize.NewFile()
	style, err := f.NewStyle(&excelize.Style{NumFmt: 17})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		for j, s := range r {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			var v any = s
			if i > 0 && j == 0 {
				m, err := dtm.ParseMonth(s)
				if err != nil {
					t.Fatal(err)
				}
				v = m.First()
			}
			if err := f.SetCellValue("Sheet1", cell, v); err != nil {
				t.Fatal(err)
			}
			if i > 0 && j == 0 {
				if err := f.SetCellStyle("Sheet1", cell, cell, style); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRejects(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	row := "2022-12,Obock,DJI,,,outgoing,OOO,ETH,YEM,OOO,male,adults,7,,1,1\n"
	for name, c := range map[string]struct{ row, want string }{
		"month 13":          {strings.Replace(row, "2022-12", "2022-13", 1), "2022-13"},
		"no month":          {strings.Replace(row, "2022-12", "", 1), "not a month"},
		"negative":          {strings.Replace(row, ",7,", ",-7,", 1), "negative"},
		"fraction":          {strings.Replace(row, ",7,", ",7.5,", 1), "whole number"},
		"empty count":       {strings.Replace(row, ",7,", ",,", 1), "empty"},
		"word":              {strings.Replace(row, ",7,", ",many,", 1), "whole number"},
		"absurd year":       {strings.Replace(row, "2022-12", "0202-12", 1), "2004"},
		"column too few":    {strings.Replace(row, ",1,1", ",1", 1), "15 columns"},
		"column too many":   {strings.Replace(row, ",1,1", ",1,1,1", 1), "17 columns"},
		"more than a crowd": {strings.Replace(row, ",7,", ",70000000,", 1), "more people"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &chunks{}
			sum, rejects, err := run(t, op, store, "f.csv", []byte(header+row+c.row+row))
			if err != nil || sum.Accepted != 2 || sum.Rejected != 1 {
				t.Fatalf("%v, %+v", err, sum)
			}
			lines := strings.Split(rejects, "\n")
			if !strings.HasPrefix(lines[0], "row,reason,month,") || !strings.HasPrefix(lines[1], "3,") || !strings.Contains(lines[1], c.want) {
				t.Errorf("want row 3 and %q:\n%s", c.want, rejects)
			}
			if f := store.facts(t, op); len(f) != 2 || people(f) != 14 {
				t.Errorf("two equal rows of one file are two rows: %v", f)
			}
		})
	}
}

// TestReasonsAreSaid: reasons and notes are worded by who imports.
func TestReasonsAreSaid(t *testing.T) {
	t.Parallel()
	op, store := djibouti(t), &chunks{}
	data := strings.Replace(header, "reason_conflict", "weather", 1) + "2022-12,Obock,DJI,,,outgoing,OOO,ETH,YEM,OOO,male,adults,many,,1,1\n"
	var rejects strings.Builder
	sum, err := bulk.Import(t.Context(), op, bulk.Source{Name: "f.csv", Data: strings.NewReader(data)}, store, bulk.Options{
		Now: time.Now, Rejects: func() (io.Writer, error) { return &rejects, nil },
		Say: func(err error) string { return locale.Error(dtm.French, err) },
	})
	if err != nil || sum.Rejected != 1 || len(sum.Notes) != 1 {
		t.Fatalf("%v, %+v", err, sum)
	}
	if want := "«\u202fmany\u202f» n’est pas un nombre entier"; !strings.Contains(rejects.String(), want) {
		t.Errorf("%q is not in\n%s", want, rejects.String())
	}
	if want := "La colonne «\u202fweather\u202f»"; !strings.HasPrefix(sum.Notes[0], want) {
		t.Errorf("%q, want %q", sum.Notes[0], want)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	for name, c := range map[string]struct{ row, rule string }{
		"blank point":        {"2022-12,,DJI,,,incoming,OOO,ETH,DJI,OOO,male,adults,4,,0,0\n", "point.blank"},
		"unknown point":      {"2022-12,Shangri-La,DJI,,,incoming,OOO,ETH,DJI,OOO,male,adults,4,,0,0\n", "point.unknown"},
		"unknown country":    {"2022-12,Obock,DJI,,,incoming,OOO,ZZZ,DJI,OOO,male,adults,4,,0,0\n", "code.unknown"},
		"unknown sex":        {"2022-12,Obock,DJI,,,incoming,OOO,ETH,DJI,OOO,both,adults,4,,0,0\n", "code.unknown"},
		"more uac than rows": {"2022-12,Obock,DJI,,,incoming,OOO,ETH,DJI,OOO,male,children,4,5,0,0\n", "uac.exceeds"},
		"odd uac":            {"2022-12,Obock,DJI,,,incoming,OOO,ETH,DJI,OOO,male,children,4,some,0,0\n", "count.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &chunks{}
			sum, _, err := run(t, op, store, "f.csv", []byte(header+c.row))
			if err != nil || sum.Accepted != 1 || sum.Flags[c.rule] != 1 {
				t.Fatalf("want one row flagged %s: %v, %+v", c.rule, err, sum)
			}
			for _, m := range store.facts(t, op) {
				kept := false
				for _, f := range m.Flags {
					kept = kept || f.Rule == c.rule
				}
				if !kept || m.People != 4 {
					t.Errorf("the stored row lost its flag: %+v", m)
				}
			}
		})
	}
}

func TestWholeFileFaults(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	book := xlsx(t, good)
	for name, c := range map[string]struct {
		data string
		want string
	}{
		"empty":             {"", "empty"},
		"blank":             {" \n\n ", "empty"},
		"only a mark":       {"\ufeff", "empty"},
		"wrong columns":     {"when,where,many\n2022-12,Obock,3\n", "fmp"},
		"no sex, age, nat":  {"month,fmp,n\n2022-12,Obock,3\n", "sex and age, or nat"},
		"column twice":      {"month,fmp,sex,age,n,n\n", `"n" twice`},
		"column two ways":   {"month,fmp,sex,age,n,movements\n", `"n" twice`},
		"month and date":    {"month,date,fmp,sex,age,n\n", "both"},
		"binary":            {"\x7fELF\x02\x01\x01\x00\x00\x00", "neither"},
		"PDF":               {"%PDF-1.7\n", "PDF"},
		"old Excel":         {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"},
		"truncated XLSX":    {string(book[:len(book)/2]), "damaged"},
		"zip, not workbook": {"PK\x03\x04 nothing of the kind", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &chunks{}
			_, _, err := run(t, op, store, "file.csv", []byte(c.data))
			if k := dtm.KindOf(err); (k != dtm.Invalid && k != dtm.Unsupported) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "file.csv") {
				t.Errorf("want a clear error with %q, got %v", c.want, err)
			}
			if len(store.order) > 0 {
				t.Error("something was stored")
			}
		})
	}
}

// TestAgain: the same file adds nothing, a longer one its new rows, a stopped one
// is finished.
func TestAgain(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	data := synthetic(rand.New(rand.NewPCG(1, 2)), 120_000)
	whole := &chunks{}
	if _, _, err := run(t, op, whole, "f.csv", data); err != nil {
		t.Fatal(err)
	}
	want := whole.facts(t, op)
	if len(want) != 120_000 {
		t.Fatalf("%d facts of 120,000 rows", len(want))
	}
	before := len(whole.order)
	if sum, _, err := run(t, op, whole, "f.csv", data); err != nil || sum.ChunksNew != 0 || len(whole.order) != before {
		t.Errorf("second run: %v, %d new chunks", err, sum.ChunksNew)
	}
	stopped := &chunks{stopAt: 1}
	if _, _, err := run(t, op, stopped, "f.csv", data); err == nil {
		t.Fatal("the import was not stopped")
	}
	stopped.stopAt = 0
	if sum, _, err := run(t, op, stopped, "f.csv", data); err != nil || sum.ChunksNew != before-1 {
		t.Errorf("finishing: %v, %d new chunks of %d", err, sum.ChunksNew, before)
	}
	if diff := cmp.Diff(want, stopped.facts(t, op)); diff != "" {
		t.Errorf("a stopped import, finished, differs:\n%.500s", diff)
	}
	longer := append(bytes.Clone(data), []byte("2023-01,Obock,DJI,,,incoming,OOO,ETH,DJI,OOO,male,adults,11,,0,0\n")...)
	if _, _, err := run(t, op, whole, "f.csv", longer); err != nil {
		t.Fatal(err)
	}
	if got := whole.facts(t, op); len(got) != 120_001 || people(got) != people(want)+11 {
		t.Errorf("a longer file: %d facts, %d people; want %d and %d", len(got), people(got), 120_001, people(want)+11)
	}
}

func synthetic(r *rand.Rand, rows int) []byte {
	b := []byte(header)
	points := []string{"Obock", "Yoboki", "Galafi (DJI)", "Gueliléh", "", "Nowhere"}
	for range rows {
		b = fmt.Appendf(b, "20%02d-%02d,%s,DJI,HoA Corridor,Horn of Africa Corridor,incoming,OOO,ETH,%s,OOO,%s,%s,%d,,%d,%d\n",
			18+r.IntN(5), 1+r.IntN(12), points[r.IntN(len(points))], []string{"DJI", "SAU", "YEM"}[r.IntN(3)],
			[]string{"male", "female", "unknown"}[r.IntN(3)], []string{"adults", "children"}[r.IntN(2)], r.IntN(300), r.IntN(2), r.IntN(2))
	}
	return b
}

func TestRealFiles(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	for file, c := range map[string]struct {
		rows      int
		breakdown dtm.Breakdown
	}{"DJI_dmg_2018_2022.csv": {3787, dtm.BySexAge}, "DJI_nat_2018_2022.csv": {2312, dtm.ByNationality}} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", file))
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip("real material is missing: ", err)
		}
		store := &chunks{}
		sum, rejects, err := run(t, op, store, file, data)
		if err != nil || sum.Rows != c.rows || sum.Rejected != 0 || sum.People != 952_004 || sum.Breakdown != c.breakdown {
			t.Errorf("%s: %v %+v\n%s", file, err, sum, rejects)
		}
		if sum.Flags["point.blank"] != 1 || sum.Flags["point.unknown"] != 0 || sum.Flags["code.unknown"] != 0 {
			t.Errorf("%s: flags %v", file, sum.Flags)
		}
		f := store.facts(t, op)
		if len(f) != c.rows || people(f) != 952_004 {
			t.Errorf("%s: %d facts, %d people", file, len(f), people(f))
		}
	}
}

// TestAliasMendsOldImports: a spelling that the pack learns later resolves in
// chunks that are stored already.
func TestAliasMendsOldImports(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	store := &chunks{}
	if _, _, err := run(t, op, store, "f.csv", []byte(header+"2022-12,Port d'Obock,DJI,,,incoming,OOO,ETH,DJI,OOO,male,adults,4,,0,0\n")); err != nil {
		t.Fatal(err)
	}
	for i := range op.Points {
		if op.Points[i].Code == "obock" {
			op.Points[i].Aliases = append(op.Points[i].Aliases, "Port d’Obock")
		}
	}
	for _, m := range store.facts(t, op) {
		if m.Point != "obock" {
			t.Errorf("%q is %q", m.PointText, m.Point)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(strings.ReplaceAll(good, ",", ";")))
	f.Add([]byte("\"month\",fmp,sex,age,n\n\"2022-12,x\n"))
	f.Add([]byte("PK\x03\x04"))
	op := djibouti(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		store := &chunks{}
		sum, _, err := run(t, op, store, "f", data)
		if err != nil {
			if dtm.KindOf(err) == dtm.Internal {
				t.Errorf("not an error for a user: %v", err)
			}
			return
		}
		n := 0
		for _, h := range store.order {
			rows, err := bulk.Decode(op, store.byHash[h].Data)
			if err != nil {
				t.Fatal(err)
			}
			n += len(rows)
		}
		if n != sum.Accepted {
			t.Errorf("%d accepted, %d stored", sum.Accepted, n)
		}
	})
}

func FuzzDecode(f *testing.F) {
	op := djibouti(f)
	f.Add(bulk.Encode(op, []dtm.Movement{{Observed: time.Unix(0, 0), PointText: "Obock", People: 3, Reasons: []string{"conflict", "food"}, Breakdown: dtm.Full}}))
	f.Add([]byte("dtm rows 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := bulk.Decode(op, data)
		if err != nil && dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("want Invalid, got %v", err)
		}
		if err == nil {
			back, err := bulk.Decode(op, bulk.Encode(op, rows))
			if err != nil || len(back) != len(rows) {
				t.Errorf("round trip: %v, %d of %d rows", err, len(back), len(rows))
			}
		}
	})
}

func BenchmarkImport(b *testing.B) {
	op := djibouti(b)
	data := synthetic(rand.New(rand.NewPCG(3, 4)), 200_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := run(b, op, &chunks{}, "f.csv", data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkDecode(b *testing.B) {
	op := djibouti(b)
	store := &chunks{}
	if _, _, err := run(b, op, store, "f.csv", synthetic(rand.New(rand.NewPCG(3, 4)), 200_000)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, h := range store.order {
			if _, err := bulk.Decode(op, store.byHash[h].Data); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

const row = "2022-12,Obock,DJI,,,outgoing,OOO,ETH,YEM,OOO,male,adults,7,,1,1\n"

// TestSlips: what a careless hand or a spreadsheet does to a file costs at most the
// rows it touched, and each of those is named.
func TestSlips(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	for name, c := range map[string]struct {
		data               string
		accepted, rejected int
		flags              map[string]int
		reject, note       string
	}{
		"quote never closed":   {data: header + row + strings.Replace(row, ",Obock", ",\"Obock", 1) + strings.Repeat(row, 100), accepted: 101, rejected: 1, reject: "3,a quotation mark"},
		"every field quoted":   {data: quoted(header + row + row), accepted: 2},
		"old Macintosh":        {data: strings.ReplaceAll(header+row+row, "\n", "\r"), accepted: 2},
		"point abroad":         {data: header + row + strings.Replace(row, ",DJI,", ",YEM,", 1) + strings.Replace(row, ",DJI,", ",TZA,", 1) + strings.Replace(row, ",DJI,", ",,", 1), accepted: 2, rejected: 2, reject: "lies in YEM, not in DJI"},
		"point at home, named": {data: header + strings.Replace(row, ",DJI,", ",Djibouti,", 1), accepted: 1},
		"labels for codes":     {data: header + strings.Replace(row, "ETH,YEM", "Éthiopie,Saudi Arabia", 1), accepted: 1, flags: map[string]int{"code.spelling": 2}},
		"reason of no kind":    {data: header + strings.Replace(row, ",1,1", ",2,1", 1), accepted: 1, flags: map[string]int{"reason.invalid": 1}},
		"nobody":               {data: header + strings.Replace(row, ",7,", ",0,", 1), accepted: 1, flags: map[string]int{"count.zero": 1}},
		"unknown reason":       {data: strings.Replace(header, "reason_conflict", "reason_drought", 1) + row, accepted: 1, note: `"drought" is not in the code list`},
		"extra column":         {data: "comment," + header + "\"good, or not\"," + row, accepted: 1, note: `"comment" is not known`},
		"other order":          {data: "n,age,sex,fmp,month\n7,adults,male,Obock,2022-12\n", accepted: 1},
		"capitals":             {data: strings.ToUpper(header) + row, accepted: 1},
		"hashtags":             {data: header + "#date,#loc,,,,,,,,,,,#affected,,,\n" + row, accepted: 1, note: "row 2 holds HXL"},
		"cut in the last row":  {data: header + row + row[:30], accepted: 1, rejected: 1, reject: "3,\"the row has"},
		"only a header":        {data: header},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &chunks{}
			sum, rejects, err := run(t, op, store, "f.csv", []byte(c.data))
			if err != nil || sum.Accepted != c.accepted || sum.Rejected != c.rejected {
				t.Fatalf("%v: %d accepted, %d rejected\n%s", err, sum.Accepted, sum.Rejected, rejects)
			}
			if c.flags == nil {
				c.flags = map[string]int{}
			}
			if !cmp.Equal(sum.Flags, c.flags) {
				t.Errorf("flags %v, want %v", sum.Flags, c.flags)
			}
			if !strings.Contains(rejects, c.reject) || !strings.Contains(strings.Join(sum.Notes, "\n"), c.note) {
				t.Errorf("want %q in the rejects and %q in the notes:\n%s\n%q", c.reject, c.note, rejects, sum.Notes)
			}
			if f := store.facts(t, op); len(f) != c.accepted {
				t.Errorf("%d facts of %d rows", len(f), c.accepted)
			}
		})
	}
}

func quoted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(`"` + strings.ReplaceAll(strings.TrimSuffix(line, "\n"), ",", `","`) + "\"\n")
	}
	return b.String()
}

// TestRejectsAreImported: the reject file, mended, is a registry file.
func TestRejectsAreImported(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	store := &chunks{}
	_, rejects, err := run(t, op, store, "f.csv", []byte(header+row+strings.Replace(row, "2022-12", "2022-13", 1)))
	if err != nil {
		t.Fatal(err)
	}
	sum, _, err := run(t, op, store, "rejects.csv", []byte(strings.Replace(rejects, ",2022-13,", ",2022-11,", 1)))
	if err != nil || sum.Accepted != 1 || len(store.facts(t, op)) != 2 {
		t.Errorf("%v: %+v", err, sum)
	}
}

// TestSheets: the sheet with the registry is found wherever it stands.
func TestSheets(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	for name, change := range map[string]func(f *excelize.File) error{
		"after a read-me": func(f *excelize.File) error {
			if _, err := f.NewSheet("Read me"); err != nil {
				return err
			}
			if err := f.SetCellStr("Read me", "A1", "Read this first"); err != nil {
				return err
			}
			return f.MoveSheet("Read me", "Sheet1")
		},
		"empty rows": func(f *excelize.File) error { return f.InsertRows("Sheet1", 2, 3) },
		"days from 1904": func(f *excelize.File) error {
			yes := true
			for _, cell := range []string{"A2", "A3"} {
				if err := f.SetCellInt("Sheet1", cell, 43434); err != nil {
					return err
				}
			}
			return f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := excelize.OpenReader(bytes.NewReader(xlsx(t, good)))
			if err != nil {
				t.Fatal(err)
			}
			if err := change(f); err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := f.Write(&b); err != nil {
				t.Fatal(err)
			}
			store := &chunks{}
			sum, rejects, err := run(t, op, store, "f.xlsx", b.Bytes())
			if err != nil || sum.Accepted != 2 || sum.People != 120 || sum.First.Format("2006-01") != "2022-12" {
				t.Errorf("%v %+v\n%s", err, sum, rejects)
			}
		})
	}
}

// TestAliasKeepsRows: a spelling that turns out to mean a point named in the same
// file does not make one row of two.
func TestAliasKeepsRows(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	data := []byte(header + row + strings.Replace(row, "Obock", "Port d'Obock", 1))
	store := &chunks{}
	if _, _, err := run(t, op, store, "f.csv", data); err != nil {
		t.Fatal(err)
	}
	for i := range op.Points {
		if op.Points[i].Code == "obock" {
			op.Points[i].Aliases = append(op.Points[i].Aliases, "Port d’Obock")
		}
	}
	if f := store.facts(t, op); len(f) != 2 || people(f) != 14 {
		t.Errorf("after the alias: %v", f)
	}
	if _, _, err := run(t, op, store, "f.csv", data); err != nil {
		t.Fatal(err)
	}
	if f := store.facts(t, op); len(f) != 2 || people(f) != 14 {
		t.Errorf("imported again: %v", f)
	}
}

// TestEncode: what goes into a chunk comes out.
func TestEncode(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	r := rand.New(rand.NewPCG(5, 6))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var rows []dtm.Movement
	for range 2000 {
		m := dtm.Movement{
			Observed: time.Date(2004+r.IntN(90), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC), MonthOnly: r.IntN(2) == 0,
			PointText: pick("Obock", "Gueliléh", "PK9"), Direction: pick("incoming", "outgoing", ""), FlowType: pick("", "outgoing"), Route: pick("", "Northern Corridor"), Subroute: pick("", "Undefined"),
			Origin: pick("OOO", ""), Previous: pick("ETH", "YEM"), Next: pick("DJI", "SAU", "a \x00 b"), Final: pick("", "OOO"), Breakdown: dtm.Breakdown(pick("full", "sex_age")),
			Nationality: pick("ETH", ""), Sex: pick("male", "unknown"), Age: pick("adults", "0_4"), People: r.IntN(1 << r.IntN(20)),
		}
		m.Point, _ = op.ResolvePoint(m.PointText)
		for _, c := range []string{"conflict", "economic", "food"} {
			if r.IntN(2) == 0 {
				m.Reasons = append(m.Reasons, c)
			}
			if r.IntN(4) == 0 {
				m.Transports = append(m.Transports, c)
			}
		}
		if r.IntN(3) == 0 {
			m.Vulnerable = []dtm.Vulnerable{{Code: "uac", People: r.IntN(9)}, {Code: "pregnant", People: 0}}
			m.Flags = []dtm.Flag{{Rule: "code.unknown", Path: "route", Note: "Nörd"}}
		}
		rows = append(rows, m)
	}
	got, err := bulk.Decode(op, bulk.Encode(op, rows))
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]bool{}
	for i := range got {
		if sources[got[i].Source] {
			t.Errorf("two rows are %s", got[i].Source)
		}
		sources[got[i].Source] = true
		got[i].Source = ""
	}
	if diff := cmp.Diff(rows, got); diff != "" {
		t.Errorf("%.1000s", diff)
	}
}
