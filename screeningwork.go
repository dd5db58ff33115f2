package dtm

import (
	"context"
	"time"
)

// ScreeningWork is what one submission of a screening form leads to, kept together.
type ScreeningWork struct {
	Submission string
	Person     *Person // nil: nobody is kept; what was sealed of the submission is destroyed
	Consents   []Consent
	Referrals  []Referral
}

// ReferralWork is what the workers behind referrals need beside Referrals.
type ReferralWork interface {
	// ReferralsDone is the position in the log up to which screenings have been followed.
	ReferralsDone(ctx context.Context) (int64, error)
	// KeepScreenings stores the work and moves the position, in one transaction. What is
	// there already stays as it is.
	KeepScreenings(ctx context.Context, list []ScreeningWork, done int64) error
	// SealedSubmission opens a submission as it was sent, with the person it is about;
	// one without sealed answers is given as Submission gives it, person "", and one whose
	// sealed answers were kept long enough likewise, with the person. Gone when its key
	// was destroyed.
	SealedSubmission(ctx context.Context, id, purpose string) (s Submission, person string, err error)
	// Waking lists open referrals whose clocks say something new by now.
	Waking(ctx context.Context, now time.Time, limit int) ([]Referral, error)
	// Escalate notes that a referral has reached a level, and when its clocks are to be
	// looked at again.
	Escalate(ctx context.Context, id string, level int) error
}

// Slips are the codes printed on paper slips. A code alone says nothing.
type Slips interface {
	// NewSlip gives a random code of 128 bits for a referral, valid until expires.
	NewSlip(ctx context.Context, referral string, expires time.Time) (token string, err error)
	// SlipReferral finds the referral of a code: NotFound; Gone when it has expired.
	SlipReferral(ctx context.Context, token string) (id string, err error)
}
