package xform

import (
	"strconv"
	"strings"

	"dtm/gather/xlsform"
)

const lastSaved = "__last-saved"

// secondary makes the further instances: files, the last saved answers, and the
// choice lists.
func (w *writer) secondary() []*element {
	var out []*element
	for _, x := range w.form.Externals() {
		out = append(out, el("instance", "id", x.ID, "src", x.Source()))
	}
	saved := false
	w.form.Root.WalkAll(func(n *xlsform.Node) {
		for _, s := range []string{n.Default, n.ChoiceFilter, n.Bind["calculate"], n.Bind["constraint"], n.Bind["readonly"], n.Bind["required"], n.Bind["relevant"]} {
			saved = saved || strings.Contains(s, "${last-saved#")
		}
	})
	if saved {
		out = append(out, el("instance", "id", lastSaved, "src", "jr://instance/last-saved"))
	}
	searched := w.searched()
	for _, l := range w.form.Lists {
		if !searched[l.Name] {
			out = append(out, w.list(l))
		}
	}
	return out
}

// searched names the lists whose choices are written in the body.
func (w *writer) searched() map[string]bool {
	out := map[string]bool{}
	w.form.Root.Walk(func(n *xlsform.Node) {
		if n.Search {
			out[n.List] = true
		}
	})
	return out
}

func textID(list string, i int) string { return list + "-" + strconv.Itoa(i) }

func (w *writer) list(l *xlsform.List) *element {
	root := el("root")
	translated := l.Translated()
	for i, c := range l.Choices {
		item := el("item")
		if translated {
			item.add(el("itextId").add(words(textID(l.Name, i))))
		}
		item.add(el("name").add(words(c.Name)))
		if plain, ok := c.Label.Plain(); ok && !translated {
			item.add(el("label").add(words(plain)))
		}
		for _, x := range c.Extra {
			item.add(el(x.Name).add(words(x.Value)))
		}
		root.add(item)
	}
	return el("instance", "id", l.Name).add(root)
}
