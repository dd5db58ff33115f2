package indicator

import (
	"maps"
	"slices"
)

// Subjects of indicators: the kinds of facts, each with the columns that its
// dimensions live in.
const (
	Movements       = "movement"
	Vulnerabilities = "vulnerability"
	Presence        = "presence"
	Sites           = "site_count"
	Interviews      = "interview"
	Needs           = "need"
	Incidents       = "incident"
)

var (
	monthColumn = columns["month"]
	dayColumn   = columns["day"]
)

func listed(name, list string) column { return column{name: name, list: list} }

// subjects gives the columns of each kind of facts.
var subjects = map[string]map[string]column{
	Movements: columns,
	Vulnerabilities: func() map[string]column {
		out := maps.Clone(columns)
		out["vulnerability"] = listed("code", "vulnerability")
		return out
	}(),
	Presence: {
		"month": monthColumn, "day": dayColumn,
		"site":        {name: "site", place: true},
		"region":      {name: "region", place: true},
		"area":        {name: "area", place: true},
		"blocked":     {name: "blocked", place: true, list: "blocked"},
		"nationality": listed("nationality", "country"),
		"sex":         listed("sex", "sex"),
		"age":         listed("age", "age"),
		"age_band":    listed("age_band", "age"),
	},
	Sites: {
		"month": monthColumn, "day": dayColumn,
		"site": {name: "site"}, "region": {name: "region"}, "area": {name: "area"},
		"blocked": listed("blocked", "blocked"),
	},
	Interviews: {
		"month": monthColumn, "day": dayColumn,
		"point": {name: "point"}, "region": {name: "region"}, "role": {name: "role"},
		"consent":     listed("consent", "yes_no"),
		"sex":         listed("sex", "sex"),
		"age":         listed("age", "age"),
		"age_group":   listed("age_group", "age_group"),
		"nationality": listed("nationality", "country"),
		"marital":     listed("marital", "marital"),
		"education":   listed("education", "education"),
		"employment":  listed("employment", "employment"),
		"origin":      listed("origin", "country"),
		"left_when":   listed("left_when", "left_when"),
		"company":     listed("company", "company"),
		"next":        listed("next", "country"),
		"final":       listed("final", "country"),
		"stay":        listed("stay", "stay"),
		"go_back":     listed("go_back", "go_back"),
		"knows_help":  listed("knows_help", "yes_no"),
		"wants_help":  listed("wants_help", "yes_no"),
		"counted":     listed("counted", "yes_no"),
		"reason":      {name: "reason_set", multi: "reason", list: "reason"},
		"transport":   {name: "transport_set", multi: "transport", list: "transport"},
		"paid_by":     {name: "paid_set", multi: "paid_by", list: "paid_by"},
		"why_final":   {name: "why_set", multi: "why_final", list: "why_final"},
		"difficulty":  {name: "difficulty_set", multi: "difficulty", list: "difficulty"},
		"information": {name: "information_set", multi: "information", list: "information"},
	},
	Needs: {
		"month": monthColumn, "day": dayColumn,
		"subject": listed("subject", "subject"),
		"point":   {name: "point"}, "region": {name: "region"}, "role": {name: "role"}, "site": {name: "site"}, "area": {name: "area"},
		"sex":           listed("sex", "sex"),
		"age":           listed("age", "age"),
		"age_group":     listed("age_group", "age_group"),
		"nationality":   listed("nationality", "country"),
		"priority":      listed("priority", "priority"),
		"reach":         listed("reach", "yes_no"),
		"need":          {name: "need_set", multi: "need", list: "need"},
		"vulnerability": {name: "vulnerability_set", multi: "vulnerability", list: "vulnerability"},
		"programme":     {name: "proposed_set", multi: "programme", list: "programme"},
		"referred":      {name: "referred_set", multi: "programme", list: "programme"},
	},
	Incidents: {
		"month": monthColumn, "day": dayColumn,
		"incident": listed("kind", "event_type"),
		"site":     {name: "site"}, "region": {name: "region"}, "area": {name: "area"},
		"nationality": listed("nationality", "country"),
		"helping":     listed("helping", "helping"),
		"population":  {name: "population_set", multi: "population", list: "population"},
	},
}

// lists gives the code list of every dimension.
var lists = func() map[string]string {
	out := map[string]string{}
	for _, of := range subjects {
		for d, c := range of {
			if c.list != "" {
				out[d] = c.list
			}
		}
	}
	return out
}()

// Dimensions lists what figures can be split and filtered by.
func Dimensions() []string {
	all := map[string]bool{}
	for _, of := range subjects {
		for d := range of {
			all[d] = d != pointText
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(d string) bool { return !all[d] })
}

// dimensionsOf lists those of a subject.
func dimensionsOf(of map[string]column) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(of)), func(d string) bool { return d == pointText })
}
