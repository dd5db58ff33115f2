package web

import (
	"context"

	"dtm"
	"dtm/access"
)

type secondsKey struct{}

// secondsWaiting is for how many decisions the user is asked as the second person.
func secondsWaiting(ctx context.Context) int {
	n, _ := ctx.Value(secondsKey{}).(int)
	return n
}

// secondWait is passing on without consent that waits for a second person.
type secondWait struct {
	Number, Programme, Href, When, Who string
	Own                                bool // the reader asked: it is for another
}

// seconds are what waits for a second person, of referrals that are still to be decided.
func (p *Pages) seconds(ctx context.Context, u dtm.User, each func(dtm.Consent, dtm.Referral)) error {
	if p.Staff.Referring == nil || access.Decide(u, access.CarePersons) != nil {
		return nil
	}
	list, err := p.Staff.Referring.Consents.WaitingConsents(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		x, ok, err := p.waitsFor(ctx, c)
		if err != nil {
			return err
		}
		if ok {
			each(c, x)
		}
	}
	return nil
}

// waitsFor is a referral by which the second person comes to a consent that waits.
func (p *Pages) waitsFor(ctx context.Context, c dtm.Consent) (dtm.Referral, bool, error) {
	d := p.Staff.Referring
	if id, ok := dtm.OverriddenBy(c.Person); ok {
		x, err := d.Referrals.Referral(ctx, id)
		return x, x.State == dtm.ReferralHeld, err
	}
	person := c.Person
	x, err := d.Persons.Person(ctx, person)
	if err != nil {
		return dtm.Referral{}, false, err
	}
	if x.MergedInto != "" {
		person = x.MergedInto
	}
	list, _, err := d.Referrals.Referrals(ctx, dtm.ReferralFilter{Person: &person, Limit: 1})
	if err != nil || len(list) == 0 {
		return dtm.Referral{}, false, err
	}
	return list[0], true, nil
}

// countSeconds counts those that the user is asked for, not those that they asked for.
func (p *Pages) countSeconds(ctx context.Context, u dtm.User) (n int, err error) {
	err = p.seconds(ctx, u, func(c dtm.Consent, _ dtm.Referral) {
		if c.Actor != "user:"+u.Email {
			n++
		}
	})
	return n, err
}

// secondRows are they as the inbox shows them, those for the reader first.
func (p *Pages) secondRows(ctx context.Context, g page) (list []secondWait, err error) {
	var own []secondWait
	err = p.seconds(ctx, g.User, func(c dtm.Consent, x dtm.Referral) {
		row := secondWait{Number: x.Number, Programme: g.Programme(x.Programme), Href: g.Link("/staff/referrals/" + x.ID), When: g.When(c.Given), Who: actorName(c.Actor, g.User), Own: c.Actor == "user:"+g.User.Email}
		if row.Own {
			own = append(own, row)
		} else {
			list = append(list, row)
		}
	})
	return append(list, own...), err
}
