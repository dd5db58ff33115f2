package xlsform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dtm/gather/xlsform"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	read := func(md string) *xlsform.Form {
		t.Helper()
		f, _, err := xlsform.Read("f.md", []byte(md))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := `
| survey | | | | | |
| | type | name | label::English (en) | label::French (fr) | relevant |
| | text | name | Name | Nom | |
| | begin_group | g | Group | Groupe | |
| | integer | age | Age | Âge | |
| | select_one sex | sex | Sex | Sexe | |
| | end_group | | | | |
| choices | | | | | |
| | list_name | name | label::English (en) | label::French (fr) | |
| | sex | m | Men | Hommes | |
| | sex | f | Women | Femmes | |
| settings | | | | | |
| | form_id | version | form_title | | |
| | f | 1 | F | | |
`
	for name, c := range map[string]struct{ old, new, want string }{
		"nothing":            {"", "", ""},
		"version":            {"| | f | 1 |", "| | f | 2 |", "altered  version 1>2"},
		"a label":            {"| Nom |", "| Nom complet |", "altered /data/name label French (fr) Nom>Nom complet"},
		"logic":              {"| | integer | age | Age | Âge | |", "| | integer | age | Age | Âge | ${name} != '' |", "altered /data/g/age relevant >${name} != ''"},
		"type":               {"integer | age", "decimal | age", "altered /data/g/age type integer >decimal "},
		"added":              {"| | end_group", "| | text | note | Note | Note | |\n| | end_group", "added /data/g/note  >text"},
		"removed":            {"| | text | name | Name | Nom | |\n", "", "removed /data/name  text>"},
		"moved":              {"| | text | name | Name | Nom | |\n| | begin_group | g | Group | Groupe | |\n", "| | begin_group | g | Group | Groupe | |\n| | text | name | Name | Nom | |\n", "moved /data/g/name  /data/name>/data/g/name"},
		"a group renamed":    {"begin_group | g |", "begin_group | h |", "added /data/h  >group; moved /data/h/age  /data/g/age>/data/h/age; moved /data/h/sex  /data/g/sex>/data/h/sex; removed /data/g  group>"},
		"a choice":           {"| | sex | f | Women | Femmes | |\n", "| | sex | u | Unknown | Inconnu | |\n", "choice_added sex/u  >; choice_removed sex/f  >"},
		"a title":            {"form_title | | |\n| | f | 1 | F | | |", "form_title | translated_title::French (fr) | |\n| | f | 1 | F | Le f | |", "altered  title French (fr) >Le f"},
		"a choice's label":   {"| Hommes |", "| Messieurs |", "altered sex/m label French (fr) Hommes>Messieurs"},
		"language withdrawn": {"label::French (fr) | relevant", "label::Arabic (ar) | relevant", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := read(base)
			if c.old != "" && !strings.Contains(base, c.old) {
				t.Fatal("the case changes nothing")
			}
			after := read(strings.Replace(base, c.old, c.new, 1))
			var got []string
			for _, x := range xlsform.Diff(before, after) {
				got = append(got, fmt.Sprintf("%s %s %s %s>%s", x.Kind, x.Path, x.What, x.Before, x.After))
			}
			if name == "language withdrawn" {
				if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "label French (fr) Nom>") }) || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "altered  languages") }) {
					t.Errorf("got %q", got)
				}
				return
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got  %q\nwant %q", strings.Join(got, "; "), c.want)
			}
			// The way back names the same places.
			if len(xlsform.Diff(after, before)) != len(got) {
				t.Errorf("%d changes there, %d back", len(got), len(xlsform.Diff(after, before)))
			}
		})
	}
}
