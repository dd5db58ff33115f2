package xlsform_test

import (
	"maps"
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xlsform"
)

func TestLanguageCode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]dtm.Lang{
		"French (fr)": "fr", "Français (fr)": "fr", "fr": "fr", "français": "fr", "FRENCH": "fr", " English ( en ) ": "en", "العربية": "ar", "Somali (so)": "so", "Portuguese (pt-BR)": "pt-br",
		"default": "", "": "", "Klingon": "", "French (of France)": "", "(": "", ")": "", "()": "", "a": "", "日本": "",
	} {
		if got := xlsform.LanguageCode(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// TestTitles: the columns translated_title of the sheet settings are titles; other
// columns that nobody knows change nothing, as for pyxform.
func TestTitles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		want     dtm.Text
	}{
		"none":             {"| | form_id | form_title |\n| | f | Site |\n", nil},
		"default named":    {"| | form_id | form_title | default_language |\n| | f | Site | English (en) |\n", dtm.Text{"en": "Site"}},
		"three":            {"| | form_id | form_title | default_language | translated_title::French (fr) | Translated_Title::Arabic (ar) |\n| | f | Site | English (en) | Lieu | موقع |\n", dtm.Text{"en": "Site", "fr": "Lieu", "ar": "موقع"}},
		"one empty":        {"| | form_id | form_title | translated_title::French (fr) | translated_title::Arabic (ar) |\n| | f | Site | Lieu | |\n", dtm.Text{"fr": "Lieu"}},
		"without language": {"| | form_id | form_title | translated_title |\n| | f | Site | Lieu |\n", nil},
		"unknown columns":  {"| | form_id | form_title | colour | subtitle::French (fr) |\n| | f | Site | blue | Lieu |\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, warnings, err := xlsform.Read("f.md", []byte("| survey |\n| | type | name | label |\n| | text | a | A |\n| settings |\n"+c.settings))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.TitleText(); !maps.Equal(got, c.want) || got == nil != (c.want == nil) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if f.Title != "Site" {
				t.Errorf("its own title: %q", f.Title)
			}
			for _, w := range warnings {
				if strings.Contains(w.String(), "title") {
					t.Errorf("warned: %s", w)
				}
			}
			if len(f.Phrases()) == 0 || f.Phrases()[0].Key != "settings#title" {
				t.Error("translators do not get the title")
			}
		})
	}
}
