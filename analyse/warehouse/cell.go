package warehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// layout is raised when the tables or the rules that fill them change.
const layout = 6

// Cell is everything a fact says besides its source, its day and its number. Few
// cells repeat over many facts, so a fact holds its cell's number.
//
// Region and Role are resolved when the fact is made, Role by the day: a figure
// of last year keeps last year's role, and a query needs no join. When the pack
// changes, Fingerprint does, and all facts are made again.
type Cell struct {
	Point        string // "" when not resolved
	PointText    string // as written; "" when Point is resolved
	Region       string // admin 1 P-code
	Role         string
	Direction    string
	FlowType     string
	Route        string
	Subroute     string
	Origin       string
	Previous     string
	Next         string
	Final        string
	Breakdown    string
	Nationality  string
	Sex          string
	Age          string // adults, children, unknown: what the recorded band belongs to
	AgeBand      string // as recorded
	ReasonSet    string // sorted codes joined by a space: key of answer_set
	TransportSet string
}

// CellOf gives the cell of a movement.
func (p *Pack) CellOf(m *dtm.Movement) Cell {
	c := Cell{
		Point:        m.Point,
		Direction:    m.Direction,
		FlowType:     m.FlowType,
		Route:        m.Route,
		Subroute:     m.Subroute,
		Origin:       m.Origin,
		Previous:     m.Previous,
		Next:         m.Next,
		Final:        m.Final,
		Breakdown:    string(m.Breakdown),
		Nationality:  m.Nationality,
		Sex:          m.Sex,
		Age:          p.age(m.Age),
		AgeBand:      m.Age,
		ReasonSet:    answerSet(m.Reasons),
		TransportSet: answerSet(m.Transports),
	}
	if i, ok := p.index[m.Point]; ok {
		c.Region = p.points[i].Area
		c.Role = dtm.ValueAt(p.points[i].Role, m.Observed)
	} else {
		c.Point = ""
		c.PointText = m.PointText
		if c.PointText == "" {
			c.PointText = m.Point
		}
	}
	if c.Breakdown == "" {
		c.Breakdown = string(dtm.Full)
	}
	return c
}

func (p *Pack) age(band string) string {
	if to, ok := p.ages[band]; ok {
		return to
	}
	return band
}

func answerSet(codes []string) string {
	switch len(codes) {
	case 0:
		return ""
	case 1:
		return codes[0]
	}
	if !sort.StringsAreSorted(codes) {
		codes = append([]string(nil), codes...)
		sort.Strings(codes)
	}
	return strings.Join(codes, " ")
}

// Assessed is the vulnerabilities a row was assessed for, as a key that two equal
// rows share: "medical:2 uac:0". "" when the row was not assessed: not zero.
func Assessed(m *dtm.Movement) string {
	if len(m.Vulnerable) == 0 {
		return ""
	}
	v := append([]dtm.Vulnerable(nil), m.Vulnerable...)
	sort.Slice(v, func(i, j int) bool { return v[i].Code < v[j].Code })
	var b strings.Builder
	for i, e := range v {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Code)
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(e.People))
	}
	return b.String()
}

// rollsTo is the column of the list of ages that names the wider age of a band.
const rollsTo = "rolls_to"

// Pack is what facts need of an operation, found fast.
type Pack struct {
	points []dtm.Point
	index  map[string]int
	ages   map[string]string
}

// NewPack indexes the operation's points by code and its age bands.
func NewPack(op *dtm.Operation) *Pack {
	p := &Pack{points: op.Points, index: make(map[string]int, len(op.Points)), ages: map[string]string{}}
	for _, c := range op.Lists["age"].Codes {
		if to := c.Extra[rollsTo]; to != "" {
			p.ages[c.Code] = to
		}
	}
	for i := range op.Points {
		p.index[op.Points[i].Code] = i
	}
	return p
}

// Fingerprint names the layout and everything of the pack that facts are made
// with: point codes, names and aliases (bulk resolves spellings by them), areas,
// dated roles, and the code lists.
func Fingerprint(op *dtm.Operation) string {
	h := sha256.New()
	fmt.Fprintf(h, "layout %d operation %q\n", layout, op.Code)
	for _, p := range op.Points {
		fmt.Fprintf(h, "point %q %q %q", p.Code, p.Area, p.Aliases)
		for _, l := range sortedLangs(p.Name) {
			fmt.Fprintf(h, " %s=%q", l, p.Name[dtm.Lang(l)])
		}
		for _, r := range p.Role {
			fmt.Fprintf(h, " %s=%q", r.From.Format(time.DateOnly), r.Value)
		}
		io.WriteString(h, "\n")
	}
	names := make([]string, 0, len(op.Lists))
	for n := range op.Lists {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(h, "list %q", n)
		for _, c := range op.Lists[n].Codes {
			fmt.Fprintf(h, " %q", c.Code)
			keys := make([]string, 0, len(c.Extra))
			for k := range c.Extra {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				fmt.Fprintf(h, " %q=%q", k, c.Extra[k])
			}
		}
		io.WriteString(h, "\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sortedLangs(t dtm.Text) []string {
	out := make([]string, 0, len(t))
	for l := range t {
		out = append(out, string(l))
	}
	sort.Strings(out)
	return out
}
