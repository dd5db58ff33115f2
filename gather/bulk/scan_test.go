package bulk

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func scanAll(t testing.TB, s *scanner) (out [][]string, torn []int) {
	t.Helper()
	for {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return out, torn
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.torn {
			torn = append(torn, rec.line)
			continue
		}
		out = append(out, texts(rec.fields))
	}
}

// FuzzScan: what encoding/csv writes, the scanner reads, however the bytes come in.
func FuzzScan(f *testing.F) {
	f.Add("month|fmp|n|2022-12|Obock, \"ville\"|3", uint8(3))
	f.Add("a||\"|\"\"|x\ny|,|é| b|;", uint8(2))
	f.Fuzz(func(t *testing.T, text string, width uint8) {
		if !utf8.ValidString(text) || strings.Contains(text, "\r") || strings.Count(text, "\n") > 10 {
			t.Skip()
		}
		fields := strings.Split(text, "|")
		w := int(width%8) + 2 // a row of one empty field is a blank line
		var want [][]string
		for len(fields) >= w {
			want = append(want, fields[:w])
			fields = fields[w:]
		}
		var b bytes.Buffer
		c := csv.NewWriter(&b)
		if err := c.WriteAll(want); err != nil {
			t.Fatal(err)
		}
		for name, in := range map[string]io.Reader{"whole": &b, "byte by byte": iotest.OneByteReader(bytes.NewReader(bytes.Clone(b.Bytes())))} {
			got, torn := scanAll(t, &scanner{in: in, comma: ','})
			if diff := cmp.Diff(want, got); diff != "" || len(torn) > 0 {
				t.Errorf("%s: torn %v\n%s", name, torn, diff)
			}
		}
	})
}

// TestScanTorn: a quotation mark out of place costs its own line and no other.
func TestScanTorn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want string // records, fields joined by |
		torn []int
	}{
		"never closed":            {"a,b\n1,\"2\n3,4\n5,6\n", "a|b 3|4 5|6", []int{2}},
		"closed by a later field": {"a,b\n1,\"2\n3,4\n5,\"6\"\n7,8\n", "a|b 3|4 5|6 7|8", []int{2}},
		"on the last line":        {"a,b\n1,2\n3,\"4", "a|b 1|2", []int{3}},
		"two of them":             {"a,b\n1,\"2\n3,4\n5,\"6\n7,8\n", "a|b 3|4 7|8", []int{2, 4}},
		"a field of two lines":    {"a,b\n1,\"2\n2\"\n3,4\n", "a|b 1|2\n2 3|4", nil},
		"a mark inside a text":    {"a,b\n1,5\" pipe\n3,4\n", "a|b 1|5\" pipe 3|4", nil},
		"a mark inside a field":   {"a,b\n\"5\" pipe\",2\n3,4\n", "a|b 5\" pipe|2 3|4", nil},
		"doubled marks":           {"a,b\n\"\"\"x\"\"\",\"\"\n", "a|b \"x\"|", nil},
		"blank lines":             {"\na,b\n\n\r\n1,2\r\n\n", "a|b 1|2", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, torn := scanAll(t, &scanner{in: strings.NewReader(c.text), comma: ','})
			var lines []string
			for _, r := range got {
				lines = append(lines, strings.Join(r, "|"))
			}
			if s := strings.Join(lines, " "); s != c.want || !cmp.Equal(torn, c.torn) {
				t.Errorf("got %q torn %v, want %q torn %v", s, torn, c.want, c.torn)
			}
		})
	}
}

// TestScanLongLine: what has no lines is refused before it fills the memory.
func TestScanLongLine(t *testing.T) {
	t.Parallel()
	s := &scanner{name: "f", comma: ','}
	s.in = io.MultiReader(strings.NewReader("a,b\n"), strings.NewReader(strings.Repeat("x", 3*maxRecord)))
	if _, err := s.next(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.next(); err == nil || !strings.Contains(err.Error(), "f:2") {
		t.Errorf("want a refusal that names line 2, got %v", err)
	}
}

func TestReadDate(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"2022-12": "2022-12", "2022/12": "2022-12", "12/2022": "2022-12", "2022-1": "2022-01", "Dec-22": "2022-12", "déc.-22": "2022-12", "Décembre 2022": "2022-12", "févr-21": "2021-02",
		"juin-20": "2020-06", "juil.-20": "2020-07", "Jul-20": "2020-07", "mai-19": "2019-05", "mars 2019": "2019-03", "Mar-19": "2019-03", "août 2021": "2021-08", "Sept 2021": "2021-09",
		"2022-12-01": "2022-12", "2022-12-31": "2022-12-31", "2022/12/31": "2022-12-31", "2022-12-31T10:00:00Z": "2022-12-31", "2022-12-31 10:00": "2022-12-31", "44896": "2022-12", "44897": "2022-12-02",
		"01/02/2022": "!two ways", "31/12/2022": "!two ways", "2022-13": "!", "13/2022": "!", "Dec-1922": "!2004", "Dec": "!", "Dec-222": "!", "": "!", "marsh 22": "!", "1": "!", "2022": "!",
	} {
		if want == "!two ways" {
			want = "!day/month or month/day"
		}
		d := readDate(s, true, false)
		got := dayOf(d.day).Format("2006-01-02")
		if d.monthOnly {
			got = got[:7]
		}
		if d.err != nil {
			got = "!" + d.err.Msg
		}
		if got != want && (want[0] != '!' || got[0] != '!' || !strings.Contains(got, want[1:])) {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
	if d := readDate("43434", true, true); dayOf(d.day).Format("2006-01-02") != "2022-12-01" || !d.monthOnly {
		t.Errorf("days from 1904: %+v", d)
	}
}
