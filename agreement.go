package dtm

import (
	"context"
	"slices"
	"time"
)

// Events of agreements and of broken glass.
const (
	AgreementAdded = "agreement.added"
	AgreementEnded = "agreement.ended"
	GlassBroken    = "glass.broken"   // access was taken in an emergency
	GlassReviewed  = "glass.reviewed" // and somebody judged it afterwards
)

// Kinds of agreements.
const (
	AgreementCases   = "cases"   // the partner's desks see the referrals addressed to them
	AgreementFigures = "figures" // the partner receives figures, through disclosure control, and no row
)

// Agreement is a dated agreement to share data with a partner. It is never changed: it
// ends, and another one begins.
type Agreement struct {
	ID         string
	Partner    string // code
	Kind       string
	Purpose    string   // in words
	Basis      string   // legal basis, in words
	Programmes []string // codes; of cases
	Groups     []string // field groups; of cases
	Areas      []string // admin 1 P-codes of the points where people were met; empty: the whole country
	From, To   time.Time
	Onward     bool   // the partner may pass on what it receives
	Contact    string // of the institution, not of a person
	Document   string // SHA-256 of the signed paper
	Created    time.Time
	Author     string // actor
	Ended      *time.Time
	EndedBy    string
	Why        string // it was ended before its last day
}

// Stands tells whether the agreement is in force at a time: from its first day to the
// end of its last, in the operation's zone, unless it was ended before.
func (a Agreement) Stands(at time.Time, zone *time.Location) bool {
	if a.Ended != nil && !at.Before(*a.Ended) {
		return false
	}
	day := DayOf(at, zone)
	return !day.Before(a.From) && !day.After(a.To)
}

// DayOf is the day of a time in a zone, as days are kept: midnight UTC.
func DayOf(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Check tells what an agreement lacks: Invalid. known are the operation's partners,
// programmes and areas.
func (a Agreement) Check(op *Operation) error {
	bad := func(code, msg string, args ...any) error { return Errorf(Invalid, msg, args...).Coded(code, args...) }
	switch {
	case !slices.ContainsFunc(op.Partners, func(p Partner) bool { return p.Code == a.Partner }):
		return bad("agreement.partner", "%q is no partner of the operation", a.Partner)
	case a.Kind != AgreementCases && a.Kind != AgreementFigures:
		return bad("agreement.kind", "%q is no kind of agreement; there are cases and figures", a.Kind)
	case a.Purpose == "":
		return bad("agreement.purpose", "say what the data are for")
	case a.From.IsZero() || a.To.IsZero() || a.To.Before(a.From):
		return bad("agreement.days", "say from which day to which the agreement is good")
	case a.To.After(a.From.AddDate(5, 0, 0)):
		return bad("agreement.long", "an agreement is for five years at most; renew it")
	case a.Kind == AgreementFigures && len(a.Groups)+len(a.Programmes) > 0:
		return bad("agreement.figures", "an agreement about figures names no field groups and no programmes: no row is shared by it")
	case a.Kind == AgreementCases && len(a.Programmes) == 0:
		return bad("agreement.programmes", "say for which programmes")
	case a.Kind == AgreementCases && len(a.Groups) == 0:
		return bad("agreement.groups", "say which groups of fields")
	}
	for _, p := range a.Programmes {
		if !slices.ContainsFunc(op.Programmes, func(x Programme) bool { return x.Code == p }) {
			return bad("agreement.programme", "%q is no programme of the operation", p)
		}
	}
	for _, g := range a.Groups {
		if !slices.Contains(FieldGroups, g) {
			return bad("agreement.group", "%q is no group of fields", g)
		}
	}
	for _, c := range a.Areas {
		if !slices.ContainsFunc(op.Areas, func(x Area) bool { return x.Code == c && x.Level == 1 }) {
			return bad("agreement.area", "%q is no region of the operation", c)
		}
	}
	return nil
}

// Agreements keeps agreements.
type Agreements interface {
	// AddAgreement gives it an ID.
	AddAgreement(ctx context.Context, a Agreement) (Agreement, error)
	// EndAgreement ends it now: NotFound; Conflict when it has ended.
	EndAgreement(ctx context.Context, id, why string) error
	// Agreements lists those of a partner, "" of all, newest first.
	Agreements(ctx context.Context, partner string) ([]Agreement, error)
}

// GlassFor is how long access taken in an emergency lasts.
const GlassFor = 3 * time.Hour

// GlassJudgedBy is how long after it was taken somebody else should have judged it: by
// the end of the next day.
func GlassJudgedBy(g Glass, zone *time.Location) time.Time {
	y, m, d := g.At.In(zone).Date()
	return time.Date(y, m, d+2, 0, 0, 0, 0, zone)
}

// Glass is access to one referral that somebody took in an emergency, with a reason.
// Another person judges it the next day.
type Glass struct {
	ID       string
	Email    string
	Referral string
	Reason   string
	At       time.Time
	Until    time.Time
	Reviewer string // actor
	Reviewed *time.Time
	Right    bool // it was needed
	Verdict  string
}

// Glasses keeps them.
type Glasses interface {
	// BreakGlass: Invalid without a reason of ten letters; NotFound when there is no such
	// referral; Conflict when it names nobody; Gone when the person was erased. Reason and
	// verdict may name the person: they are sealed under the person's key.
	BreakGlass(ctx context.Context, email, referral, reason string) (Glass, error)
	// BrokenGlass lists those of a user that are open now.
	BrokenGlass(ctx context.Context, email string) ([]Glass, error)
	// GlassToReview lists those that nobody has judged yet and then those judged since a
	// time, newest first.
	GlassToReview(ctx context.Context, since time.Time) ([]Glass, error)
	// ReviewGlass: NotFound; Conflict when it was judged; Forbidden when the reviewer
	// broke it.
	ReviewGlass(ctx context.Context, id string, right bool, verdict string) error
}
