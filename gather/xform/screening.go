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

// sealed tells whether an answer says who somebody is or where to find them: the tag
// #person, or another one with the attribute +person.
func sealed(n *xlsform.Node) bool {
	t := parseTag(n.HXL)
	return t.hash == "#person" || t.hash != "" && t.is(t.hash, "person")
}

// AsksNames tells whether a form has answers that are to be sealed.
func AsksNames(f *xlsform.Form) (found bool) {
	f.Root.Walk(func(n *xlsform.Node) { found = found || sealed(n) })
	return found
}

// Redacted is a submission without the answers that its form seals, and whether there
// were any. Everything else keeps its bytes. XML that cannot be read, or in which a
// sealed answer stands where it cannot be taken out, is given with all its text
// removed: nothing personal passes because it was not understood.
func Redacted(f *xlsform.Form, doc []byte) (public []byte, private bool) {
	in, err := Read(f, doc)
	if err != nil {
		return doc, false // refused at the door for the same reason
	}
	var changes []dtm.Change
	turns := map[*xlsform.Node]int{}
	in.Root.Each(func(a Answer, among *Answers) {
		if !sealed(a.Node) || a.Value == "" {
			return
		}
		path := a.Node.Path()
		if r := among.Repeat; r != nil {
			turns[a.Node]++
			path = strings.Replace(path, r.Path(), r.Path()+"["+strconv.Itoa(turnOf(among))+"]", 1)
		}
		changes = append(changes, dtm.Change{Path: path, Was: a.Value})
	})
	if len(changes) == 0 {
		return doc, false
	}
	public, err = Amended(doc, changes)
	if err == nil {
		// what is left is read again: an element that came twice would keep its second
		if in, err = Read(f, public); err == nil {
			left := false
			in.Root.Each(func(a Answer, _ *Answers) { left = left || sealed(a.Node) && a.Value != "" })
			if !left && !strings.Contains(flagText(in.Flags), "answer.twice") {
				return public, true
			}
		}
	}
	h, _ := Head(doc) // it was read above
	return []byte(bare(f, h)), true
}

func flagText(flags []dtm.Flag) string {
	var b strings.Builder
	for _, f := range flags {
		b.WriteString(f.Rule + " ")
	}
	return b.String()
}

// bare is a submission of which only the head is left.
func bare(f *xlsform.Form, h HeadInfo) string {
	var b strings.Builder
	b.WriteString("<" + f.Root.Name + ` id="` + escape(h.FormID) + `" version="` + escape(h.Version) + `"><meta><instanceID>` + escape(h.InstanceID) + `</instanceID>`)
	if h.DeprecatedID != "" {
		b.WriteString(`<deprecatedID>` + escape(h.DeprecatedID) + `</deprecatedID>`)
	}
	b.WriteString("</meta></" + f.Root.Name + ">")
	return b.String()
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// turnOf is the number of a turn among those of its repeat, from 1.
func turnOf(a *Answers) int {
	n := 0
	for _, t := range a.Parent.Turns {
		if t.Repeat == a.Repeat {
			n++
		}
		if t == a {
			break
		}
	}
	return n
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
