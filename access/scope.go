package access

import (
	"slices"
	"time"

	"dtm"
	"dtm/refer"
)

// EndedFor is how long a desk still sees a referral that has ended.
const EndedFor = 30 * 24 * time.Hour

// Actor is somebody who asks for referrals and for what is known of persons, with all
// that decides about it, as it is now.
type Actor struct {
	User       dtm.User
	Desk       dtm.Desk          // at which they answer; the zero Desk when at none
	Agreements []dtm.Agreement   // of their partner
	Glass      []dtm.Glass       // that they have broken
	Regions    map[string]string // of points, by code
	Zone       *time.Location
	Now        time.Time
}

// Case is a referral with what the person allows.
type Case struct {
	dtm.Referral
	Consents   []dtm.Consent
	Restricted bool // the person asked that nobody reads on
}

// steers are the roles that see every referral: they send them.
var steers = []string{dtm.RoleFocal}

// granted are the agreements about cases that stand now.
func (a Actor) granted() (list []dtm.Agreement) {
	if a.Desk.Code == "" || a.Desk.Code != a.User.Desk || a.Desk.Partner != a.User.Partner || a.User.Partner == "" {
		return nil
	}
	for _, g := range a.Agreements {
		if g.Kind == dtm.AgreementCases && g.Partner == a.User.Partner && g.Stands(a.Now, a.Zone) {
			list = append(list, g)
		}
	}
	return list
}

func (a Actor) covers(g dtm.Agreement, c dtm.Referral) bool {
	return slices.Contains(g.Programmes, c.Programme) && (len(g.Areas) == 0 || slices.Contains(g.Areas, a.Regions[c.Point]))
}

// Breaks tells whether the actor may take access in an emergency: a desk whose partner has
// an agreement in force. Where none is, an emergency opens nothing either.
func (a Actor) Breaks() bool { return Decide(a.User, BreakGlass) == nil && len(a.granted()) > 0 }

func (a Actor) glass(id string) bool {
	return a.Breaks() && slices.ContainsFunc(a.Glass, func(g dtm.Glass) bool {
		return g.Referral == id && g.Email == a.User.Email && a.Now.Before(g.Until) && !a.Now.Before(g.At)
	})
}

// knows tells whether the actor may know that a referral exists.
func (a Actor) knows(c dtm.Referral) bool { return a.Answers(c) || a.glass(c.ID) }

// Answers tells whether the actor may do something about a referral. Who broke the glass
// may look and write notes, not answer.
func (a Actor) Answers(c dtm.Referral) bool {
	switch {
	case Decide(a.User, ReadReferrals) != nil:
		return false
	case slices.Contains(steers, a.User.Role):
		return true
	case a.User.Role != dtm.RoleDesk || c.Desk == "" || c.Desk != a.User.Desk || !c.State.WithDesk():
		return false
	case c.Ended != nil && c.Ended.Before(a.Now.Add(-EndedFor)):
		return false
	}
	return slices.ContainsFunc(a.granted(), func(g dtm.Agreement) bool { return a.covers(g, c) })
}

// Decide tells whether the actor may do the action with the referral: Unauthenticated or
// Forbidden as for the role; NotFound when they may not even know of it; Forbidden when
// they know of it and nothing of the person may be shown.
func (a Actor) Decide(action Action, c Case) error {
	if err := Decide(a.User, action); err != nil {
		return err
	}
	if !a.knows(c.Referral) {
		return dtm.Errorf(dtm.NotFound, "there is no such referral").Coded("referral.unknown")
	}
	if action == ReadPersons && len(a.Groups(c)) == 0 {
		return dtm.Errorf(dtm.Forbidden, "nothing of this person may be shown to you: the agreement, the consent or the state of the referral does not allow it").Coded("access.person")
	}
	return nil
}

// Groups are the field groups of the person that the actor may see, in the order in
// which pages show them. A desk has those that an agreement covers and the person
// consented to, once it has accepted; whoever breaks the glass has what is needed to
// help, and of what is sealed only their own programme's.
func (a Actor) Groups(c Case) (out []string) {
	if c.Restricted || Decide(a.User, ReadPersons) != nil || !a.knows(c.Referral) {
		return nil
	}
	may := func(string) bool { return false }
	switch {
	case slices.Contains(steers, a.User.Role):
		may = func(string) bool { return true }
	case a.glass(c.ID):
		own := dtm.GroupOf(c.Programme)
		may = func(g string) bool { return !dtm.Sealed(g) || g == own && a.Desk.Programme == c.Programme }
	case c.State.Accepted():
		consented := refer.Covers(c.Consents, a.User.Partner, c.Programme, a.Now)
		may = func(group string) bool {
			return slices.Contains(consented, group) && slices.ContainsFunc(a.granted(), func(g dtm.Agreement) bool { return a.covers(g, c.Referral) && slices.Contains(g.Groups, group) })
		}
	}
	for _, g := range dtm.FieldGroups {
		if may(g) {
			out = append(out, g)
		}
	}
	return out
}

// Scope is the same as Decide for lists: the store gives exactly those referrals for
// which Decide is nil. It is empty when the role may not.
func (a Actor) Scope(action Action) dtm.ReferralScope {
	if Decide(a.User, action) != nil {
		return dtm.ReferralScope{}
	}
	if slices.Contains(steers, a.User.Role) {
		return dtm.ReferralScope{All: true}
	}
	var s dtm.ReferralScope
	for _, g := range a.Glass {
		if a.glass(g.Referral) {
			s.IDs = append(s.IDs, g.Referral)
		}
	}
	if a.User.Role != dtm.RoleDesk || a.User.Desk == "" {
		return s
	}
	for _, g := range a.granted() {
		x := dtm.ReferralGrant{Programmes: g.Programmes, AnyPoint: len(g.Areas) == 0}
		for code, region := range a.Regions {
			if slices.Contains(g.Areas, region) {
				x.Points = append(x.Points, code)
			}
		}
		slices.Sort(x.Points)
		s.Grants = append(s.Grants, x)
	}
	if len(s.Grants) == 0 {
		return s
	}
	s.Desk, s.EndedSince = a.User.Desk, a.Now.Add(-EndedFor)
	for _, x := range dtm.ReferralStates {
		if x.WithDesk() {
			s.States = append(s.States, x)
		}
	}
	return s
}
