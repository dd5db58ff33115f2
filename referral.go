package dtm

import (
	"context"
	"slices"
	"time"
)

// Events of referrals. Details name states, desks and coded reasons, never a person.
const (
	ReferralOpened    = "referral.opened"
	ReferralChanged   = "referral.changed" // an action moved it from state to state
	ReferralEscalated = "referral.escalated"
	ReferralRead      = "referral.read" // its preview or its person’s data was looked at
	SlipPrinted       = "slip.printed"
)

// ReferralState is where a referral stands.
type ReferralState string

// States of a referral.
const (
	ReferralCaptured     ReferralState = "captured" // on the phone
	ReferralSubmitted    ReferralState = "submitted"
	ReferralHeld         ReferralState = "held_no_consent" // only the anonymous need is kept
	ReferralSent         ReferralState = "sent"
	ReferralAcknowledged ReferralState = "acknowledged"
	ReferralAccepted     ReferralState = "accepted"
	ReferralInService    ReferralState = "in_service"
	ReferralCompleted    ReferralState = "completed"
	ReferralClosed       ReferralState = "closed"
	ReferralRejected     ReferralState = "rejected"
	ReferralRedirected   ReferralState = "redirected" // another referral replaces it
	ReferralUnmet        ReferralState = "closed_unmet"
	ReferralExpired      ReferralState = "expired" // nobody acknowledged it: the focal point's
	ReferralNoShow       ReferralState = "no_show" // or not found on arrival
	ReferralNotCompleted ReferralState = "not_completed"
	ReferralWithdrawn    ReferralState = "withdrawn" // by the person
	ReferralCancelled    ReferralState = "cancelled"
	ReferralInError      ReferralState = "entered_in_error"
)

// ReferralStates are all states in the order of a referral's life.
var ReferralStates = []ReferralState{
	ReferralCaptured, ReferralSubmitted, ReferralHeld, ReferralSent, ReferralAcknowledged, ReferralAccepted, ReferralInService, ReferralCompleted, ReferralClosed,
	ReferralRejected, ReferralRedirected, ReferralUnmet, ReferralExpired, ReferralNoShow, ReferralNotCompleted, ReferralWithdrawn, ReferralCancelled, ReferralInError,
}

// Terminal tells whether nothing more is to be done. What was closed may be opened
// again within thirty days.
func (s ReferralState) Terminal() bool {
	switch s {
	case ReferralClosed, ReferralUnmet, ReferralRedirected, ReferralWithdrawn, ReferralCancelled, ReferralInError:
		return true
	}
	return false
}

// WithDesk tells whether the addressed desk holds the referral: it may see the preview,
// and from acceptance on the person.
func (s ReferralState) WithDesk() bool {
	switch s {
	case ReferralSent, ReferralAcknowledged, ReferralAccepted, ReferralInService, ReferralCompleted, ReferralNotCompleted, ReferralNoShow:
		return true
	}
	return false
}

// Accepted tells whether the desk has taken the person on: identity may be shown to it,
// as far as agreement and consent go.
func (s ReferralState) Accepted() bool {
	switch s {
	case ReferralAccepted, ReferralInService, ReferralCompleted, ReferralNotCompleted, ReferralNoShow:
		return true
	}
	return false
}

// TakesPlace tells whether a referral in this state holds one of its desk's places.
func (s ReferralState) TakesPlace() bool { return s == ReferralAccepted || s == ReferralInService }

// ReferralAction is what somebody does with a referral.
type ReferralAction string

// Actions on a referral.
const (
	ReferralSubmit      ReferralAction = "submit"
	ReferralHold        ReferralAction = "hold"    // no consent to pass anything on
	ReferralConsent     ReferralAction = "consent" // it came later, or is overridden
	ReferralSend        ReferralAction = "send"
	ReferralAcknowledge ReferralAction = "acknowledge"
	ReferralAccept      ReferralAction = "accept"
	ReferralReject      ReferralAction = "reject"
	ReferralRedirect    ReferralAction = "redirect"
	ReferralStart       ReferralAction = "start"
	ReferralComplete    ReferralAction = "complete"
	ReferralFail        ReferralAction = "not_complete"
	ReferralMiss        ReferralAction = "no_show"
	ReferralExpire      ReferralAction = "expire"
	ReferralWithdraw    ReferralAction = "withdraw"
	ReferralCancel      ReferralAction = "cancel"
	ReferralMistake     ReferralAction = "error"
	ReferralClose       ReferralAction = "close"
	ReferralCloseUnmet  ReferralAction = "close_unmet"
	ReferralReopen      ReferralAction = "reopen"
)

// ReferralActions are all actions.
var ReferralActions = []ReferralAction{
	ReferralSubmit, ReferralHold, ReferralConsent, ReferralSend, ReferralAcknowledge, ReferralAccept, ReferralReject, ReferralRedirect, ReferralStart, ReferralComplete,
	ReferralFail, ReferralMiss, ReferralExpire, ReferralWithdraw, ReferralCancel, ReferralMistake, ReferralClose, ReferralCloseUnmet, ReferralReopen,
}

// Priority says how soon somebody must answer.
type Priority string

// Priorities with their time to answer: 24 hours, 72 hours, 14 days (inter-agency
// referral form; the operation's form proposes them).
const (
	Emergency Priority = "emergency"
	Urgent    Priority = "urgent"
	Normal    Priority = "normal"
)

// Priorities are all of them, the most pressing first.
var Priorities = []Priority{Emergency, Urgent, Normal}

// Within is the time to answer.
func (p Priority) Within() time.Duration {
	switch p {
	case Emergency:
		return 24 * time.Hour
	case Urgent:
		return 72 * time.Hour
	}
	return 14 * 24 * time.Hour
}

// Referral asks a desk for one service for one person. It names nobody: who the person
// is stands in Person, sealed.
type Referral struct {
	ID         string // UUID; not shown outside
	Number     string // of the paper slip and of talk on the telephone: nine signs
	Person     string // "" when only the need may be counted
	Submission string // that asked for it; "" when entered at a desk
	Device     string // that sent the submission
	Point      string // where the person was met
	Programme  string
	Desk       string // code; "" until it is addressed
	State      ReferralState
	Version    int    // grows with each change: who acts says which one they saw
	Reason     string // code, of the last rejection, failure, cancellation ..
	Priority   Priority
	// Guarded: asylum, trafficking or a child may be at stake, or is not ruled out.
	// Never for a return programme or a consulate, whoever asks.
	Guarded    bool
	Escalation int // 0; 1 the focal point's, 2 the supervisor's

	// Two clocks: when the phone says that the answers were given, and when they came
	// in here.
	Captured, Received time.Time
	Sent               *time.Time // last
	Acknowledged       *time.Time
	Answered           *time.Time // accepted or rejected
	Started            *time.Time
	Ended              *time.Time // completed, missed, failed, withdrawn ..
	Changed            time.Time

	Replaces, ReplacedBy string // ids

	Preview
}

// Preview is what a desk sees of a person before it accepts.
type Preview struct {
	Sex     string
	Age     string   // band: "0-4", "5-17", "18-59", "60+", "" not known
	Needs   []string // codes of the operation's list "need"
	Lang    string   // that the person speaks, as recorded
	Alone   bool     // a child without parents or guardian
	Contact string   // "safe", "not_safe", "" not asked: whether the person may be called
	SeenAt  time.Time
}

// Whereabouts is a position with its accuracy.
type Whereabouts struct {
	Lat, Lon float64
	Metres   float64 // accuracy; 0: not known
}

// Do is one action on a referral and what goes with it.
type Do struct {
	Action  ReferralAction
	Version int    // that the actor saw
	Reason  string // code, where the action needs one
	Words   string // of the actor, kept sealed with the referral
	Desk    string // of send and redirect
	// Second is who stands with the actor for passing on without consent.
	Second string
	// Programme of a redirect; "" keeps it.
	Programme string
}

// ReferralFilter narrows a list; nil and zero mean any.
type ReferralFilter struct {
	// Within is what the asker may know of; nil: the program itself asks.
	Within     *ReferralScope
	Desks      []string // of any of these; nil: any
	States     []ReferralState
	Programme  *string
	Point      *string
	Person     *string
	Number     string
	Device     *string
	Submission *string
	Open       bool // not terminal
	// Since leaves out what ended before.
	Since         time.Time
	ReceivedSince time.Time // came in at or after
	Figured       bool      // for figures: in no order and without previews; the number is that of the list
	Limit         int       // 0: 100
	Offset        int
}

// ReferralEntry is one step of a referral's history.
type ReferralEntry struct {
	Seq      int64
	Referral string
	Action   ReferralAction
	From, To ReferralState
	Desk     string
	Reason   string
	Actor    string
	At       time.Time
}

// Referrals keeps referrals. Every change is an event.
type Referrals interface {
	// OpenReferrals stores new ones together; one whose ID is there already is left as
	// it is, so that work on a submission may be repeated.
	OpenReferrals(ctx context.Context, list []Referral) (opened int, err error)
	// Referral: NotFound.
	Referral(ctx context.Context, id string) (Referral, error)
	// ReferralByNumber finds one by its number, however it is written: NotFound.
	ReferralByNumber(ctx context.Context, number string) (Referral, error)
	// Referrals lists the most pressing first, of what is over alone the latest, with the
	// number of all that match.
	Referrals(ctx context.Context, f ReferralFilter) ([]Referral, int, error)
	// Act does what the rules allow to the actor: Conflict when the state does not have
	// the action, when another version is current, or when the desk has no place left;
	// Forbidden when it is somebody else's to do; Invalid without a reason where one is
	// needed. A redirect returns the new referral too.
	Act(ctx context.Context, id string, as Doer, do Do) (Referral, *Referral, error)
	// ReferralHistory lists what happened to a referral, oldest first.
	ReferralHistory(ctx context.Context, id string) ([]ReferralEntry, error)
	// ReferralWords opens what was written at its steps, by the entries' numbers, and
	// records the read when it names a person. Words whose key was destroyed are left out.
	ReferralWords(ctx context.Context, id, purpose string) (map[int64]string, error)
	// Waiting counts who still waits for something, within what the asker may know of
	// (nil: all): the biggest groups first.
	Waiting(ctx context.Context, within *ReferralScope, now time.Time) ([]Waiting, error)
}

// Waiting is how many referrals stand alike: where the person was met, which desk was
// asked, how far it is. It names nobody.
type Waiting struct {
	Point, Desk, Programme string
	State                  ReferralState
	N, Late                int // Late of N: their time has passed
}

// WaitingStates are those in which a person still waits for something to be done.
var WaitingStates = []ReferralState{
	ReferralSubmitted, ReferralSent, ReferralAcknowledged, ReferralAccepted, ReferralInService,
	ReferralRejected, ReferralExpired, ReferralNoShow, ReferralNotCompleted,
}

// Doer is who acts on a referral, as the rules see it.
type Doer string

// Doers.
const (
	DoerEnumerator Doer = "enumerator"
	DoerFocal      Doer = "focal" // referral focal point
	DoerDesk       Doer = "desk"  // any member of the addressed desk
	DoerSystem     Doer = "system"
)

// Field groups: what a consent and an agreement name. A person's fields and notes each
// belong to one.
const (
	GroupIdentity   = "identity" // name or case code, birth year, nationality
	GroupContact    = "contact"
	GroupFamily     = "family" // caregiver, links, tracing
	GroupNeed       = "need"
	GroupHealth     = "health"
	GroupProtection = "protection"
	GroupReturn     = "return"
	GroupAssistance = "assistance"
)

// FieldGroups are all of them, in the order in which pages show them.
var FieldGroups = []string{GroupNeed, GroupIdentity, GroupContact, GroupFamily, GroupHealth, GroupProtection, GroupReturn, GroupAssistance}

// Sealed tells whether a group is for the addressed desk and one focal point only, and
// is in no export.
func Sealed(group string) bool { return group == GroupHealth || group == GroupProtection }

// GroupOf is the field group of a programme's own notes.
func GroupOf(programme string) string {
	switch programme {
	case "health":
		return GroupHealth
	case "protection":
		return GroupProtection
	case "vhr":
		return GroupReturn
	}
	return GroupAssistance
}

// PersonField is one field of the register with its group.
type PersonField struct{ Name, Group string }

// PersonFields are the fields of the register, in the order in which pages show them.
var PersonFields = []PersonField{
	{"name", GroupIdentity}, {"case_code", GroupIdentity}, {"birth_year", GroupIdentity}, {"nationality", GroupIdentity}, {"language", GroupIdentity},
	{"phone", GroupContact}, {"spot", GroupContact}, {"contact_note", GroupContact},
	{"caregiver", GroupFamily}, {"caregiver_relation", GroupFamily}, {"caregiver_phone", GroupFamily},
}

// GroupOfField is the group of a person's field; "" when there is none such.
func GroupOfField(name string) string {
	i := slices.IndexFunc(PersonFields, func(f PersonField) bool { return f.Name == name })
	if i < 0 {
		return ""
	}
	return PersonFields[i].Group
}

// ReferralFeedback is what who sent a screening is told of a referral: how far it is,
// and nothing of why or what was done.
type ReferralFeedback struct {
	Number    string
	Programme string
	Point     string
	Day       time.Time // of the screening
	Outcome   string    // "waits", "accepted", "helped", "not_helped", "not_found", "over"
	At        time.Time // of the latest change
}

// Told is the outcome of a state as it is told to who sent the screening.
func (s ReferralState) Told() string {
	switch s {
	case ReferralAccepted, ReferralInService:
		return "accepted"
	case ReferralCompleted, ReferralClosed:
		return "helped"
	case ReferralUnmet, ReferralNotCompleted:
		return "not_helped"
	case ReferralNoShow:
		return "not_found"
	case ReferralWithdrawn, ReferralCancelled, ReferralInError, ReferralRedirected:
		return "over"
	}
	return "waits"
}
