package report

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"dtm"
)

//go:embed template/*.typ
var templates embed.FS

// Compiler makes a PDF of the document main and its files: typst.Engine.
type Compiler interface {
	Compile(ctx context.Context, main string, files map[string][]byte) ([]byte, error)
}

// Print makes the PDF of a document by its product's template. Errors: Invalid, with
// the place, for a document that lacks what every report needs; otherwise those of
// the compiler (Unavailable when ctx ends first).
func Print(ctx context.Context, c Compiler, d Document) ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	main := d.Product + ".typ"
	for _, name := range []string{main, "house.typ"} {
		source, err := templates.ReadFile("template/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = source
	}
	data, err := json.Marshal(wire(d, files))
	if err == nil && d.Lang.RTL() {
		data, err = isolated(data)
	}
	if err != nil {
		return nil, dtm.Errorf(dtm.Internal, "the report cannot be written as JSON: %w", err)
	}
	files["data.json"] = data
	return c.Compile(ctx, main, files)
}

// wire is the document as the template reads it: drawings become files.
func wire(d Document, files map[string][]byte) any {
	type figure struct {
		Figure
		File string `json:"file"`
	}
	type section struct {
		Section
		Figures []figure `json:"figures"`
		Tables  []Table  `json:"tables"`
	}
	type meta struct { // of the file itself, never drawn
		Title    string `json:"title"`
		Subtitle string `json:"subtitle"`
		Author   string `json:"author"`
	}
	n := 0
	figures := func(fs []Figure) []figure {
		out := []figure{}
		for _, f := range fs {
			n++
			name := fmt.Sprintf("figure/%d.svg", n)
			files[name] = f.SVG
			out = append(out, figure{f, name})
		}
		return out
	}
	sections := func(s Section) section {
		s.Text = list(s.Text)
		for i := range s.Tables {
			s.Tables[i].Rows = list(s.Tables[i].Rows)
		}
		return section{s, figures(s.Figures), list(s.Tables)}
	}
	var out struct {
		Document
		Meta     meta      `json:"meta"`
		Date     [3]int    `json:"date"`
		RTL      bool      `json:"rtl"`
		Opening  []figure  `json:"opening"`
		Spread   section   `json:"spread"`
		Sections []section `json:"sections"`
		Notes    []Note    `json:"notes"`
	}
	out.Document = d
	out.Document.Marks, out.Document.Cells, out.Document.Overview.Points = list(d.Marks), list(d.Cells), list(d.Overview.Points)
	out.Document.Facts = list(d.Facts)
	out.Meta = meta{d.Title, d.Subtitle, d.Author}
	out.Date = [3]int{d.Date.Year(), int(d.Date.Month()), d.Date.Day()}
	out.RTL = d.Lang.RTL()
	out.Opening = figures(d.Opening)
	out.Spread = sections(d.Spread)
	out.Sections = []section{}
	for _, s := range d.Sections {
		out.Sections = append(out.Sections, sections(s))
	}
	out.Notes = []Note{}
	for _, t := range d.Notes {
		t.Text, t.Terms = list(t.Text), list(t.Terms)
		out.Notes = append(out.Notes, t)
	}
	return out
}

// list is s, never nil: JSON has an array then, not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// figure is a number with what belongs to it, sign, "<", percent, or a word of Latin letters,
// which may have numbers in it: the number of a release.
var figure = regexp.MustCompile(`[<>+\x{2212}-]?[0-9A-Za-z]+(?:[-/.,\x{202f}][0-9A-Za-z]+)*%?`)

// isolated wraps every number of the texts that are drawn, and every word with a number in it,
// in marks (U+2066, U+2069) that keep it together where text runs from right to left: "<10"
// would be read as "10>".
func isolated(data []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return figure.ReplaceAllStringFunc(v, func(word string) string {
				if !strings.ContainsAny(word, "0123456789") {
					return word
				}
				return "\u2066" + word + "\u2069"
			})
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				if k != "file" && k != "lang" && k != "meta" && k != "alt" {
					v[k] = walk(v[k])
				}
			}
		}
		return v
	}
	return json.Marshal(walk(v))
}
