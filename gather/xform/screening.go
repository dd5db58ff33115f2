package xform

import (
	"strconv"
	"strings"

	"dtm"
	"dtm/gather/xlsform"
)

// personal maps tags of sealed answers to fields of the register. A tag #person that is
// not among them is sealed too and goes into no field.
var personal = []struct {
	attrs []string
	field string
}{
	{[]string{"caregiver", "phone"}, "caregiver_phone"},
	{[]string{"caregiver", "relation"}, "caregiver_relation"},
	{[]string{"caregiver"}, "caregiver"},
	{[]string{"name"}, "name"},
	{[]string{"phone"}, "phone"},
	{[]string{"code"}, "case_code"},
	{[]string{"note"}, "contact_note"},
}

// Screens tells whether a form asks what referrals are opened from: a question tagged
// #meta+consent+referral.
func Screens(f *xlsform.Form) (found bool) {
	f.Root.Walk(func(n *xlsform.Node) {
		t := parseTag(n.HXL)
		found = found || t.is("#meta", "consent", "referral")
	})
	return found
}

// Screening is what a screening form says of a person, by its tags. Received, Device
// and what only the store knows are left to the caller.
func (in *Instance) Screening() dtm.Screening {
	s := dtm.Screening{Submission: in.InstanceID, Age: -1, Fields: map[string]string{}}
	in.Root.Each(func(a Answer, _ *Answers) {
		t := parseTag(a.Node.HXL)
		switch {
		case a.Node.Type == "end":
			s.Captured = instant(a.Value)
		case a.Value == "":
		case t.hash == "#person":
			for _, p := range personal {
				if t.is("#person", p.attrs...) {
					s.Fields[p.field] = a.Value
					break
				}
			}
		case t.is("#geo", "coord"):
			if lat, lon, m, ok := geopoint(a.Value); ok {
				s.Spot = &dtm.Whereabouts{Lat: lat, Lon: lon, Metres: m}
				s.Fields["spot"] = a.Value
			}
		case t.is("#loc", "fmp"):
			s.Point = a.Value
		case t.is("#meta", "consent", "referral"):
			s.Share = a.Value == "yes"
		case t.is("#meta", "consent", "consulate"):
		case t.is("#meta", "consent"):
			s.Answered = a.Value == "yes"
		case t.is("#meta", "return", "wish"):
			s.GoHome = a.Value
		case t.is("#meta", "slip"):
			s.Slip = a.Value
		case t.is("#respondee", "sex"):
			s.Sex = a.Value
		case t.is("#respondee", "age"):
			if n, err := strconv.Atoi(a.Value); err == nil && n >= 0 {
				s.Age = n
			}
		case t.is("#respondee", "with"):
			s.With = a.Value
		case t.is("#country", "nationality"):
			s.Nationality = a.Value
		case t.is("#language", "code"):
			s.Lang = a.Value
		case t.is("#contact", "safe"):
			s.Contact = map[string]string{"yes": "safe", "no": "not_safe"}[a.Value]
		case t.is("#need", "health"):
			s.Health = a.Value
		case t.is("#need", "type"):
			s.Needs = strings.Fields(a.Value)
		case t.is("#access", "service"):
			s.Reach = a.Value
		case t.is("#service", "referred"):
			s.Referred = strings.Fields(a.Value)
		case t.is("#severity", "urgent"):
			s.Danger = a.Value
		case t.is("#severity", "priority"):
			s.Priority = a.Value
		case t.is("#protection", "asylum"):
			s.Asylum = a.Value
		case t.is("#protection", "trafficking"):
			s.Forced = a.Value
		case t.is("#protection", "violence"):
			s.Violence = a.Value
		case t.is("#protection", "child"):
			s.ChildRisk = a.Value
		}
	})
	return s
}
