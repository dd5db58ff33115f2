package xform

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// maxPasses is how often calculated values are taken over: each pass may change what
// others depend on.
const maxPasses = 8

// Amended is a submission with changes made to its answers, in their order; the
// submission itself stays as it is. What is not changed keeps its bytes. An answer
// that the phone left out is added at the end of its group. NotFound when there is no
// group or turn for a path, Invalid when the submission cannot be read or a path leads
// to a group or into the head (meta).
func Amended(instance []byte, changes []dtm.Change) ([]byte, error) {
	out := instance
	for _, c := range changes {
		var err error
		if out, err = amendOne(out, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// span is where an element lies in the bytes.
type span struct {
	name       string // as written, with its prefix
	start, end int    // of what is between the tags
	closed     int    // end of an element written as <name/>, else 0
	open       int    // where its start tag begins
	group      bool   // it has elements in it
	found      bool
}

func amendOne(doc []byte, c dtm.Change) ([]byte, error) {
	steps, err := pathSteps(c.Path)
	if err != nil {
		return nil, err
	}
	at, parent, err := find(doc, steps)
	if err != nil {
		return nil, err
	}
	var value bytes.Buffer
	if err := xml.EscapeText(&value, []byte(c.Now)); err != nil {
		return nil, err
	}
	splice := func(from, to int, parts ...string) []byte {
		return slices.Concat(doc[:from], []byte(strings.Join(parts, "")), doc[to:])
	}
	switch {
	case at.found && at.group:
		return nil, dtm.Errorf(dtm.Invalid, "%s is a group: it has no answer of its own", c.Path).At(c.Path).Coded("correction.path", c.Path)
	case at.found && at.closed > 0:
		tag := strings.TrimRight(strings.TrimSuffix(string(doc[at.open:at.closed]), "/>"), " \t\r\n")
		return splice(at.open, at.closed, tag, ">", value.String(), "</", at.name, ">"), nil
	case at.found:
		return splice(at.start, at.end, value.String()), nil
	case !parent.found || steps[len(steps)-1].turn > 1:
		return nil, dtm.Errorf(dtm.NotFound, "the submission has no place for %s", c.Path).At(c.Path).Coded("correction.path", c.Path)
	}
	name := steps[len(steps)-1].name
	if parent.closed > 0 {
		tag := strings.TrimRight(strings.TrimSuffix(string(doc[parent.open:parent.closed]), "/>"), " \t\r\n")
		return splice(parent.open, parent.closed, tag, "><", name, ">", value.String(), "</", name, "></", parent.name, ">"), nil
	}
	return splice(parent.end, parent.end, "<", name, ">", value.String(), "</", name, ">"), nil
}

type step struct {
	name string
	turn int // 1 for the first
}

// pathSteps reads "/data/people[2]/count".
func pathSteps(path string) ([]step, error) {
	bad := dtm.Errorf(dtm.Invalid, "%q is not the path of an answer; it is like /data/people[2]/count", path).At(path).Coded("correction.path", path)
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[0] != "" {
		return nil, bad
	}
	var out []step
	for _, p := range parts[1:] {
		s := step{p, 1}
		if a := strings.IndexByte(p, '['); a > 0 && strings.HasSuffix(p, "]") {
			n, err := strconv.Atoi(p[a+1 : len(p)-1])
			if err != nil || n < 1 {
				return nil, bad
			}
			s = step{p[:a], n}
		}
		if s.name == "" || s.name == "meta" || strings.ContainsAny(s.name, "<>&\"' \t\r\n[]:=!?") || s.name[0] >= '0' && s.name[0] <= '9' || s.name[0] == '-' || s.name[0] == '.' {
			return nil, bad
		}
		out = append(out, s)
	}
	return out, nil
}

// find gives where the element of a path lies, and the one around it.
func find(doc []byte, steps []step) (at, parent span, err error) {
	if err := scan(doc, &nothing{}); err != nil { // hostile or not well-formed: its own words
		return at, parent, err
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	depth, on := 0, 0 // open elements, and how many of them are the path's
	counts := make([]int, len(steps))
	for {
		before := int(d.InputOffset())
		tok, err := d.RawToken()
		if err == io.EOF {
			return at, parent, nil
		}
		if err != nil {
			return at, parent, dtm.Errorf(dtm.Invalid, "the submission cannot be read: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth == len(steps) && on == len(steps) {
				at.group = true
			}
			if on == depth && depth < len(steps) && t.Name.Local == steps[depth].name && !template(t) {
				if counts[depth]++; counts[depth] == steps[depth].turn {
					s := span{name: t.Name.Local, open: before, start: int(d.InputOffset()), found: true}
					if t.Name.Space != "" {
						s.name = t.Name.Space + ":" + s.name
					}
					if bytes.HasSuffix(doc[before:s.start], []byte("/>")) {
						s.closed = s.start
					}
					on++
					if on < len(steps) {
						counts[on] = 0
					}
					switch on {
					case len(steps):
						at = s
					case len(steps) - 1:
						parent = s
					}
				}
			}
			depth++
		case xml.EndElement:
			if on == depth && on > 0 {
				switch on {
				case len(steps):
					at.end = before
				case len(steps) - 1:
					parent.end = before
				}
				on--
			}
			depth--
		}
	}
}

// template tells what older phones put before the first turn of a repeat.
func template(t xml.StartElement) bool {
	return slices.ContainsFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Local == "template" })
}

// nothing is a visitor of a scan that only asks whether it can be read.
type nothing struct{}

func (nothing) open([]byte, []attr, int) error { return nil }
func (nothing) text([]byte)                    {}
func (nothing) close(int) error                { return nil }

// Follow completes changes with what the form computes from them: totals and other
// calculated answers that no longer are what the form's expressions give. Differences
// that were there before stay, so that a correction changes nothing else. Was is
// filled in from the submission.
func Follow(m *Model, instance []byte, env Env, changes []dtm.Change) ([]dtm.Change, error) {
	before := map[string]string{}
	if c := recheck(m, instance, env, false); c != nil {
		for _, x := range c.computed {
			before[x.Path] = x.Now
		}
	}
	var all []dtm.Change
	doc := instance
	change := func(c dtm.Change) error {
		var err error
		if c.Was, err = Value(doc, c.Path); err != nil {
			return err
		}
		if c.Was == c.Now {
			return nil
		}
		if doc, err = amendOne(doc, c); err != nil {
			return err
		}
		all = append(all, c)
		return nil
	}
	touched := map[string]bool{}
	for _, c := range changes {
		touched[c.Path] = true
		if err := change(c); err != nil {
			return nil, err
		}
	}
	for range maxPasses {
		c := recheck(m, doc, env, false)
		if c == nil {
			return all, nil
		}
		n := len(all)
		for _, x := range c.computed {
			if touched[x.Path] || before[x.Path] == x.Now && before[x.Path] != "" {
				continue
			}
			if err := change(x); err != nil {
				return nil, err
			}
		}
		if len(all) == n {
			break
		}
	}
	return all, nil
}

// Value is the answer at a path with the turns of its repeats; "" when there is none.
// Its errors are those of Amended.
func Value(doc []byte, path string) (string, error) {
	steps, err := pathSteps(path)
	if err != nil {
		return "", err
	}
	tree, err := readAnswers(doc)
	if err != nil {
		return "", err
	}
	at := tree
	for _, s := range steps {
		turn, next := 0, at
		for _, c := range at.Children {
			if c.Name == s.name && !hasAttr(c, "jr:template") {
				if turn++; turn == s.turn {
					next = c
					break
				}
			}
		}
		if next == at {
			return "", nil
		}
		at = next
	}
	return at.Value, nil
}
