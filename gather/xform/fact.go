package xform

import (
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/gather/xlsform"
)

// Facts turns a submission's answers into all the facts that its form's tags
// declare: the movements (Movements), and besides, each from a form of its own or
// all from one:
//
//   - a presence where people are counted as a stock (#affected+stock with m, f,
//     adults, children, an age band or unknown);
//   - an interview where a respondent (#respondee) is asked for the country of
//     departure or of destination (#country+origin, #country+final);
//   - an incident where #event+type is asked;
//   - a need where #need+type, #need+health, #need+information or #service+type is
//     asked. A point of which the services are listed lacks those needs of the list
//     "need" that are choices of the question and were not chosen.
//
// Answers about asylum, trafficking, violence and risks of a child (#protection)
// become no fact: they are sealed (SealingOf).
func Facts(op *dtm.Operation, f *xlsform.Form, in *Instance) (dtm.Facts, []dtm.Flag) {
	rows, flags := Movements(op, f, in)
	out := dtm.Facts{Movements: rows}
	d := declared(f)
	if !d.presence && !d.interview && !d.need && !d.incident {
		return out, flags
	}
	r := &factReader{tagReader: tagReader{op: op}, in: in, values: map[string]response{}}
	r.read()
	if r.observed.IsZero() {
		if len(rows) == 0 {
			r.flag("date.missing", "", "")
		}
		if r.observed = clock(in); r.observed.IsZero() {
			return out, append(flags, r.flags...)
		}
	} else if at := clock(in); len(rows) == 0 && !at.IsZero() && r.observed.After(at.AddDate(0, 0, 1)) {
		r.flag("date.future", "", r.observed.Format(time.DateOnly)+" > "+at.Format(time.DateOnly))
	}
	if d.presence {
		out.Presence = r.presence()
	}
	if d.interview {
		out.Interview = r.interview()
	}
	if d.incident {
		out.Incident = r.incident()
	}
	if d.need {
		out.Need = r.need(f, d)
	}
	return out, append(flags, r.flags...)
}

// meaning is what a form's tags make facts of.
type meaning struct{ presence, interview, need, incident, person bool }

func declared(f *xlsform.Form) (d meaning) {
	country := false
	f.Root.Walk(func(n *xlsform.Node) {
		if n.HXL == "" {
			return
		}
		t := parseTag(n.HXL)
		switch {
		case t.hash == "#respondee":
			d.person = true
		case t.is("#country", "origin"), t.is("#country", "final"):
			country = true
		case t.is("#event", "type"):
			d.incident = true
		case t.is("#need", "type"), t.is("#need", "health"), t.is("#service", "type"):
			d.need = true
		case stock(t):
			d.presence = true
		}
	})
	d.interview = d.person && country
	d.presence = d.presence && !d.incident
	return d
}

// stock tells whether a tag counts people who are somewhere, by sex or age.
func stock(t tag) bool {
	return t.is("#affected", "stock") && slices.ContainsFunc(t.attrs, func(a string) bool {
		return a == "m" || a == "f" || a == "adults" || a == "unknown" || strings.HasPrefix(a, "age_")
	})
}

// factReader reads the answers of an instance by their tags, those of repeats too.
type factReader struct {
	tagReader
	in       *Instance
	values   map[string]response // by tag; of several answers the last
	observed time.Time
	place    dtm.Where
	blocks   []presentBlock
}

// response is an answer and its question.
type response struct{ value, path string }

type presentBlock struct {
	nationality string
	cells       []cell
}

func (r *factReader) read() {
	point := ""
	r.in.Root.Each(func(a Answer, among *Answers) {
		if a.Node.HXL == "" || a.Value == "" {
			return
		}
		t, path := parseTag(a.Node.HXL), a.Node.Path()
		switch {
		case t.is("#date", "observed"):
			if d, ok := day(a.Value); ok && d.Year() >= 2000 && d.Year() < 2100 {
				r.observed = d
			} else {
				r.flag("date.invalid", path, a.Value)
			}
		case t.is("#loc", "fmp", "code"):
			point = a.Value
			r.place.PointText = a.Value
			code, ok := r.op.ResolvePoint(a.Value)
			if !ok {
				r.flag("point.unknown", path, a.Value)
			}
			r.place.Point = code
		case t.is("#loc", "name") && !slices.Contains(t.attrs, "origin"):
			r.place.Site = strings.Join(strings.Fields(a.Value), " ")
		case t.is("#adm1"):
			r.place.Region = a.Value
		case t.is("#adm2"):
			r.place.Area = a.Value
		case stock(t):
			if n, ok := r.tagReader.count(path, a.Value); ok {
				sex, age := r.sexAge(t.attrs)
				b := r.block(among)
				b.cells = append(b.cells, cell{sex, age, n})
			}
		case t.is("#country", "nationality") && among != r.in.Root:
			r.block(among).nationality = a.Value
		default:
			r.values[a.Node.HXL] = response{a.Value, path}
		}
	})
	if point != "" {
		r.place.Region, r.place.Area, r.place.Site = "", "", ""
	} else if r.place.Region == "" && r.place.Area != "" {
		if a, ok := r.op.Area(r.place.Area); ok {
			r.place.Region = a.Parent
		}
	}
}

// block is that of a turn of a repeat, or of the form itself.
func (r *factReader) block(among *Answers) *presentBlock {
	i := 0
	for k, t := range r.in.Root.Turns {
		if t == among {
			i = k + 1
		}
	}
	for len(r.blocks) <= i {
		r.blocks = append(r.blocks, presentBlock{})
	}
	return &r.blocks[i]
}

// get is the answer to the question with the tag, its attributes in any order.
func (r *factReader) get(hash string, attrs ...string) string {
	v, _ := r.tagged(hash, attrs...)
	return v
}

func (r *factReader) tagged(hash string, attrs ...string) (value, path string) {
	for k, v := range r.values {
		t := parseTag(k)
		if t.is(hash, attrs...) && len(t.attrs) == len(attrs) {
			return v.value, v.path
		}
	}
	return "", ""
}

// one is a code of a list; one that the list lacks is flagged and kept.
func (r *factReader) one(list, hash string, attrs ...string) string {
	v, path := r.tagged(hash, attrs...)
	if v == "" {
		return ""
	}
	return r.code(list, path, v)
}

func (r *factReader) many(list, hash string, attrs ...string) []string {
	v, path := r.tagged(hash, attrs...)
	if v == "" {
		return nil
	}
	return r.codes(list, path, v)
}

func (r *factReader) number(hash string, attrs ...string) int {
	v, path := r.tagged(hash, attrs...)
	if v == "" {
		return dtm.NotRecorded
	}
	if n, ok := r.tagReader.count(path, v); ok {
		return n
	}
	return dtm.NotRecorded
}

func (r *factReader) years() int {
	if n := r.number("#respondee", "age"); n <= 130 {
		return n
	}
	return dtm.NotRecorded
}

func (r *factReader) presence() *dtm.Presence {
	p := &dtm.Presence{
		Where: r.place, Observed: r.observed, Slot: r.one("slot", "#date", "slot"),
		Arrived: r.number("#affected", "arrived", "stock"), Left: r.number("#affected", "left", "stock"),
		Blocked: r.one("blocked", "#cause", "stranded"), Urgent: r.get("#severity", "urgent"),
	}
	r.in.Root.Each(func(a Answer, _ *Answers) {
		if a.Node.Type == "end" {
			p.Counted = instant(a.Value)
		}
	})
	for _, b := range r.blocks {
		for _, c := range b.cells {
			if c.people > 0 {
				p.People = append(p.People, dtm.Present{Nationality: b.nationality, Sex: c.sex, Age: c.age, People: c.people})
			}
		}
	}
	return p
}

func (r *factReader) interview() *dtm.Interview {
	return &dtm.Interview{
		Where: r.place, Source: r.in.InstanceID, Observed: r.observed,
		Consent: r.get("#meta", "consent"), Before: r.get("#meta", "before"),
		Sex: r.one("sex", "#respondee", "sex"), Years: r.years(), Nationality: r.one("country", "#country", "code", "nationality"),
		Marital: r.one("marital", "#respondee", "marital"), Education: r.one("education", "#respondee", "education"), Employment: r.one("employment", "#respondee", "employment"),
		Origin: r.one("country", "#country", "code", "origin"), LeftWhen: r.one("left_when", "#date", "left"),
		Company: r.one("company", "#respondee", "company"), CompanySize: r.number("#respondee", "company", "num"),
		Reasons: r.many("reason", "#cause", "type"), Transports: r.many("transport", "#meta", "transport"), PaidBy: r.many("paid_by", "#meta", "paid", "type"),
		Next: r.one("country", "#country", "code", "next"), Final: r.one("country", "#country", "code", "final"), WhyFinal: r.many("why_final", "#cause", "final"),
		Stay: r.one("stay", "#meta", "stay"), GoBack: r.one("go_back", "#meta", "return", "wish"),
		Difficulties: r.many("difficulty", "#impact", "type"), Information: r.many("information", "#need", "information", "type"),
		KnowsHelp: r.get("#meta", "help", "known"), WantsHelp: r.get("#meta", "asked", "help"),
		Counted: r.get("#meta", "counted"), CountedAt: r.countedAt(),
	}
}

// countedAt is the point where the respondent was counted before; "" when the register
// does not know it.
func (r *factReader) countedAt() string {
	code, _ := r.op.ResolvePoint(r.get("#loc", "code", "counted"))
	return code
}

func (r *factReader) incident() *dtm.Incident {
	return &dtm.Incident{
		Where: r.place, Observed: r.observed, Kind: r.one("event_type", "#event", "type"), Heard: r.get("#meta", "source"), Danger: r.get("#severity", "urgent"),
		Affected: r.number("#affected", "stock"), Dead: r.number("#affected", "killed", "stock"), Missing: r.number("#affected", "missing", "stock"),
		Injured: r.number("#affected", "injured", "stock"), Children: r.number("#affected", "children", "stock"), Displaced: r.number("#affected", "displaced", "stock"),
		Nationality: r.one("country", "#country", "code", "nationality"), Population: r.many("population", "#population", "type"),
		Helping: r.one("helping", "#status", "response"), Roads: r.get("#access", "road"),
	}
}

func (r *factReader) need(f *xlsform.Form, d meaning) *dtm.Need {
	n := &dtm.Need{
		Where: r.place, Observed: r.observed, Consent: r.get("#meta", "consent"), Years: dtm.NotRecorded,
		Priority: r.one("priority", "#severity", "priority"), Reach: r.get("#access", "service"), Share: r.get("#meta", "consent", "referral"),
		Proposed: r.programmes("proposed"), Referred: r.programmes("referred"),
		Vulnerable: r.many("vulnerability", "#affected", "type", "vulnerable"),
	}
	switch {
	case d.person:
		n.Subject, n.People, n.Years = dtm.SubjectPerson, 1, r.years()
		n.Sex, n.Nationality = r.one("sex", "#respondee", "sex"), r.one("country", "#country", "code", "nationality")
	case d.incident:
		n.Subject, n.People = dtm.SubjectIncident, max(r.number("#affected", "stock"), 0)
	case d.presence:
		n.Subject = dtm.SubjectSite
		for _, b := range r.blocks {
			for _, c := range b.cells {
				n.People += c.people
			}
		}
	default:
		n.Subject = dtm.SubjectPoint
	}
	answered := false
	known := r.op.Lists["need"]
	asked := map[string]bool{}
	lacks := map[string]bool{}
	f.Root.Walk(func(q *xlsform.Node) {
		t := parseTag(q.HXL)
		switch {
		case t.is("#need", "type") && !slices.Contains(t.attrs, "information"):
			v := r.values[q.HXL].value
			if v == "" {
				return
			}
			answered = true
			for _, c := range choices(f, q) {
				asked[c] = c != none
			}
			for _, c := range r.codes("need", q.Path(), v) {
				lacks[c] = c != none
			}
		case t.is("#need", "health") || t.is("#need", "information"):
			need := map[bool]string{true: "health", false: "information"}[t.is("#need", "health")]
			if v := r.values[q.HXL].value; v != "" {
				answered, asked[need] = true, true
				if !slices.Contains(strings.Fields(v), "no") && !slices.Contains(strings.Fields(v), none) {
					lacks[need] = true
				}
			}
		case t.is("#service", "type"):
			v := strings.Fields(r.values[q.HXL].value)
			if len(v) == 0 {
				return
			}
			answered = true
			for _, c := range choices(f, q) {
				if known.Has(c) && c != none {
					asked[c] = true
					lacks[c] = !slices.Contains(v, c)
				}
			}
		}
	})
	n.Asked, n.Lacks = yes(asked), yes(lacks)
	if answered && len(n.Lacks) == 0 {
		n.Lacks = []string{none}
	}
	return n
}

// choices are the codes that a question offers.
func choices(f *xlsform.Form, q *xlsform.Node) (out []string) {
	if l := f.ChoiceList(q.List); l != nil {
		for _, c := range l.Choices {
			out = append(out, c.Name)
		}
	}
	return out
}

// none is the code of "nothing of these", in the lists that have it.
const none = "none"

func yes(set map[string]bool) (out []string) {
	for c, is := range set {
		if is {
			out = append(out, c)
		}
	}
	slices.Sort(out)
	return out
}

// programmes are the codes of a question about services: unknown ones are flagged.
func (r *factReader) programmes(attr string) []string {
	v, path := r.tagged("#service", "code", attr)
	if v == "" {
		return nil
	}
	words := strings.Fields(v)
	slices.Sort(words)
	words = slices.Compact(words)
	for _, w := range words {
		if !slices.ContainsFunc(r.op.Programmes, func(p dtm.Programme) bool { return p.Code == w }) {
			r.flag("code.unknown", path, w)
		}
	}
	return words
}
