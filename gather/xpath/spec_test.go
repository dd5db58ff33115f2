package xpath_test

import (
	"slices"
	"strings"
	"testing"

	"dtm/gather/xpath"
)

// specified are the functions of the ODK XForms specification ("XPath Functions",
// with those of XPath 1.0 that it takes over) and what they come to for answers,
// blanks, no node, words, dates and sets of nodes. The tree is that of tree().
var specified = map[string][][2]string{
	// text
	"string":           {{"string('')", ""}, {"string(/data/none)", ""}, {"string(1 div 3)", "0.3333333333333333"}, {"string(true())", "true"}, {"string(//n)", "x"}, {"string(0 div 0)", "NaN"}},
	"concat":           {{"concat('a')", "a"}, {"concat('', '')", ""}, {"concat(//n, 1)", "xy1"}, {"concat(/data/none, 'a', true())", "atrue"}},
	"join":             {{"join('-', //n)", "x-y"}, {"join(' ', '')", ""}, {"join(' ', /data/none)", ""}, {"join(',', 'a', //n, 2)", "a,x,y,2"}, {"join('', 'a', 'b')", "ab"}},
	"substr":           {{"substr('hello', 1)", "ello"}, {"substr('hello', 0, 2)", "he"}, {"substr('', 0, 2)", ""}, {"substr('hello', 9)", ""}, {"substr('été', 1, 2)", "t"}, {"substr(/data/none, 0)", ""}},
	"substring":        {{"substring('12345', 2)", "2345"}, {"substring('', 1)", ""}, {"substring('12345', 'x')", ""}},
	"substring-before": {{"substring-before('a b', ' ')", "a"}, {"substring-before('', 'a')", ""}, {"substring-before('a', '')", ""}},
	"substring-after":  {{"substring-after('a b', ' ')", "b"}, {"substring-after('', 'a')", ""}, {"substring-after('a', '')", "a"}},
	"translate":        {{"translate('aé', 'é', 'e')", "ae"}, {"translate('', 'a', 'b')", ""}, {"translate('abc', 'b', '')", "ac"}},
	"string-length":    {{"string-length('')", "0"}, {"string-length('été')", "3"}, {"string-length(/data/none)", "0"}, {"string-length(//n)", "1"}},
	"normalize-space":  {{"normalize-space('')", ""}, {"normalize-space(' a\t b ')", "a b"}},
	"contains":         {{"contains('abc', 'b')", "true"}, {"contains('', '')", "true"}, {"contains(/data/none, 'a')", "false"}},
	"starts-with":      {{"starts-with('abc', 'ab')", "true"}, {"starts-with('', 'a')", "false"}, {"starts-with('a', '')", "true"}},
	"ends-with":        {{"ends-with('abc', 'bc')", "true"}, {"ends-with('', 'a')", "false"}, {"ends-with('a', '')", "true"}},
	"uuid":             {{"uuid()", "01234567-89ab-4def-8123-456789abcdef"}, {"string-length(uuid(12))", "12"}, {"uuid(0)", ""}},
	"digest":           {{"digest('', 'SHA-1', 'hex')", "da39a3ee5e6b4b0d3255bfef95601890afd80709"}, {"digest('abc', 'MD5', 'hex')", "900150983cd24fb0d6963f7d28e17f72"}, {"digest('abc', 'MD5')", "kAFQmDzST7DWlj99KOF/cg=="}},
	"pulldata":         {{"pulldata('list', 'n', 'n', 'x')", "x"}, {"pulldata('list', 'n', 'n', '')", ""}, {"pulldata('none', 'n', 'n', 'x')", ""}},
	"base64-decode":    {{"base64-decode('w6k=')", "é"}, {"base64-decode('')", ""}, {"base64-decode('?')", ""}},
	// truth
	"if":                  {{"if(true(), 1, 2)", "1"}, {"if('', 1, 2)", "2"}, {"if(0 div 0, 1, 2)", "2"}, {"if('false', 1, 2)", "1"}, {"if(/data/none, 1, 2)", "2"}},
	"coalesce":            {{"coalesce('', 'b')", "b"}, {"coalesce(/data/none, /data/a)", "1"}, {"coalesce('', '')", ""}, {"coalesce('a', 'b')", "a"}},
	"once":                {{"string-length(once('')) > 0", "true"}},
	"true":                {{"true()", "true"}},
	"false":               {{"false()", "false"}},
	"boolean":             {{"boolean('')", "false"}, {"boolean('false')", "true"}, {"boolean(0)", "false"}, {"boolean(0 div 0)", "false"}, {"boolean(-1)", "true"}, {"boolean(/data/none)", "false"}, {"boolean(/data/a)", "true"}},
	"boolean-from-string": {{"boolean-from-string('true')", "true"}, {"boolean-from-string('1')", "true"}, {"boolean-from-string('')", "false"}, {"boolean-from-string('yes')", "false"}, {"boolean-from-string(0)", "false"}, {"boolean-from-string(true())", "true"}},
	"not":                 {{"not('')", "true"}, {"not(1)", "false"}, {"not(/data/none)", "true"}},
	"lang":                {{"lang('')", "false"}, {"lang('en')", "false"}},
	"regex":               {{"regex('12', '[0-9]+')", "true"}, {"regex('', '[0-9]*')", "true"}, {"regex('', '[0-9]+')", "false"}, {"regex('a12', '[0-9]+')", "false"}, {"regex('É', '[É]')", "true"}},
	"checklist":           {{"checklist(1, 2, true(), 0, 1)", "true"}, {"checklist(-1, 0, '')", "true"}, {"checklist(2, -1, 1, 1)", "true"}, {"checklist(2, 2, 1, '0')", "false"}, {"checklist(1, 1, 'yes')", "false"}, {"checklist(1, 1, /data/a)", "true"}},
	"weighted-checklist":  {{"weighted-checklist(3, 4, 1, 3, 0, 9)", "true"}, {"weighted-checklist(0, 0, '', 3)", "true"}, {"weighted-checklist(4, -1, 1, 1.5, 1, 2.5)", "true"}},
	"selected":            {{"selected('a b', 'b')", "true"}, {"selected('', 'a')", "false"}, {"selected('ab', 'a')", "false"}, {"selected(/data/many, 'q')", "true"}, {"selected(/data/none, 'q')", "false"}, {"selected('a', '')", "false"}},
	"is-selected":         {{"is-selected('a b', 'b')", "true"}, {"is-selected('', 'b')", "false"}},
	// numbers
	"number":  {{"number('')", "NaN"}, {"number('x')", "NaN"}, {"number(/data/none)", "NaN"}, {"number('1970-01-11')", "10"}, {"number('1970-01-01T12:00:00.000Z')", "0.5"}, {"number(true())", "1"}, {"number('2026-13-01')", "NaN"}},
	"random":  {{"random()", "0.25"}},
	"int":     {{"int(1.9)", "1"}, {"int(-1.9)", "-1"}, {"int('')", "NaN"}, {"int('7.5')", "7"}},
	"sum":     {{"sum(/data/a | /data/b)", "3"}, {"sum(/data/none)", "0"}, {"sum(/data/a | /data/blank)", "1"}},
	"max":     {{"max(/data/a | /data/b)", "2"}, {"max(1, '3', 2)", "3"}, {"max('')", "NaN"}, {"max(/data/none)", "NaN"}, {"max(1, 'x')", "NaN"}},
	"min":     {{"min(/data/a | /data/b)", "1"}, {"min(1, '3', 2)", "1"}, {"min('')", "NaN"}, {"min(/data/none)", "NaN"}},
	"round":   {{"round(1.5)", "2"}, {"round(-1.5)", "-1"}, {"round('')", "NaN"}, {"round(1.005, 1)", "1"}, {"round(12345, -3)", "12000"}, {"round(0 div 0)", "NaN"}},
	"floor":   {{"floor(1.9)", "1"}, {"floor('')", "NaN"}, {"floor(-1.1)", "-2"}},
	"ceiling": {{"ceiling(1.1)", "2"}, {"ceiling('')", "NaN"}, {"ceiling(-1.9)", "-1"}},
	"pow":     {{"pow(2, 3)", "8"}, {"pow('', 2)", "NaN"}, {"pow(4, 0.5)", "2"}, {"pow(2, -1)", "0.5"}},
	"log":     {{"log(1)", "0"}, {"log('')", "NaN"}, {"log(0)", "-Infinity"}, {"log(-1)", "NaN"}},
	"log10":   {{"log10(100)", "2"}, {"log10('')", "NaN"}, {"log10(0)", "-Infinity"}},
	"abs":     {{"abs(-2.5)", "2.5"}, {"abs('')", "NaN"}},
	"sin":     {{"sin(0)", "0"}, {"sin('')", "NaN"}},
	"cos":     {{"cos(0)", "1"}, {"cos('')", "NaN"}},
	"tan":     {{"tan(0)", "0"}, {"tan('')", "NaN"}},
	"asin":    {{"asin(0)", "0"}, {"asin('')", "NaN"}, {"asin(2)", "NaN"}},
	"acos":    {{"acos(1)", "0"}, {"acos('')", "NaN"}, {"acos(2)", "NaN"}},
	"atan":    {{"atan(0)", "0"}, {"atan('')", "NaN"}},
	"atan2":   {{"atan2(0, 1)", "0"}, {"atan2('', 1)", "NaN"}},
	"sqrt":    {{"sqrt(9)", "3"}, {"sqrt('')", "NaN"}, {"sqrt(-1)", "NaN"}},
	"exp":     {{"exp(0)", "1"}, {"exp('')", "NaN"}},
	"exp10":   {{"exp10(3)", "1000"}, {"exp10('')", "NaN"}, {"exp10(-2)", "0.01"}},
	"pi":      {{"pi()", "3.141592653589793"}},
	// sets of nodes
	"count":           {{"count(//n)", "2"}, {"count(/data/none)", "0"}},
	"count-non-empty": {{"count-non-empty(/data/*)", "6"}, {"count-non-empty(/data/none)", "0"}, {"count-non-empty(/data/blank)", "0"}},
	"position":        {{"position(/data/r[2])", "2"}, {"position(/data/a)", "1"}, {"/data/r[position() = 2]/n", "y"}},
	"last":            {{"/data/r[last()]/n", "y"}},
	"instance":        {{"instance('list')/data/b", "2"}, {"instance('')/data/b", ""}, {"instance('list')/data/r[n = /data/r[2]/n]/n", "y"}},
	"current":         {{"count(/data/r[. = current()/data/r])", "2"}},
	"randomize":       {{"join('', randomize(/data/none))", ""}, {"join('', randomize(instance('list')/data/*, 42))", "12026-02-01x2yp q r"}, {"count(randomize(//n))", "2"}},
	"id":              {{"count(id(''))", "0"}},
	"name":            {{"name(/data/a)", "a"}, {"name(/data/none)", ""}},
	"local-name":      {{"local-name(/data/a)", "a"}, {"local-name(/data/none)", ""}},
	"namespace-uri":   {{"namespace-uri(/data/none)", ""}},
	"indexed-repeat":  {{"indexed-repeat(/data/r/n, /data/r, 1)", "x"}, {"indexed-repeat(/data/r/n, /data/r, '')", ""}, {"indexed-repeat(/data/r/n, /data/r, 3)", ""}},
	// dates
	"today":             {{"today()", "2026-02-03"}, {"today() + 1 = number('2026-02-04')", "true"}},
	"now":               {{"now()", "2026-02-03T23:30:00.000+03:00"}},
	"date":              {{"date('2026-02-01')", "2026-02-01"}, {"date('')", ""}, {"date(0)", "1970-01-01"}, {"date(-1)", "1969-12-31"}, {"date('x')", ""}, {"date(/data/day)", "2026-02-01"}},
	"date-time":         {{"date-time('2026-02-01T10:00:00.000+03:00')", "2026-02-01T10:00:00.000+03:00"}, {"date-time('')", ""}},
	"format-date":       {{"format-date('2026-02-01', '%Y %y %m %n %d %e')", "2026 26 02 2 01 1"}, {"format-date('', '%Y')", ""}, {"format-date('2026-02-01', '%b %a')", "Feb Sun"}, {"format-date('x', '%Y')", ""}, {"format-date('2026-02-01', '%%')", "%"}},
	"format-date-time":  {{"format-date-time('2026-02-01T04:05:06.007+03:00', '%H %h %M %S %3')", "04 4 05 06 007"}, {"format-date-time('', '%H')", ""}},
	"decimal-date-time": {{"decimal-date-time('1970-01-02T12:00:00.000Z')", "1.5"}, {"decimal-date-time('')", "NaN"}, {"decimal-date-time('x')", "NaN"}},
	"decimal-time":      {{"decimal-time('18:00:00.000+03:00')", "0.75"}, {"decimal-time('')", "NaN"}, {"decimal-time('25:00')", "NaN"}},
	// choices
	"selected-at":    {{"selected-at('a b', 0)", "a"}, {"selected-at('', 0)", ""}, {"selected-at('a', -1)", ""}, {"selected-at('a b', '')", ""}, {"selected-at('a b', 2)", ""}},
	"count-selected": {{"count-selected('a b')", "2"}, {"count-selected('')", "0"}, {"count-selected(/data/none)", "0"}},
	"jr:choice-name": {{"jr:choice-name('', '/data/a')", ""}},
	"jr:itext":       {{"jr:itext('')", ""}},
	"property":       {{"property('')", "!"}},
	// places
	"area":     {{"round(area('0 0;0 1;1 1;1 0;0 0') div 1000000)", "12391"}, {"area('')", "0"}, {"area('x')", "NaN"}},
	"distance": {{"round(distance('0 0', '0 1'))", "111319"}, {"distance('')", "0"}, {"distance('x')", "NaN"}},
	"geofence": {{"geofence('0.5 0.5 0 0', '0 0;0 1;1 1;1 0;0 0')", "true"}, {"geofence('', '0 0;0 1;1 1;0 0')", "false"}},
}

// TestSpecified: each function comes to what the specification says, and each that
// takes an argument is tried with a blank or with no node.
func TestSpecified(t *testing.T) {
	t.Parallel()
	for _, name := range xpath.Functions() {
		rows := specified[name]
		if len(rows) == 0 {
			t.Errorf("%s() is not tried", name)
		}
		if _, err := xpath.Parse(name + "()"); err != nil && !slices.ContainsFunc(rows, func(r [2]string) bool {
			return strings.Contains(r[0], "''") || strings.Contains(r[0], "/data/none")
		}) {
			t.Errorf("%s() is not tried with a blank", name)
		}
	}
	for name, rows := range specified {
		if !xpath.Known(name) {
			t.Errorf("there is no %s()", name)
		}
		for _, r := range rows {
			e, err := xpath.Parse(r[0])
			if err != nil {
				t.Errorf("%s: %v", r[0], err)
				continue
			}
			if v, _, err := e.Eval(tree(), env()); err != nil || v.String() != r[1] {
				t.Errorf("%s is %q (%v), want %q", r[0], v.String(), err, r[1])
			}
		}
	}
}

// TestDisputed: where programs come to different values, and only there, the
// evaluator says so.
func TestDisputed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src      string
		disputed bool
	}{
		{"sum(/data/a | /data/b)", false}, {"sum(/data/blank)", true}, {"sum(//n)", true}, {"sum(/data/none)", false},
		{"max(1, 2)", false}, {"max(1, '')", true}, {"max('', '')", false}, {"max(-1, -2)", true}, {"min(-1, -2)", false}, {"min(1, 'x')", true},
		{"round(2.5)", false}, {"round(-2.5)", true}, {"round(-2.4)", false}, {"round(-12.25, 1)", true},
		{"regex('a1', '[a-z][0-9]')", false}, {"regex('a12', '[a-z][0-9]')", true}, {"regex('ab', '[0-9]')", false},
		{"date('2026-02-01')", false}, {"date('x')", true}, {"date('')", true},
		{"boolean(/data/a)", false}, {"boolean(/data/blank)", true}, {"if(/data/blank, 1, 2)", true}, {"if(/data/a, 1, 2)", false}, {"not(/data/none)", false}, {"/data/blank and true()", true},
		{"true() and /data/a", true}, {"true() and /data/a = 1", false}, {"/data/a = 1 or 'x'", true}, {"not(true() and 1)", false},
		{"checklist(1, 1, 'yes')", true}, {"checklist(1, 1, 1)", false}, {"weighted-checklist(1, -1, 1, 1)", true}, {"weighted-checklist(1, 2, 1, 1)", false},
		{"distance('0 0', '0 1')", true}, {"area('0 0;0 1;1 1;0 0')", true},
	} {
		e, err := xpath.Parse(c.src)
		if err != nil {
			t.Fatal(err)
		}
		if _, used, err := e.Eval(tree(), env()); err != nil || (used&xpath.UsedDisputed != 0) != c.disputed {
			t.Errorf("%s: %v, %v", c.src, used, err)
		}
	}
}

// TestNearest: from within a turn of a repeat an absolute path means that turn, as
// far as no predicate chooses and the names are the same.
func TestNearest(t *testing.T) {
	t.Parallel()
	doc := &xpath.Node{Kind: xpath.Document}
	add := func(to *xpath.Node, name, value string) *xpath.Node {
		n := &xpath.Node{Kind: xpath.Element, Name: name, Value: value, Parent: to}
		to.Children = append(to.Children, n)
		return n
	}
	data := add(doc, "data", "")
	add(data, "one", "1")
	var at *xpath.Node
	for i, house := range []string{"a", "b"} {
		h := add(data, "house", "")
		add(h, "name", house)
		for _, person := range []string{"p", "q"} {
			p := add(h, "person", "")
			n := add(p, "name", house+person)
			if i == 1 && person == "q" {
				at = n // /data/house[2]/person[2]/name
			}
		}
	}
	doc.Number()
	for _, c := range []struct {
		src, want string
		disputed  bool
	}{
		{"/data/one", "1", false},
		{"/data/house/name", "b", true},
		{"/data/house/person/name", "bq", true},
		{"count(/data/house)", "1", true},
		{"count(/data/house/person)", "1", true},
		{"count(../../person)", "2", false},
		{"count(/data/house[true()])", "2", false},
		{"join(' ', /data/house[1]/person/name)", "ap aq", false},
		{"count(//person)", "4", false},
		{"indexed-repeat(/data/house/name, /data/house, 1)", "a", false},
		{"indexed-repeat(/data/house/person/name, /data/house, 1, /data/house/person, 2)", "aq", false},
		{"count(/data/house/person[name = /data/house/name])", "0", true},
	} {
		e, err := xpath.Parse(c.src)
		if err != nil {
			t.Fatal(err)
		}
		v, used, err := e.Eval(at, &xpath.Env{Instance: func(string) *xpath.Node { return doc }})
		if err != nil || v.String() != c.want || (used&xpath.UsedDisputed != 0) != c.disputed {
			t.Errorf("%s: %q, %v, %v; want %q, %v", c.src, v.String(), used, err, c.want, c.disputed)
		}
	}
}
