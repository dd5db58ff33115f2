package refer

import (
	"slices"
	"strings"
	"time"

	"dtm"
)

// ForProgramme is the recipient of a consent to whichever desk of a programme.
func ForProgramme(code string) string { return "programme:" + code }

// Covers lists the field groups that a person's consents let a partner have for a
// programme. A withdrawn consent covers nothing; a later one stands by itself.
func Covers(list []dtm.Consent, partner, programme string, now time.Time) (groups []string) {
	for _, c := range list {
		if c.Withdrawn != nil && !now.Before(*c.Withdrawn) || now.Before(c.Given) || c.Waits() {
			continue
		}
		if c.Recipient != partner && c.Recipient != ForProgramme(programme) {
			continue
		}
		for _, g := range c.Groups {
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	slices.SortFunc(groups, func(a, b string) int { return slices.Index(dtm.FieldGroups, a) - slices.Index(dtm.FieldGroups, b) })
	return groups
}

// CheckConsent tells what a consent lacks: Invalid.
func CheckConsent(c dtm.Consent, child bool) error {
	bad := func(code, msg string) error { return dtm.Errorf(dtm.Invalid, "%s", msg).Coded(code) }
	switch {
	case c.Person == "" || c.Recipient == "" || c.Recipient == ForProgramme(""):
		return bad("consent.recipient", "say to whom it is given")
	case len(c.Groups) == 0 || slices.ContainsFunc(c.Groups, func(g string) bool { return !slices.Contains(dtm.FieldGroups, g) }):
		return bad("consent.groups", "say what may be passed on")
	case strings.TrimSpace(c.Wording) == "" || c.Lang == "":
		return bad("consent.wording", "say which text was read out, and in which language")
	case c.How != dtm.ConsentWitnessed && c.How != dtm.ConsentSigned:
		return bad("consent.how", "say whether it was spoken before a witness or signed")
	}
	switch c.Of {
	case dtm.ConsentOfPerson:
		if child {
			return bad("consent.child", "for a child the caregiver consents beside its own assent; without a caregiver the best interest is decided and documented")
		}
	case dtm.ConsentOfCaregiver:
		if !c.Assent {
			return bad("consent.assent", "the child has to agree too; record its assent")
		}
	case dtm.ConsentBestInterest:
		if strings.TrimSpace(c.Reason) == "" {
			return bad("consent.reason", "write down why it is in the best interest")
		}
	case dtm.ConsentVitalInterest:
		if strings.TrimSpace(c.Reason) == "" || c.Second == c.Actor {
			return bad("consent.second", "passing on without consent needs the reason and a second person")
		}
	default:
		return bad("consent.of", "say whose consent it is")
	}
	return nil
}

// AtCapture are the consents that a screening itself records: for each programme that
// was referred to, what was captured of need, identity and contact, and the programme's
// own group. A child in its parents' company has theirs beside its own assent; for one
// without, the best interest is taken to be help, and the focal point has to document
// it.
func AtCapture(s dtm.Screening, person, wording string, programmes []string, id func(programme string) string) (list []dtm.Consent) {
	if !s.Share {
		return nil
	}
	for _, p := range programmes {
		c := dtm.Consent{ID: id(p), Person: person, Recipient: ForProgramme(p), Groups: []string{dtm.GroupNeed, dtm.GroupIdentity}, Wording: wording, Lang: s.Lang,
			How: dtm.ConsentWitnessed, Of: dtm.ConsentOfPerson, Actor: "device:" + s.Device, Given: s.Received}
		if s.Fields["phone"] != "" || s.Contact != "" {
			c.Groups = append(c.Groups, dtm.GroupContact)
		}
		if s.Age >= 0 && s.Age < 18 {
			c.Groups = append(c.Groups, dtm.GroupFamily)
			c.Of, c.Assent = dtm.ConsentOfCaregiver, true
			if s.With != "parents" && s.With != "relatives" {
				c.Of, c.Reason = dtm.ConsentBestInterest, BestInterestOwed
			}
		}
		c.Groups = append(c.Groups, dtm.GroupOf(p))
		if c.Lang == "" {
			c.Lang = "und"
		}
		list = append(list, c)
	}
	return list
}

// BestInterestOwed stands for the reason of a best-interest consent until the focal
// point has documented it.
const BestInterestOwed = "to be documented"
