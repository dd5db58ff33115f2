package warehouse

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Kinds of a column.
type Kind int

// Kinds of a column, and how a value of it is held in a row: string, time.Time
// (a civil day), time.Time (an instant, UTC), int32.
const (
	Text Kind = iota
	Date
	Time
	Int
)

// Column is a column of a Table after operation.
type Column struct {
	Name string
	Kind Kind
	List string // of the sets of answers: the list of answer_set that says which codes it holds
}

// Table is one of the tables of facts beside those of movements. Its rows have a
// source, and are replaced with it as a whole. schema.sql of both rooms creates it
// with these columns in this order.
type Table struct {
	Name    string
	Columns []Column
}

// Records are the tables of facts beside those of movements.
var Records = []Table{
	{"site_count", []Column{
		{Name: "source"}, {Name: "observed", Kind: Date}, {Name: "month", Kind: Date}, {Name: "counted", Kind: Time}, {Name: "slot"},
		{Name: "site"}, {Name: "site_text"}, {Name: "region"}, {Name: "area"},
		{Name: "people", Kind: Int}, {Name: "arrived", Kind: Int}, {Name: "departed", Kind: Int}, {Name: "blocked"}, {Name: "urgent"},
	}},
	{"site_people", []Column{
		{Name: "source"}, {Name: "nationality"}, {Name: "sex"}, {Name: "age"}, {Name: "age_band"}, {Name: "people", Kind: Int},
	}},
	{"interview", []Column{
		{Name: "source"}, {Name: "observed", Kind: Date}, {Name: "month", Kind: Date}, {Name: "point"}, {Name: "point_text"}, {Name: "region"}, {Name: "role"},
		{Name: "consent"}, {Name: "repeated"}, {Name: "asked", Kind: Int},
		{Name: "sex"}, {Name: "years", Kind: Int}, {Name: "age"}, {Name: "age_group"}, {Name: "nationality"}, {Name: "marital"}, {Name: "education"}, {Name: "employment"},
		{Name: "origin"}, {Name: "left_when"}, {Name: "company"}, {Name: "company_size", Kind: Int}, {Name: "reason_set", List: "reason"}, {Name: "transport_set", List: "transport"}, {Name: "paid_set", List: "paid_by"},
		{Name: "next"}, {Name: "final"}, {Name: "why_set", List: "why_final"}, {Name: "stay"}, {Name: "go_back"}, {Name: "difficulty_set", List: "difficulty"}, {Name: "information_set", List: "information"},
		{Name: "knows_help"}, {Name: "wants_help"}, {Name: "counted"}, {Name: "counted_at"},
	}},
	{"need", []Column{
		{Name: "source"}, {Name: "observed", Kind: Date}, {Name: "month", Kind: Date}, {Name: "subject"}, {Name: "point"}, {Name: "point_text"}, {Name: "role"},
		{Name: "site"}, {Name: "site_text"}, {Name: "region"}, {Name: "area"}, {Name: "consent"}, {Name: "people", Kind: Int},
		{Name: "sex"}, {Name: "years", Kind: Int}, {Name: "age"}, {Name: "age_group"}, {Name: "nationality"},
		{Name: "asked_set", List: "need"}, {Name: "need_set", List: "need"}, {Name: "vulnerability_set", List: "vulnerability"}, {Name: "priority"}, {Name: "reach"},
		{Name: "proposed_set", List: "programme"}, {Name: "referred_set", List: "programme"}, {Name: "shared"},
	}},
	{"incident", []Column{
		{Name: "source"}, {Name: "observed", Kind: Date}, {Name: "month", Kind: Date}, {Name: "kind"}, {Name: "site"}, {Name: "site_text"}, {Name: "region"}, {Name: "area"},
		{Name: "heard"}, {Name: "danger"}, {Name: "affected", Kind: Int}, {Name: "dead", Kind: Int}, {Name: "missing", Kind: Int}, {Name: "injured", Kind: Int}, {Name: "children", Kind: Int}, {Name: "displaced", Kind: Int},
		{Name: "nationality"}, {Name: "population_set", List: "population"}, {Name: "helping"}, {Name: "roads"},
	}},
}

// AnswerLists are the lists that sets of answers are of.
func AnswerLists() []string {
	out := []string{"reason", "transport"}
	for _, t := range Records {
		for _, c := range t.Columns {
			if c.List != "" && !slices.Contains(out, c.List) {
				out = append(out, c.List)
			}
		}
	}
	return out
}

// Names are the table's columns, operation first.
func (t Table) Names() []string {
	out := []string{"operation"}
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// Row is a fact of a Table: its values in the order of the columns.
type Row []any

// Answered is a code of a set of answers.
type Answered struct{ List, Set, Code string }

// SiteKey is what a site is known by: its area and its name without accents, blanks
// and case, so that two spellings of a name are one site.
func SiteKey(area, name string) string {
	if f := dtm.Fold(name); f != "" {
		return area + ":" + f
	}
	return ""
}

// records adds the facts of a submission besides its movements.
func (s *Stage) records(source string, f *dtm.Facts, p *Pack) {
	if x := f.Presence; x != nil {
		people := 0
		for _, c := range x.People {
			people += c.People
			s.row("site_people", Row{source, c.Nationality, c.Sex, p.age(c.Age), c.Age, int32(c.People)})
		}
		counted := x.Counted
		if counted.IsZero() {
			counted = x.Observed
		}
		s.row("site_count", Row{source, x.Observed, month(x.Observed), counted.UTC(), x.Slot, SiteKey(x.Area, x.Site), x.Site, x.Region, x.Area,
			int32(people), int32(x.Arrived), int32(x.Left), x.Blocked, x.Urgent})
	}
	if x := f.Interview; x != nil {
		point, text, region, role := p.place(x.Where, x.Observed)
		asked := int32(1)
		if !x.Complete() {
			asked = 0
		}
		s.row("interview", Row{source, x.Observed, month(x.Observed), point, text, region, role, x.Consent, x.Before, asked,
			x.Sex, int32(x.Years), adult(x.Years), AgeGroup(p.groups, x.Years), x.Nationality, x.Marital, x.Education, x.Employment,
			x.Origin, x.LeftWhen, x.Company, int32(x.CompanySize), s.set("reason", x.Reasons), s.set("transport", x.Transports), s.set("paid_by", x.PaidBy),
			x.Next, x.Final, s.set("why_final", x.WhyFinal), x.Stay, x.GoBack, s.set("difficulty", x.Difficulties), s.set("information", x.Information),
			x.KnowsHelp, x.WantsHelp, x.Counted, x.CountedAt})
	}
	if x := f.Need; x != nil {
		point, text, region, role := p.place(x.Where, x.Observed)
		s.row("need", Row{source, x.Observed, month(x.Observed), x.Subject, point, text, role,
			SiteKey(x.Area, x.Site), x.Site, region, x.Area, x.Consent, int32(x.People),
			x.Sex, int32(x.Years), adult(x.Years), AgeGroup(p.groups, x.Years), x.Nationality,
			s.set("need", x.Asked), s.set("need", x.Lacks), s.set("vulnerability", x.Vulnerable), x.Priority, x.Reach,
			s.set("programme", x.Proposed), s.set("programme", x.Referred), x.Share})
	}
	if x := f.Incident; x != nil {
		s.row("incident", Row{source, x.Observed, month(x.Observed), x.Kind, SiteKey(x.Area, x.Site), x.Site, x.Region, x.Area,
			x.Heard, x.Danger, int32(x.Affected), int32(x.Dead), int32(x.Missing), int32(x.Injured), int32(x.Children), int32(x.Displaced),
			x.Nationality, s.set("population", x.Population), x.Helping, x.Roads})
	}
}

func (s *Stage) row(table string, r Row) {
	if s.Rows == nil {
		s.Rows = map[string][]Row{}
	}
	s.Rows[table] = append(s.Rows[table], r)
}

// set is the key of a set of answers, which is remembered with its codes.
func (s *Stage) set(list string, codes []string) string {
	key := answerSet(codes)
	if key == "" {
		return ""
	}
	if s.sets == nil {
		s.sets = map[Answered]bool{}
	}
	for _, c := range codes {
		if a := (Answered{list, key, c}); !s.sets[a] {
			s.sets[a] = true
			s.Answers = append(s.Answers, a)
		}
	}
	return key
}

// place is a point with its region and role of the day, or the region that was
// answered.
func (p *Pack) place(w dtm.Where, day time.Time) (point, text, region, role string) {
	if i, ok := p.index[w.Point]; ok {
		region, role = p.at(i, day)
		return w.Point, "", region, role
	}
	return "", cmp.Or(w.PointText, w.Point), w.Region, ""
}

func month(day time.Time) time.Time { return dtm.MonthOf(day).First() }

// adult is the wider age of an age in years; "" for dtm.NotRecorded.
func adult(years int) string {
	switch {
	case years == dtm.NotRecorded:
		return ""
	case years < 18:
		return "children"
	}
	return "adults"
}

// AgeGroup is the group of a list of groups ("18_24", "60_plus") that an age in
// years belongs to: unknown where there is none, "" for dtm.NotRecorded.
func AgeGroup(groups dtm.CodeList, years int) string {
	if years == dtm.NotRecorded {
		return ""
	}
	for _, c := range groups.Codes {
		low, high, _ := strings.Cut(c.Code, "_")
		from, err := strconv.Atoi(low)
		if err != nil || years < from {
			continue
		}
		if to, err := strconv.Atoi(high); high == "plus" || err == nil && years <= to {
			return c.Code
		}
	}
	return dtm.Unknown
}

// Placed says which region and role facts at a point have that were observed in a
// span of days.
type Placed struct {
	Point        string
	From, Until  time.Time // civil days; Until is not included
	Region, Role string
}

// Moved gives what Recast gives for facts without cells: the regions and roles of
// the points that changed between two packs; of all points when before is nil.
func Moved(before, after *Pack) (out []Placed) {
	for i := range after.points {
		code := after.points[i].Code
		spans := after.spans(i)
		if before != nil {
			if j, ok := before.index[code]; ok && slices.Equal(before.spans(j), spans) {
				continue
			}
		}
		for _, s := range spans {
			out = append(out, Placed{code, s.from, s.until, s.region, s.role})
		}
	}
	return out
}
