package xform

import (
	"slices"

	"dtm/gather/xlsform"
)

// itext gathers the texts that have translations, media or a guidance: by
// language and id, in the order in which they come up.
type itext struct {
	langs []string
	texts map[string]*langTexts
}

type langTexts struct {
	ids []string
	by  map[string]*forms
}

// forms are the ways one text is said: "long", "guidance", or a kind of medium.
type forms struct {
	names []string
	by    map[string]said
}

// said is words, and the node from which their references climb; nil means from
// nowhere.
type said struct {
	words string
	from  *xlsform.Node
}

func (t *itext) put(lang, id, form string, s said) {
	if t.texts == nil {
		t.texts = map[string]*langTexts{}
	}
	l := t.texts[lang]
	if l == nil {
		l = &langTexts{by: map[string]*forms{}}
		t.texts[lang] = l
		t.langs = append(t.langs, lang)
	}
	f := l.by[id]
	if f == nil {
		f = &forms{by: map[string]said{}}
		l.by[id] = f
		l.ids = append(l.ids, id)
	}
	if _, there := f.by[form]; !there {
		f.names = append(f.names, form)
	}
	f.by[form] = s
}

// putAll puts a text in all its languages; one without language is the default
// language's.
func (t *itext) putAll(text xlsform.Texts, fallback, id, form string, from *xlsform.Node) {
	for _, x := range text {
		lang := x.Lang
		if lang == "" {
			lang = fallback
		}
		t.put(lang, id, form, said{x.Words, from})
	}
}

// viaText tells whether a message goes through itext: it is translated, or refers
// to answers, which an attribute cannot show.
func (m message) viaText() bool {
	plain, _ := m.text.Plain()
	return m.text.Translated() || xlsform.HasRef(plain) && m.attr != "jr:noAppErrorString"
}

// viaText tells whether the label of a node goes through itext.
func viaText(n *xlsform.Node) bool { return n.Label.Translated() || len(n.Media) > 0 }

// gather collects the texts of the form: choices, then questions and groups, then
// their media.
func (w *writer) gather() {
	t, language := &w.texts, w.form.DefaultLanguage
	for _, l := range w.form.Lists {
		if !l.Translated() {
			continue
		}
		for i, c := range l.Choices {
			t.putAll(c.Label, language, textID(l.Name, i), "long", nil)
			for _, m := range c.Media {
				t.putAll(m.File, language, textID(l.Name, i), m.Kind, nil)
			}
		}
	}
	w.form.Root.WalkAll(func(n *xlsform.Node) {
		path := n.Path()
		for _, m := range messages(n) {
			if m.viaText() {
				t.putAll(m.text, language, path+":"+m.attr, "long", n)
			}
		}
		if viaText(n) {
			t.putAll(n.Label, language, path+":label", "long", n)
		}
		if n.Hint.Translated() || len(n.Guidance) > 0 && n.Kind == xlsform.Question {
			t.putAll(n.Hint, language, path+":hint", "long", n)
		}
		if n.Kind == xlsform.Question {
			t.putAll(n.Guidance, language, path+":hint", "guidance", n)
		}
	})
	w.form.Root.WalkAll(func(n *xlsform.Node) {
		for _, m := range n.Media {
			t.putAll(m.File, language, n.Path()+":label", m.Kind, nil)
		}
	})
	t.fill()
}

// fill gives every language every text: what is not translated is a dash, for
// phones stop at a text that is missing.
func (t *itext) fill() {
	var ids []string
	all := map[string][]string{}
	for _, lang := range t.langs {
		for _, id := range t.texts[lang].ids {
			if _, there := all[id]; !there {
				ids = append(ids, id)
			}
			for _, form := range t.texts[lang].by[id].names {
				if !slices.Contains(all[id], form) {
					all[id] = append(all[id], form)
				}
			}
		}
	}
	for _, lang := range t.langs {
		for _, id := range ids {
			for _, form := range all[id] {
				if f := t.texts[lang].by[id]; f == nil || !slices.Contains(f.names, form) {
					t.put(lang, id, form, said{"-", nil})
				}
			}
		}
	}
}

func (t *itext) element(w *writer, fallback string) *element {
	if len(t.langs) == 0 {
		return nil
	}
	e := el("itext")
	for _, lang := range t.langs {
		tr := el("translation", "lang", lang)
		if lang == fallback {
			tr.set("default", "true()")
		}
		for _, id := range t.texts[lang].ids {
			text := el("text", "id", id)
			f := t.texts[lang].by[id]
			for _, form := range f.names {
				s := f.by[form]
				v := el("value")
				switch form {
				case "long":
				case "guidance":
					v.set("form", form)
				default:
					if s.words == "-" {
						continue
					}
					v.set("form", form)
					folder := form
					if form == "image" || form == "big-image" {
						folder = "images"
					}
					s.words = "jr://" + folder + "/" + s.words
				}
				text.add(v.add(w.spoken(s.words, s.from)...))
			}
			tr.add(text)
		}
		e.add(tr)
	}
	return e
}

// message is a text of a bind.
type message struct {
	attr string
	text xlsform.Texts
}

func messages(n *xlsform.Node) []message {
	return []message{{"jr:constraintMsg", n.ConstraintMessage}, {"jr:requiredMsg", n.RequiredMessage}, {"jr:noAppErrorString", n.NoAppError}}
}

// spoken splits a text at its references and its paths into lists, which become
// output elements.
func (w *writer) spoken(s string, from *xlsform.Node) []any {
	if s == "" {
		return nil
	}
	var out []any
	add := func(text string) {
		last := 0
		for _, m := range xlsform.Ref.FindAllStringSubmatchIndex(text, -1) {
			if m[0] > last {
				out = append(out, words(text[last:m[0]]))
			}
			out = append(out, el("output", "value", w.path(text, m, from, how{})))
			last = m[1]
		}
		if last < len(text) {
			out = append(out, words(text[last:]))
		}
	}
	last := 0
	for _, p := range listPaths(s) {
		add(s[last:p[0]])
		out = append(out, el("output", "value", w.expr(s[p[0]:p[1]], from, how{})))
		last = p[1]
	}
	add(s[last:])
	return out
}

// listPaths finds the paths into lists, instance('towns')/root/item[name=1]/label,
// that stand in a text. A blank ends one, except within brackets.
func listPaths(s string) [][2]int {
	if len(s) <= len("instance(") {
		return nil
	}
	var out [][2]int
	tokens := xlsform.Tokens(s)
	for i := 0; i < len(tokens); i++ {
		if tokens[i].Kind != xlsform.TokenFunction || s[tokens[i].Start:tokens[i].End] != "instance(" {
			continue
		}
		if i+1 == len(tokens) || tokens[i+1].Kind != xlsform.TokenLiteral {
			continue // words that look like it
		}
		end := tokens[i].End
		depth, j := 1, i+1
		for ; j < len(tokens); j++ {
			k := tokens[j].Kind
			switch k {
			case xlsform.TokenFunction, xlsform.TokenPredicate, xlsform.TokenOpen:
				depth++
			case xlsform.TokenClose, xlsform.TokenPredicateEnd:
				depth--
			}
			if depth < 0 || depth == 0 && k == xlsform.TokenSpace {
				break
			}
			if depth == 0 && k != xlsform.TokenClose && k != xlsform.TokenPredicateEnd && k != xlsform.TokenSlash && k != xlsform.TokenName && k != xlsform.TokenParent && k != xlsform.TokenSelf && k != xlsform.TokenNumber && k != xlsform.TokenMath {
				break
			}
			end = tokens[j].End
		}
		out = append(out, [2]int{tokens[i].Start, end})
		i = j - 1
	}
	return out
}
