package dtm

import (
	"context"
	"strings"
	"time"
)

// Events of persons. Details name fields and groups, never values.
const (
	PersonAdded      = "person.added"
	PersonChanged    = "person.changed"
	PersonRead       = "person.read"     // fields of it were opened
	PersonSearched   = "person.searched" // the register was asked for a name or a number
	PersonMerged     = "person.merged"
	PersonNotMerged  = "person.not_merged" // two candidates are two persons
	PersonErased     = "person.erased"
	PersonRestricted = "person.restricted" // nobody reads on
	PersonReleased   = "person.released"   // reading goes on
	ConsentGiven     = "consent.given"
	ConsentWithdrawn = "consent.withdrawn"
	ConsentAsked     = "consent.asked"     // an override, which a second person has to confirm
	ConsentConfirmed = "consent.confirmed" // by the second person
	CaseNoteAdded    = "case_note.added"
	ReturnStepDone   = "return_step.done"
	FamilyLinked     = "family.linked"
	SubmissionOpened = "submission.unsealed" // the personal answers were opened
)

// Person is somebody in need. What tells who it is lies sealed under the person's own
// key; Fields holds those that were opened for the reader.
type Person struct {
	ID         string // UUID; never shown to a partner
	Created    time.Time
	Sex        string
	Age        string // band, as in Preview
	MergedInto string // id of the person that this one was found to be
	Restricted bool   // the person asked that nobody reads on
	Erased     *time.Time
	Version    int
	Fields     map[string]string // by PersonFields; only opened ones
}

// PersonSearch asks the register for a person. Equal values are found, by sound for
// names; nothing can be read from the index itself.
type PersonSearch struct {
	Name      string
	BirthYear string
	Phone     string
	CaseCode  string
	Limit     int // 0: 20
}

// Persons keeps the register. Opening fields and searching are events.
type Persons interface {
	// AddPerson stores a person with p.Fields sealed. An empty ID is given one. The same
	// ID again changes nothing.
	AddPerson(ctx context.Context, p Person) (Person, error)
	// Person without its fields: NotFound.
	Person(ctx context.Context, id string) (Person, error)
	// OpenPerson opens the fields of groups and records that the actor read them for a
	// purpose: NotFound; Gone when the person was erased; Conflict when a sealed field
	// was tampered with.
	OpenPerson(ctx context.Context, id string, groups []string, purpose string) (Person, error)
	// ChangePerson replaces fields (an empty value removes one): Conflict when version
	// is not the current one.
	ChangePerson(ctx context.Context, id string, version int, fields map[string]string) (Person, error)
	// FindPersons gives ids.
	FindPersons(ctx context.Context, s PersonSearch) ([]string, error)
	// Candidates lists persons that may be the same as this one, the likeliest first.
	Candidates(ctx context.Context, id string) ([]Candidate, error)
	// Merge makes from a part of into: reviewed by a person, who says why. Conflict when
	// one of them is merged already.
	Merge(ctx context.Context, from, into, why string) error
	// NotSame remembers that two candidates are two persons.
	NotSame(ctx context.Context, a, b, why string) error
	// Pseudonym is the person's number for one agency; two agencies' numbers cannot be
	// joined.
	Pseudonym(ctx context.Context, person, partner string) (string, error)
	// ErasePerson destroys the person's key and those of persons merged into it, and with
	// them what was sealed: Invalid when why is none of EraseReasons; NotFound. The same
	// again changes nothing.
	ErasePerson(ctx context.Context, id, why string) error
	// RestrictPerson has nobody read on, or ends that: Invalid when why is none of
	// RestrictReasons; NotFound; Gone when the person was erased. A restricted person is
	// not erased by the schedule.
	RestrictPerson(ctx context.Context, id string, on bool, why string) error
	// ReadsOf lists who opened what of a person and of those merged into it, oldest first.
	ReadsOf(ctx context.Context, id string) ([]Opening, error)
	// MergedInto lists the ids of the persons that were found to be this one.
	MergedInto(ctx context.Context, id string) ([]string, error)
}

// Why somebody is erased, and why nobody reads on. Codes, because words could name them.
const (
	EraseAsked     = "asked"     // the person asked for it
	EraseRetention = "retention" // the time for which it was kept is over
	EraseMistake   = "mistake"   // it should not have been recorded
	EraseUnlawful  = "unlawful"  // there was no basis for it

	RestrictAsked    = "asked"    // the person asked for it
	RestrictDisputed = "disputed" // what is recorded is disputed
	RestrictClaim    = "claim"    // it is needed for a legal claim and for nothing else
)

// EraseReasons and RestrictReasons list them, in the order in which pages show them.
var (
	EraseReasons    = []string{EraseAsked, EraseMistake, EraseUnlawful, EraseRetention}
	RestrictReasons = []string{RestrictAsked, RestrictDisputed, RestrictClaim}
)

// Opening is one time that somebody opened groups of fields of a person.
type Opening struct {
	At      time.Time
	Actor   string
	Groups  []string
	Purpose string
}

// Retention finds and deletes what was kept long enough. Before is the time before which
// something has to lie to be due.
type Retention interface {
	// PersonsDue lists persons of whom nothing has happened since before, those first whom
	// it happened to the longest ago: none with an open referral, none restricted. held is
	// how many would be due but have an open referral or are restricted; total counts all.
	PersonsDue(ctx context.Context, before time.Time, limit int) (list []string, total, held int, err error)
	// OriginalsDue counts the sealed originals of submissions received before, and with
	// delete deletes them; the register keeps what it took from them.
	OriginalsDue(ctx context.Context, before time.Time, delete bool) (int, error)
	// SlipsDue counts the codes of slips that expired before, and with delete deletes them.
	SlipsDue(ctx context.Context, before time.Time, delete bool) (int, error)
}

// RetentionDone is the event of a run of the schedule: how many of which kind went.
const RetentionDone = "retention.done"

// Candidate is a person who may be the same as another one.
type Candidate struct {
	Person string
	Agree  []string // fields of the index that are equal: "name", "birth_year", "phone", "case_code"
}

// Consent is what a person allows to be passed on: to whom, which groups of fields. It
// is withdrawn, never changed.
type Consent struct {
	ID        string
	Person    string
	Recipient string   // code of a partner, or "programme:" and its code: whichever desk of it
	Groups    []string // field groups
	Wording   string   // version of the text that was read out
	Lang      string   // in which it was
	How       string   // ConsentWitnessed, ConsentSigned
	Of        string   // ConsentOfPerson, ConsentOfCaregiver, ConsentBestInterest
	Assent    bool     // of the child, beside the caregiver's consent or the best interest
	Reason    string   // of best interest and vital interest: why
	Second    string   // who confirmed vital interest; "" until somebody has: it covers nothing
	Actor     string   // who took it
	Given     time.Time
	Withdrawn *time.Time
}

// How a consent was given, and whose it is.
const (
	ConsentWitnessed     = "witnessed" // spoken, before a witness
	ConsentSigned        = "signed"    // signature or thumb
	ConsentOfPerson      = "person"
	ConsentOfCaregiver   = "caregiver"
	ConsentBestInterest  = "best_interest"  // of a child without caregiver: decided and documented
	ConsentVitalInterest = "vital_interest" // an override, with a reason and a second person
)

// Waits tells whether a second person has to confirm it.
func (c Consent) Waits() bool {
	return c.Of == ConsentVitalInterest && c.Second == "" && c.Withdrawn == nil
}

// OverrideOf stands for the person of whom a referral names nobody.
func OverrideOf(referral string) string { return "referral:" + referral }

// OverriddenBy is the referral that a person of OverrideOf stands for.
func OverriddenBy(person string) (referral string, ok bool) {
	return strings.CutPrefix(person, "referral:")
}

// Consents keeps consents.
type Consents interface {
	// GiveConsent: Invalid when it says too little for whose it is.
	GiveConsent(ctx context.Context, c Consent) (Consent, error)
	// AskOverride asks to pass on a referral that names nobody without consent. It waits,
	// as a consent of OverrideOf, for ConfirmConsent: Invalid without a reason.
	AskOverride(ctx context.Context, referral, why string) (Consent, error)
	// ConfirmConsent has a second person confirm vital interest, which the first asked
	// for: Forbidden to the first, Conflict when it was confirmed or withdrawn.
	ConfirmConsent(ctx context.Context, id string) (Consent, error)
	// WithdrawConsent takes effect with the next request; it returns the recipients that
	// had looked at what it covered: NotFound.
	WithdrawConsent(ctx context.Context, id, why string) (saw []string, err error)
	// ConsentsOf lists those of a person, withdrawn ones too, oldest first.
	ConsentsOf(ctx context.Context, person string) ([]Consent, error)
	// WaitingConsents lists those that wait for a second person, of nobody who was erased,
	// oldest first and without their reasons.
	WaitingConsents(ctx context.Context) ([]Consent, error)
}

// CaseNote is what a desk writes about a person, sealed under the person's key.
type CaseNote struct {
	ID       string
	Person   string
	Referral string
	Group    string // field group
	Desk     string
	Actor    string
	At       time.Time
	Words    string
}

// ReturnSteps are those of a voluntary humanitarian return, in order (IOM: pre-departure,
// travel, post-arrival).
var ReturnSteps = []string{"counselling", "fitness", "documents", "escort", "departure", "arrival", "follow_up"}

// ReturnStep is one step of a return with its outcome: "done", "not_needed", "refused".
type ReturnStep struct {
	Referral string
	Step     string
	Outcome  string
	On       time.Time // day
	Actor    string
	At       time.Time
}

// FamilyLink ties a person to another one of the register. Only those who may see the
// family group see it.
type FamilyLink struct {
	Person, Other string
	Relation      string // "parent", "child", "sibling", "spouse", "relative", "caregiver"
	Actor         string
	At            time.Time
}

// Cases keeps notes, steps and links.
type Cases interface {
	AddCaseNote(ctx context.Context, n CaseNote) (CaseNote, error)
	// CaseNotes opens the notes of groups, oldest first, and records the read.
	CaseNotes(ctx context.Context, person string, groups []string, purpose string) ([]CaseNote, error)
	// DoReturnStep: Conflict when a step before it is missing or it is done already.
	DoReturnStep(ctx context.Context, s ReturnStep) error
	ReturnStepsOf(ctx context.Context, referral string) ([]ReturnStep, error)
	LinkFamily(ctx context.Context, l FamilyLink) error
	FamilyOf(ctx context.Context, person string) ([]FamilyLink, error)
}
