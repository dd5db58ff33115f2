package xform

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"dtm/gather/xlsform"
	"dtm/gather/xpath"
)

// Sealing says which answers of a form are sealed: those that say who somebody is or
// where to find them, those on protection, and what follows from either.
type Sealing struct {
	form  *xlsform.Form
	model *Model
	fate  []fate          // by Node.Index
	names map[string]bool // of leaves that are sealed: they are taken out wherever they stand
}

// fate is what becomes of a node of a submission.
type fate uint8

const (
	stays   fate = iota
	emptied      // the answer is taken out
	cut          // the element is taken out: that it is there tells a sealed answer
)

// says tells whether a tag marks an answer that is sealed: #person, another one with the
// attribute +person, #protection, and in a form that refers people what they say of going
// home. A survey that asks as much names nobody and opens no record of a person.
func says(t tag, screens bool) bool {
	return t.hash == "#person" || t.hash == "#protection" || screens && t.is("#meta", "return") || t.hash != "" && t.is(t.hash, "person")
}

// category tells whether a tag marks what a record of need is counted by: which
// programmes, how pressing. A referral says as much of itself, so it stays though the
// form computes it from sealed answers.
func category(t tag) bool { return t.hash == "#service" || t.hash == "#severity" }

// SealingOf finds what a form seals; nil when nothing. Beside what its tags mark that is
// what it computes from a sealed answer, and what it asks only by one.
func SealingOf(f *xlsform.Form) (*Sealing, error) {
	screens, some := Screens(f), false
	f.Root.WalkAll(func(n *xlsform.Node) { some = some || says(parseTag(n.HXL), screens) })
	if !some {
		return nil, nil
	}
	doc, err := Write(f)
	if err != nil {
		return nil, err
	}
	m, err := ReadModel(doc)
	if err != nil {
		return nil, err
	}
	s := &Sealing{form: f, model: m, fate: make([]fate, len(m.Nodes)), names: map[string]bool{}}
	kept := make([]bool, len(m.Nodes))
	f.Root.WalkAll(func(n *xlsform.Node) {
		to, t := m.byPath[bare(n.Path())], parseTag(n.HXL)
		switch {
		case to == nil:
		case says(t, screens):
			s.fate[to.Index] = emptied
		default:
			kept[to.Index] = category(t)
		}
	})
	s.follow(kept)
	for _, n := range m.Nodes {
		if n.Kind == Leaf && s.fate[n.Index] != stays {
			s.names[n.Name] = true
		}
	}
	return s, nil
}

// bare is a path without the prefixes of its names.
func bare(path string) string {
	steps := strings.Split(path, "/")
	for i, x := range steps {
		steps[i] = x[strings.IndexByte(x, ':')+1:]
	}
	return strings.Join(steps, "/")
}

// follow seals what depends on what is sealed, until nothing more does.
func (s *Sealing) follow(kept []bool) {
	rules := s.model.planned().of
	by := func(n *Node, expressions ...string) bool {
		return slices.ContainsFunc(expressions, func(src string) bool {
			x := s.model.expr(src)
			return x != nil && slices.ContainsFunc(x.References(), func(r xpath.Reference) bool {
				return slices.ContainsFunc(s.model.referred(n, r), func(on *Node) bool { return on != n && s.fate[on.Index] != stays })
			})
		})
	}
	for more := true; more; {
		more = false
		seal := func(n *Node, to fate) {
			if s.fate[n.Index] < to {
				s.fate[n.Index], more = to, true
			}
		}
		for _, n := range s.model.Nodes {
			switch {
			case n.Parent != nil && s.fate[n.Parent.Index] != stays:
				seal(n, s.fate[n.Parent.Index])
			case n == s.model.Root:
			case !kept[n.Index] && by(n, n.Bind.Relevant, n.Count):
				seal(n, cut)
			case n.Kind == Leaf && !kept[n.Index] && rules[n.Index].calculate != nil && by(n, n.Bind.Calculate):
				seal(n, emptied)
			}
		}
		for _, a := range s.model.actions {
			if !kept[a.node.Index] && by(a.node, a.value) {
				seal(a.node, emptied)
			}
		}
	}
}

// Has tells whether the answer at a path is sealed; turns of repeats may stand in it.
func (s *Sealing) Has(path string) bool {
	if s == nil {
		return false
	}
	var b strings.Builder
	for i, step := range strings.Split(path, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		step, _, _ = strings.Cut(step, "[")
		b.WriteString(step)
	}
	n := s.model.byPath[bare(b.String())]
	return n != nil && s.fate[n.Index] != stays
}

// Redacted is a submission without the answers that its form seals, and whether there
// were any. Everything else keeps its bytes. XML that cannot be taken apart is given
// with its head alone: nothing passes because it was not understood.
func (s *Sealing) Redacted(doc []byte) (public []byte, private bool) {
	in, err := Read(s.form, doc)
	if err != nil || in.Encrypted {
		return doc, false // refused at the door for the same reason, or sealed by the phone
	}
	public, private, err = s.without(doc)
	if err == nil && private {
		err = scan(public, &nothing{})
	}
	switch {
	case err != nil:
		h, _ := Head(doc) // it was read above
		return []byte(headOnly(s.form, h)), true
	case !private:
		return doc, false
	}
	return public, true
}

// within is an element of a submission that is open.
type within struct {
	node *Node // nil: not of the form
	to   fate
}

func (s *Sealing) without(doc []byte) (public []byte, private bool, err error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var open []within
	var out bytes.Buffer
	from, shut := 0, 0 // what is not yet written begins here; depth of what is taken out, 0: nothing
	for {
		before := int(d.InputOffset())
		tok, err := d.RawToken()
		if err == io.EOF {
			out.Write(doc[from:])
			return out.Bytes(), private, nil
		}
		if err != nil {
			return nil, false, err
		}
		after := int(d.InputOffset())
		switch t := tok.(type) {
		case xml.StartElement:
			w := within{node: s.model.Root}
			if len(open) > 0 {
				around := open[len(open)-1]
				w = within{to: around.to}
				if around.node != nil {
					w.node = around.node.Child(t.Name.Local)
				}
				if w.node != nil {
					w.to = max(w.to, s.fate[w.node.Index])
				} else if s.names[t.Name.Local] { // not where it belongs
					w.to = max(w.to, emptied)
				}
				if w.node != nil && w.node.Kind != Leaf && w.to == emptied {
					w.to = stays // of a group its answers are: they come
				}
			}
			open = append(open, w)
			if w.to == stays || shut > 0 {
				continue
			}
			shut = len(open)
			out.Write(doc[from:before])
			if w.to == emptied { // one way to write nothing: attributes and blanks say nothing either
				name := t.Name.Local
				if t.Name.Space != "" {
					name = t.Name.Space + ":" + name
				}
				out.WriteString("<" + name + "/>")
			}
		case xml.EndElement:
			if len(open) == shut && shut > 0 {
				from, shut = after, 0
			}
			open = open[:len(open)-1]
		case xml.CharData:
			private = private || shut > 0 && len(bytes.TrimSpace(t)) > 0
		}
	}
}

// headOnly is a submission of which nothing but the head is left.
func headOnly(f *xlsform.Form, h HeadInfo) string {
	var b strings.Builder
	b.WriteString("<" + f.Root.Name + ` id="` + escape(h.FormID) + `" version="` + escape(h.Version) + `"><meta><instanceID>` + escape(h.InstanceID) + `</instanceID>`)
	if h.DeprecatedID != "" {
		b.WriteString(`<deprecatedID>` + escape(h.DeprecatedID) + `</deprecatedID>`)
	}
	b.WriteString("</meta></" + f.Root.Name + ">")
	return b.String()
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
