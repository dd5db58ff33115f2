package xlsform_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/antchfx/xmlquery"
	"github.com/antchfx/xpath"
	"github.com/xuri/excelize/v2"

	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// shared finds a file of the folder beside the project that holds the outside
// test data.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared")
	file := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the outside test data is missing: %v", err)
		}
		t.Skipf("the outside test data is missing: %v", err)
	}
	return file
}

type corpusCase struct {
	ID       string   `json:"id"`
	Form     string   `json:"form_name"`
	MD       string   `json:"md"`
	Sheets   []rows   `json:"sheets"`
	Bad      bool     `json:"expect_error"`
	Match    []string `json:"xml__xpath_match"`
	Count    [][2]any `json:"xml__xpath_count"`
	Exact    [][2]any `json:"xml__xpath_exact"`
	Output   string   `json:"pyxform_output"`
	Warnings *int     `json:"warnings_count"`
	Validate bool     `json:"needs_odk_validate"`
}

type rows struct {
	Name string     `json:"name"`
	Rows [][]string `json:"rows"`
}

var namespaces = map[string]string{
	"x": "http://www.w3.org/2002/xforms", "h": "http://www.w3.org/1999/xhtml", "ev": "http://www.w3.org/2001/xml-events", "xsd": "http://www.w3.org/2001/XMLSchema",
	"jr": "http://openrosa.org/javarosa", "orx": "http://openrosa.org/xforms", "odk": "http://www.opendatakit.org/xforms", "entities": "http://www.opendatakit.org/xforms/entities",
}

var (
	verbose = flag.Bool("corpus.v", false, "print every case of the corpus that does not hold")
	only    = flag.String("corpus.only", "", "run the cases of the corpus whose id holds this")
)

// named gives a form the root element that the case expects, as a setting.
func named(md, root string) string {
	if root == "data" {
		return md
	}
	lines := strings.Split(md, "\n")
	for i, l := range lines {
		cells := strings.Split(strings.TrimSpace(l), "|")
		if len(cells) < 2 || !strings.EqualFold(strings.TrimSpace(cells[1]), "settings") {
			continue
		}
		// The header is on this line or on the next that is not blank.
		head := i
		if strings.TrimSpace(strings.Join(cells[2:], "")) == "" {
			for head++; head < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[head]), "|"); head++ {
			}
		}
		body := head + 1
		for ; body < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[body]), "|"); body++ {
		}
		if body >= len(lines) || strings.Contains(lines[head], " name ") || strings.Contains(lines[head], "|name|") {
			return md
		}
		insert := func(l, cell string) string {
			l = strings.TrimSpace(l)
			first := strings.Index(l[1:], "|") + 2
			return l[:first] + " " + cell + " |" + l[first:]
		}
		lines[head], lines[body] = insert(lines[head], "name"), insert(lines[body], root)
		return strings.Join(lines, "\n")
	}
	return md + "\n| settings |\n| | name |\n| | " + root + " |\n"
}

// book makes a workbook of the case's sheets, with the root element that it
// expects.
func (c corpusCase) book(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	sheets := slices.Clone(c.Sheets)
	i := slices.IndexFunc(sheets, func(s rows) bool { return strings.EqualFold(s.Name, "settings") && len(s.Rows) > 1 })
	switch {
	case c.Form == "data":
	case i < 0:
		sheets = append(sheets, rows{"settings", [][]string{{"name"}, {c.Form}}})
	case !slices.Contains(sheets[i].Rows[0], "name"):
		sheets[i] = rows{sheets[i].Name, [][]string{append([]string{"name"}, sheets[i].Rows[0]...), append([]string{c.Form}, sheets[i].Rows[1]...)}}
	}
	for i, s := range sheets {
		if i == 0 {
			if err := f.SetSheetName("Sheet1", s.Name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.NewSheet(s.Name); err != nil {
			t.Fatal(err)
		}
		for n, r := range s.Rows {
			for k, v := range r {
				cell, err := excelize.CoordinatesToCellName(k+1, n+1)
				if err != nil {
					t.Fatal(err)
				}
				if v != "" {
					if err := f.SetCellStr(s.Name, cell, v); err != nil {
						t.Fatal(err)
					}
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

// TestInteropCorpus holds the converter against the recorded cases of pyxform's
// own tests, as Markdown and as workbooks: what each XForm must contain, which
// forms must be refused, and the whole XForm that pyxform made.
func TestInteropCorpus(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(shared(t, "data", "xlsform", "pyxform_corpus.json"))
	if err != nil {
		t.Fatal(err)
	}
	var corpus struct{ Cases []corpusCase }
	if err := json.Unmarshal(raw, &corpus); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"markdown", "workbook"} {
		t.Run(format, func(t *testing.T) {
			var good, held, bad, refused, compared, equal, counted, warned int
			for i, c := range corpus.Cases {
				if !strings.Contains(c.ID, *only) {
					continue
				}
				name := fmt.Sprintf("%d %s", i, c.ID[strings.LastIndexByte(c.ID, '.')+1:])
				data := []byte(named(c.MD, c.Form))
				if format == "workbook" {
					data = c.book(t)
				}
				out, warnings, err := convert(data)
				// pyxform refuses a few forms whose case does not say so: nothing was
				// recorded. Others it leaves to ODK Validate, which refuses them.
				if expects := len(c.Match)+len(c.Count)+len(c.Exact) > 0; c.Bad || !expects && (c.Output == "" || c.Validate) {
					bad++
					var faults xlsform.Faults
					switch {
					case err == nil:
						say(t, "%s: converted, and should have been refused", name)
					case !errors.As(err, &faults) || slices.ContainsFunc(faults, func(f xlsform.Fault) bool { return f.Cell == "" }):
						say(t, "%s: refused without a cell: %v", name, err)
					default:
						refused++
					}
					continue
				}
				good++
				if err != nil {
					say(t, "%s: refused: %v", name, err)
					continue
				}
				if why := expectations(t, c, out); why == "" {
					held++
				} else {
					say(t, "%s: %s", name, why)
				}
				if c.Warnings != nil {
					counted++
					if *c.Warnings == len(warnings) {
						warned++
					} else {
						say(t, "%s: %d warnings, pyxform has %d: %v", name, len(warnings), *c.Warnings, warnings)
					}
				}
				if c.Output != "" {
					compared++
					if a, b := canonical(t, c.Output), canonical(t, string(out)); a == b {
						equal++
					} else {
						say(t, "%s: differs from pyxform: %s", name, firstDifference(a, b))
					}
				}
			}
			t.Logf("good forms: %d of %d satisfy all their expectations (%.1f %%)", held, good, share(held, good))
			t.Logf("bad forms: %d of %d refused with a cell (%.1f %%)", refused, bad, share(refused, bad))
			t.Logf("structurally equal to pyxform's output: %d of %d (%.1f %%)", equal, compared, share(equal, compared))
			t.Logf("as many warnings as pyxform: %d of %d (%.1f %%)", warned, counted, share(warned, counted))
			if *only == "" && (share(held, good) < floorGood || share(refused, bad) < floorBad || share(equal, compared) < floorEqual) {
				t.Errorf("below the floor of %v %%, %v %%, %v %%; -corpus.v shows the cases", floorGood, floorBad, floorEqual)
			}
		})
	}
}

const floorGood, floorBad, floorEqual = 99.5, 99.5, 99.5

func share(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func say(t *testing.T, format string, a ...any) {
	t.Helper()
	if *verbose {
		t.Logf(format, a...)
	}
}

// convert reads and writes a form, whose name is that of pyxform's tests.
func convert(data []byte) ([]byte, []xlsform.Warning, error) {
	f, warnings, err := xlsform.Read("data", data)
	if err != nil {
		return nil, warnings, err
	}
	out, err := xform.Write(f)
	return out, warnings, err
}

func expectations(t testing.TB, c corpusCase, out []byte) string {
	doc, err := xmlquery.Parse(strings.NewReader(string(out)))
	if err != nil {
		return fmt.Sprintf("not XML: %v", err)
	}
	ns := map[string]string{}
	for k, v := range namespaces {
		ns[k] = v
	}
	if root := xmlquery.FindOne(doc, "/*"); root != nil {
		for _, a := range root.Attr {
			if a.Name.Space == "xmlns" {
				ns[a.Name.Local] = a.Value
			}
		}
	}
	for _, e := range c.Match {
		if strings.Contains(e, "namespace::") {
			if !namespaceAxis(e, doc) {
				return "does not hold: " + flat(e)
			}
			continue
		}
		if n, err := evaluate(doc, e, ns); err != nil || n != 1 {
			if c.Output != "" && canonical(t, c.Output) == canonical(t, string(out)) {
				continue // the same as the output on which it was recorded: the XPath library is at fault
			}
			return fmt.Sprintf("%d nodes (%v) match %s", n, err, flat(e))
		}
	}
	for _, e := range c.Count {
		if n, err := evaluate(doc, e[0].(string), ns); err != nil || n != int(e[1].(float64)) {
			return fmt.Sprintf("%d nodes (%v), not %v, match %s", n, err, e[1], flat(e[0].(string)))
		}
	}
	for _, e := range c.Exact {
		expr, err := xpath.CompileWithNS(e[0].(string), ns)
		if err != nil {
			return err.Error()
		}
		var got []string
		for _, n := range xmlquery.QuerySelectorAll(doc, expr) {
			got = append(got, strings.TrimSpace(n.OutputXML(true)))
		}
		if len(got) != len(e[1].([]any)) {
			return fmt.Sprintf("%v, not %v, match %s", got, e[1], flat(e[0].(string)))
		}
	}
	return ""
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// evaluate counts the nodes of an expression; a true one counts 1.
func evaluate(doc *xmlquery.Node, e string, ns map[string]string) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the XPath library fell over: %v", r)
		}
	}()
	expr, err := xpath.CompileWithNS(strings.TrimSpace(e), ns)
	if err != nil {
		return 0, err
	}
	switch v := expr.Evaluate(xmlquery.CreateXPathNavigator(doc)).(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case *xpath.NodeIterator:
		for v.MoveNext() {
			n++
		}
		return n, nil
	case float64:
		return int(v), nil
	}
	return 0, errors.New("neither nodes nor a truth value")
}

var declaration = regexp.MustCompile(`namespace::(?:\*\[name\(\)=''\]|([\w-]+))\s*=\s*'([^']*)'`)

// namespaceAxis checks the expressions that the XPath library cannot: that the
// root element declares a namespace.
func namespaceAxis(e string, doc *xmlquery.Node) bool {
	m := declaration.FindStringSubmatch(e)
	root := xmlquery.FindOne(doc, "/*")
	return m != nil && root != nil && slices.ContainsFunc(root.Attr, func(a xmlquery.Attr) bool {
		return a.Value == m[2] && (m[1] == "" && a.Name.Space == "" && a.Name.Local == "xmlns" || m[1] != "" && a.Name.Space == "xmlns" && a.Name.Local == m[1])
	})
}

// canonical writes XML with sorted attributes and without blanks that only lay it
// out.
func canonical(t testing.TB, s string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	var b strings.Builder
	depth := 0
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, s)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			attrs := make([]string, len(tok.Attr))
			for i, a := range tok.Attr {
				attrs[i] = fmt.Sprintf(" %s:%s=%q", a.Name.Space, a.Name.Local, strings.Join(strings.FieldsFunc(a.Value, func(r rune) bool { return r == '\n' || r == '\t' }), " "))
			}
			slices.Sort(attrs)
			fmt.Fprintf(&b, "\n%s<%s:%s%s>", strings.Repeat(" ", depth), tok.Name.Space, tok.Name.Local, strings.Join(attrs, ""))
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.Join(strings.Fields(string(tok)), " "); text != "" {
				fmt.Fprintf(&b, "\n%s%q", strings.Repeat(" ", depth), text)
			}
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n\tpyxform: %s\n\tours:    %s", i, strings.TrimSpace(x[i]), strings.TrimSpace(y[i]))
		}
	}
	return fmt.Sprintf("%d lines, ours %d", len(x), len(y))
}
