package dtm

import (
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Operation is one country's tracking programme as its pack declares it. It is
// read at start and never written. What is said of points and areas since is
// followed beside it: Network and Atlas give them as they are now.
type Operation struct {
	network atomic.Pointer[network] // nil: as the pack declares them
	atlas   atomic.Pointer[Atlas]   // likewise

	Code       string // "djibouti": first part of every key
	Country    string // ISO 3166-1 alpha-3
	Name       Text
	Title      Text // "Displacement Tracking Matrix · Djibouti"
	Languages  []Lang
	Zone       *time.Location
	Contact    string
	Source     Text // the credit line under every figure
	Disclaimer Text // the sentence under every map

	Synthetic bool // demo data: marked on every page

	Threshold   int      // guard: counts from 1 to Threshold-1 do not leave
	Baseline    Baseline // comparison period
	ChangeBasis []Dated  // "total" | "daily_average": how change on the previous month is computed, from when

	Areas      []Area              // as the pack declares them
	Points     []Point             // as the pack declares them: where the register begins
	Lists      map[string]CodeList // "country", "sex", "age", "reason", "transport", "movement", "flow_type", ...
	Programmes []Programme
	Partners   []Partner
	Desks      []Desk // with which a new directory begins
	Indicators []DerivedIndicator
	Forms      []PackForm
	Calendar   []CalendarEffect
	Besides    []Beside // counts made by others, and which of ours stand beside them
	Links      []Link   // roads between points
	Flow       Flow     // the movements that follow them
	Boundaries []byte   // of the pack's areas, as in Atlas
	HDX        HDX      `json:"-"` // of no figure: a release is the same without
}

// CalendarEffect is a declared span of days in which movements differ, whoever counts them:
// a fast, a feast, a season of wind or sea. What it is called is in the code list
// "effect".
type CalendarEffect struct {
	Code     string
	From, To time.Time // both days included; of Yearly ones the year means nothing
	Yearly   bool
}

// Days is the number of days of p that lie in the effect.
func (e CalendarEffect) Days(p Period) int {
	if !e.Yearly {
		return overlap(p, e.From, e.To)
	}
	n := 0
	for year := p.From.Year() - 1; year <= p.To.Year(); year++ {
		from := time.Date(year, e.From.Month(), e.From.Day(), 0, 0, 0, 0, time.UTC)
		to := time.Date(year, e.To.Month(), e.To.Day(), 0, 0, 0, 0, time.UTC)
		if to.Before(from) { // over the turn of the year
			to = to.AddDate(1, 0, 0)
		}
		n += overlap(p, from, to)
	}
	return n
}

func overlap(p Period, from, to time.Time) int {
	to = to.AddDate(0, 0, 1)
	if from.Before(p.From) {
		from = p.From
	}
	if p.To.Before(to) {
		to = p.To
	}
	if !from.Before(to) {
		return 0
	}
	return Period{from, to}.Days()
}

// Baseline is a named period that later figures are compared with.
type Baseline struct {
	Name   Text
	Period Period
}

// Dated is a value that holds from a day until the next Dated of the same list.
type Dated struct {
	From  time.Time // zero: since ever
	Value string
}

// ValueAt returns the value that holds on day t; "" before the first.
func ValueAt(list []Dated, t time.Time) string {
	v := ""
	for _, d := range list {
		if d.From.After(t) {
			break
		}
		v = d.Value
	}
	return v
}

// Roles of a point. A role is dated: it starts on a day, and figures of earlier
// days keep the earlier role.
const (
	RoleEntry   = "entry"
	RoleTransit = "transit"
	RoleExit    = "exit"
	RoleReturn  = "return"
)

// Point is a flow monitoring point (FMP; French PSF). Name, areas and position are
// those of the day that the point was asked for; the lists hold all days.
type Point struct {
	Code        string
	Name        Text
	Aliases     []string // every other spelling met in data
	Area        string   // admin 1 P-code; "" when not known
	Area2       string   // admin 2 P-code; "" when not known
	Lon, Lat    float64
	Positioned  bool // Lon and Lat are set
	Approximate bool // the position is of the town, not of the point
	Role        []Dated
	Status      []Dated // "open" | "closed"
	Note        string  // what is assumed, and from which source

	// What the register has dated; empty in a pack, where it holds since ever.
	Names  []Since[Text]
	Places []Since[Place]
	Plans  []Since[Plan]
	Crews  []Since[Crew]
}

// CodeList is a list of codes with their labels.
type CodeList struct {
	Name  string
	Codes []Code
}

// Code is one entry of a code list.
type Code struct {
	Code  string
	Label Text
	Extra map[string]string // further columns of the list's file
}

// Label returns the label of code in l, the code itself when the list lacks it.
func (c CodeList) Label(code string, l Lang) string {
	for _, e := range c.Codes {
		if e.Code == code {
			return e.Label.In(l)
		}
	}
	return code
}

// Has tells whether the list holds the code.
func (c CodeList) Has(code string) bool {
	for _, e := range c.Codes {
		if e.Code == code {
			return true
		}
	}
	return false
}

// Programme is a service that people in need are referred to.
type Programme struct {
	Code   string
	Name   Text
	Return bool // it takes people home: shut for whom the hard rule guards
}

// Partner is an institution that receives data or referrals.
type Partner struct {
	Code string
	Name Text
	// Brief are the parts of its monthly brief, in order (BriefParts); none: no brief.
	Brief []string `json:",omitempty"`
	// View are the tables of the view made for its mandate, in order; not part of releases.
	View []ViewPanel `json:"-"`
}

// BriefParts are what a partner's brief may hold.
var BriefParts = []string{"children", "origins", "reasons", "needs", "stranded", "returns", "points", "statistics"}

// DerivedIndicator is an indicator of the catalogue with part of its question
// answered by the operation: the entries from one country, the share of one area.
type DerivedIndicator struct {
	ID         string
	Base       string              // an indicator of the catalogue
	Where      map[string][]string // filter on dimensions
	Period     *Period             // fixed period, for baselines
	Name       Text
	Definition Text
}

// PackForm is a form that comes with the pack.
type PackForm struct {
	File string // "forms/fmr.xlsx"
	Data []byte
}

// Form returns the form of the pack that is called so: "fmr" is forms/fmr.xlsx.
func (o *Operation) Form(name string) (PackForm, bool) {
	for _, f := range o.Forms {
		if base := path.Base(f.File); strings.TrimSuffix(base, path.Ext(base)) == name {
			return f, true
		}
	}
	return PackForm{}, false
}

// Network is the points as the register has them now. The list is shared: it is not
// to be changed.
func (o *Operation) Network() []Point {
	if n := o.network.Load(); n != nil {
		return n.points
	}
	return o.Points
}

// Follow makes points the network from now on. Those who hold the operation see it
// the next time they ask.
func (o *Operation) Follow(points []Point) { o.network.Store(&network{points: points}) }

// network are points that are no longer changed.
type network struct {
	points []Point
	once   sync.Once
	code   map[string]string // by every spelling, folded
}

// spelt finds a point's code by a folded spelling; of two that share it the first.
func (n *network) spelt(key string) (string, bool) {
	n.once.Do(func() {
		n.code = map[string]string{}
		for i := range n.points {
			p := &n.points[i]
			for spelling := range p.Spellings {
				if key := Fold(spelling); n.code[key] == "" {
					n.code[key] = p.Code
				}
			}
		}
	})
	code, ok := n.code[key]
	return code, ok
}

// Point returns the point with the code, as the register has it now.
func (o *Operation) Point(code string) (Point, bool) {
	list := o.Network()
	for i := range list {
		if list[i].Code == code {
			return list[i], true
		}
	}
	return Point{}, false
}

// Atlas is the areas in use now. It is shared: it is not to be changed.
func (o *Operation) Atlas() *Atlas {
	if a := o.atlas.Load(); a != nil {
		return a
	}
	return &Atlas{Areas: o.Areas, Boundaries: o.Boundaries}
}

// FollowAtlas makes a the areas in use from now on; nil: the pack's.
func (o *Operation) FollowAtlas(a *Atlas) { o.atlas.Store(a) }

// Area returns the area in use with the P-code, a retired one too.
func (o *Operation) Area(code string) (Area, bool) { return o.Atlas().Area(code) }

// ResolvePoint finds the point that a spelling means: its code, one of its names
// or an alias, whatever the case, accents, spaces and hyphens.
func (o *Operation) ResolvePoint(name string) (code string, ok bool) {
	key := Fold(name)
	if key == "" {
		return "", false
	}
	if n := o.network.Load(); n != nil {
		return n.spelt(key)
	}
	for i := range o.Points {
		p := &o.Points[i]
		for spelling := range p.Spellings {
			if Fold(spelling) == key {
				return p.Code, true
			}
		}
	}
	return "", false
}

// Spellings gives every way to write the point: its code, its names of all days and
// languages, its aliases.
func (p *Point) Spellings(yield func(string) bool) {
	if !yield(p.Code) {
		return
	}
	for _, n := range p.Name {
		if !yield(n) {
			return
		}
	}
	for _, t := range p.Names {
		for _, n := range t.Value {
			if !yield(n) {
				return
			}
		}
	}
	for _, a := range p.Aliases {
		if !yield(a) {
			return
		}
	}
}

// Fold reduces a name to what two spellings of it share: lower-case letters and
// digits, without the accents of Latin script, spaces (no-break ones too),
// hyphens or apostrophes.
func Fold(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if plain, ok := accents[r]; ok {
			b.WriteString(plain)
			continue
		}
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 0x24F:
			if r != '\u2019' && r != '\u202f' && r != '\u2011' && r != '\u2013' && r != '\u2010' && r != '\ufeff' && r != '\u200b' {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

var accents = map[rune]string{
	'à': "a", 'á': "a", 'â': "a", 'ä': "a", 'ã': "a", 'å': "a", 'ç': "c",
	'è': "e", 'é': "e", 'ê': "e", 'ë': "e", 'ì': "i", 'í': "i", 'î': "i", 'ï': "i",
	'ñ': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'ö': "o", 'õ': "o", 'ø': "o",
	'ù': "u", 'ú': "u", 'û': "u", 'ü': "u", 'ý': "y", 'ÿ': "y", 'æ': "ae", 'œ': "oe",
}
