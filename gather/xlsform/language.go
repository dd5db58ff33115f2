package xlsform

import (
	"strings"

	"dtm"
)

// languageNames are the languages that a form may name without a code.
var languageNames = map[string]dtm.Lang{
	"english": dtm.English, "anglais": dtm.English,
	"french": dtm.French, "français": dtm.French, "francais": dtm.French,
	"arabic": dtm.Arabic, "arabe": dtm.Arabic, "العربية": dtm.Arabic,
}

// LanguageCode is the code of a language as forms name it: "fr" of "French (fr)", of
// "fr" and of "Français"; "" when it cannot be told.
func LanguageCode(name string) dtm.Lang {
	name = strings.ToLower(strings.TrimSpace(name))
	if l, ok := languageNames[name]; ok {
		return l
	}
	if i := strings.LastIndexByte(name, '('); i >= 0 && strings.HasSuffix(name, ")") {
		name = strings.TrimSpace(name[i+1 : len(name)-1])
	}
	primary, _, _ := strings.Cut(name, "-") // "pt-BR"
	if len(primary) < 2 || len(primary) > 3 || strings.Trim(primary, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return dtm.Lang(name)
}

// Language is what the form calls a language, "" when it is not written in it.
func (f *Form) Language(l dtm.Lang) string {
	for _, name := range f.Languages {
		if LanguageCode(name) == l {
			return name
		}
	}
	return ""
}

// TitleText is the title in the languages that can be told, the default one among
// them; nil when the form names none.
func (f *Form) TitleText() dtm.Text {
	var out dtm.Text
	for _, t := range append(Texts{{f.DefaultLanguage, f.Title}}, f.Titles...) {
		if l := LanguageCode(t.Lang); l != "" && t.Words != "" && out[l] == "" {
			if out == nil {
				out = dtm.Text{}
			}
			out[l] = t.Words
		}
	}
	return out
}
