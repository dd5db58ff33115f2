package refer

import (
	"time"

	"dtm"
)

// Plausible is how much a phone may be late: a capture time that lies further back, or
// after the receipt, is a wrong clock and the time of receipt is taken.
const Plausible = 60 * 24 * time.Hour

// ExpiresAfter is how many times its time to answer a referral waits unacknowledged
// before it goes back to the focal point.
const ExpiresAfter = 3

// Clock is what the two times make of a referral at a moment. The person's clock runs
// from the phone's capture; the desk's from when it was sent, because a desk cannot
// answer for a phone without network.
type Clock struct {
	Start      time.Time     // of the person's clock
	Late       time.Duration // between capture and receipt; 0 when the phone's clock is not believed
	Believed   bool          // the phone's clock is
	AckDue     time.Time     // somebody must have acknowledged
	ServiceDue time.Time     // of what was accepted; zero before
	ExpiresAt  time.Time     // zero when it is not waiting at a desk

	OverdueAck     bool
	OverdueService bool
	Escalation     int // that it should have by now
	Expired        bool
	Left           time.Duration // until the next of the deadlines; negative when it has passed
}

// Clocks computes the deadlines of a referral.
func Clocks(r dtm.Referral, now time.Time) Clock {
	c := Clock{Start: r.Received}
	if !r.Captured.IsZero() && !r.Captured.After(r.Received) && r.Received.Sub(r.Captured) <= Plausible {
		c.Start, c.Believed, c.Late = r.Captured, true, r.Received.Sub(r.Captured)
	}
	within := r.Priority.Within()
	c.AckDue = c.Start.Add(within)
	if r.State.Terminal() || r.State == dtm.ReferralCompleted || r.State == dtm.ReferralHeld {
		return c
	}
	due := c.AckDue
	switch {
	case r.State.TakesPlace():
		if r.Answered != nil {
			due = r.Answered.Add(within)
		}
		c.ServiceDue = due
		c.OverdueService = now.After(due)
	case r.Acknowledged != nil && r.State == dtm.ReferralAcknowledged:
		// acknowledged in time or not: an answer is owed within the same time again
		due = r.Acknowledged.Add(within)
		c.OverdueService = now.After(due)
	default:
		c.OverdueAck = now.After(due)
	}
	c.Left = due.Sub(now)
	if now.After(due) {
		c.Escalation = 1
		if now.After(due.Add(within)) {
			c.Escalation = 2
		}
	}
	if r.State == dtm.ReferralSent && r.Sent != nil {
		c.ExpiresAt = r.Sent.Add(ExpiresAfter * within)
		c.Expired = !now.Before(c.ExpiresAt)
	}
	return c
}

// Queued tells whether the focal point has to do something: send, find another way,
// close, or look at what nobody answers.
func Queued(r dtm.Referral, now time.Time) bool {
	switch r.State {
	case dtm.ReferralSubmitted, dtm.ReferralRejected, dtm.ReferralExpired, dtm.ReferralNoShow, dtm.ReferralNotCompleted, dtm.ReferralCompleted, dtm.ReferralHeld:
		return true
	}
	return !r.State.Terminal() && Clocks(r, now).Escalation > 0
}

// Wakes is when the clocks of a referral next say something new: the next level of
// escalation, or its expiry; zero when nothing is to come.
func Wakes(r dtm.Referral, now time.Time) time.Time {
	c := Clocks(r, now)
	if c.Left == 0 && c.ExpiresAt.IsZero() && !c.OverdueAck && !c.OverdueService {
		return time.Time{}
	}
	within := r.Priority.Within()
	due := now.Add(c.Left)
	var next time.Time
	for i, at := range []time.Time{due, due.Add(within)} {
		if r.Escalation < i+1 {
			next = at.Add(time.Millisecond)
			break
		}
	}
	if !c.ExpiresAt.IsZero() && (next.IsZero() || c.ExpiresAt.Before(next)) {
		next = c.ExpiresAt
	}
	return next
}
