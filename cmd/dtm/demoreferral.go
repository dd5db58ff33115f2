package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"dtm"
	"dtm/event"
	"dtm/refer"
)

// clock gives the time of day, or that of what is being invented.
type clock struct {
	mu  sync.Mutex
	set time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set.IsZero() {
		return time.Now()
	}
	return c.set
}

func (c *clock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = t
}

// demoDesks are places of the desks of the pack, and two desks more. Nothing of it is
// true.
func (h *house) demoDesks(ctx context.Context) error {
	if err := h.firstDesks(ctx); err != nil {
		return err
	}
	plan, err := dtm.NewPlan("daily", "07:00", "19:00")
	if err != nil {
		return err
	}
	for _, d := range []dtm.Desk{
		{Code: "demo-protection-ali-sabieh", Programme: "protection", Partner: "unicef", Name: dtm.Text{"en": "Child protection, Ali Sabieh (demo)", "fr": "Protection de l’enfance, Ali Sabieh (démo)", "ar": "حماية الطفل، علي صبيح (تجريبي)"}, Lat: 11.1558, Lon: 42.7125, Located: true, Services: []string{"protection"}, Languages: []string{"om", "am", "so", "fr"}, Open: plan, Capacity: 15},
		{Code: "demo-health-yoboki", Programme: "health", Partner: "drc", Name: dtm.Text{"en": "Clinic, Yoboki (demo)", "fr": "Dispensaire, Yoboki (démo)", "ar": "مستوصف، يوبوكي (تجريبي)"}, Lat: 11.5114, Lon: 42.1064, Located: true, Services: []string{"health"}, Languages: []string{"om", "am", "fr"}, Open: plan, Capacity: 12},
		{Code: "demo-mobile-dikhil", Programme: "mrrm", Partner: "onars", Name: dtm.Text{"en": "Mobile unit, Dikhil (demo)", "fr": "Unité mobile, Dikhil (démo)", "ar": "وحدة متنقلة، دخيل (تجريبي)"}, Lat: 11.1086, Lon: 42.3739, Located: true, Services: []string{"water", "food", "health", "transport"}, Languages: []string{"om", "am", "so"}, Open: plan, Capacity: 8},
	} {
		if _, err := h.db.SetDesk(ctx, d); err != nil {
			return err
		}
	}
	today := dtm.DayOf(time.Now(), h.op.Zone)
	for _, partner := range []string{"iom", "unicef", "drc", "onars"} {
		a := dtm.Agreement{Partner: partner, Kind: dtm.AgreementCases, Purpose: "demo", Basis: "demo", Groups: dtm.FieldGroups, From: today.AddDate(-1, 0, 0), To: today.AddDate(1, 0, 0)}
		for _, p := range h.op.Programmes {
			a.Programmes = append(a.Programmes, p.Code)
		}
		if _, err := h.db.AddAgreement(ctx, a); err != nil {
			return err
		}
	}
	figures := dtm.Agreement{Partner: demoUser("", dtm.RolePartner).Partner, Kind: dtm.AgreementFigures, Purpose: "national statistics of migration", From: dtm.DayOf(h.now(), h.op.Zone).AddDate(0, -1, 0), To: dtm.DayOf(h.now(), h.op.Zone).AddDate(1, 0, 0)}
	if _, err := h.db.AddAgreement(ctx, figures); err != nil {
		return err
	}
	for code, places := range map[string]int{"mrc-obock-assistance": 60, "mrc-obock-health": 20, "mrc-obock-protection": 25, "mrc-obock-return": 80, "patrol-obock": 10, "onars-dikhil": 40, "demo-protection-ali-sabieh": 15, "demo-health-yoboki": 12, "demo-mobile-dikhil": 8} {
		if _, err := h.db.SetCapacity(ctx, code, places, "", nil); err != nil {
			return err
		}
	}
	return nil
}

// inventReferrals lets desks answer what the screenings of the latest days ask for, as
// fast and as well as desks do.
func (h *house) inventReferrals(ctx context.Context, c *clock) error {
	defer c.to(time.Time{})
	ctx = event.WithActor(ctx, event.System)
	if err := h.demoDesks(ctx); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(demoSeed, 5))
	end := time.Now()
	after, err := h.db.ReferralsDone(ctx)
	if err != nil {
		return err
	}
	for {
		batch, err := h.db.Events(ctx, after, 500)
		if err != nil || len(batch) == 0 {
			return err
		}
		after = batch[len(batch)-1].Seq
		for _, e := range batch {
			if e.Name != dtm.SubmissionReceived {
				continue
			}
			s, err := h.db.Submission(ctx, e.Subject)
			if err != nil {
				return err
			}
			if s.Form != "screening" {
				continue
			}
			c.to(s.Received)
			if err := h.followScreenings(ctx, []dtm.Event{e}); err != nil {
				return err
			}
			list, _, err := h.db.Referrals(ctx, dtm.ReferralFilter{Submission: &s.ID})
			if err != nil {
				return err
			}
			for _, x := range list {
				if err := h.answerAsDesks(ctx, c, r, x, end); err != nil {
					return err
				}
			}
		}
		c.to(time.Time{})
		if err := h.db.KeepScreenings(ctx, nil, after); err != nil {
			return err
		}
	}
}

// answerAsDesks gives a referral the answers of a desk, as far as they lie in the past.
func (h *house) answerAsDesks(ctx context.Context, c *clock, r *rand.Rand, x dtm.Referral, end time.Time) error {
	at := x.Received
	then := func(hours float64, who string, as dtm.Doer, do dtm.Do) (bool, error) {
		at = at.Add(time.Duration(r.ExpFloat64() * hours * float64(time.Hour)))
		if at.After(end) {
			return false, nil
		}
		c.to(at)
		now, err := h.db.Referral(ctx, x.ID)
		if err != nil {
			return false, err
		}
		if _, may, ok := refer.Leads(now.State, do.Action); !ok || len(may) == 0 {
			return false, nil
		}
		do.Version = now.Version
		x, _, err = h.db.Act(event.WithActor(ctx, who), x.ID, as, do)
		if err != nil && dtm.KindOf(err) == dtm.Conflict { // full: it waits
			return false, nil
		}
		return err == nil, err
	}
	pace := map[dtm.Priority]float64{dtm.Emergency: 0.15, dtm.Urgent: 0.5, dtm.Normal: 2}[x.Priority]
	const desk, focal = "user:desk@example.org", "user:focal@example.org"
	if x.State != dtm.ReferralSent || r.IntN(100) < 4 {
		return nil // waits for the focal point, or nobody looks
	}
	if ok, err := then(8*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralAcknowledge}); !ok {
		return err
	}
	if r.IntN(100) < 9 {
		reason := refer.Reasons(dtm.ReferralReject)[r.IntN(5)]
		if ok, err := then(10*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralReject, Reason: reason}); !ok {
			return err
		}
		_, err := then(20, focal, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralCloseUnmet, Reason: "rejected"})
		return err
	}
	if ok, err := then(10*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralAccept}); !ok {
		return err
	}
	switch n := r.IntN(100); {
	case n < 10:
		if ok, err := then(24*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralMiss, Reason: "not_found"}); !ok || r.IntN(4) == 0 {
			return err
		}
		_, err := then(40, focal, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralCloseUnmet, Reason: "not_found"})
		return err
	case n < 13:
		_, err := then(12, focal, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralWithdraw, Reason: "person_asked"})
		return err
	}
	if ok, err := then(20*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralStart}); !ok {
		return err
	}
	if ok, err := then(30*pace, desk, dtm.DoerDesk, dtm.Do{Action: dtm.ReferralComplete}); !ok {
		return err
	}
	_, err := then(30, focal, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralClose})
	return err
}
