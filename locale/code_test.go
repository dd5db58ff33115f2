package locale_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/locale"
)

// ownWords are the rooms whose errors are said by the room itself, in the languages of
// those who write forms, and not by the catalogues: form.CODE of a fault in a workbook
// and xpath.CODE of an expression in it (Fault.In, kept whole by the tests there).
var ownWords = map[string]bool{"gather/xlsform: form.": true, "gather/xpath: xpath.": true}

// coding is one place in the source that gives an error its code.
type coding struct {
	code  string
	args  int
	place string
}

// TestEveryCodeIsSaid: each code that the source gives an error has its words in every
// language, made of exactly the arguments that are passed; and nothing else has.
func TestEveryCodeIsSaid(t *testing.T) {
	t.Parallel()
	all, said, faults := codings(t, "..", ".go")
	for _, f := range faults {
		t.Error(f)
	}
	if len(all) < 500 {
		t.Fatalf("only %d codings were found in the source", len(all))
	}
	given := map[string]bool{}
	for _, c := range all {
		given["error."+c.code] = true
		// Phones may be told less, in words of their own; not more than is passed.
		if k := "phone." + c.code; locale.Has(k) && argumentsOf(dtm.English, k) > c.args {
			t.Errorf("%s: %q has %d arguments, %d are passed", c.place, k, argumentsOf(dtm.English, k), c.args)
		}
		for _, l := range locale.Languages {
			if f := unsaid(l, c); f != "" {
				t.Errorf("%s: %s", c.place, f)
			}
		}
	}
	for _, k := range locale.Keys(dtm.English) {
		if code, ok := strings.CutPrefix(k, "error."); ok && !given[k] && !slices.Contains(said, k) {
			t.Errorf("no error has the code %q", code)
		}
	}
}

var keys = func() map[dtm.Lang]map[string]bool {
	all := map[dtm.Lang]map[string]bool{}
	for _, l := range locale.Languages {
		all[l] = map[string]bool{}
		for _, k := range locale.Keys(l) {
			all[l][k] = true
		}
	}
	return all
}()

// unsaid tells what the catalogue of a language lacks for a coding.
func unsaid(l dtm.Lang, c coding) string {
	k := "error." + c.code
	if !keys[l][k] {
		return fmt.Sprintf("%s has no %q", l, k)
	}
	if got := argumentsOf(l, k); got != c.args {
		return fmt.Sprintf("%s says %q with %d arguments, %d are passed", l, k, got, c.args)
	}
	return ""
}

var mark = regexp.MustCompile(`§\d`)

// argumentsOf is how many arguments a message says: those from the first on, each at
// least once; -1 when one between is left out.
func argumentsOf(l dtm.Lang, k string) int {
	marks := make([]any, 10)
	for i := range marks {
		marks[i] = "§" + strconv.Itoa(i)
	}
	found := mark.FindAllString(locale.Say(l, k, marks...), -1)
	slices.Sort(found)
	found = slices.Compact(found)
	for i, f := range found {
		if f != marks[i] {
			return -1
		}
	}
	return len(found)
}

// TestCodingsAreFound makes sure that the test above can fail.
func TestCodingsAreFound(t *testing.T) {
	t.Parallel()
	all, said, faults := codings(t, "testdata/coding", ".src")
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprint(c.code, " ", c.args))
	}
	slices.Sort(got)
	if want := []string{"a.const 0", "a.field 2", "a.literal 1", "a.made 1", "a.within 2", "none.at.all 0", "outer.a 3", "outer.b 0", "twice.one 0", "twice.two 0"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	if len(faults) != 1 || !strings.Contains(faults[0], "unread.src:") {
		t.Errorf("faults %q", faults)
	}
	if !slices.Equal(said, []string{"error.by.key"}) {
		t.Errorf("said %q", said)
	}
	if f := unsaid(dtm.French, coding{code: "none.at.all"}); f == "" {
		t.Error("a code without words passes")
	}
	if f := unsaid(dtm.French, coding{code: "month.invalid", args: 2}); f == "" {
		t.Error("an argument too many passes")
	}
	if f := unsaid(dtm.French, coding{code: "month.invalid", args: 1}); f != "" {
		t.Error(f)
	}
}

// A maker is a function whose callers give the code: itself, or the end of it.
type maker struct {
	name   string
	method bool
	within ast.Node // where it is known, nil for the whole package
	prefix string
	code   int  // its parameter with the code
	args   int  // arguments that it passes itself
	rest   int  // its first parameter whose arguments it passes on, -1 for none
	list   bool // that one is a slice
}

// room is one folder of source.
type room struct {
	name   string
	fset   *token.FileSet
	files  []*ast.File
	consts map[string]string
	makers []maker
	all    []coding
	said   []string // keys of errors that the source says itself
	faults []string
}

// codings reads the source under a folder for the codes of errors.
func codings(t *testing.T, root, suffix string) (all []coding, said, faults []string) {
	t.Helper()
	rooms := map[string]*room{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, suffix) || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		r := rooms[dir]
		if r == nil {
			r = &room{name: filepath.ToSlash(dir), fset: token.NewFileSet(), consts: map[string]string{}}
			rooms[dir] = r
		}
		f, err := parser.ParseFile(r.fset, name, nil, parser.SkipObjectResolution)
		r.files = append(r.files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rooms {
		r.read()
		all, said, faults = append(all, r.all...), append(said, r.said...), append(faults, r.faults...)
	}
	return all, said, faults
}

func (r *room) read() {
	for _, f := range r.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i := range min(len(v.Names), len(v.Values)) {
					if s, ok := text(v.Values[i]); ok {
						r.consts[v.Names[i].Name] = s
					}
				}
			}
			return true
		})
	}
	for _, f := range r.files {
		r.each(f, func(n ast.Node, around []ast.Node) {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Coded" && len(n.Args) > 0 {
					rest := n.Args[1:]
					open := ""
					if n.Ellipsis.IsValid() {
						open = name(rest[len(rest)-1])
						rest = rest[:len(rest)-1]
					}
					r.coded(n.Pos(), n.Args[0], len(rest), open, n.Ellipsis.IsValid(), around)
				}
			case *ast.CompositeLit:
				if s, ok := n.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Error" && name(s.X) == "dtm" {
					r.literal(n, around)
				}
			case *ast.BasicLit:
				// Said by its key, not by an error.
				if s, _ := text(n); strings.HasPrefix(s, "error.") && len(s) > len("error.") {
					r.said = append(r.said, s)
				}
			}
		})
	}
	for i := 0; i < len(r.makers); i++ { // one may be found in the calls of another
		m := r.makers[i]
		for _, f := range r.files {
			r.each(f, func(n ast.Node, around []ast.Node) {
				c, ok := n.(*ast.CallExpr)
				if !ok || !m.called(c) || m.within != nil && !slices.Contains(around, m.within) || m.code >= len(c.Args) {
					return
				}
				open, n2, spread := "", m.args, false
				switch {
				case m.rest >= 0 && m.list: // a slice, made on the spot
					if l, ok := c.Args[m.rest].(*ast.CompositeLit); ok {
						n2 += len(l.Elts)
					} else if open = name(c.Args[m.rest]); open != "nil" {
						spread = true
					}
				case m.rest >= 0:
					n2 += max(0, len(c.Args)-m.rest)
					if spread = c.Ellipsis.IsValid(); spread {
						n2--
						open = name(c.Args[len(c.Args)-1])
					}
				}
				code := c.Args[m.code]
				if m.prefix != "" {
					code = &ast.BinaryExpr{X: &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(m.prefix)}, Op: token.ADD, Y: code}
				}
				r.coded(c.Pos(), code, n2, open, spread, around)
			})
		}
	}
}

func (m maker) called(c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return !m.method && f.Name == m.name
	case *ast.SelectorExpr:
		return m.method && f.Sel.Name == m.name
	}
	return false
}

// literal reads &dtm.Error{Code: ..., Args: ...}.
func (r *room) literal(n *ast.CompositeLit, around []ast.Node) {
	var code ast.Expr
	args, open, spread := 0, "", false
	for _, e := range n.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		switch name(kv.Key) {
		case "Code":
			code = kv.Value
		case "Args":
			if l, ok := kv.Value.(*ast.CompositeLit); ok {
				args = len(l.Elts)
			} else {
				open, spread = name(kv.Value), true
			}
		}
	}
	if code != nil {
		r.coded(n.Pos(), code, args, open, spread, around)
	}
}

// coded notes that an error is given a code: as it is written, or, when a parameter
// holds it, in the calls of the function.
func (r *room) coded(pos token.Pos, code ast.Expr, args int, open string, spread bool, around []ast.Node) {
	place := r.fset.Position(pos).String()
	if s, ok := r.resolve(code); ok && !spread {
		if c := (coding{s, args, place}); !slices.Contains(r.all, c) {
			r.all = append(r.all, c)
		}
		return
	}
	prefix, end := "", code
	if b, ok := code.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		prefix, _ = r.resolve(b.X)
		end = b.Y
	}
	if ownWords[r.name+": "+prefix] {
		return
	}
	for i := len(around) - 1; i >= 0; i-- {
		m := maker{prefix: prefix, args: args, code: -1, rest: -1}
		var params *ast.FieldList
		switch f := around[i].(type) {
		case *ast.FuncDecl:
			params, m.name, m.method = f.Type.Params, f.Name.Name, f.Recv != nil
		case *ast.FuncLit:
			params = f.Type.Params
			if i > 0 {
				if a, ok := around[i-1].(*ast.AssignStmt); ok && len(a.Lhs) == 1 {
					m.name = name(a.Lhs[0])
				}
			}
			for j := i; j >= 0 && m.within == nil; j-- {
				if d, ok := around[j].(*ast.FuncDecl); ok {
					m.within = d
				}
			}
		default:
			continue
		}
		at := 0
		for _, p := range params.List {
			for _, id := range p.Names {
				if id.Name == name(end) {
					m.code = at
				}
				if spread && id.Name == open {
					_, variadic := p.Type.(*ast.Ellipsis)
					m.rest, m.list = at, !variadic
				}
				at++
			}
		}
		if m.name != "" && m.code >= 0 && (!spread || m.rest >= 0) {
			if !slices.Contains(r.makers, m) {
				r.makers = append(r.makers, m)
			}
			return
		}
		// A variable of the function: each text that it is given.
		var given []string
		ast.Inspect(around[i], func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
				for j := range a.Lhs {
					if s, ok := r.resolve(a.Rhs[j]); ok && name(a.Lhs[j]) == name(end) {
						given = append(given, s)
					}
				}
			}
			return true
		})
		if len(given) > 0 && !spread {
			for _, s := range given {
				r.all = append(r.all, coding{prefix + s, args, place})
			}
			return
		}
	}
	r.faults = append(r.faults, place+": which code is this? Write it out, or hand it to the function as a parameter")
}

func (r *room) resolve(e ast.Expr) (string, bool) {
	if s, ok := text(e); ok {
		return s, true
	}
	switch e := e.(type) {
	case *ast.Ident:
		s, ok := r.consts[e.Name]
		return s, ok
	case *ast.BinaryExpr:
		a, one := r.resolve(e.X)
		b, two := r.resolve(e.Y)
		return a + b, one && two && e.Op == token.ADD
	}
	return "", false
}

// each visits the nodes of a file with those around them.
func (r *room) each(f *ast.File, visit func(n ast.Node, around []ast.Node)) {
	var around []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		visit(n, around)
		around = append(around, n)
		return true
	})
}

func text(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(b.Value)
	return s, err == nil
}

func name(e ast.Expr) string {
	if id, ok := e.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
