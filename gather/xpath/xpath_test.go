package xpath_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/gather/xpath"
)

// tree is <data><a>1</a><b>2</b><r><n>x</n></r><r><n>y</n></r><blank/><day>2026-02-01</day><many>p q r</many></data>.
func tree() *xpath.Node {
	doc := &xpath.Node{Kind: xpath.Document}
	add := func(to *xpath.Node, name, value string) *xpath.Node {
		n := &xpath.Node{Kind: xpath.Element, Name: name, Value: value, Parent: to}
		to.Children = append(to.Children, n)
		return n
	}
	d := add(doc, "data", "")
	d.Attrs = []xpath.Attr{{Name: "id", Value: "form"}}
	add(d, "a", "1")
	add(d, "b", "2")
	add(add(d, "r", ""), "n", "x")
	add(add(d, "r", ""), "n", "y")
	add(d, "blank", "")
	add(d, "day", "2026-02-01")
	add(d, "many", "p q r")
	doc.Number()
	return doc
}

func env() *xpath.Env {
	list := tree()
	return &xpath.Env{
		Now:      time.Date(2026, 2, 3, 23, 30, 0, 0, time.FixedZone("", 3*3600)),
		Instance: func(id string) *xpath.Node { return map[string]*xpath.Node{"list": list}[id] },
		Random:   func() float64 { return 0.25 },
		UUID:     func() string { return "01234567-89ab-4def-8123-456789abcdef" },
		Property: func(n string) string { return n + "!" },
	}
}

func TestEval(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		// numbers: XPath 1.0, 3.5 and 4.4
		{"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"}, {"7 mod 3", "1"}, {"-7 mod 3", "-1"}, {"5 mod -2", "1"}, {"1.5 mod 0.5", "0"},
		{"1 div 0", "Infinity"}, {"-1 div 0", "-Infinity"}, {"0 div 0", "NaN"}, {"--3", "3"}, {"- 3", "-3"}, {"2 - -2", "4"}, {"1-1", "0"},
		{"number('')", "NaN"}, {"number(' 12 ')", "12"}, {"number('+1')", "NaN"}, {"number('1e3')", "NaN"}, {"number('.5')", "0.5"}, {"number('5.')", "5"}, {"number(true())", "1"},
		{"string(1000000)", "1000000"}, {"string(0.1)", "0.1"}, {"string(-0)", "0"}, {"string(100000000000000000000)", "100000000000000000000"}, {"3.0", "3"},
		{"round(2.5)", "3"}, {"round(-2.5)", "-2"}, {"round('x')", "NaN"}, {"round(12.345, 2)", "12.35"}, {"round(1250, -2)", "1300"}, {"floor(-1.5)", "-2"}, {"ceiling(-1.5)", "-1"}, {"int(-1.7)", "-1"},
		// truth: 3.4 and 4.3
		{"1 = 1.0", "true"}, {"'1' = '1.0'", "false"}, {"1 = '1.0'", "true"}, {"'a' < 'b'", "false"}, {"'1' < '2'", "true"}, {"true() = 'x'", "true"}, {"true() = ''", "false"},
		{"number('x') = number('x')", "false"}, {"number('x') != 1", "true"}, {"boolean('false')", "true"}, {"boolean(0)", "false"}, {"boolean(number('x'))", "false"}, {"boolean(/data/none)", "false"}, {"boolean(/data/blank)", "true"},
		{"1 < 2 and 2 < 3 or 1 div 0 = 0", "true"}, {"3 > 2 > 1", "false"}, {"1 = 1 = 1", "true"}, {"not(/data/none = '')", "true"}, {"/data/blank = ''", "true"}, {"/data/none != ''", "false"},
		{"/data/r/n = 'x'", "true"}, {"/data/r/n != 'x'", "true"}, {"/data/r/n = /data/a", "false"}, {"/data/a < /data/b", "true"}, {"/data/r = true()", "true"},
		// text: 4.2
		{"substring('12345', 2, 3)", "234"}, {"substring('12345', 1.5, 2.6)", "234"}, {"substring('12345', 0, 3)", "12"}, {"substring('12345', 0 div 0, 3)", ""}, {"substring('12345', 1, 0 div 0)", ""}, {"substring('12345', -42, 1 div 0)", "12345"}, {"substring('12345', -1 div 0, 1 div 0)", ""},
		{"substring-before('1999/04/01', '/')", "1999"}, {"substring-before('a', 'x')", ""}, {"substring-after('1999/04/01', '/')", "04/01"}, {"translate('bar', 'abc', 'AB')", "BAr"}, {"translate('--aaa--', 'abc-', 'ABC')", "AAA"},
		{"normalize-space('  a   b ')", "a b"}, {"string-length('ééé')", "3"}, {"concat('a', 1, true())", "a1true"}, {"starts-with('abc', 'ab')", "true"}, {"contains('abc', '')", "true"}, {"ends-with('abc', 'bc')", "true"},
		// paths: 2
		{"/data/a", "1"}, {"count(//n)", "2"}, {"count(/data/*)", "7"}, {"/data/r[2]/n", "y"}, {"/data/r[n = 'y']/n", "y"}, {"count(/data/r[last()])", "1"}, {"/data/r[position() = 1]/n", "x"}, {"name(/data/*[1])", "a"},
		{"count(/data/a | /data/b | /data/a)", "2"}, {"/data/@id", "form"}, {"string(/data/attribute::id)", "form"}, {"count(/data/a/following-sibling::*)", "6"}, {"name(/data/b/preceding-sibling::*[1])", "a"}, {"name(//n/ancestor::*[1])", "r"}, {"count(//n/ancestor::*)", "3"},
		{"count(/data/descendant-or-self::node())", "16"}, {"/data/r[1]/n/text()", "x"}, {"name(/data/day/preceding::*[1])", "blank"}, {"name(/data/r[1]/following::*[1])", "r"}, {"/data/child::r/child::n", "x"}, {"(//n)[2]", "y"}, {"//n[2]", ""}, {"/data/r/../a", "1"}, {"/data/self::data/a", "1"}, {"count(/)", "1"}, {"/data/or", ""}, {"/data/a*/data/b", "2"},
		{"string(/data/r)", "x"}, {"local-name(/data)", "data"}, {"count(/data/a[. = current()/data/a])", "1"}, {"position(/data/r[2])", "2"},
		// ODK
		{"selected('a b c', 'b')", "true"}, {"selected('abc', 'b')", "false"}, {"selected-at('a b c', 1)", "b"}, {"selected-at('a', 5)", ""}, {"count-selected(/data/many)", "3"}, {"count-non-empty(/data/*)", "6"},
		{"indexed-repeat(/data/r/n, /data/r, 2)", "y"}, {"indexed-repeat(/data/r/n, /data/r, 9)", ""}, {"instance('list')/data/a", "1"}, {"instance('none')/root/item", ""}, {"pulldata('list', 'n', 'n', 'y')", "y"}, {"coalesce('', 'b')", "b"}, {"coalesce(/data/blank, /data/a)", "1"}, {"if(1 > 2, 'a', 'b')", "b"}, {"once('x')", "12xy2026-02-01p q r"},
		{"boolean-from-string('1')", "true"}, {"boolean-from-string('yes')", "false"}, {"regex('abc12', '[a-z]+[0-9]{2}')", "true"}, {"regex('abc123', '[a-z]+[0-9]{2}')", "false"}, {"pow(2, 10)", "1024"}, {"sqrt(16)", "4"}, {"abs(-3)", "3"}, {"log10(1000)", "3"}, {"exp10(2)", "100"}, {"round(pi(), 4)", "3.1416"},
		{"min(3, 1, 2)", "1"}, {"max(/data/a, /data/b)", "2"}, {"max('', 2)", "NaN"}, {"min('')", "NaN"}, {"sum(/data/a | /data/b)", "3"}, {"sum(/data/blank)", "0"}, {"sum(/data/none)", "0"}, {"sum(/data/r)", "NaN"},
		{"join(',', /data/r/n, 'z')", "x,y,z"}, {"substr('hello', 1, 3)", "el"}, {"substr('hello', -3)", "llo"}, {"checklist(1, 2, true(), true(), false())", "true"}, {"checklist(-1, 1, true(), true())", "false"}, {"weighted-checklist(3, -1, true(), 2, true(), 1)", "true"},
		{"digest('some text', 'SHA-256', 'hex')", "b94f6f125c79e3a5ffaa826f584c10d52ada669e6762051b826b55776d05aed2"}, {"digest('', 'MD5', 'hex')", "d41d8cd98f00b204e9800998ecf8427e"}, {"base64-decode('aGVsbG8=')", "hello"}, {"random()", "0.25"}, {"uuid()", "01234567-89ab-4def-8123-456789abcdef"}, {"uuid(8)", "01234567"}, {"property('deviceid')", "deviceid!"},
		{"round(distance('0 0 0 0; 0 1 0 0'))", "111319"}, {"area('0 0; 0 1')", "0"}, {"geofence('0.5 0.5', '0 0; 0 1; 1 1; 1 0; 0 0')", "true"}, {"geofence('2 2', '0 0; 0 1; 1 1; 1 0; 0 0')", "false"},
		// dates
		{"today()", "2026-02-03"}, {"now()", "2026-02-03T23:30:00.000+03:00"}, {"/data/day < today()", "true"}, {"/data/day + 1 = number('2026-02-02')", "true"}, {"date('2026-02-31')", ""}, {"date(20000)", "2024-10-04"}, {"today() - date('2026-02-01')", "2"}, {"number('1970-01-02')", "1"}, {"format-date('2026-02-01', '%d/%n/%y')", "01/2/26"}, {"format-date(/data/blank, '%Y')", ""}, {"format-date-time('2026-02-01T14:05:06.007+03:00', '%H:%M:%S.%3')", "14:05:06.007"}, {"decimal-date-time('1970-01-02T00:00:00.000Z')", "1"}, {"decimal-time('12:00:00.000')", "0.5"}, {"format-date(date(/data/day + 30), '%Y-%m-%d')", "2026-03-03"},
	} {
		e, err := xpath.Parse(c[0])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		v, _, err := e.Eval(tree(), env())
		if err != nil || v.String() != c[1] {
			t.Errorf("%s is %q (%v), want %q", c[0], v.String(), err, c[1])
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"1 +", "character 4"}, {"(1", "character 3"}, {"'a", "character 1"}, {"a b", "character 3"}, {"1 = = 2", "character 5"}, {"foo(1)", "character 1"}, {"é + nope(", "character 10"}, {"substr('a')", "character 1"}, {"a[1", "character 4"}, {"#", "character 1"}, {"sideways::a", "character 1"}, {"count(1)", "character 1"}, {"1 | a", "character 3"}, {"'a'/b", "character 1"}, {"$x", "character 1"}, {"", "character 1"},
		{"regex('a', '(')", "character 1"}, {"regex('', '||)0$000(')", "character 1"}, {strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), "character 10"}, {"count(//*[count(//*[count(//*[count(//*[count(//*[count(//*[count(//*[count(//*) > 0]) > 0]) > 0]) > 0]) > 0]) > 0]) > 0])", "character"},
	} {
		e, err := xpath.Parse(c[0])
		if err == nil {
			_, _, err = e.Eval(tree(), env())
		}
		var d *dtm.Error
		if !errors.As(err, &d) || d.Kind != dtm.Invalid || !strings.HasPrefix(d.Where, c[1]) {
			t.Errorf("%.60s: %v, want an error at %s", c[0], err, c[1])
		}
	}
}

func FuzzXPath(f *testing.F) {
	for _, s := range []string{"1 + /data/a[. = 'x'] | //n", "substring('é', -1 div 0, 2)", "indexed-repeat(/data/r/n, /data/r, 2)", "format-date(now(), '%Y%q')", "randomize(//*, 3)", "regex('a', '(a*)*b')", "${x} > 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4000 {
			return
		}
		_, _ = xpath.ParseForm(src)
		e, err := xpath.Parse(src)
		if err != nil {
			var d *dtm.Error
			if !errors.As(err, &d) || d.Kind != dtm.Invalid || d.Where == "" {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		v, _, err := e.Eval(tree(), env())
		if err == nil {
			_, _, _ = v.String(), v.Number(), v.Bool()
		}
	})
}
