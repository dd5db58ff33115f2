package refer

import (
	"slices"

	"dtm"
)

// Guarded tells whether the way home is shut: the person is a child or may be one, or
// asylum or force was not ruled out. What was not answered counts as not ruled out.
func Guarded(s dtm.Screening) bool {
	return s.Age < 18 || s.Asylum != "no" || s.Forced != "no"
}

// Proposal is a programme that the answers ask for, or that was chosen.
type Proposal struct {
	Programme string
	Proposed  bool // by the rules
	Chosen    bool // by enumerator and person
	Barred    bool // chosen against the hard rule: it is not opened
}

// Propose derives again what the form proposed, whatever the phone said: the rules of
// the screening form, which a test holds against the form's own expressions.
// Programmes are in the form's order.
func Propose(s dtm.Screening) (programmes []string) {
	needs := func(list ...string) bool {
		return slices.ContainsFunc(list, func(n string) bool { return slices.Contains(s.Needs, n) })
	}
	guarded := Guarded(s)
	if guarded || s.Violence == "yes" || s.Danger == "yes" || s.ChildRisk == "yes" || needs("protection") {
		programmes = append(programmes, "protection")
	}
	if s.Health != "no" || needs("health") {
		programmes = append(programmes, "health")
	}
	if needs("water", "food", "shelter", "items", "information", "transport") {
		programmes = append(programmes, "direct_assistance")
	}
	if s.Reach == "no" && (s.Health == "emergency" || s.Danger == "yes" || !needs("none")) {
		programmes = append(programmes, "mrrm")
	}
	if !guarded && (s.GoHome == "yes" || needs("return") && s.GoHome != "no") {
		programmes = append(programmes, "vhr")
	}
	return programmes
}

// PriorityOf is how soon somebody must come, from the answers. A phone that computed a
// more pressing one is believed.
func PriorityOf(s dtm.Screening) dtm.Priority {
	p := dtm.Normal
	proposed := Propose(s)
	switch {
	case s.Health == "emergency" || s.Danger == "yes":
		p = dtm.Emergency
	case slices.Contains(proposed, "protection") || s.Health == "soon":
		p = dtm.Urgent
	}
	for _, x := range dtm.Priorities {
		if x == p || string(x) == s.Priority {
			return x
		}
	}
	return p
}

// Routes joins what the answers propose with what was chosen. A return programme that
// the hard rule shuts is marked and stands beside protection, which takes its place.
func Routes(op *dtm.Operation, s dtm.Screening) (list []Proposal) {
	if !s.Answered {
		return nil
	}
	proposed := Propose(s)
	guarded := Guarded(s)
	for _, p := range op.Programmes {
		x := Proposal{Programme: p.Code, Proposed: slices.Contains(proposed, p.Code), Chosen: slices.Contains(s.Referred, p.Code), Barred: guarded && p.Return}
		if x.Proposed || x.Chosen {
			list = append(list, x)
		}
	}
	return list
}

// Barred is the hard rule: it is an error of kind Forbidden to address a desk of a
// return programme or a consulate for somebody who is guarded. Nobody can override it.
// A programme that is not known may be one that returns people.
func Barred(programmes []dtm.Programme, guarded bool, d dtm.Desk) error {
	if !guarded {
		return nil
	}
	i := slices.IndexFunc(programmes, func(p dtm.Programme) bool { return p.Code == d.Programme })
	if i >= 0 && !programmes[i].Return && !d.Consulate {
		return nil
	}
	return dtm.Errorf(dtm.Forbidden, "no return programme and no consulate for this person: protection comes first").Coded("referral.barred")
}

// AgeBand is the band of an age in years; "" when it is not known.
func AgeBand(years int) string {
	switch {
	case years < 0:
		return ""
	case years < 5:
		return "0-4"
	case years < 18:
		return "5-17"
	case years < 60:
		return "18-59"
	}
	return "60+"
}

// Wanted are the programmes that a screening opens referrals for, in the operation's
// order. With consent the choice of the person stands, and protection takes the place
// of what the hard rule shuts; without it what the answers propose is counted as need.
func Wanted(op *dtm.Operation, s dtm.Screening) (programmes []string) {
	add := func(p string) {
		if !slices.Contains(programmes, p) {
			programmes = append(programmes, p)
		}
	}
	for _, x := range Routes(op, s) {
		switch {
		case !s.Share && x.Proposed:
			add(x.Programme)
		case s.Share && x.Chosen && x.Barred:
			add("protection")
		case s.Share && x.Chosen:
			add(x.Programme)
		}
	}
	return programmes
}

// Open gives the referrals that a screening asks for, with an id and a number for each
// programme. Of who does not let anything be passed on only the anonymous need is kept.
func Open(op *dtm.Operation, s dtm.Screening, person string, id func(programme string) (id, number string)) (list []dtm.Referral) {
	alone := s.Age >= 0 && s.Age < 18 && (s.With == "alone" || s.With == "others")
	for _, p := range Wanted(op, s) {
		r := dtm.Referral{
			Person: person, Submission: s.Submission, Device: s.Device, Point: s.Point, Programme: p, State: dtm.ReferralSubmitted, Version: 1,
			Priority: PriorityOf(s), Guarded: Guarded(s), Captured: s.Captured, Received: s.Received, Changed: s.Received,
			Preview: dtm.Preview{Sex: s.Sex, Age: AgeBand(s.Age), Needs: slices.Clone(s.Needs), Lang: s.Lang, Alone: alone, Contact: s.Contact, SeenAt: s.Captured},
		}
		r.ID, r.Number = id(p)
		if !s.Share {
			r.State, r.Person, r.Lang, r.Contact = dtm.ReferralHeld, "", "", ""
		}
		list = append(list, r)
	}
	return list
}
