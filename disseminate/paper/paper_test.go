package paper

import (
	"strings"
	"testing"

	"dtm"
	"dtm/gather/xlsform"
	"dtm/operation"
)

const small = `
| survey |
| | type | name | label::English (en) | label::French (fr) | relevant | calculation | choice_filter |
| | note | hello | Hello | Bonjour | | | |
| | select_one yn | agree | Agree? | D'accord ? | | | |
| | integer | age | Age | Âge | | | |
| | select_multiple need | need | Needs | Besoins | | | |
| | select_one town | town | Town | Ville | | | part = ${agree} |
| | calculate | kind | | | | if(${age} < 18, 'child', if(${agree} = 'yes', 'willing', 'other')) | |
| | calculate | words | | | | normalize-space(concat(if(${age} >= 60, 'old ', ''), if(selected(${need}, 'a'), 'a ', ''))) | |
| | calculate | sum | | | | ${age} + 1 | |
| | begin group | g | Group | Groupe | %s | | |
| | text | why | Why ${age}? | Pourquoi ${age} ? | | | |
| | end group | | | | | | |
| choices |
| | list_name | name | label::English (en) | label::French (fr) | part |
| | yn | yes | Yes | Oui | |
| | yn | no | No | Non | |
| | need | a | Water | Eau | |
| | need | b | Food | Vivres | |
| | town | t1 | One | Un | yes |
| | town | t2 | Two | Deux | no |
`

func read(t *testing.T, relevant string) *xlsform.Form {
	t.Helper()
	f, _, err := xlsform.Read("small.md", []byte(strings.Replace(small, "%s", strings.ReplaceAll(relevant, "|", `\|`), 1)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestConditions: when a question is asked is said in words of other questions.
func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ relevant, want string }{
		{"", ""},
		{"true()", ""},
		{"${agree} = 'yes'", "Only if the answer to 1 is “Yes”."},
		{"'yes' = ${agree}", "Only if the answer to 1 is “Yes”."},
		{"not(${agree} = 'yes')", "Only if the answer to 1 is not “Yes”."},
		{"${agree} != ''", "Only if 1 is answered."},
		{"${age} < 18", "Only if the answer to 2 is less than 18."},
		{"18 <= ${age}", "Only if the answer to 2 is 18 or more."},
		{"not(${age} > 5)", "Only if the answer to 2 is 5 or less."},
		{"selected(${need}, 'a') or selected(${need}, 'b')", "Only if “Water” or “Food” is ticked in 3."},
		{"${age} > 5 and (${agree} = 'no' or not(selected(${need}, 'a')))", "Only if the answer to 2 is more than 5 and (the answer to 1 is “No” or “Water” is not ticked in 3)."},
		{"not(selected(${need}, 'a') or selected(${need}, 'b'))", "Only if none of these is ticked in 3: “Water”, “Food”."},
		{"${age} > 1" + strings.Repeat(" and ${age} > 1 and ${agree} = 'no'", 6), "The phone decides this from other answers."},
		{"${kind} = 'child'", "Only if the answer to 2 is less than 18."},
		{"${kind} = 'willing'", "Only if the answer to 2 is 18 or more and the answer to 1 is “Yes”."},
		{"${kind} != 'child'", "Only if the answer to 2 is 18 or more."},
		{"${words} = ''", "Only if the answer to 2 is less than 60 and “Water” is not ticked in 3."},
		{"${words} != ''", "Only if the answer to 2 is 60 or more or “Water” is ticked in 3."},
		{"${kind} = 'nothing'", "Only where the form's rule holds: ${kind} = 'nothing'"},
		{"${sum} = 4", "Only where the form's rule holds: ${sum} = 4"},
		{"count-selected(${need}) > 1", "Only where the form's rule holds: count-selected(${need}) > 1"},
		{"count-selected(${need}) > 1 and ${age} > 5", "Only where the form's rule holds: count-selected(${need}) > 1 and ${age} > 5"},
	} {
		s, err := lay(Form{Form: read(t, c.relevant), Lang: dtm.English})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, i := range s.Items {
			if i.Kind == "group" {
				got = i.Only
			}
		}
		if got = strings.ReplaceAll(got, "’", "'"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.relevant, got, c.want)
		}
	}
}

func TestLay(t *testing.T) {
	t.Parallel()
	s, err := lay(Form{Form: read(t, "${agree} = 'yes'"), Lang: dtm.French})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range s.Items {
		got = append(got, strings.TrimSpace(i.Kind+" "+i.No+" "+i.Field+" "+i.Label))
	}
	want := "note   Bonjour, question 1 one D’accord ?, question 2 digits Âge, question 3 many Besoins, question 4 one Ville, group   Groupe, question 5 line Pourquoi ______ ?"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if town := s.Items[4]; len(town.Sets) != 2 || town.Sets[0].Title != "Oui" || town.Sets[1].Choices[0] != (Choice{"t2", "Deux"}) {
		t.Errorf("the towns are not divided by the answer before: %+v", town.Sets)
	}
	if _, err := lay(Form{Form: read(t, ""), Lang: dtm.Arabic}); dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("a language that the form does not have: %v", err)
	}
}

// TestPack: of every form of the pack, in every language, each question is printed
// and every condition is in words.
func TestPack(t *testing.T) {
	t.Parallel()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range op.Forms {
		f, _, err := xlsform.Read(pack.File, pack.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
			s, err := lay(Form{Form: f, Lang: l, Lists: map[string][]Choice{"points.csv": {{"obock", "Obock"}}}})
			if err != nil {
				t.Fatal(err)
			}
			if s.Title == "" || l != dtm.English && s.Title == f.Title {
				t.Errorf("%s is called %q in %s", f.ID, s.Title, l)
			}
			printed := map[string]bool{}
			for _, i := range s.Items {
				for _, x := range append([]item{i}, i.Columns...) {
					printed[x.No] = true
					if strings.Contains(x.Only, "${") {
						t.Errorf("%s, %s: %s", f.ID, x.Label, x.Only)
					}
					if x.Wide && len(x.Sets) == 0 {
						t.Errorf("%s, question %s has no place for its answer", f.ID, x.No)
					}
					if x.Label == "" || (x.Field == "one" || x.Field == "many") && len(x.Sets) == 0 {
						t.Errorf("%s, question %s: %q, choices %v", f.ID, x.No, x.Label, x.Sets)
					}
				}
			}
			delete(printed, "") // headings and notes
			n := 0
			f.Root.Walk(func(x *xlsform.Node) {
				if asked(x) {
					n++
				}
			})
			if len(printed) != n {
				t.Errorf("%s in %s: %d of %d questions are printed", f.ID, l, len(printed), n)
			}
		}
	}
}
