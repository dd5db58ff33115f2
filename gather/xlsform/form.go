package xlsform

import "slices"

// Form is an XLSForm understood: what package xform writes XForms and reads
// instances by.
type Form struct {
	ID, Version, Title string
	Titles             Texts    // of the settings' translated_title columns: phones know one title only
	DefaultLanguage    string   // "default" when the form names none
	Languages          []string // as the headers name them, in order of first use; empty when they name none
	Style              string
	PublicKey          string
	SubmissionURL      string
	AutoSend           string
	AutoDelete         string
	ClientEditable     bool
	Namespaces         []Column // prefix and address, beyond the XForm's own
	Attributes         []Column // of the instance's root element
	EntitiesVersion    string   // "2024.1.0" or "2025.1.0" when the form declares entities
	Root               *Node    // group of everything
	Lists              []*List
	settingsRow        *record
	ExternalLists      []*List // of select_one_external, looked up in itemsets.csv
}

// Kind of a node of the form.
type Kind uint8

const (
	Question Kind = iota
	Group
	Repeat
	Declaration // of an entity: not a group for references that climb
)

// Node is a question, a group or a repeat.
type Node struct {
	Kind   Kind
	Type   string // canonical question type: "integer", "select_one" ...
	Name   string
	Parent *Node
	Nodes  []*Node // of groups and repeats
	Meta   *Node   // the form's meta group, or that of an entity declared in this group
	Made   bool    // not a row of the survey: made for or_other, a count, a table list

	Label, Hint, Guidance                          Texts
	ConstraintMessage, RequiredMessage, NoAppError Texts
	Media                                          []Medium

	Tag      string            // of the body element: "input", "select1" ...; "" shows nothing
	Control  map[string]string // attributes of the body element, appearance among them
	Bind     map[string]string // attributes of the bind, type among them; texts that are translated are not in it
	Instance map[string]string // attributes of the instance element

	Default      string
	Dynamic      bool // the default is computed
	ChoiceFilter string
	Parameters   map[string]string
	Triggers     []string // names of the questions whose change computes this one
	HXL          string   // "#affected+children+f": attributes in alphabetical order

	List   string  // of selects: name of the choice list, or "${name}" for earlier answers
	File   string  // of selects from file: "points.csv"
	Other  bool    // or_other
	Search bool    // the appearance holds search(): choices are written in the body
	Tags   []*List // of osm
	Entity *Entity // of a meta group

	row  *record
	path string // once the form is read
}

// Text is words in one language.
type Text struct{ Lang, Words string }

// Texts is a text in the languages it was written in. A single Text without Lang
// is one that the form does not translate.
type Texts []Text

// Plain returns the text of a label that is not translated.
func (t Texts) Plain() (string, bool) {
	if len(t) == 1 && t[0].Lang == "" {
		return t[0].Words, true
	}
	return "", false
}

// In returns the text in a language, "" when it is not translated into it.
func (t Texts) In(lang string) string {
	for _, x := range t {
		if x.Lang == lang {
			return x.Words
		}
	}
	return ""
}

// Translated tells whether the text names a language.
func (t Texts) Translated() bool { return len(t) > 0 && t[0].Lang != "" }

// Medium is a picture, sound or film beside a label.
type Medium struct {
	Kind string // "image", "big-image", "audio", "video"
	File Texts
}

// List is a choice list.
type List struct {
	Name    string
	Choices []Choice
}

// Choice is one entry of a list.
type Choice struct {
	Name  string
	Label Texts
	Media []Medium
	Extra []Column // further columns that are filled in, for filters

	row *record
}

// Column is a name with its text.
type Column struct{ Name, Value string }

// Translated tells whether labels of the list must go through itext: some are
// translated, carry media or refer to answers.
func (l *List) Translated() bool {
	return slices.ContainsFunc(l.Choices, func(c Choice) bool {
		plain, _ := c.Label.Plain()
		return len(c.Media) > 0 || c.Label.Translated() || HasRef(plain)
	})
}

// Entity is a row of the sheet entities.
type Entity struct {
	List                   string
	ID, CreateIf, UpdateIf string
	Label                  string
	inRepeat               bool
	row                    *record
}

// Creates and Updates tell what a submission does to the entity.
func (e *Entity) Creates() bool { return e.ID == "" || e.CreateIf != "" }

// Updates tells whether a submission may change an entity that exists.
func (e *Entity) Updates() bool { return e.ID != "" }

// InRepeat tells whether every turn of a repeat declares one.
func (e *Entity) InRepeat() bool { return e.inRepeat }

// Path is the node's XPath in the instance: "/data/group/name".
func (n *Node) Path() string {
	if n.path != "" {
		return n.path
	}
	return n.PathFrom(nil)
}

// PathFrom is the path below an ancestor, "/group/name"; nil means the whole.
func (n *Node) PathFrom(top *Node) string {
	path := ""
	for p := n; p != nil && p != top; p = p.Parent {
		path = "/" + p.Name + path
	}
	return path
}

// Repeats lists the repeats around the node, outermost first, itself included.
func (n *Node) Repeats() []*Node {
	var out []*Node
	for p := n; p != nil; p = p.Parent {
		if p.Kind == Repeat {
			out = append([]*Node{p}, out...)
		}
	}
	return out
}

// Walk calls f for every question, group and repeat below n, in order; the meta
// groups are left out.
func (n *Node) Walk(f func(*Node)) {
	for _, c := range n.Nodes {
		f(c)
		c.Walk(f)
	}
}

// WalkAll is Walk with the meta groups.
func (n *Node) WalkAll(f func(*Node)) {
	for _, c := range n.Nodes {
		f(c)
		c.WalkAll(f)
	}
	if n.Meta != nil {
		f(n.Meta)
		n.Meta.WalkAll(f)
	}
}

// Child returns the node of that name directly below n.
func (n *Node) Child(name string) *Node {
	for _, c := range n.Nodes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Appearance is the control's.
func (n *Node) Appearance() string { return n.Control["appearance"] }

// Attachment tells whether the answer is the name of a file that comes with the
// submission.
func (n *Node) Attachment() bool { return n.Bind["type"] == "binary" }

// TitleIn is the title in a language, as far as it is translated.
func (f *Form) TitleIn(lang string) string {
	if s := f.Titles.In(lang); s != "" {
		return s
	}
	return f.Title
}

// ChoiceList returns the list of that name, nil when there is none.
func (f *Form) ChoiceList(name string) *List {
	for _, l := range f.Lists {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// External is a file that the form reads.
type External struct{ ID, File string }

// Externals lists the files that the form reads by instances, once each, in the
// order in which the questions ask for them.
func (f *Form) Externals() []External {
	var out []External
	add := func(x External) {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	f.Root.WalkAll(func(n *Node) {
		for _, x := range n.externals() {
			add(x)
		}
	})
	return out
}

// ExternalFiles names the files that go with the form.
func (f *Form) ExternalFiles() []string {
	var out []string
	for _, e := range f.Externals() {
		out = append(out, e.File)
	}
	external := false
	f.Root.Walk(func(n *Node) { external = external || n.Type == "select_one_external" })
	if external {
		out = append(out, "itemsets.csv")
	}
	return out
}

// Tags are the HXL tags of the questions by their paths.
func (f *Form) Tags() map[string]string {
	out := map[string]string{}
	f.Root.Walk(func(n *Node) {
		if n.HXL != "" {
			out[n.Path()] = n.HXL
		}
	})
	return out
}
