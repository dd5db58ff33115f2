package warehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// layout is raised when the tables or the rules that fill them change.
const layout = 11

// Cell is everything a fact says besides its source, its day and its number. Few
// cells repeat over many facts, so a fact holds its cell's number.
//
// Region and Role are resolved by the day when the fact is made: a figure of last
// year keeps last year's role, and a query needs no join. When they change, the
// facts of those days are recast; when something else of the pack does, Fingerprint
// says so and all facts are made again.
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
		c.Region, c.Role = p.at(i, m.Observed)
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

// Pack is what facts need of an operation and its register, found fast.
type Pack struct {
	Names string // fingerprint of what names are resolved by
	Roles string // fingerprint of regions and roles

	points []dtm.Point
	index  map[string]int
	ages   map[string]string
	groups dtm.CodeList // age groups of respondents
}

// NewPack indexes the operation's points, as the register has them now, by code and
// its age bands.
func NewPack(op *dtm.Operation) *Pack {
	points := op.Network()
	p := &Pack{points: points, index: make(map[string]int, len(points)), ages: map[string]string{}, groups: op.Lists["age_group"]}
	p.Names, p.Roles = fingerprints(op, points)
	for _, c := range op.Lists["age"].Codes {
		if to := c.Extra[rollsTo]; to != "" {
			p.ages[c.Code] = to
		}
	}
	for i := range points {
		p.index[points[i].Code] = i
	}
	return p
}

// at is the region and role of a point on a day.
func (p *Pack) at(i int, day time.Time) (region, role string) {
	return p.points[i].PlaceAt(day).Area, dtm.ValueAt(p.points[i].Role, day)
}

// Fingerprint names everything that facts are made with.
func (p *Pack) Fingerprint() string { return p.Names + " " + p.Roles }

// fingerprints name the layout and everything of the pack and the register that
// facts are made with: point codes and spellings (bulk resolves by them) and the code
// lists, then the dated regions and roles.
func fingerprints(op *dtm.Operation, points []dtm.Point) (names, roles string) {
	h, dated := sha256.New(), sha256.New()
	fmt.Fprintf(h, "layout %d operation %q\n", layout, op.Code)
	for i := range points {
		p := &points[i]
		var folded []string
		for s := range p.Spellings {
			folded = append(folded, dtm.Fold(s))
		}
		slices.Sort(folded)
		fmt.Fprintf(h, "point %q %q\n", p.Code, slices.Compact(folded))
		fmt.Fprintf(dated, "point %q", p.Code)
		if len(p.Places) == 0 {
			fmt.Fprintf(dated, " %s %q", time.Time{}.Format(time.DateOnly), p.Area)
		}
		area := "\x00"
		for _, at := range p.Places {
			if at.Value.Area != area { // that it moved within the region changes no fact
				area = at.Value.Area
				fmt.Fprintf(dated, " %s %q", at.From.Format(time.DateOnly), area)
			}
		}
		for _, r := range p.Role {
			fmt.Fprintf(dated, " %s=%q", r.From.Format(time.DateOnly), r.Value)
		}
		io.WriteString(dated, "\n")
	}
	lists := make([]string, 0, len(op.Lists))
	for n := range op.Lists {
		lists = append(lists, n)
	}
	sort.Strings(lists)
	for _, n := range lists {
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
	return hex.EncodeToString(h.Sum(nil)), hex.EncodeToString(dated.Sum(nil))
}
