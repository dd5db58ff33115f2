// Package law holds the import law of the house as a text and the test that
// keeps it: source files come in, breaches go out.
package law

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

//go:embed law.txt
var text string

type law struct {
	allowed        map[string]map[string]bool // importing room -> imported room
	everyone       map[string]bool
	pure, sql, web map[string]bool
	any            []string
}

func parse(t *testing.T, s string) law {
	t.Helper()
	l := law{allowed: map[string]map[string]bool{}, everyone: map[string]bool{}, pure: map[string]bool{}, sql: map[string]bool{}, web: map[string]bool{}}
	for n, line := range strings.Split(s, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if kind, rest, ok := strings.Cut(line, ":"); ok {
			set := map[string]map[string]bool{"pure": l.pure, "sql": l.sql, "http": l.web}[kind]
			for _, r := range strings.Fields(rest) {
				if kind == "any" {
					l.any = append(l.any, r)
				} else if set != nil {
					set[r] = true
				} else {
					t.Fatalf("law.txt:%d: unknown kind %q", n+1, kind)
				}
			}
			continue
		}
		left, right, ok := strings.Cut(line, "<")
		if !ok {
			t.Fatalf("law.txt:%d: want `room < rooms`", n+1)
		}
		left = strings.TrimSpace(left)
		for _, r := range strings.Fields(right) {
			if r == "everything" {
				l.everyone[left] = true
				continue
			}
			if l.allowed[r] == nil {
				l.allowed[r] = map[string]bool{}
			}
			l.allowed[r][left] = true
		}
	}
	return l
}

// under returns the longest name of set that is room or holds it.
func under(room string, set map[string]bool) (string, bool) {
	for r := room; r != "."; r = filepath.Dir(r) {
		if set[r] {
			return r, true
		}
	}
	return "", false
}

func (l law) free(room string) bool {
	for _, a := range l.any {
		if room == a || strings.HasPrefix(room, a+"/") {
			return true
		}
	}
	return false
}

func (l law) may(room, imported string) bool {
	if l.everyone[imported] || l.free(room) {
		return true
	}
	// A room and its own sub-rooms may know each other.
	if strings.HasPrefix(imported, room+"/") || strings.HasPrefix(room, imported+"/") {
		return true
	}
	for r := room; r != "."; r = filepath.Dir(r) {
		if _, ok := under(imported, l.allowed[r]); ok {
			return true
		}
	}
	return false
}

// outside lists the packages that only rooms of one kind may import.
func (l law) outside(room, path string) string {
	if l.free(room) {
		return ""
	}
	_, pure := under(room, l.pure)
	_, sql := under(room, l.sql)
	_, web := under(room, l.web)
	driver := strings.HasPrefix(path, "modernc.org/sqlite") || strings.HasPrefix(path, "github.com/duckdb/") || strings.HasPrefix(path, "github.com/jackc/pgx")
	switch {
	case (path == "database/sql" || path == "database/sql/driver" || driver) && !sql:
		return "SQL and drivers belong in store and warehouse"
	case strings.HasPrefix(path, "net/http") && !web:
		return "HTTP belongs in serve, openrosa, opendata and web"
	case path == "os" && pure:
		return "a pure room reads no file, environment or clock"
	case driver && web:
		return "an HTTP room never knows a driver"
	}
	return ""
}

type pkg struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "dtm/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func room(path string) string {
	if path == "dtm" {
		return "dtm"
	}
	return strings.TrimPrefix(path, "dtm/")
}

func breaches(l law, all []pkg) []string {
	var out []string
	for _, p := range all {
		r := room(p.ImportPath)
		for _, i := range p.Imports {
			if i == "dtm" || strings.HasPrefix(i, "dtm/") {
				if !l.may(r, room(i)) {
					out = append(out, fmt.Sprintf("%s imports %s: not in law.txt", r, room(i)))
				}
			} else if why := l.outside(r, i); why != "" {
				out = append(out, fmt.Sprintf("%s imports %s: %s", r, i, why))
			}
			if r == "dtm" && strings.Contains(i, ".") {
				out = append(out, fmt.Sprintf("dtm imports %s: the domain knows the standard library only", i))
			}
		}
	}
	sort.Strings(out)
	return out
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, b := range breaches(parse(t, text), packages(t)) {
		t.Error(b)
	}
}

// TestLawBites makes sure that the test above can fail.
func TestLawBites(t *testing.T) {
	t.Parallel()
	l := parse(t, text)
	for _, c := range []struct{ room, imports string }{
		{"web", "dtm/store/sqlite"},
		{"web", "dtm/analyse/indicator"},
		{"gather/openrosa", "dtm/disseminate/guard"},
		{"disseminate/overview", "net/http"},
		{"disseminate/guard", "database/sql"},
		{"web", "github.com/duckdb/duckdb-go/v2"},
		{"gather/bulk", "os"},
		{"store/sqlite", "net/http"},
	} {
		if got := breaches(l, []pkg{{ImportPath: "dtm/" + c.room, Imports: []string{c.imports}}}); len(got) == 0 {
			t.Errorf("%s may import %s, which the design forbids", c.room, c.imports)
		}
	}
}

// TestPackageSentence keeps the habit that each room says what comes in and goes out.
func TestPackageSentence(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		said := false
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			said = said || sentence(file)
		}
		if !said {
			t.Errorf("%s has no package sentence", room(p.ImportPath))
		}
	}
}

func sentence(f *ast.File) bool {
	return f.Doc != nil && strings.HasSuffix(strings.TrimSpace(strings.Split(f.Doc.Text(), "\n\n")[0]), ".")
}
