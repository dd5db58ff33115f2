package refer

import (
	"cmp"
	"slices"
	"time"

	"dtm"
)

// Span is a time to something that may not have happened yet: then it is censored, and
// counts as "at least that long".
type Span struct {
	Took     time.Duration
	Censored bool
}

// Quantile is the Kaplan-Meier estimate of the time within which a share of all spans
// ends; false when too few have ended to say. Those still open are neither left out,
// which would make it too short, nor taken for ended.
func Quantile(spans []Span, share float64) (time.Duration, bool) {
	list := slices.Clone(spans)
	// at the same time, what ended comes before what was censored
	slices.SortFunc(list, func(a, b Span) int {
		if d := cmp.Compare(a.Took, b.Took); d != 0 || a.Censored == b.Censored {
			return d
		}
		return yesFirst(!a.Censored, !b.Censored)
	})
	surviving := 1.0
	for i := 0; i < len(list); {
		at, ended, j := list[i].Took, 0, i
		for ; j < len(list) && list[j].Took == at; j++ {
			if !list[j].Censored {
				ended++
			}
		}
		if ended > 0 {
			surviving *= 1 - float64(ended)/float64(len(list)-i)
			if surviving <= 1-share+1e-12 {
				return at, true
			}
		}
		i = j
	}
	return 0, false
}

// Share is a count among others; of 0 there is none.
type Share struct{ N, Of int }

// Figures are what the referrals of a period come to. Definitions: refer-and-protect 1.5;
// each count says of how many.
type Figures struct {
	Referrals int // with consent, once for each need: a redirected one is counted by what replaced it
	Open      int // of those, without an outcome yet

	// Completed among those sent whose time for service has passed: those still in time
	// would bias it down.
	Completion Share
	// AckInTime among those sent whose time to answer has passed or that were answered.
	AckInTime Share
	Rejected  Share // of those that were sent; redirected ones included
	Expired   Share // that nobody acknowledged in three times their time
	NoShow    Share
	Redirects int
	Declined  Share // consent, among all needs identified
	Withdrawn Share
	FedBack   Share // with an outcome that the enumerator's device is told

	ToAck, ToAccept, ToService []Span        // by the person's clock
	Late                       []Span        // from the phone to the server; nothing is censored
	Reasons                    []ReasonCount // of rejections, the most frequent first
	Unmet                      []Unmet
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	Reason string
	N      int
}

// Unmet is the need of a programme that no service has met, by what stands against it.
type Unmet struct {
	Programme                                               string
	Key                                                     string // that UnmetBy counted by
	Needs, Met                                              int
	Declined, Rejected, NoShow, NoDesk, Waiting, Other, All int // All: the sum of the six before
}

// add counts one need, by what became of it.
func (u *Unmet) add(r dtm.Referral) {
	u.Needs++
	u.All++
	switch {
	case r.State == dtm.ReferralHeld:
		u.Declined++
	case r.State == dtm.ReferralCompleted || r.State == dtm.ReferralClosed:
		u.Met++
		u.All--
	case r.State == dtm.ReferralRejected || r.State == dtm.ReferralUnmet && r.Reason == "rejected":
		u.Rejected++
	case r.State == dtm.ReferralNoShow || r.State == dtm.ReferralUnmet && r.Reason == "not_found":
		u.NoShow++
	case r.State == dtm.ReferralSubmitted || r.State == dtm.ReferralUnmet && (r.Reason == "no_service" || r.Reason == "no_capacity"):
		u.NoDesk++
	case !r.State.Terminal() && r.State != dtm.ReferralNotCompleted:
		u.Waiting++
	default:
		u.Other++
	}
}

// UnmetBy counts needs by a key of each referral, such as the place or the week, in the
// keys' order. What Compute leaves out is left out here.
func UnmetBy(list []dtm.Referral, key func(dtm.Referral) string) (out []Unmet) {
	by := map[string]*Unmet{}
	for _, r := range list {
		if r.State == dtm.ReferralInError || r.State == dtm.ReferralCancelled || r.State == dtm.ReferralRedirected {
			continue
		}
		k := key(r)
		u := by[k]
		if u == nil {
			u = &Unmet{Key: k}
			by[k] = u
		}
		u.add(r)
	}
	for _, u := range by {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b Unmet) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// Compute makes the figures of referrals at a moment. list holds redirected ones too.
func Compute(list []dtm.Referral, now time.Time) Figures {
	var f Figures
	unmet := map[string]*Unmet{}
	reasons := map[string]int{}
	sent := 0
	for _, r := range list {
		if r.State == dtm.ReferralInError || r.State == dtm.ReferralCancelled {
			continue // of nobody
		}
		if r.Sent != nil {
			sent++
			if r.State == dtm.ReferralExpired {
				f.Expired.N++
			}
		}
		if r.State == dtm.ReferralUnmet && r.Reason == "rejected" {
			f.Rejected.N++ // the desk's own reason is in the history
		}
		if r.State == dtm.ReferralRejected || r.State == dtm.ReferralRedirected && r.Reason != "" && slices.Contains(Reasons(dtm.ReferralReject), r.Reason) {
			f.Rejected.N++
			reasons[r.Reason]++
		}
		if r.State == dtm.ReferralRedirected {
			f.Redirects++
			continue // its need is that of the one that replaced it
		}
		u := unmet[r.Programme]
		if u == nil {
			u = &Unmet{Programme: r.Programme}
			unmet[r.Programme] = u
		}
		u.add(r)
		f.Declined.Of++
		if r.State == dtm.ReferralHeld {
			f.Declined.N++
			continue
		}
		f.Referrals++
		c := Clocks(r, now)
		if c.Believed {
			f.Late = append(f.Late, Span{Took: c.Late})
		}
		if !r.State.Terminal() && r.State != dtm.ReferralCompleted {
			f.Open++
		}
		met := r.State == dtm.ReferralCompleted || r.State == dtm.ReferralClosed
		if r.State == dtm.ReferralNoShow || r.State == dtm.ReferralUnmet && r.Reason == "not_found" {
			f.NoShow.N++
		}
		if r.State == dtm.ReferralWithdrawn {
			f.Withdrawn.N++
		}
		if r.Device != "" {
			f.FedBack.Of++
			if r.State.Told() != "waits" {
				f.FedBack.N++
			}
		}
		if r.Sent == nil {
			continue
		}
		within := r.Priority.Within()
		if r.Acknowledged != nil || now.After(c.AckDue) {
			f.AckInTime.Of++
			if r.Acknowledged != nil && !r.Acknowledged.After(c.AckDue) {
				f.AckInTime.N++
			}
		}
		due := c.AckDue.Add(within)
		if r.Answered != nil {
			due = r.Answered.Add(within)
		}
		if met || now.After(due) || r.State.Terminal() || r.State == dtm.ReferralNotCompleted || r.State == dtm.ReferralNoShow {
			f.Completion.Of++
			if met {
				f.Completion.N++
			}
		}
		// What ends without the step is censored at its end: it would have taken longer.
		until := now
		if r.Ended != nil {
			until = *r.Ended
		}
		span := func(at *time.Time) Span {
			if at != nil {
				return Span{Took: max(0, at.Sub(c.Start))}
			}
			return Span{Took: max(0, until.Sub(c.Start)), Censored: true}
		}
		accepted := r.Answered
		if r.State == dtm.ReferralRejected || r.State == dtm.ReferralUnmet && r.Started == nil && slices.Contains(Reasons(dtm.ReferralCloseUnmet), r.Reason) && r.Reason == "rejected" {
			accepted = nil
		}
		f.ToAck = append(f.ToAck, span(r.Acknowledged))
		f.ToAccept = append(f.ToAccept, span(accepted))
		f.ToService = append(f.ToService, span(r.Started))
	}
	f.Rejected.Of, f.Expired.Of, f.NoShow.Of, f.Withdrawn.Of = sent, sent, sent, f.Referrals
	for reason, n := range reasons {
		f.Reasons = append(f.Reasons, ReasonCount{reason, n})
	}
	slices.SortFunc(f.Reasons, func(a, b ReasonCount) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	for _, u := range unmet {
		f.Unmet = append(f.Unmet, *u)
	}
	slices.SortFunc(f.Unmet, func(a, b Unmet) int { return cmp.Compare(a.Programme, b.Programme) })
	return f
}
