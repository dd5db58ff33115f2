package xform

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dtm/gather/xlsform"
	"dtm/gather/xpath"
)

// engine is @getodk/xforms-engine in a process of Node.
type engine struct {
	in  *json.Encoder
	out *bufio.Scanner
}

func startEngine(t *testing.T) *engine {
	t.Helper()
	node, err := exec.LookPath("node")
	root, _ := filepath.Abs("../..")
	if err == nil {
		_, err = os.Stat(filepath.Join(root, "node_modules/@getodk/xforms-engine"))
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("node or @getodk/xforms-engine is not there: %v", err)
		}
		t.Skipf("node or @getodk/xforms-engine is not there: `make tools` installs it (%v)", err)
	}
	script, _ := filepath.Abs("testdata/engine.mjs")
	cmd := exec.Command(node, script)
	cmd.Dir, cmd.Stderr = root, nil
	cmd.Env = append(os.Environ(), "TZ=UTC", "ENGINE_NOW=2026-02-03T10:00:00Z")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	e := &engine{json.NewEncoder(in), bufio.NewScanner(out)}
	e.out.Buffer(nil, 64<<20)
	return e
}

type engineNode struct {
	Path, Type           string
	Relevant             bool
	Value                *string
	Options              []string // of a select: the choices at hand
	Required, Constraint bool
}

type engineAnswer struct {
	Error   string
	XML     string
	Made    int         // answers that were given
	Refused [][4]string // path, kind of question, answer, what the engine made of it
	State   []engineNode
}

func (e *engine) ask(t *testing.T, v any) (a engineAnswer) {
	t.Helper()
	if err := e.in.Encode(v); err != nil {
		t.Fatal(err)
	}
	if !e.out.Scan() {
		t.Fatalf("the engine ended: %v", e.out.Err())
	}
	if err := json.Unmarshal(e.out.Bytes(), &a); err != nil {
		t.Fatalf("%v: %s", err, e.out.Bytes())
	}
	return a
}

// filler makes answers for a form: plausible ones, and others.
type filler struct {
	m       *Model
	r       *rand.Rand
	words   []string
	numbers []string
	near    map[*Node][]string // numbers of the conditions that a node stands in
}

var quoted, numeral = regexp.MustCompile(`'([^'/:]{1,30})'`), regexp.MustCompile(`\b\d{1,6}\b`)

func newFiller(m *Model, seed, run uint64) *filler {
	f := &filler{m: m, r: rand.New(rand.NewPCG(seed, run)), words: []string{"x", "two words", "É", "0", "-1", "2026-02-03", "true"}, numbers: []string{"0", "1", "-1", "2", "5", "17", "100000"}, near: map[*Node][]string{}}
	for _, n := range m.Nodes {
		for _, s := range []string{n.Bind.Relevant, n.Bind.Constraint, n.Bind.Calculate, n.Bind.Required} {
			for _, w := range quoted.FindAllStringSubmatch(s, -1) {
				f.words = append(f.words, w[1])
			}
			var around []string
			for _, w := range numeral.FindAllString(s, -1) {
				i, _ := strconv.Atoi(w)
				around = append(around, w, strconv.Itoa(i+1), strconv.Itoa(i-1))
			}
			f.numbers = append(f.numbers, around...)
			e := m.expr(s)
			if e == nil || len(around) == 0 {
				continue
			}
			f.near[n] = append(f.near[n], around...)
			for _, ref := range e.References() {
				for _, on := range m.referred(n, ref) {
					f.near[on] = append(f.near[on], around...)
				}
			}
		}
	}
	return f
}

func (f *filler) one(of []string) string { return of[f.r.IntN(len(of))] }

// make gives each question the answers of its turns, one in five of them none, and
// each repeat that people add to its turns.
func (f *filler) make() (values map[string][]any, turns map[string]int) {
	values, turns = map[string][]any{}, map[string]int{}
	for _, n := range f.m.Nodes {
		switch {
		case n.Kind == Repeat && n.Count == "":
			turns[n.Path] = 1 + f.r.IntN(3)
		case n.Kind == Leaf && n.Control != "" && n.Control != "upload" && n.Bind.Calculate == "":
			for range 7 {
				var v any
				if f.r.IntN(5) > 0 {
					v = f.value(n)
				}
				values[n.Path] = append(values[n.Path], v)
			}
		}
	}
	return values, turns
}

func (f *filler) value(n *Node) any {
	for _, r := range f.m.Repeats() {
		if strings.Contains(r.Count, n.Path) {
			return f.one([]string{"0", "1", "2", "3"}) // each turn costs the engine time
		}
	}
	number := func() string {
		if near := f.near[n]; len(near) > 0 && f.r.IntN(3) > 0 {
			return f.one(near)
		}
		return f.one(f.numbers)
	}
	lots := make([]float64, 1+f.r.IntN(4))
	for i := range lots {
		lots[i] = f.r.Float64()
	}
	if n.Control == "range" {
		return lots
	}
	switch n.Type {
	case "int":
		return number()
	case "decimal":
		return number() + f.one([]string{"", ".5", ".25"})
	case "date":
		return time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.r.IntN(3000)-2500*f.r.IntN(2)).Format("2006-01-02")
	case "time":
		return fmt.Sprintf("%02d:%02d:00.000Z", f.r.IntN(24), f.r.IntN(60))
	case "dateTime":
		return fmt.Sprintf("2026-%02d-03T%02d:30:00.000Z", 1+f.r.IntN(12), f.r.IntN(24))
	case "geopoint":
		return f.position()
	case "geotrace":
		return f.position() + "; " + f.position()
	case "geoshape":
		first := f.position()
		return first + "; " + f.position() + "; " + f.position() + "; " + first
	case "select1", "select", "odk:rank":
		return lots
	}
	return f.one(f.words)
}

func (f *filler) position() string {
	return fmt.Sprintf("%.3f %.3f 0 %d", f.r.Float64()*180-90, f.r.Float64()*360-180, f.r.IntN(100))
}

var instanceName = regexp.MustCompile(`instance\('([^']+)'\)`)

// engineFiles are the files that a form reads, as a server would hold them.
func engineFiles(m *Model) map[string]string {
	out := map[string]string{}
	for _, l := range m.Lists {
		name := l.Src[strings.LastIndexByte(l.Src, '/')+1:]
		switch filepath.Ext(name) {
		case ".csv":
			columns := []string{"name", "label"}
			for _, n := range m.Nodes {
				if id := instanceName.FindStringSubmatch(n.Itemset); id != nil && id[1] == l.ID && !slices.Contains(columns, n.ValueRef) {
					columns = append(columns, n.ValueRef)
				}
			}
			out[name] = strings.Join(columns, ",") + "\n"
			for i := range 6 {
				out[name] += strings.TrimSuffix(strings.Repeat(fmt.Sprintf("r%d,", i), len(columns)), ",") + "\n"
			}
		case ".geojson":
			out[name] = `{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [43.1, 11.5]}, "properties": {"id": "dj", "name": "dj", "title": "Djibouti"}}, {"type": "Feature", "geometry": {"type": "Point", "coordinates": [43.2, 11.9]}, "properties": {"id": "ob", "name": "ob", "title": "Obock"}}]}`
		case ".xml":
			out[name] = `<root>`
			for i := range 4 {
				out[name] += fmt.Sprintf(`<data><P_Enumerator>x</P_Enumerator><P_Demographic><P_SN>%d</P_SN><P_Name>N%d</P_Name><P_Age>%d</P_Age><P_Sex>1</P_Sex><P_Family>%d</P_Family><P_Language>2 3</P_Language><P_Location>11.5 43.1 0 0</P_Location></P_Demographic></data>`, i, i, 20+i, 2*i)
			}
			out[name] += `</root>`
		}
	}
	return out
}

// volatile are the nodes whose value depends on more than the answers, directly or
// through others: chance, clocks, the device, files.
func volatile(m *Model) map[*Node]bool {
	out := map[*Node]bool{}
	for _, n := range m.Nodes {
		if n.Bind.Preload != "" || m.planned().of[n.Index].set {
			out[n] = true
		}
	}
	for range m.Nodes {
		grew := false
		for _, n := range m.Nodes {
			if out[n] {
				continue
			}
			r := m.planned().of[n.Index]
			for _, e := range []*xpath.Expr{r.relevant, r.calculate} {
				if e == nil {
					continue
				}
				for _, c := range e.Calls() {
					if slices.Contains([]string{"now", "random", "uuid", "once", "property", "pulldata", "jr:itext", "jr:choice-name"}, c) {
						out[n], grew = true, true
					}
				}
				for _, ref := range e.References() {
					for _, on := range m.referred(n, ref) {
						if out[on] && on.Kind == Leaf {
							out[n], grew = true, true
						}
					}
				}
			}
		}
		if !grew {
			break
		}
	}
	return out
}

var turn = regexp.MustCompile(`\[\d+\]`)

func engineForms(t *testing.T) map[string][]byte {
	t.Helper()
	paths, _ := filepath.Glob("../../../shared/data/xlsform/real/*")
	which := "*"
	if os.Getenv("ENGINE_ANSWERS") == "" {
		which = "[fs][mc]r*" // the registry and the screening: the others take as long again
	}
	djibouti, _ := filepath.Glob("../../operation/djibouti/forms/" + which + ".xlsx")
	// A call of each function that two programs can agree on, and paths within repeats.
	paths = append(paths, "testdata/functions.xml", "testdata/repeats.xml")
	if len(djibouti) < 2 {
		t.Fatal("operation/djibouti/forms is not there")
	}
	out := map[string][]byte{}
	for _, p := range append(paths, djibouti...) {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(p) == ".xml" {
			out[filepath.Base(p)] = data
			continue
		}
		form, _, err := xlsform.Read(filepath.Base(p), data)
		if err != nil {
			continue // the real negative, which TestReal asserts
		}
		xml, err := Write(form)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = xml
	}
	return out
}

// environment reads a number from an environment variable.
func environment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestInteropEngine fills every real form with made answers in
// @getodk/xforms-engine and compares, node by node, what Recheck makes of them:
// relevance, calculated values, choices at hand, what is required and missing, what
// is not allowed. The only differences are where the evaluator says by itself that
// programs differ (xpath.UsedDisputed). ENGINE_ANSWERS sets how many a form, `make
// interop` takes 1,000; ENGINE_SEED sets which.
func TestInteropEngine(t *testing.T) {
	t.Parallel()
	runs, seed := environment(t, "ENGINE_ANSWERS", 25), environment(t, "ENGINE_SEED", 0)
	for name, xml := range engineForms(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := ReadModel(xml)
			if err != nil {
				t.Fatal(err)
			}
			e := startEngine(t)
			files, lists := engineFiles(m), map[string]*xpath.Node{}
			for file, text := range files {
				if lists[file], err = ReadList(file, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if a := e.ask(t, map[string]any{"form": string(xml), "files": files}); a.Error != "" {
				t.Fatalf("the engine does not load the form: %s", a.Error)
			}
			unsure := volatile(m)
			classes, first := map[string]int{}, map[string]string{}
			var made, refused, lost, compared, hidden, required, forbidden, computed, offered, disputed, differing int
			for i := range runs {
				values, turns := newFiller(m, uint64(seed), uint64(i)).make()
				a := e.ask(t, map[string]any{"values": values, "turns": turns})
				if a.Error != "" {
					t.Fatalf("answers %d: %s", i, a.Error)
				}
				differs := func(class, path, theirs, us string) {
					if classes[class]++; first[class] == "" {
						first[class] = fmt.Sprintf("answers %d, %s: engine %q, here %q", i, path, theirs, us)
					}
				}
				made += a.Made
				refused += len(a.Refused)
				for _, r := range a.Refused {
					class := "not taken: " + r[1]
					if classes[class]++; first[class] == "" {
						first[class] = fmt.Sprintf("answers %d, %s: %q became %q", i, r[0], r[2], r[3])
					}
				}
				c := recheck(m, []byte(a.XML), Env{Now: time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC), Lists: lists}, true)
				if c == nil {
					t.Fatalf("answers %d: not read: %s", i, a.XML)
				}
				ours := map[string]*xpath.Node{}
				for _, n := range m.Nodes {
					for _, x := range c.turns[n.Index] {
						ours[c.where(n, x)] = x
					}
				}
				flags := map[string]bool{}
				for _, g := range c.flags {
					flags[g.Rule+" "+g.Path] = true
				}
				for _, s := range a.State {
					n := m.Node(turn.ReplaceAllString(s.Path, ""))
					if n == nil || unsure[n] || meta(n) {
						continue
					}
					compared++
					r := &c.p.of[n.Index]
					x := ours[s.Path]
					if x == nil {
						if s.Relevant && n.Kind != Repeat {
							differs("NEW absent "+n.Path, s.Path, "there", "")
						}
						continue
					}
					if s.Relevant == x.Hidden {
						differs("NEW relevant "+n.Path, s.Path, strconv.FormatBool(s.Relevant), strconv.FormatBool(!x.Hidden))
						continue
					}
					for _, is := range []struct {
						so bool
						n  *int
					}{{!s.Relevant, &hidden}, {s.Required, &required}, {s.Constraint, &forbidden}, {s.Relevant && r.calculate != nil, &computed}} {
						if is.so {
							*is.n++
						}
					}
					if !s.Relevant || n.Kind != Leaf {
						continue
					}
					if want, there := c.disputed[x]; there {
						disputed++
						if r.calculate != nil && s.Value != nil && !same(n, *s.Value, want) {
							differing++
							differs("programs differ: "+n.Path+" "+n.Bind.Calculate, s.Path, *s.Value, want)
						}
						continue
					}
					if r.calculate != nil && s.Value != nil && !same(n, *s.Value, x.Value) {
						differs("NEW calculate "+n.Path+" "+n.Bind.Calculate, s.Path, *s.Value, x.Value)
					}
					if n.Control == "" {
						continue
					}
					if got := flags["answer.required "+s.Path]; got != s.Required {
						differs("NEW required "+n.Path, s.Path, strconv.FormatBool(s.Required), strconv.FormatBool(got))
					}
					if got := flags["answer.constraint "+s.Path]; got != s.Constraint {
						differs("NEW constraint "+n.Path, s.Path, strconv.FormatBool(s.Constraint), strconv.FormatBool(got)+" of "+x.Value)
					}
					if s.Value != nil && *s.Value != "" && r.calculate == nil && x.Value == "" {
						lost++
					}
					if s.Options == nil || r.itemset == nil && r.choices == nil {
						continue
					}
					offered++
					here := r.choices
					if r.itemset != nil {
						v, _, err := r.itemset.Eval(x, &c.env)
						if err != nil {
							t.Fatal(err)
						}
						here = names(n, v.Nodes())
					}
					if theirs, us := slices.Sorted(slices.Values(s.Options)), slices.Sorted(maps.Keys(here)); !slices.Equal(slices.Compact(theirs), us) {
						differs("NEW choices "+n.Path, s.Path, strings.Join(theirs, " "), strings.Join(us, " "))
					}
				}
			}
			taken := 100 * float64(made-refused-lost) / float64(max(made, 1))
			t.Logf("%d made answers, %.1f %% taken by both; of the nodes %d not relevant, %d required and empty, %d not allowed, %d computed, %d with choices at hand", made, taken, hidden, required, forbidden, computed, offered)
			t.Logf("%d fillings (seed %d), %d nodes compared, on %d of them programs may differ and on %d they do; %d of %d nodes of the form left out: they depend on more than the answers", runs, seed, compared, disputed, differing, len(unsure), len(m.Nodes))
			for _, class := range slices.Sorted(maps.Keys(classes)) {
				t.Logf("%d times: %s (first: %s)", classes[class], class, first[class])
				if strings.HasPrefix(class, "NEW ") {
					t.Errorf("a difference that is not explained: %s", class)
				}
			}
			if compared < runs || made < runs || taken < 95 {
				t.Errorf("only %d nodes were compared with %d answers, %.1f %% taken", compared, made, taken)
			}
		})
	}
}
