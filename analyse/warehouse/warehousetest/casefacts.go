package warehousetest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// caseFacts adds the rows of a block as submissions. The fields of a row are those of
// the fact, in small letters; several answers are joined by +.
func caseFacts(log *Log, b block) error {
	present := map[string]*dtm.Presence{}
	var order []string
	kind := b.head[0]
	for n, r := range b.rows[1:] {
		get := map[string]string{}
		if len(r) != len(b.rows[0]) {
			return fmt.Errorf("line %d: %d fields, want %d", b.at[n+1], len(r), len(b.rows[0]))
		}
		for i, name := range b.rows[0] {
			if r[i] != "-" {
				get[name] = strings.ReplaceAll(r[i], "_", " ")
				if name != "site" {
					get[name] = r[i]
				}
			}
		}
		var err error
		number := func(name string) int {
			s, ok := get[name]
			if !ok {
				return dtm.NotRecorded
			}
			v, bad := strconv.Atoi(s)
			if bad != nil {
				err = fmt.Errorf("line %d: %s is no number", b.at[n+1], name)
			}
			return v
		}
		several := func(name string) []string {
			if get[name] == "" {
				return nil
			}
			return strings.Split(get[name], "+")
		}
		day, bad := time.Parse(time.DateOnly, get["observed"])
		if bad != nil {
			return fmt.Errorf("line %d: %w", b.at[n+1], bad)
		}
		where := dtm.Where{Point: get["point"], Site: get["site"], Area: get["area"], Region: get["region"]}
		id := fmt.Sprintf("%s%d", kind, n+1)
		switch kind {
		case "interview":
			i := dtm.Interview{Where: where, Source: id, Observed: day, Consent: get["consent"], Before: get["before"], Sex: get["sex"], Years: number("years"), Nationality: get["nationality"],
				Marital: get["marital"], Origin: get["origin"], Final: get["final"], CompanySize: number("company"), Reasons: several("reasons"), Difficulties: several("difficulties")}
			log.SubmitFacts(id, "", dtm.Facts{Interview: &i})
		case "need":
			x := dtm.Need{Where: where, Observed: day, Subject: get["subject"], People: max(number("people"), 0), Sex: get["sex"], Years: number("years"), Asked: several("asked"), Lacks: several("lacks"),
				Vulnerable: several("vulnerable"), Priority: get["priority"], Reach: get["reach"], Proposed: several("proposed"), Referred: several("referred")}
			log.SubmitFacts(id, "", dtm.Facts{Need: &x})
		case "incident":
			x := dtm.Incident{Where: where, Observed: day, Kind: get["kind"], Affected: number("affected"), Dead: number("dead"), Missing: number("missing"), Injured: number("injured"), Children: dtm.NotRecorded, Displaced: dtm.NotRecorded}
			log.SubmitFacts(id, "", dtm.Facts{Incident: &x})
		case "present":
			hour := max(number("hour"), 0)
			key := fmt.Sprint(where, day, hour)
			p := present[key]
			if p == nil {
				p = &dtm.Presence{Where: where, Observed: day, Counted: day.Add(time.Duration(hour) * time.Hour), Arrived: number("arrived"), Left: number("left")}
				present[key] = p
				order = append(order, key)
			}
			if people := number("people"); people > 0 {
				p.People = append(p.People, dtm.Present{Nationality: get["nationality"], Sex: get["sex"], Age: get["age"], People: people})
			}
		}
		if err != nil {
			return err
		}
	}
	for i, key := range order {
		log.SubmitFacts(fmt.Sprintf("present%d", i+1), "", dtm.Facts{Presence: present[key]})
	}
	return nil
}
