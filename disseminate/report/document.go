package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dtm"
)

// Document is a report as it is to be read. Every text is in Lang and
// stands as it is: markup in it is not obeyed. Empty parts are left out.
type Document struct {
	Product  string    `json:"-"` // dtm.ReportProducts: which template lays it out
	Lang     dtm.Lang  `json:"lang"`
	Date     time.Time `json:"-"`        // day of the release; the PDF is dated with it
	Kicker   string    `json:"kicker"`   // above the title: the operation
	Title    string    `json:"title"`    // "Flow monitoring report, December 2022"
	Subtitle string    `json:"subtitle"` // what was observed, where, from when to when
	Author   string    `json:"author"`   // of the PDF
	Marks    []Mark    `json:"marks"`    // on the first page and at the head of every other
	Cells    []Cell    `json:"cells"`    // headline figures; four to a row

	Facts    []Term    `json:"facts"`    // what is fixed about the subject
	Overview Overview  `json:"overview"` // page one
	Opening  []Figure  `json:"opening"`  // page one, where it has room for them
	Spread   Section   `json:"spread"`   // page two, filled by up to two figures
	Sections []Section `json:"sections"`
	Notes    []Note    `json:"notes"` // method and limits, definitions, credits

	Footer string `json:"footer"` // under every page: source line and release
	Words  Words  `json:"words"`
}

// Mark is a warning about the whole document.
type Mark struct {
	Text  string `json:"text"`  // "Provisional"
	Alarm bool   `json:"alarm"` // stands out: the figures are not real
}

// Cell is one headline figure.
type Cell struct {
	Value string `json:"value"` // "19 156"
	Label string `json:"label"` // "movements observed"
	Note  string `json:"note"`  // "5% more than in November"
}

// Overview answers the reader's questions on page one.
type Overview struct {
	Title  string  `json:"title"`
	Points []Point `json:"points"`
}

// Point is a question and its answer.
type Point struct {
	Lead string     `json:"lead"` // "How many"
	Text string     `json:"text"` // the sentences, one after the other
	Said []Sentence `json:"-"`
}

// Sentence is generated from figures; a writer may put it into other words.
type Sentence struct {
	ID         string // "how_many/1": the topic, and which one of it
	Lead       string
	Text       string
	Indicators []string
}

// answer is a point of sentences, none when there are none.
func answer(topic, lead string, said ...Sentence) []Point {
	if len(said) == 0 {
		return nil
	}
	for i := range said {
		said[i].ID, said[i].Lead = topic+"/"+strconv.Itoa(i+1), lead
	}
	p := Point{Lead: lead, Said: said}
	p.join()
	return []Point{p}
}

func (p *Point) join() {
	var list []string
	for _, s := range p.Said {
		list = append(list, s.Text)
	}
	p.Text = strings.Join(list, " ")
}

// Sentences are those of the overview, in its order.
func (d Document) Sentences() []Sentence {
	var out []Sentence
	for _, p := range d.Overview.Points {
		out = append(out, p.Said...)
	}
	return out
}

// Reworded is the document with other words in place of those sentences.
func (d Document) Reworded(words map[string]string) Document {
	d.Overview.Points = slices.Clone(d.Overview.Points)
	for i := range d.Overview.Points {
		p := &d.Overview.Points[i]
		if len(p.Said) == 0 {
			continue
		}
		p.Said = slices.Clone(p.Said)
		for k, s := range p.Said {
			if w, ok := words[s.ID]; ok {
				p.Said[k].Text = w
			}
		}
		p.join()
	}
	return d
}

// Section is a part with a heading. Its texts come first, then figures, tables.
type Section struct {
	Title   string   `json:"title"`
	Text    []string `json:"text"`
	Figures []Figure `json:"figures"`
	Tables  []Table  `json:"tables"`
}

// Figure is a drawing. Two that are not Wide stand side by side.
type Figure struct {
	Title    string `json:"title"`    // the finding in a sentence
	Subtitle string `json:"subtitle"` // measure, unit, period, coverage
	Alt      string `json:"alt"`      // what a reader who cannot see it is told; required
	Caption  string `json:"caption"`  // under it: caveats, disclaimer
	SVG      []byte `json:"-"`        // drawn without its title
	Wide     bool   `json:"wide"`     // drawn for the whole width (640 px); otherwise half of it (358 px)
}

// Table has a head that is repeated on every page it reaches.
type Table struct {
	Title    string     `json:"title"`
	Subtitle string     `json:"subtitle"`
	Columns  []Column   `json:"columns"`
	Rows     [][]string `json:"rows"`  // as many fields as columns; the first names the row
	Total    bool       `json:"total"` // the last row is the sum of the others
	Caption  string     `json:"caption"`
	Broad    bool       `json:"broad"` // needs the whole width
}

// Column is a column's head.
type Column struct {
	Title  string `json:"title"`
	Number bool   `json:"number"` // figures, aligned by their ends
}

// Note is a titled text in small print at the end.
type Note struct {
	Title string   `json:"title"`
	Text  []string `json:"text"`
	Terms []Term   `json:"terms"`
}

// Term is a definition.
type Term struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Words are the fixed texts of the layout itself.
type Words struct {
	Page     string `json:"page"`     // "Page {page} of {pages}"
	Contents string `json:"contents"` // over the list of contents; "": none
}

// check finds what would give a document that cannot be read or published.
func (d Document) check() error {
	fault := func(where, msg string) error {
		return &dtm.Error{Kind: dtm.Invalid, Op: "report.Print", Where: where, Msg: msg}
	}
	switch {
	case !slices.Contains(dtm.ReportProducts, d.Product):
		return fault("product", fmt.Sprintf("there is no product %q", d.Product))
	case d.Lang == "":
		return fault("lang", "the report has no language")
	case d.Title == "":
		return fault("title", "the report has no title")
	case d.Date.IsZero():
		return fault("date", "the report has no date; give the day of its release")
	case !strings.Contains(d.Words.Page, "{page}"):
		return fault("words.page", `the page number's text has no "{page}"`)
	}
	for i, f := range d.figures() {
		where := fmt.Sprintf("figure %d (%s)", i+1, f.Title)
		switch {
		case len(f.SVG) == 0:
			return fault(where, "the figure has no drawing")
		case f.Alt == "":
			return fault(where, "the figure has no alternative text")
		case !utf8.Valid(f.SVG):
			return fault(where, "the drawing is not UTF-8")
		}
	}
	for _, s := range append([]Section{d.Spread}, d.Sections...) {
		for _, t := range s.Tables {
			for i, r := range t.Rows {
				if len(r) != len(t.Columns) {
					return fault(fmt.Sprintf("%s, row %d", t.Title, i+1), fmt.Sprintf("the row has %d fields, the table %d columns", len(r), len(t.Columns)))
				}
			}
		}
	}
	return nil
}

// figures are all figures in the order of the document.
func (d Document) figures() []*Figure {
	var out []*Figure
	add := func(fs []Figure) {
		for i := range fs {
			out = append(out, &fs[i])
		}
	}
	add(d.Opening)
	add(d.Spread.Figures)
	for _, s := range d.Sections {
		add(s.Figures)
	}
	return out
}
