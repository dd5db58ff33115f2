package dtm

// Lang is an ISO 639-1 language code: "en", "fr", "ar".
type Lang string

const (
	English Lang = "en"
	French  Lang = "fr"
	Arabic  Lang = "ar"
)

// RTL tells whether the language is written from right to left.
func (l Lang) RTL() bool { return l == Arabic }

// Text is one thing said in several languages.
type Text map[Lang]string

// In returns the text in l, else in English, else in any language, else "".
func (t Text) In(l Lang) string {
	if s := t[l]; s != "" {
		return s
	}
	if s := t[English]; s != "" {
		return s
	}
	for _, k := range []Lang{French, Arabic} {
		if s := t[k]; s != "" {
			return s
		}
	}
	return ""
}
