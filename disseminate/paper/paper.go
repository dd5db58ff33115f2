package paper

import (
	"context"
	"embed"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/gather/xlsform"
)

//go:embed template/*.typ
var templates embed.FS

// Compiler makes a PDF of the document main and its files, as package report's does.
type Compiler interface {
	Compile(ctx context.Context, main string, files map[string][]byte) ([]byte, error)
}

// Form is what is to be printed.
type Form struct {
	Form   *xlsform.Form
	Lang   dtm.Lang
	Kicker string              // above the title: the operation
	Lists  map[string][]Choice // of files that the form reads: "points.csv"
}

// Choice is an entry of such a list.
type Choice struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Print makes the PDF. Errors: Invalid for a form that does not speak the language;
// otherwise those of the compiler.
func Print(ctx context.Context, c Compiler, f Form) ([]byte, error) {
	s, err := lay(f)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, dtm.Errorf(dtm.Internal, "the paper form cannot be written as JSON: %w", err)
	}
	template, err := templates.ReadFile("template/paper.typ")
	if err != nil {
		return nil, err
	}
	return c.Compile(ctx, "paper.typ", map[string][]byte{"paper.typ": template, "data.json": data})
}

// sheet is the form as the template reads it.
type sheet struct {
	Lang    string            `json:"lang"`
	RTL     bool              `json:"rtl"`
	Kicker  string            `json:"kicker"`
	Title   string            `json:"title"`
	ID      string            `json:"id"`
	Version string            `json:"version"`
	Items   []item            `json:"items"`
	Annex   []annex           `json:"annex"`
	Words   map[string]string `json:"words"`
}

// item is a heading, a note, a question or a repeat.
type item struct {
	Kind     string   `json:"kind"` // "group", "note", "question", "repeat"
	Level    int      `json:"level"`
	No       string   `json:"no"`
	Label    string   `json:"label"`
	Hint     string   `json:"hint"`
	Only     string   `json:"only"`
	Required bool     `json:"required"`
	Field    string   `json:"field"`  // of questions: "one", "many", "digits", "line", "lines", "date", "time", "place", "picture", "code"
	List     string   `json:"list"`   // letter of the list at the end that the code is of; "" of none
	Wide     bool     `json:"wide"`   // the choices stand below the question, not beside it
	Across   int      `json:"across"` // columns of choices
	Sets     []set    `json:"sets"`   // choices; several sets where an earlier answer divides them
	Columns  []item   `json:"columns"`
	Rows     []string `json:"rows"` // of a repeat: the number of each
}

type set struct {
	Title   string   `json:"title"`
	Choices []Choice `json:"choices"`
}

// annex is a list that is too long to be printed beside its questions.
type annex struct {
	Letter  string   `json:"letter"`
	Title   string   `json:"title"`
	Choices []Choice `json:"choices"`
}

const (
	mostBoxes = 16 // choices of a list printed as boxes
	turns     = 6  // rows of a repeat
	columns   = 8  // most questions of a repeat printed as columns
)

// writer lays one form out.
type writer struct {
	form    *xlsform.Form
	lang    dtm.Lang
	header  string // the language as the form names it
	lists   map[string][]Choice
	named   map[string]*xlsform.Node
	numbers map[*xlsform.Node]string
	annex   []annex
	work    int               // done on the condition at hand
	letters map[string]string // list or file -> letter
}

func lay(f Form) (sheet, error) {
	w := &writer{form: f.Form, lang: f.Lang, lists: f.Lists, named: map[string]*xlsform.Node{}, numbers: map[*xlsform.Node]string{}, letters: map[string]string{}}
	w.header = f.Form.Language(f.Lang)
	if w.header == "" && len(f.Form.Languages) > 0 {
		return sheet{}, dtm.Errorf(dtm.Invalid, "the form %s has no texts in the language %q; it has: %s", f.Form.ID, f.Lang, strings.Join(f.Form.Languages, ", ")).Coded("paper.language", f.Form.ID, string(f.Lang), strings.Join(f.Form.Languages, ", "))
	}
	n := 0
	f.Form.Root.Walk(func(x *xlsform.Node) {
		if w.named[x.Name] == nil {
			w.named[x.Name] = x
		}
		if asked(x) {
			n++
			w.numbers[x] = strconv.Itoa(n)
		}
	})
	s := sheet{Lang: string(f.Lang), RTL: f.Lang.RTL(), Kicker: f.Kicker, Title: printed(f.Form.TitleIn(w.header)), ID: f.Form.ID, Version: f.Form.Version, Words: map[string]string{}}
	for _, k := range []string{"enumerator", "sheet", "began", "ended", "entered", "page", "legend", "list", "code_of", "latitude", "longitude", "day", "month", "year", "photo", "more"} {
		s.Words[k] = w.say("paper." + k)
	}
	s.Items = w.level(f.Form.Root, 1)
	s.Annex = append([]annex{}, w.annex...)
	return s, nil
}

// asked tells whether a person answers the question.
func asked(n *xlsform.Node) bool {
	return n.Kind == xlsform.Question && n.Tag != "" && n.Type != "note" && n.Bind["calculate"] == "" && n.Bind["readonly"] == ""
}

func (w *writer) level(parent *xlsform.Node, depth int) []item {
	out := []item{}
	for _, n := range parent.Nodes {
		x := item{Level: min(depth, 3), No: w.numbers[n], Label: w.text(n.Label), Hint: w.text(n.Hint), Only: w.only(n.Bind["relevant"]), Sets: []set{}, Columns: []item{}, Rows: []string{}}
		switch {
		case n.Kind == xlsform.Group:
			inside := w.level(n, depth+1)
			if len(inside) == 0 {
				continue
			}
			if x.Label == "" && x.Only == "" {
				out = append(out, inside...)
				continue
			}
			x.Kind = "group"
			out = append(append(out, x), inside...)
		case n.Kind == xlsform.Repeat:
			out = append(out, w.repeat(n, x, depth)...)
		case n.Type == "note":
			x.Kind = "note"
			out = append(out, x)
		case asked(n):
			out = append(out, w.field(n, x))
		}
	}
	return out
}

// repeat is a table of turns where its questions fit into columns; otherwise the
// questions stand there a few times.
func (w *writer) repeat(n *xlsform.Node, x item, depth int) []item {
	inside := w.level(n, depth+1)
	questions := !slices.ContainsFunc(inside, func(i item) bool { return i.Kind != "question" && i.Kind != "note" })
	var cols []item
	for _, i := range inside {
		if i.Kind == "question" {
			cols = append(cols, i)
		}
	}
	if questions && len(cols) > 0 && len(cols) <= columns {
		x.Kind, x.Columns = "repeat", cols
		for i := range turns {
			x.Rows = append(x.Rows, strconv.Itoa(i+1))
		}
		return []item{x}
	}
	var out []item
	for i := range 3 {
		turn := x
		turn.Kind = "group"
		turn.Label += " " + strconv.Itoa(i+1)
		out = append(append(out, turn), inside...)
	}
	return out
}

// divided is a choice filter that compares one column with one earlier answer.
var divided = regexp.MustCompile(`^\s*([\w-]+)\s*=\s*\$\{([^}]+)\}\s*$`)

func (w *writer) field(n *xlsform.Node, x item) item {
	x.Kind, x.Required = "question", n.Bind["required"] != "" && n.Bind["required"] != "false()"
	switch n.Type {
	case "integer", "range":
		x.Field = "digits"
	case "date", "time", "datetime":
		x.Field = map[string]string{"date": "date", "time": "time", "datetime": "date"}[n.Type]
	case "geopoint", "geotrace", "geoshape":
		x.Field = "place"
	case "image", "audio", "video", "file", "background-audio":
		x.Field = "picture"
	case "acknowledge":
		x.Field, x.Sets = "many", []set{{Choices: []Choice{{Label: "OK"}}}}
	default:
		x.Field = "line"
		if strings.Contains(n.Appearance(), "multiline") {
			x.Field = "lines"
		}
	}
	if n.File != "" && w.lists[n.File] != nil {
		x.Field, x.List = "code", w.letter(n.File, x.Label, w.lists[n.File])
		return x
	}
	list := w.form.ChoiceList(n.List)
	if list == nil {
		return x
	}
	all := w.choices(list)
	x.Field = "one"
	if n.Type == "select_multiple" {
		x.Field = "many"
	}
	x.Across, x.Wide = across(all, narrow), false
	if beside := (len(all) + x.Across - 1) / x.Across; beside > 3 {
		x.Across, x.Wide = across(all, wide), true
	}
	if m := divided.FindStringSubmatch(n.ChoiceFilter); m != nil && w.named[m[2]] != nil {
		if by := w.form.ChoiceList(w.named[m[2]].List); by != nil && len(all) <= 3*mostBoxes {
			for _, c := range by.Choices {
				s := set{Title: w.label(c)}
				for i, sub := range list.Choices {
					if slices.Contains(sub.Extra, xlsform.Column{Name: m[1], Value: c.Name}) {
						s.Choices = append(s.Choices, all[i])
					}
				}
				if len(s.Choices) > 0 {
					x.Sets = append(x.Sets, s)
				}
			}
			return x
		}
	}
	if len(all) > mostBoxes {
		x.Field, x.Wide, x.List = "code", false, w.letter(list.Name, x.Label, all)
		return x
	}
	x.Sets = []set{{Choices: all}}
	return x
}

// Room for choices beside a question and below it, in millimetres.
const (
	narrow = 96.0
	wide   = 172.0
)

// across is in how many columns choices stand, by the longest one and what its signs
// take at the size of the template.
func across(all []Choice, room float64) int {
	longest := 0.0
	for _, c := range all {
		longest = max(longest, 8+1.75*float64(len([]rune(c.Label)))+1.2*float64(len(c.Code)))
	}
	return max(1, min(4, len(all), int(room/longest)))
}

// letter names a list at the end, which is printed once.
func (w *writer) letter(name, title string, choices []Choice) string {
	if l, ok := w.letters[name]; ok {
		return l
	}
	l := string(rune('A' + len(w.annex)%26))
	w.letters[name] = l
	w.annex = append(w.annex, annex{l, title, choices})
	return l
}

func (w *writer) choices(l *xlsform.List) []Choice {
	out := []Choice{}
	for _, c := range l.Choices {
		out = append(out, Choice{c.Name, w.label(c)})
	}
	return out
}

func (w *writer) label(c xlsform.Choice) string {
	if s := w.text(c.Label); s != "" {
		return s
	}
	return c.Name
}

// choice is the label of a code.
func (w *writer) choice(list, code string) string {
	for _, c := range w.form.ChoiceList(list).Choices {
		if c.Name == code {
			return w.label(c)
		}
	}
	return code
}

var apostrophe = regexp.MustCompile(`(\pL)'(\pL)`)

// printed has the apostrophes of print, which forms lose on their way to phones.
func printed(s string) string { return apostrophe.ReplaceAllString(s, "$1’$2") }

// text is in the language of the paper; what phones would fill in is left to be
// written.
func (w *writer) text(t xlsform.Texts) string {
	s, plain := t.Plain()
	if !plain {
		s = t.In(w.header)
	}
	return printed(strings.TrimSpace(xlsform.Ref.ReplaceAllString(s, "______")))
}
