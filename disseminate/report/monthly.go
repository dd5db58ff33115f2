package report

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"

	"dtm"
)

//go:embed template/*.typ
var templates embed.FS

// Compiler makes a PDF of the document main and its files: typst.Engine or Press.
type Compiler interface {
	Compile(ctx context.Context, main string, files map[string][]byte) ([]byte, error)
}

// Monthly makes the PDF of a monthly report. Errors: Invalid, with the place,
// for a document that lacks what every report needs; otherwise those of the
// compiler (Unavailable when ctx ends first).
func Monthly(ctx context.Context, c Compiler, d Document) ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{"monthly.typ", "house.typ"} {
		source, err := templates.ReadFile("template/" + name)
		if err != nil {
			return nil, err
		}
		files[name] = source
	}
	data, err := json.Marshal(wire(d, files))
	if err != nil {
		return nil, dtm.Errorf(dtm.Internal, "the report cannot be written as JSON: %w", err)
	}
	files["data.json"] = data
	return c.Compile(ctx, "monthly.typ", files)
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
		Date     [3]int    `json:"date"`
		RTL      bool      `json:"rtl"`
		Opening  []figure  `json:"opening"`
		Spread   section   `json:"spread"`
		Sections []section `json:"sections"`
		Notes    []Note    `json:"notes"`
	}
	out.Document = d
	out.Document.Marks, out.Document.Cells, out.Document.Overview.Points = list(d.Marks), list(d.Cells), list(d.Overview.Points)
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
