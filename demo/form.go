package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// Form invents submissions of a form that counts no movements: survey, presence,
// point assessment, event, screening. Calculated values are those of the form, and a
// question that the form does not ask is left out, as phones do.
type Form struct {
	op    *dtm.Operation
	form  *xlsform.Form
	model *xform.Model
	day   func(*inventor)
}

// NewForm is nil without an error for a form of which the demo knows nothing.
func NewForm(op *dtm.Operation, form *xlsform.Form) (*Form, error) {
	day := map[string]func(*inventor){"fms": surveys, "presence": presences, "assessment": assessments, "event": events, "screening": screenings}[form.ID]
	if day == nil {
		return nil, nil
	}
	doc, err := xform.Write(form)
	if err != nil {
		return nil, err
	}
	m, err := xform.ReadModel(doc)
	if err != nil {
		return nil, err
	}
	return &Form{op, form, m, day}, nil
}

// Day gives the instances of one day.
func (f *Form) Day(day time.Time, seed uint64) []Instance {
	v := &inventor{Form: f, r: rand.New(rand.NewPCG(seed, uint64(day.Unix())^uint64(len(f.form.ID))<<40)), date: day}
	f.day(v)
	return v.out
}

// Fill gives a submission with these answers, by the questions' names, made at that time.
func (f *Form) Fill(id string, at time.Time, given map[string]string) []byte {
	a := &answers{at: at, is: map[string]string{"observed": at.Format(time.DateOnly), "start": at.Format(stamp), "end": at.Format(stamp), "instanceID": id}}
	maps.Copy(a.is, given)
	return a.write(f.form, xform.Computed(f.model, a.write(f.form, nil), xform.Env{Now: at}))
}

// stamp is how phones write a time.
const stamp = "2006-01-02T15:04:05.000Z07:00"

// inventor is one day of a form at work.
type inventor struct {
	*Form
	r    *rand.Rand
	date time.Time
	out  []Instance
}

// answers are those of a submission, by the questions' names; of repeats, by the
// repeat's name, those of each turn.
type answers struct {
	at    time.Time
	is    map[string]string
	turns map[string][]map[string]string
}

func (v *inventor) begin(from, hours int) *answers {
	return &answers{at: v.date.Add(time.Duration(from)*time.Hour + time.Duration(v.r.IntN(hours*60))*time.Minute), is: map[string]string{"observed": v.date.Format(time.DateOnly)}, turns: map[string][]map[string]string{}}
}

// send adds a submission; then may add answers to what the form made of the others.
func (v *inventor) send(a *answers, took int, then func(made map[string]string)) {
	id := uuid(v.r)
	a.is["start"], a.is["end"] = a.at.Format(stamp), a.at.Add(time.Duration(took+v.r.IntN(took))*time.Second).Format(stamp)
	a.is["deviceid"], a.is["instanceID"] = "demo-"+v.form.ID, id
	env := xform.Env{Now: a.at}
	made := xform.Computed(v.model, a.write(v.form, nil), env)
	if then != nil {
		then(made)
		made = xform.Computed(v.model, a.write(v.form, nil), env)
	}
	v.out = append(v.out, Instance{ID: id, Point: a.is["point"], At: a.at, XML: a.write(v.form, made)})
}

// write lays the answers out by the form. With made, what the form made of them
// stands in for them; without, every question is there.
func (a *answers) write(form *xlsform.Form, made map[string]string) []byte {
	var b bytes.Buffer
	leaf := func(name, value string) {
		b.WriteString("<" + name + ">")
		_ = xml.EscapeText(&b, []byte(value)) // a buffer does not fail
		b.WriteString("</" + name + ">")
	}
	var level func(parent *xlsform.Node, turn map[string]string)
	level = func(parent *xlsform.Node, turn map[string]string) {
		for _, n := range parent.Nodes {
			switch n.Kind {
			case xlsform.Repeat:
				for _, t := range a.turns[n.Name] {
					b.WriteString("<" + n.Name + ">")
					level(n, t)
					b.WriteString("</" + n.Name + ">")
				}
			case xlsform.Group:
				before := b.Len()
				b.WriteString("<" + n.Name + ">")
				inside := b.Len()
				level(n, turn)
				if b.Len() == inside {
					b.Truncate(before) // nothing in it is asked
					continue
				}
				b.WriteString("</" + n.Name + ">")
			default:
				value := turn[n.Name]
				if made != nil && len(n.Repeats()) == 0 {
					asked := false
					if value, asked = made[n.Path()]; !asked {
						continue
					}
				}
				leaf(n.Name, value)
			}
		}
	}
	fmt.Fprintf(&b, `<?xml version="1.0"?><%s id="%s" version="%s">`, form.Root.Name, form.ID, form.Version)
	level(form.Root, a.is)
	b.WriteString("<meta>")
	leaf("instanceID", a.is["instanceID"])
	leaf("instanceName", made["/"+form.Root.Name+"/meta/instanceName"])
	fmt.Fprintf(&b, "</meta></%s>", form.Root.Name)
	return b.Bytes()
}

func (v *inventor) chance(percent int) bool { return v.r.IntN(100) < percent }

func (v *inventor) yes(percent int) string {
	if v.chance(percent) {
		return "yes"
	}
	return "no"
}

// few draws codes, each with its chance in percent; the first one when none comes.
func (v *inventor) few(most int, codes ...any) string {
	var out []string
	for i := 0; i+1 < len(codes) && len(out) < most; i += 2 {
		if v.chance(codes[i+1].(int)) {
			out = append(out, codes[i].(string))
		}
	}
	if len(out) == 0 {
		out = append(out, codes[0].(string))
	}
	return strings.Join(out, " ")
}

// stations are those of the network that the operation has.
func (v *inventor) stations() (out []station) {
	for _, s := range network {
		if _, ok := v.op.Point(s.code); ok {
			out = append(out, s)
		}
	}
	return out
}

// comesFrom are the points that people passed before.
var comesFrom = map[string][]string{"yoboki": {"galafi"}, "dikhil": {"yoboki", "galafi"}, "tadjourah": {"yoboki", "dikhil", "balho", "ali-sabieh"}, "obock": {"tadjourah", "tadjourah", "loyada", "ali-sabieh"}}

// surveys: some of those who pass are interviewed, one in twenty refuses.
func surveys(v *inventor) {
	for _, s := range v.stations() {
		for range poisson(v.r, s.groups/14) {
			a := v.begin(7, 9)
			coast := s.kind == "coast"
			company := pick(v.r, []string{"alone", "others", "family", "family_children"}, []int{38, 50, 8, 4})
			next := map[bool]string{true: pick(v.r, []string{"YEM", "SAU"}, []int{80, 20}), false: "DJI"}[coast]
			set(a.is, "point", s.code, "consent", v.yes(95), "before", v.yes(4),
				"sex", pick(v.r, []string{"male", "female"}, []int{74, 26}), "age", strconv.Itoa(15+min(v.r.IntN(16), v.r.IntN(22))), "nationality", pick(v.r, []string{"ETH", "SOM"}, []int{97, 3}),
				"marital", pick(v.r, []string{"single", "married", "divorced"}, []int{70, 25, 5}), "education", pick(v.r, []string{"none", "koranic", "primary", "lower_secondary", "upper_secondary"}, []int{38, 6, 38, 14, 4}),
				"employment", pick(v.r, []string{"looking", "self_employed", "student", "employed", "not_looking"}, []int{40, 34, 12, 8, 6}), "origin", "ETH",
				"left_when", pick(v.r, []string{"two_weeks", "three_months", "six_months", "longer"}, []int{72, 20, 5, 3}), "reason", v.few(3, "economic", 88, "conflict", 14, "food", 7, "family", 4),
				"transport", v.few(3, "foot", 70, "truck", 34, "bus", 18, "private_vehicle", 10), "company", company, "company_size", strconv.Itoa(2+poisson(v.r, 5)),
				"paid_by", v.few(2, "savings", 45, "family_home", 30, "family_abroad", 15, "sold", 8, "loan", 5), "next", next, "final", pick(v.r, []string{"SAU", "YEM", "ARE", "DJI"}, []int{84, 4, 4, 8}),
				"why_final", v.few(2, "jobs", 90, "relatives", 22, "conditions", 18), "stay", pick(v.r, []string{"longer", "year", "always", "unknown"}, []int{52, 22, 6, 20}), "go_back", pick(v.r, []string{"when_possible", "no", "yes", "unknown"}, []int{40, 35, 10, 15}),
				"difficulty", v.few(3, "hunger", 62, "money", 40, "transport", 35, "shelter", 25, "sickness", 12, "robbery", 8), "information", v.few(2, "risks", 30, "destination", 30, "medical", 15, "return", 12),
				"knows_help", v.yes(35), "wants_help", v.yes(18))
			if before := comesFrom[s.code]; len(before) > 0 {
				if set(a.is, "counted", v.yes(34)); a.is["counted"] == "yes" {
					set(a.is, "counted_at", before[v.r.IntN(len(before))])
				}
			} else {
				set(a.is, "counted", v.yes(3))
			}
			v.send(a, 420, nil)
		}
	}
}

// sites are where migrants are stranded, by the areas of the pack.
var sites = []struct {
	region, area, name string
	people             float64
	why                string
}{
	{"DJ01", "DJ0115", "Obock, rivage nord", 210, "sea"},
	{"DJ02", "DJ0216", "Tadjourah, sortie est", 75, "money"},
	{"DJ03", "DJ0314", "Yoboki, carrefour", 45, "money"},
	{"DJ05", "DJ0512", "Ali Sabieh, ancienne gare", 60, "returned"},
}

func presences(v *inventor) {
	for i, s := range sites {
		if _, ok := v.op.Area(s.area); !ok {
			continue
		}
		a := v.begin(6, 3)
		n := int(s.people * season(v.date) * (0.85 + 0.3*v.r.Float64()))
		women, boys, girls := n*14/100, n*9/100, n*2/100
		set(a.is, "slot", "morning", "region", s.region, "area", s.area, "site", s.name, "mode", pick(v.r, []string{"observation", "key_informant"}, []int{80, 20}),
			"arrived", strconv.Itoa(poisson(v.r, s.people/12)), "left", strconv.Itoa(poisson(v.r, s.people/12)), "blocked", s.why,
			"need", v.few(4, "water", 75, "food", 80, "shelter", 35, "health", 25, "return", 12+20*(i%2)), "urgent", v.yes(1))
		a.turns["block"] = []map[string]string{set(map[string]string{}, "nationality", "ETH", "men", strconv.Itoa(n-women-boys-girls), "women", strconv.Itoa(women), "boys", strconv.Itoa(boys), "girls", strconv.Itoa(girls), "not_known", "0")}
		v.send(a, 150, nil)
	}
}

// assessments: a point is visited every quarter of a year.
func assessments(v *inventor) {
	days := int(v.date.Unix() / 86400)
	for i, s := range v.stations() {
		if days%91 != i*9 {
			continue
		}
		a := v.begin(9, 4)
		low := int(s.groups*5) + 2
		set(a.is, "known", "yes", "point", s.code, "place_type", map[string]string{"coast": "beach", "border": "border_post", "inland": "bus_station"}[s.kind],
			"role", map[string]string{"coast": "exit", "border": "entry", "inland": "transit"}[s.kind], "flow_type", map[string]string{"coast": "arabian_peninsula transit_ethiopia", "border": "incoming outgoing", "inland": "transit_internal incoming"}[s.kind],
			"transport", map[string]string{"coast": "foot boat", "border": "foot truck", "inland": "foot truck bus"}[s.kind], "busy", v.few(2, "morning", 80, "evening", 50, "night", 30), "daily_low", strconv.Itoa(low), "daily_high", strconv.Itoa(low*3),
			"service", v.few(6, "shade", 60, "water", 50, "food", 55, "health", 45, "police", 70, "transport", 40), "partner", v.few(3, "onars", 50, "icrc", 25, "community", 60), "network", pick(v.r, []string{"good", "weak", "none"}, []int{50, 40, 10}),
			"access", pick(v.r, []string{"always", "four_wheel", "dry"}, []int{70, 20, 10}), "risk", v.few(2, "heat", 80, "traffic", 30, "smugglers", 15), "advice", pick(v.r, []string{"keep", "hours"}, []int{85, 15}))
		if p, ok := v.op.Point(s.code); ok && p.Positioned {
			a.is["position"] = fmt.Sprintf("%.5f %.5f 0 %d", p.Lat, p.Lon, 5+v.r.IntN(10))
		}
		for _, t := range strings.Fields(v.few(3, "transport_staff", 80, "authority", 60, "migrant", 70)) {
			a.turns["informant"] = append(a.turns["informant"], set(map[string]string{}, "informant_type", t, "informant_count", strconv.Itoa(1+v.r.IntN(3))))
		}
		v.send(a, 900, nil)
	}
}

// events: one in ten days or so.
func events(v *inventor) {
	for range poisson(v.r, 0.1) {
		s := sites[v.r.IntN(len(sites))]
		if _, ok := v.op.Area(s.area); !ok {
			continue
		}
		a := v.begin(5, 14)
		kind := pick(v.r, []string{"mass_arrival", "heat", "accident", "disease", "flood", "expulsion"}, []int{35, 25, 15, 10, 5, 10})
		if s.why == "sea" && v.chance(30) {
			kind = "shipwreck"
		}
		n := 15 + v.r.IntN(150)
		set(a.is, "kind", kind, "region", s.region, "area", s.area, "site", s.name, "source", pick(v.r, []string{"seen", "authority", "community", "affected"}, []int{25, 35, 25, 15}), "danger", v.yes(20),
			"population", "migrants", "affected", strconv.Itoa(n), "injured", strconv.Itoa(part(v.r, n, 0.06)), "children", strconv.Itoa(part(v.r, n, 0.08)), "nationality", "ETH",
			"need", v.few(3, "water", 70, "health", 55, "food", 60, "shelter", 30), "told", v.few(3, "supervisor", 95, "prefecture", 40, "onars", 50, "health", 35), "helping", pick(v.r, []string{"some", "enough", "none"}, []int{50, 25, 25}), "roads", pick(v.r, []string{"yes", "hard"}, []int{80, 20}))
		if kind == "shipwreck" {
			set(a.is, "dead", strconv.Itoa(v.r.IntN(6)), "missing", strconv.Itoa(v.r.IntN(12)))
		}
		v.send(a, 300, nil)
	}
}

// screenings: of people who ask for help.
func screenings(v *inventor) {
	for _, s := range v.stations() {
		for range poisson(v.r, s.groups/22) {
			a := v.begin(7, 9)
			age := 13 + min(v.r.IntN(24), v.r.IntN(24))
			unsure := func(yes, unsure int) string {
				return pick(v.r, []string{"yes", "unsure", "no"}, []int{yes, unsure, 100 - yes - unsure})
			}
			set(a.is, "point", s.code, "consent", v.yes(96), "sex", pick(v.r, []string{"male", "female"}, []int{68, 32}), "age", strconv.Itoa(age), "nationality", pick(v.r, []string{"ETH", "SOM", "ERI"}, []int{94, 4, 2}),
				"child_with", pick(v.r, []string{"alone", "others", "relatives", "parents"}, []int{45, 30, 15, 10}), "health", pick(v.r, []string{"no", "soon", "emergency"}, []int{60, 34, 6}),
				"need", v.few(4, "water", 45, "food", 65, "health", 28, "shelter", 20, "items", 18, "information", 15, "return", 22), "reach", v.yes(55), "danger", v.yes(3), "asylum", unsure(5, 5), "forced", unsure(6, 6), "violence", unsure(12, 6),
				"child_risk", unsure(15, 15), "go_home", unsure(32, 10), "papers", v.yes(60), "share", v.yes(88), "language", pick(v.r, []string{"om", "am", "so", "ti"}, []int{72, 14, 10, 4}))
			if v.chance(70) {
				a.is["person_name"] = fmt.Sprintf("Demo%s Demo%s", demoNames[v.r.IntN(len(demoNames))], demoNames[v.r.IntN(len(demoNames))])
			}
			if v.chance(25) {
				set(a.is, "person_phone", fmt.Sprintf("77 00 %02d %02d", v.r.IntN(100), v.r.IntN(100)), "safe", v.yes(80))
			}
			v.send(a, 300, func(made map[string]string) {
				if proposed := made["/data/screen/proposed"]; proposed != "" {
					a.is["refer"] = proposed
				} else {
					a.is["share"] = "no"
				}
				a.is["consulate"] = v.yes(40)
			})
		}
	}
}

// demoNames are of nobody: letters of the radio alphabet.
var demoNames = []string{"Alfa", "Bravo", "Charlie", "Delta", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima", "Mike", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Victor", "Whisky", "Yankee", "Zulu"}

func set(m map[string]string, pairs ...string) map[string]string {
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}
