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
	Required, Constraint bool
}

type engineAnswer struct {
	Error   string
	XML     string
	Refused []string
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
	out     [][2]string
	repeats [][2]any
}

var quoted, numeral = regexp.MustCompile(`'([^'/:]{1,30})'`), regexp.MustCompile(`\b\d{1,6}\b`)

func newFiller(m *Model, seed uint64) *filler {
	f := &filler{m: m, r: rand.New(rand.NewPCG(seed, 1)), words: []string{"", "x", "two words", "É", "0", "-1", "2026-02-03", "true"}, numbers: []string{"0", "1", "-1", "2", "5", "17", "100000"}}
	for _, n := range m.Nodes {
		for _, s := range []string{n.Bind.Relevant, n.Bind.Constraint, n.Bind.Calculate, n.Bind.Required} {
			for _, w := range quoted.FindAllStringSubmatch(s, -1) {
				f.words = append(f.words, w[1])
			}
			for _, w := range numeral.FindAllString(s, -1) {
				i, _ := strconv.Atoi(w)
				f.numbers = append(f.numbers, w, strconv.Itoa(i+1), strconv.Itoa(i-1))
			}
		}
	}
	return f
}

func (f *filler) one(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[f.r.IntN(len(of))]
}

func (f *filler) fill(n *Node, path string) {
	for _, c := range n.Children {
		at := path + "/" + c.Name
		switch {
		case c.Kind == Repeat:
			turns := 3 // of a counted one; those that are not there are passed over
			if c.Count == "" {
				turns = 1 + f.r.IntN(3)
				f.repeats = append(f.repeats, [2]any{at, turns})
			}
			for i := range turns {
				f.fill(c, at+"["+strconv.Itoa(i+1)+"]")
			}
		case c.Kind == Group:
			f.fill(c, at)
		case c.Control != "" && c.Control != "upload" && f.r.IntN(5) > 0:
			f.out = append(f.out, [2]string{at, f.value(c)})
		}
	}
}

func (f *filler) value(n *Node) string {
	for _, r := range f.m.Repeats() {
		if strings.Contains(r.Count, n.Path) {
			return f.one([]string{"0", "1", "2", "3"}) // each turn costs the engine time
		}
	}
	switch n.Type {
	case "int":
		return f.one(f.numbers)
	case "decimal":
		return f.one(f.numbers) + f.one([]string{"", ".5", ".25"})
	case "date":
		return time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.r.IntN(3000)-2500*f.r.IntN(2)).Format("2006-01-02")
	case "geopoint":
		return fmt.Sprintf("%.3f %.3f 0 %d", f.r.Float64()*180-90, f.r.Float64()*360-180, f.r.IntN(100))
	case "select1", "select", "odk:rank":
		var choices []string
		choices = append(choices, n.Choices...)
		if id := instanceName.FindStringSubmatch(n.Itemset); id != nil {
			if l := f.m.List(id[1]); l != nil && l.Items != nil {
				choices = slices.Sorted(maps.Keys(names(n, l.Items.Children[0].Children)))
			}
		}
		one := f.one(choices)
		if n.Type == "select1" {
			return one
		}
		all := []string{one}
		for range f.r.IntN(3) {
			if c := f.one(choices); !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
		return strings.Join(all, " ")
	}
	return f.one(f.words)
}

var instanceName = regexp.MustCompile(`instance\('([^']+)'\)`)

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

// known are classes of difference that doc/evaluator.md explains.
func known(n *Node, rule string, theirs, ours string) string {
	calc := n.Bind.Calculate
	switch {
	case rule != "calculate":
	case theirs == "NaN" && strings.Contains(calc, "sum("):
		return "the engine adds blanks up to NaN"
	case theirs == "Invalid Date" && ours == "":
		return "the engine writes Invalid Date for a date that is none"
	case theirs == "true" && ours == "false" && strings.Contains(calc, "regex("):
		return "the engine takes a part of the text for the pattern"
	case theirs == "-3" && ours == "-2" && strings.Contains(calc, "round(-2.5)"):
		return "the engine rounds halves away from zero; XPath 1.0 rounds them up"
	case ours == "true" && strings.Contains(calc, " and /"):
		return "the engine gives the text of the right side of and, not whether it holds"
	}
	return ""
}

func engineForms(t *testing.T) map[string][]byte {
	t.Helper()
	paths, _ := filepath.Glob("../../../shared/data/xlsform/real/*")
	djibouti, _ := filepath.Glob("../../operation/djibouti/forms/fmr.xlsx")
	paths = append(paths, "testdata/functions.xml") // a call of each function that two programs can agree on
	if len(djibouti) == 0 {
		t.Fatal("operation/djibouti/forms/fmr.xlsx is not there")
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

// TestInteropEngine fills every real form with made answers in
// @getodk/xforms-engine and compares, node by node, what Recheck makes of them:
// relevance, calculated values, what is required and missing, what is not allowed.
// ENGINE_ANSWERS sets how many a form; `make interop` takes 1,000.
func TestInteropEngine(t *testing.T) {
	t.Parallel()
	runs := 60
	if s := os.Getenv("ENGINE_ANSWERS"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for name, xml := range engineForms(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := ReadModel(xml)
			if err != nil {
				t.Fatal(err)
			}
			e := startEngine(t)
			if a := e.ask(t, map[string]string{"form": string(xml)}); a.Error != "" {
				t.Fatalf("the engine does not load the form: %s", a.Error)
			}
			unsure := volatile(m)
			classes, first := map[string]int{}, map[string]string{}
			compared := 0
			var answered, refused, hidden, required, forbidden, computed int
			for i := range runs {
				f := newFiller(m, uint64(i))
				f.fill(m.Root, m.Root.Path)
				a := e.ask(t, map[string]any{"answers": f.out, "repeats": f.repeats})
				if a.Error != "" {
					t.Fatalf("answers %d: %s", i, a.Error)
				}
				answered += len(f.out) - len(a.Refused)
				refused += len(a.Refused)
				c := recheck(m, []byte(a.XML), Env{Now: time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)}, true)
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
					differs := func(rule, theirs, us string) {
						class := known(n, rule, theirs, us)
						if class == "" {
							class = "NEW " + rule + " " + n.Path
						}
						if classes[class]++; first[class] == "" {
							first[class] = fmt.Sprintf("answers %d, %s: engine %q, here %q", i, s.Path, theirs, us)
						}
					}
					compared++
					for _, is := range []struct {
						so bool
						n  *int
					}{{!s.Relevant, &hidden}, {s.Required, &required}, {s.Constraint, &forbidden}, {s.Relevant && c.p.of[n.Index].calculate != nil, &computed}} {
						if is.so {
							*is.n++
						}
					}
					x := ours[s.Path]
					if x == nil {
						if s.Relevant && n.Kind != Repeat {
							differs("absent", s.Path, "")
						}
						continue
					}
					if s.Relevant == x.Hidden {
						differs("relevant", strconv.FormatBool(s.Relevant), strconv.FormatBool(!x.Hidden))
						continue
					}
					if !s.Relevant || n.Kind != Leaf {
						continue
					}
					if c.p.of[n.Index].calculate != nil && s.Value != nil && !same(n, *s.Value, x.Value) {
						differs("calculate", *s.Value, x.Value)
					}
					if n.Control != "" {
						if got := flags["answer.required "+s.Path]; got != s.Required {
							differs("required", strconv.FormatBool(s.Required), strconv.FormatBool(got))
						}
						if got := flags["answer.constraint "+s.Path]; got != s.Constraint {
							differs("constraint", strconv.FormatBool(s.Constraint), strconv.FormatBool(got)+" of "+x.Value)
						}
					}
				}
			}
			t.Logf("%d answers set, %d not taken by the engine; of the nodes %d not relevant, %d required and empty, %d not allowed, %d computed", answered, refused, hidden, required, forbidden, computed)
			t.Logf("%d answers, %d nodes compared, %d of %d nodes of the form left out: they depend on more than the answers", runs, compared, len(unsure), len(m.Nodes))
			for _, class := range slices.Sorted(maps.Keys(classes)) {
				t.Logf("%d times: %s (first: %s)", classes[class], class, first[class])
				if strings.HasPrefix(class, "NEW ") {
					t.Errorf("a difference that is not explained: %s", class)
				}
			}
			if compared < runs || answered < runs {
				t.Errorf("only %d nodes were compared with %d answers", compared, answered)
			}
		})
	}
}
