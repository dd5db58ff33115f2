package bulk

import (
	"strings"

	"dtm"
)

// spellings leads from what files write to codes: the codes themselves, the
// aliases of the list, its labels in every language, and the registry's own words.
type spellings map[string]map[string]string // list -> folded spelling -> code

// own words of registries, whatever the languages of the pack.
var words = map[string]map[string]string{
	"sex":       {"m": "male", "f": "female", "homme": "male", "femme": "female", "masculin": "male", "feminin": "female", "inconnu": "unknown"},
	"age":       {"adult": "adults", "child": "children", "adulte": "adults", "adultes": "adults", "enfant": "children", "enfants": "children", "inconnu": "unknown"},
	"direction": {"in": "incoming", "out": "outgoing", "entrant": "incoming", "sortant": "outgoing"},
}

func newSpellings(op *dtm.Operation) spellings {
	all := spellings{}
	for name, list := range op.Lists {
		m := map[string]string{}
		add := func(s, code string) {
			key := dtm.Fold(s)
			if other, taken := m[key]; taken && other != code {
				code = "" // of two codes it means neither
			}
			m[key] = code
		}
		for _, c := range list.Codes {
			for _, label := range c.Label {
				add(label, c.Code)
			}
		}
		for _, c := range list.Codes {
			if a := c.Extra["aliases"]; a != "" {
				for _, alias := range strings.Split(a, ";") {
					m[dtm.Fold(alias)] = c.Code
				}
			}
		}
		for _, c := range list.Codes {
			m[dtm.Fold(c.Code)] = c.Code
		}
		all[name] = m
	}
	for name, w := range words {
		m := all[name]
		for s, code := range w {
			if m != nil && m[s] == "" && m[code] != "" {
				m[s] = code
			}
		}
	}
	return all
}

// spelling is what a word of a file means in a list.
type spelling struct {
	code string
	rule string // of the flag it earns; "" for none
}

// find looks a word up; what is not there stays as written, with a flag.
func (l spellings) find(list, s string) spelling {
	known, ok := l[list]
	if !ok {
		return spelling{code: s}
	}
	switch c := known[dtm.Fold(s)]; {
	case c == "":
		return spelling{s, "code.unknown"}
	case dtm.Fold(c) != dtm.Fold(s):
		return spelling{c, "code.spelling"}
	default:
		return spelling{code: c}
	}
}
