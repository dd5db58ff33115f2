package xform

import (
	"bytes"
	"strings"

	"dtm/gather/xpath"
)

// readTree reads an XML document as a tree of elements under a document node.
// Its errors are those of scan.
func readTree(doc []byte) (*xpath.Node, error) { return readTreeOf(doc, false) }

// readAnswers is readTree with the blanks of answers, which expressions see.
func readAnswers(doc []byte) (*xpath.Node, error) { return readTreeOf(doc, true) }

func readTreeOf(doc []byte, blanks bool) (*xpath.Node, error) {
	t := treeReader{blanks: blanks, root: &xpath.Node{Kind: xpath.Document}}
	t.at = t.root
	if err := scan(doc, &t); err != nil {
		return nil, err
	}
	t.root.Number()
	return t.root, nil
}

type treeReader struct {
	root, at *xpath.Node
	blanks   bool
	slab     []xpath.Node
	held     []byte
}

func (t *treeReader) open(name []byte, attrs []attr, _ int) error {
	t.flush()
	if len(t.slab) == 0 {
		t.slab = make([]xpath.Node, 64)
	}
	n := &t.slab[0]
	t.slab = t.slab[1:]
	n.Kind, n.Parent, n.Name = xpath.Element, t.at, string(name)
	if len(attrs) > 0 {
		n.Attrs = make([]xpath.Attr, len(attrs))
		for i, a := range attrs {
			n.Attrs[i] = xpath.Attr{Name: string(a.name), Value: a.value()}
		}
	}
	t.at.Children = append(t.at.Children, n)
	t.at = n
	return nil
}

func (t *treeReader) text(piece []byte) { t.held = append(t.held, piece...) }

// flush gives what was read to the element around. Blanks between elements are
// layout.
func (t *treeReader) flush() {
	if len(t.held) == 0 {
		return
	}
	if len(bytes.TrimSpace(t.held)) > 0 {
		t.at.Value += string(t.held)
	}
	t.held = t.held[:0]
}

func (t *treeReader) close(int) error {
	if t.blanks && len(t.at.Children) == 0 && len(t.held) > 0 {
		t.at.Value, t.held = string(t.held), t.held[:0]
	}
	t.flush()
	if len(t.at.Children) == 0 && !t.blanks {
		t.at.Value = strings.TrimSpace(t.at.Value)
	}
	t.at = t.at.Parent
	return nil
}
