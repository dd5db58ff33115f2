package dtm

import (
	"context"
	"math"
	"strconv"
	"time"
)

// Indicator is a named figure's definition: what a reader needs to quote it.
type Indicator struct {
	ID          string // "daily_average"
	Name        Text
	Definition  Text
	Formula     Text     // in words and symbols, few words
	Unit        string   // "movements", "movements/day", "percent", "points"
	Denominator Text     // what it is divided by; empty for counts
	Missing     Text     // how unknown and missing are treated
	Source      Text     // protocol or publication the rule is from; titles of works as they are
	Decimals    int      // digits after the point when published
	Counts      bool     // values are numbers of people: guard looks at them
	Share       bool     // values are percentages of a whole that By splits
	By          []string // dimensions it may be split by
	Default     []string // dimensions it is split by when the question names none
	Operation   bool     // declared by the operation's pack
	Facts       string   // what it counts: "movement", "presence", "interview", "need", "incident" ...
	Kind        string   // how counts become the figure: "count", "average_calendar", "share_within" ...
	Of          string   // which people are counted: "total", "entries", "reason", "transport", "vulnerable" ...
	// Fixed is the part of every question that the definition answers itself.
	Fixed map[string][]string
}

// Query asks for one indicator. Indicator may carry the wanted cells after a
// colon, "sex_age_share_pct:male_adult+unknown": they are added up.
type Query struct {
	Indicator string
	Period    Period
	By        []string            // dimensions; "month" and "day" are dimensions too
	Where     map[string][]string // dimension -> accepted codes
}

// Figure is one value of a table. Value is nil when there is no observation
// (missing) or when it is suppressed; the two are told apart by Suppressed.
type Figure struct {
	Keys        []string // codes, in the order of Table.By
	Value       *float64 // exact; Round gives what is published
	Numerator   *float64
	Denominator *float64
	People      int64 // people behind the value: what guard's threshold is held against
	Suppressed  bool
	// About is a withheld figure's round neighbour, where it is withheld only for the
	// sake of others and can be told so closely without telling them; between Low and High
	// it is for certain. All nil: nothing can be told.
	About, Low, High *float64
}

// Table is an indicator's answer.
type Table struct {
	ID        string // stable over runs: leads to definition, filter and release
	Indicator Indicator
	Query     Query
	By        []string
	Figures   []Figure
	Points    []string            // of a constant panel: the points that are counted
	Cells     []map[string]string // wanted cells that were added up, by dimension
	Basis     string              // which denominator or basis was used: "calendar_days:31", "total"
	Notes     []Note
	Release   Release
}

// Note is a caveat that must stand with the figure.
type Note struct {
	Code string
	Text Text
}

// NoteCompany is the code of guard's note on a table in which figures that are
// not small are withheld too: "<10" is not true of each of them.
const NoteCompany = "guard.company"

// Release names the state of the data a figure was computed from. Until a month
// is frozen it is provisional: the last loaded event and its hash.
type Release struct {
	Number string // "2022-12/1" once frozen; "" while provisional
	Seq    int64
	Hash   string
	At     time.Time
}

// ID is what is printed: "2022-12/1", or "provisional-1234-1a2b3c4d".
func (r Release) ID() string {
	if r.Number != "" {
		return r.Number
	}
	h := r.Hash
	if len(h) > 8 {
		h = h[:8]
	}
	if h == "" {
		return "provisional-0"
	}
	return "provisional-" + strconv.FormatInt(r.Seq, 10) + "-" + h
}

// Figures answers questions about the data. Rooms that publish get one that
// guard stands in front of.
type Figures interface {
	// Catalogue lists every indicator, the operation's own included.
	Catalogue() []Indicator
	// Indicator returns a definition: NotFound.
	Indicator(id string) (Indicator, error)
	// Table computes: NotFound for the indicator, Invalid for a dimension or a
	// code that does not exist. No data is a table without figures.
	Table(ctx context.Context, q Query) (Table, error)
	// Span is the period that has data; zero when there is none.
	Span(ctx context.Context) (Period, error)
	// Release names the state of the data now.
	Release(ctx context.Context) (Release, error)
}

// Round gives the value as published: half away from zero at the indicator's
// decimals; a non-percent value below 10 keeps one decimal more than none, so
// that a small point's 0.4 a day is not printed as nothing.
func (i Indicator) Round(v float64) float64 {
	d := i.Digits(v)
	p := math.Pow(10, float64(d))
	return math.Floor(math.Abs(v)*p+0.5+1e-9) / p * sign(v)
}

// Digits is the number of decimals that v is published with.
func (i Indicator) Digits(v float64) int {
	if i.Decimals == 0 && i.Unit == "movements/day" && math.Abs(v) < 10 && v != math.Trunc(v) {
		return 1
	}
	return i.Decimals
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}
