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

// glassView is the page on which a desk takes access in an emergency.
type glassView struct {
	page
	Numbered, Reason string
	Open             []glassRow
	Message          string
}

type glassRow struct {
	dtm.Glass
	Number, Href, When, Until, By, Ended string
	Late, Own                            bool
}

// glass is where a desk opens what it may not see, for three hours and with a reason. It
// asks for the number on the slip: what is not known cannot be browsed.
func (p *Pages) glass(w http.ResponseWriter, r *http.Request) error {
	return p.showGlass(w, r, http.StatusOK, glassView{Numbered: strings.TrimSpace(r.URL.Query().Get("number"))})
}

func (p *Pages) showGlass(w http.ResponseWriter, r *http.Request, status int, v glassView) error {
	ctx, d := r.Context(), p.Staff.Referring
	v.page = p.inside(r, "glass", "glass.title", "/glass/")
	list, err := d.Glasses.BrokenGlass(ctx, member(ctx).Email)
	if err != nil {
		return err
	}
	for _, g := range list {
		row, err := p.glassRow(ctx, v.page, g)
		if err != nil {
			return err
		}
		v.Open = append(v.Open, row)
	}
	return p.show(w, status, "glass", v)
}

func (p *Pages) glassRow(ctx context.Context, v page, g dtm.Glass) (glassRow, error) {
	x, err := p.Staff.Referring.Referrals.Referral(ctx, g.Referral)
	by := dtm.GlassJudgedBy(g, p.Operation.Zone)
	return glassRow{Glass: g, Number: x.Number, Href: v.Link("/staff/referrals/" + g.Referral), When: v.When(g.At), Until: v.When(g.Until), By: v.When(by.Add(-time.Minute)), Ended: v.WhenPtr(g.Reviewed),
		Late: g.Reviewed == nil && p.Now().After(by), Own: g.Email == v.User.Email}, err
}

// breakGlass opens one referral and shows it.
func (p *Pages) breakGlass(w http.ResponseWriter, r *http.Request) error {
	ctx, u, d := event.WithActor(r.Context(), actor(r)), member(r.Context()), p.Staff.Referring
	v := glassView{Numbered: strings.TrimSpace(r.PostFormValue("number")), Reason: trimmed(r.PostFormValue("reason"), 1000)}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	if !a.Breaks() {
		v.Message = locale.Say(p.guess(r), "error.glass.agreement")
		return p.showGlass(w, r, http.StatusForbidden, v)
	}
	var x dtm.Referral
	err = p.Staff.Door.Guess(r.Context(), u.Email, "number", func() (err error) {
		x, err = d.Referrals.ReferralByNumber(ctx, v.Numbered)
		return err
	})
	switch {
	case err != nil && dtm.KindOf(err) == dtm.TooMany:
		v.Message = locale.Say(p.guess(r), "glass.wait", access.Retry(err))
		return p.showGlass(w, r, http.StatusTooManyRequests, v)
	case err == nil:
		_, err = d.Glasses.BreakGlass(ctx, u.Email, x.ID, v.Reason)
	case dtm.KindOf(err) == dtm.NotFound:
		// Numbers are not to be tried out: each try that fails is in the log.
		if e := p.Staff.Trail.Refused(ctx, u, access.BreakGlass, r.Pattern); e != nil {
			return e
		}
		v.Message = locale.Say(p.guess(r), "referral.number.none", v.Numbered)
		return p.showGlass(w, r, http.StatusUnprocessableEntity, v)
	}
	if k := dtm.KindOf(err); err != nil && (refused(err) || k == dtm.Gone) {
		v.Message = locale.Error(p.guess(r), err)
		return p.showGlass(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(p.guess(r))+"/staff/referrals/"+x.ID, http.StatusSeeOther)
	return nil
}

// glassesView is the queue of those who judge.
type glassesView struct {
	page
	Waiting, Judged []glassRow
	Message, Done   string
}

// judgedFor is how long a judgement is shown.
const judgedFor = 90 * 24 * time.Hour

// glasses lists access that was taken in emergencies, what nobody has judged first.
func (p *Pages) glasses(w http.ResponseWriter, r *http.Request) error {
	return p.showGlasses(w, r, http.StatusOK, glassesView{})
}

func (p *Pages) showGlasses(w http.ResponseWriter, r *http.Request, status int, v glassesView) error {
	ctx := r.Context()
	v.page = p.inside(r, "glasses", "glass.queue", "/glass/queue")
	list, err := p.Staff.Referring.Glasses.GlassToReview(ctx, p.Now().Add(-judgedFor))
	if err != nil {
		return err
	}
	for _, g := range list {
		row, err := p.glassRow(ctx, v.page, g)
		if err != nil {
			return err
		}
		if !v.May(string(access.ReadReferrals)) {
			row.Href = "" // an auditor judges without opening anybody
		}
		if g.Reviewed == nil {
			v.Waiting = append(v.Waiting, row)
		} else {
			v.Judged = append(v.Judged, row)
		}
	}
	return p.show(w, status, "glasses", v)
}

// judgeGlass records a judgement.
func (p *Pages) judgeGlass(w http.ResponseWriter, r *http.Request) error {
	ctx, l := event.WithActor(r.Context(), actor(r)), p.guess(r)
	right := r.PostFormValue("right")
	var err error
	if right != "yes" && right != "no" {
		err = dtm.Errorf(dtm.Invalid, "say whether it was needed").Coded("glass.verdict")
	} else {
		err = p.Staff.Referring.Glasses.ReviewGlass(ctx, r.PostFormValue("id"), right == "yes", trimmed(r.PostFormValue("verdict"), 1000))
	}
	if refused(err) || err != nil && dtm.KindOf(err) == dtm.Forbidden {
		return p.showGlasses(w, r, http.StatusUnprocessableEntity, glassesView{Message: locale.Error(l, err)})
	}
	if err != nil {
		return err
	}
	return p.showGlasses(w, r, http.StatusOK, glassesView{Done: locale.Say(l, "glass.done")})
}

// glassWaiting is how many accesses somebody has to judge.
func (p *Pages) glassWaiting(ctx context.Context, u dtm.User) (n int, err error) {
	if p.Staff.Referring == nil || access.Decide(u, access.ReviewGlass) != nil {
		return 0, nil
	}
	list, err := p.Staff.Referring.Glasses.GlassToReview(ctx, p.Now())
	for _, g := range list {
		if g.Reviewed == nil && g.Email != u.Email {
			n++
		}
	}
	return n, err
}

// glassRoutes are the pages about access in an emergency.
func (p *Pages) glassRoutes(through func(string, gate, func(http.ResponseWriter, *http.Request) error)) {
	through("GET /glass/{$}", gate{action: access.BreakGlass, proven: true}, p.glass)
	through("POST /glass/{$}", gate{action: access.BreakGlass, proven: true}, p.breakGlass)
	through("GET /glass/queue", gate{action: access.ReviewGlass}, p.glasses)
	through("POST /glass/queue", gate{action: access.ReviewGlass}, p.judgeGlass)
}
