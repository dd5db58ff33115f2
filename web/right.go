package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"dtm"
	"dtm/access"
	"dtm/event"
	"dtm/locale"
)

// Rights is what the page of a person's rights needs.
type Rights struct {
	// Dossier is everything about the person of a referral, as a page to hand over.
	Dossier func(ctx context.Context, r dtm.Referral, l dtm.Lang) ([]byte, error)
	// Erase withdraws the person's open referrals and destroys the key.
	Erase func(ctx context.Context, person, why string) error
	// Forgotten is when the last backup forgets somebody erased at a time; the zero time
	// when there is no shelf of backups.
	Forgotten func(erased time.Time) time.Time
}

type rightView struct {
	page
	Referral                   dtm.Referral
	Restricted                 bool
	Erased, Forgotten, WouldBe string
	EraseWhy, RestrictWhy      []option
	Reads                      []readRow
	Message, Done              string
}

type readRow struct{ When, Who, What string }

// personRights is where a focal point does what a person may ask for: hear what is known and
// who read it, have it corrected, have nobody read on, have it erased.
func (p *Pages) personRights(w http.ResponseWriter, r *http.Request) error {
	x, err := p.namedReferral(r)
	if err != nil {
		return err
	}
	return p.showRights(w, r, http.StatusOK, x, rightView{})
}

func (p *Pages) namedReferral(r *http.Request) (dtm.Referral, error) {
	x, err := p.referralOf(r)
	if err == nil && x.Person == "" {
		err = dtm.Errorf(dtm.NotFound, "this referral names nobody: there is nothing to open").Coded("glass.nobody")
	}
	return x, err
}

func (p *Pages) showRights(w http.ResponseWriter, r *http.Request, status int, x dtm.Referral, v rightView) error {
	ctx := r.Context()
	v.page, v.Referral = p.inside(r, "referrals", "right.title", "/referrals/"+x.ID+"/rights"), x
	person, err := p.Staff.Referring.Persons.Person(ctx, x.Person)
	if err != nil {
		return err
	}
	v.Restricted = person.Restricted
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return locale.Date(v.Lang, t.In(p.Operation.Zone))
	}
	v.WouldBe = day(p.Staff.Referring.Rights.Forgotten(p.Now()))
	if person.Erased != nil {
		v.Erased, v.Forgotten = v.When(*person.Erased), day(p.Staff.Referring.Rights.Forgotten(*person.Erased))
	}
	for _, c := range dtm.EraseReasons {
		if c != dtm.EraseRetention {
			v.EraseWhy = append(v.EraseWhy, option{Value: c, Label: v.T("right.erase.why." + c)})
		}
	}
	for _, c := range dtm.RestrictReasons {
		v.RestrictWhy = append(v.RestrictWhy, option{Value: c, Label: v.T("right.restrict.why." + c)})
	}
	reads, err := p.Staff.Referring.Persons.ReadsOf(ctx, x.Person)
	if err != nil {
		return err
	}
	for i := len(reads) - 1; i >= 0 && len(v.Reads) < 100; i-- {
		var what []string
		for _, g := range reads[i].Groups {
			what = append(what, v.T("group."+g))
		}
		v.Reads = append(v.Reads, readRow{v.When(reads[i].At), v.Actor(reads[i].Actor, nil), together(v.Lang, what)})
	}
	return p.show(w, status, "rights", v)
}

func (p *Pages) doRight(w http.ResponseWriter, r *http.Request) error {
	x, err := p.namedReferral(r)
	if err != nil {
		return err
	}
	ctx, l, d := event.WithActor(r.Context(), actor(r)), p.guess(r), p.Staff.Referring
	v := rightView{}
	switch do := r.PostFormValue("do"); do {
	case "export":
		b, err := d.Rights.Dossier(ctx, x, l)
		if err == nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Disposition", `attachment; filename="person-`+string(l)+`.html"`)
			_, err = w.Write(b)
			return err
		}
		if !refused(err) && dtm.KindOf(err) != dtm.Gone {
			return err
		}
		v.Message = locale.Error(l, err)
	case "restrict", "release":
		if err = d.Persons.RestrictPerson(ctx, x.Person, do == "restrict", r.PostFormValue("why")); err == nil {
			v.Done = locale.Say(l, "right.done."+do)
		}
	case "erase":
		if strings.TrimSpace(r.PostFormValue("number")) != x.Number {
			err = dtm.Errorf(dtm.Invalid, "type the number of the referral, so that nobody is erased by a slip of the hand").Coded("right.number")
		} else if err = d.Rights.Erase(ctx, x.Person, r.PostFormValue("why")); err == nil {
			v.Done = locale.Say(l, "right.done.erase")
		}
	default:
		err = dtm.Errorf(dtm.Invalid, "there is nothing called %q to do", do).Coded("code.unknown", do, "do")
	}
	if k := dtm.KindOf(err); err != nil && (refused(err) || k == dtm.Gone) {
		v.Message, err = locale.Error(l, err), nil
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if v.Message != "" {
		status = http.StatusUnprocessableEntity
	}
	return p.showRights(w, r, status, x, v)
}

// rightRoutes are the pages about a person's rights.
func (p *Pages) rightRoutes(through func(string, gate, func(http.ResponseWriter, *http.Request) error)) {
	through("GET /referrals/{id}/rights", gate{action: access.CarePersons, proven: true}, p.personRights)
	through("POST /referrals/{id}/rights", gate{action: access.CarePersons, proven: true}, p.doRight)
}
