package xlsform

import (
	"slices"
	"strings"
)

// Change is one difference between two versions of a form.
type Change struct {
	Kind   string // see the constants
	Path   string // of the question, group or repeat; of choices "LIST/NAME"; "" of the form
	What   string // of Altered: "label English (en)", "constraint", "version" ...
	Before string
	After  string
}

// Kinds of change.
const (
	Added         = "added"
	Removed       = "removed"
	Moved         = "moved" // to another group; Before and After are the paths
	Altered       = "altered"
	ChoiceAdded   = "choice_added"
	ChoiceRemoved = "choice_removed"
)

// Diff tells what an author changed between two versions: what was added, removed
// or moved to another group, and what of a question, a choice or the form became
// otherwise. A question is the same when its path is, or else its name, where only one
// question has it in both versions. Answers to a question that stays keep their
// column; those to a removed one keep theirs in exports.
func Diff(before, after *Form) []Change {
	d := &differ{}
	for _, s := range [][3]string{{"title", before.Title, after.Title}, {"version", before.Version, after.Version}, {"default_language", before.DefaultLanguage, after.DefaultLanguage},
		{"style", before.Style, after.Style}, {"languages", strings.Join(before.Languages, ", "), strings.Join(after.Languages, ", ")}, {"public_key", before.PublicKey, after.PublicKey}} {
		d.altered("", s[0], s[1], s[2])
	}
	d.texts("", "title", before.Titles, after.Titles)
	was, is := nodes(before), nodes(after)
	pairs := paired(was, is)
	for _, n := range is.list {
		o := pairs[n]
		if o == nil {
			d.add(Change{Kind: Added, Path: n.Path(), After: n.word()})
			continue
		}
		if o.Path() != n.Path() && !follows(o, n, pairs) {
			d.add(Change{Kind: Moved, Path: n.Path(), Before: o.Path(), After: n.Path()})
		}
		d.node(o, n)
	}
	kept := map[*Node]bool{}
	for _, o := range pairs {
		kept[o] = true
	}
	for _, o := range was.list {
		if !kept[o] {
			d.add(Change{Kind: Removed, Path: o.Path(), Before: o.word()})
		}
	}
	d.choices(before, after)
	return d.out
}

type differ struct{ out []Change }

func (d *differ) add(c Change) { d.out = append(d.out, c) }

func (d *differ) altered(path, what, before, after string) {
	if before != after {
		d.add(Change{Altered, path, what, before, after})
	}
}

// word is the type, or what else the node is.
func (n *Node) word() string {
	switch n.Kind {
	case Group:
		return "group"
	case Repeat:
		return "repeat"
	}
	return n.Type
}

// nodeSet are the nodes of a form that an author wrote.
type nodeSet struct {
	list   []*Node
	byPath map[string]*Node
	byName map[string][]*Node
}

func nodes(f *Form) nodeSet {
	s := nodeSet{byPath: map[string]*Node{}, byName: map[string][]*Node{}}
	f.Root.Walk(func(n *Node) {
		if n.Made {
			return
		}
		s.list = append(s.list, n)
		s.byPath[n.Path()] = n
		s.byName[n.Name] = append(s.byName[n.Name], n)
	})
	return s
}

// paired finds for each node of the later form the one that it was.
func paired(was, is nodeSet) map[*Node]*Node {
	out := map[*Node]*Node{}
	for _, n := range is.list {
		if o := was.byPath[n.Path()]; o != nil {
			out[n] = o
		}
	}
	for _, n := range is.list {
		if old := was.byName[n.Name]; out[n] == nil && len(old) == 1 && len(is.byName[n.Name]) == 1 && old[0].Kind == n.Kind && is.byPath[old[0].Path()] == nil {
			out[n] = old[0]
		}
	}
	return out
}

// follows tells whether a node moved only because the group around it did.
func follows(o, n *Node, pairs map[*Node]*Node) bool {
	return o.Parent != nil && n.Parent != nil && pairs[n.Parent] == o.Parent
}

func (d *differ) node(o, n *Node) {
	path := n.Path()
	d.altered(path, "type", o.Type+" "+o.List+o.File, n.Type+" "+n.List+n.File)
	for _, t := range []struct {
		what string
		o, n Texts
	}{{"label", o.Label, n.Label}, {"hint", o.Hint, n.Hint}, {"guidance_hint", o.Guidance, n.Guidance}, {"constraint_message", o.ConstraintMessage, n.ConstraintMessage}, {"required_message", o.RequiredMessage, n.RequiredMessage}} {
		d.texts(path, t.what, t.o, t.n)
	}
	for _, k := range keysOf(o.Bind, n.Bind) {
		if k != "type" {
			d.altered(path, k, o.Bind[k], n.Bind[k])
		}
	}
	for _, k := range keysOf(o.Control, n.Control) {
		d.altered(path, k, o.Control[k], n.Control[k])
	}
	for _, k := range keysOf(o.Parameters, n.Parameters) {
		d.altered(path, "parameters "+k, o.Parameters[k], n.Parameters[k])
	}
	d.altered(path, "default", o.Default, n.Default)
	d.altered(path, "choice_filter", o.ChoiceFilter, n.ChoiceFilter)
	d.altered(path, "trigger", strings.Join(o.Triggers, ", "), strings.Join(n.Triggers, ", "))
	d.altered(path, "hxl", o.HXL, n.HXL)
	media := func(n *Node) string {
		var all []string
		for _, m := range n.Media {
			for _, t := range m.File {
				all = append(all, strings.TrimSpace(m.Kind+" "+t.Lang)+": "+t.Words)
			}
		}
		return strings.Join(all, ", ")
	}
	d.altered(path, "media", media(o), media(n))
}

func (d *differ) texts(path, what string, o, n Texts) {
	var langs []string
	for _, t := range slices.Concat(o, n) {
		if !slices.Contains(langs, t.Lang) {
			langs = append(langs, t.Lang)
		}
	}
	for _, l := range langs {
		d.altered(path, strings.TrimSpace(what+" "+l), o.In(l), n.In(l))
	}
}

func keysOf(a, b map[string]string) []string {
	var out []string
	for _, m := range []map[string]string{a, b} {
		for k := range m {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (d *differ) choices(before, after *Form) {
	for _, l := range after.Lists {
		old := before.ChoiceList(l.Name)
		for _, c := range l.Choices {
			path := l.Name + "/" + c.Name
			var o *Choice
			if old != nil {
				if i := slices.IndexFunc(old.Choices, func(x Choice) bool { return x.Name == c.Name }); i >= 0 {
					o = &old.Choices[i]
				}
			}
			if o == nil {
				d.add(Change{Kind: ChoiceAdded, Path: path})
				continue
			}
			d.texts(path, "label", o.Label, c.Label)
			extra := func(c Choice) string {
				var all []string
				for _, x := range c.Extra {
					all = append(all, x.Name+"="+x.Value)
				}
				return strings.Join(all, ", ")
			}
			d.altered(path, "columns", extra(*o), extra(c))
		}
	}
	for _, l := range before.Lists {
		now := after.ChoiceList(l.Name)
		for _, c := range l.Choices {
			if now == nil || !slices.ContainsFunc(now.Choices, func(x Choice) bool { return x.Name == c.Name }) {
				d.add(Change{Kind: ChoiceRemoved, Path: l.Name + "/" + c.Name})
			}
		}
	}
}
