package dtm

import (
	"context"
	"time"
)

// Events of a review, beside submission.reviewed.
const (
	SubmissionCorrected = "submission.corrected"
	CorrectionRefused   = "correction.refused" // made on a state that was not the last; kept
	FlagsRaised         = "flag.raised"        // of days, devices and months
	FlagDecided         = "flag.decided"
	ReviewUndone        = "review.undone"
	EnumeratorAsked     = "enumerator.asked"
	EnumeratorAnswered  = "enumerator.answered"
	RuleSwitched        = "rule.switched"
)

// Change is one answer of a submission before and after. Path names the element with
// the turns of its repeats: "/data/people[2]/count". Values are as they stand in the
// instance: codes of choices, dates by ISO 8601.
type Change struct {
	Path string `json:"path"`
	Was  string `json:"was"`
	Now  string `json:"now"`
}

// Correction is a set of changes to the answers of a submission with who made it and
// why. The submission itself never changes.
type Correction struct {
	Number  int // 1, 2 ...; 0 of one that was refused
	Base    int // number of the last correction that its author saw; 0: none
	Seq     int64
	Actor   string
	At      time.Time
	Why     string
	Changes []Change
}

// Standing is what review has made of a submission up to an event.
type Standing struct {
	State   string
	Number  int      // of the last correction, 0: none
	Changes []Change // of all corrections, in order
}

// Verdict is one change of a submission's state.
type Verdict struct {
	Seq      int64
	From, To string
	Actor    string
	At       time.Time
	Why      string
}

// Corrections keeps what review makes of submissions. Nothing is overwritten.
type Corrections interface {
	// Correct adds a correction made on number c.Base. When another one came in
	// between it is Conflict, c is kept as refused, and the log tells both. NotFound;
	// Invalid without a reason or a change.
	Correct(ctx context.Context, submission string, c Correction) (Correction, error)
	// Corrections lists those of a submission, refused ones (Number 0) too, oldest
	// first.
	Corrections(ctx context.Context, submission string) ([]Correction, error)
	// Standing is what review had made of a submission at event upTo; 0: by now.
	Standing(ctx context.Context, submission string, upTo int64) (Standing, error)
	// Verdicts lists the changes of state, oldest first.
	Verdicts(ctx context.Context, submission string) ([]Verdict, error)
}

// States of a flag.
const (
	FlagOpen      = "open"
	FlagCleared   = "cleared"   // not found any more when the rule ran again
	FlagConfirmed = "confirmed" // a person, or a correction, says that the rule was right
	FlagDismissed = "dismissed" // a person says that the data is right
)

// Raised is a flag with its fate.
type Raised struct {
	ID         string // rule | submission or subject | path or day
	Rule       string
	Severity   int    // 0 fault, 1 doubt, 2 note
	Submission string // "" when it is of a day, a device or a month
	Subject    string // point or device that it is about
	Point      string // code; "" when not known
	Day        time.Time
	Path       string
	Note       string
	Other      string // the record that it is compared with
	State      string
	Seq        int64 // event that raised it
	Changed    int64 // event that gave it its state
}

// FlagEntry is one line of a flag's history.
type FlagEntry struct {
	Seq   int64
	Flag  string
	Act   string // raised, reopened, cleared, confirmed, dismissed
	Actor string
	At    time.Time
	Why   string
}

// FlagFilter narrows the queue; zero values mean any. After is the flag after which
// the page begins.
type FlagFilter struct {
	State      string // "": open
	Severity   *int
	Point      *string
	Rule       string
	Submission string
	Month      Month // of the day that the flag is about
	After      *Raised
	Limit      int // 0: 50
}

// FlagCount is how many flags there are of a kind.
type FlagCount struct {
	State    string
	Severity int
	Rule     string
	Point    string
	N        int
}

// FlagPlace says where and how heavy the flags of a submission are.
type FlagPlace struct {
	Point    string
	Day      time.Time
	Severity func(rule string) int
}

// Decision is what a person makes of flags, or of the submissions that they are on.
type Decision struct {
	Flags []string
	// State is FlagDismissed, FlagConfirmed, or StateRejected: the submissions of the
	// flags leave the figures and the flags were right.
	State string
	Why   string
}

// Done is what a decision changed: the events that tell, by which it can be undone.
type Done struct {
	First, Last int64 // 0: nothing changed
	Flags       int
	Submissions int
	Passed      int // flags that somebody else had decided meanwhile
}

// Flags keeps what rules found and what people made of it.
type Flags interface {
	// FlagAt is Submissions.Flag with where and how heavy.
	FlagAt(ctx context.Context, submission string, at FlagPlace, flags []Flag) error
	// RaiseSeries keeps what rules over series found. Open flags of the rules on days
	// within [from, to) that were not found again are cleared.
	RaiseSeries(ctx context.Context, rules []string, from, to time.Time, found []Raised) (raised, cleared int, err error)
	// RaiseHistory is RaiseSeries for imported rows, which are no submissions: flags of
	// submissions are left alone whatever their rule.
	RaiseHistory(ctx context.Context, rules []string, from, to time.Time, found []Raised) (raised, cleared int, err error)
	// Queue lists flags, the heaviest first, then by point, then the oldest.
	Queue(ctx context.Context, f FlagFilter) ([]Raised, error)
	// FlagCounts counts flags by state, severity, rule and point: those about days of the
	// month, or all when it is zero.
	FlagCounts(ctx context.Context, m Month) ([]FlagCount, error)
	// FlagHistory lists the entries of a submission's flags, or of one flag, oldest
	// first.
	FlagHistory(ctx context.Context, submission, flag string) ([]FlagEntry, error)
	// FlaggedByDevice counts, of the submissions received since, those of each device
	// that have a flag which nobody has dismissed.
	FlaggedByDevice(ctx context.Context, since time.Time) (map[string]int, error)
	// DecideFlags: Invalid without a reason to reject, or with another state. Flags
	// that are not open are passed over. A flagged submission of which no flag is open
	// any more becomes confirmed.
	DecideFlags(ctx context.Context, d Decision) (Done, error)
	// UndoReview takes back what this actor decided in the events from first to last,
	// as far as nobody has decided anew since.
	UndoReview(ctx context.Context, first, last int64) (Done, error)
}

// Question is asked of the enumerator who sent a submission.
type Question struct {
	Seq        int64
	Submission string
	Name       string // of the submission, as it calls itself; "" when it does not
	Device     string
	Body       string
	Actor      string
	At         time.Time
	Seen       *time.Time // by the device
	Answer     string
	Answered   *time.Time
	AnswerSeq  int64
}

// Questions go to the device that sent a submission, and answers come back.
type Questions interface {
	// Ask: NotFound; Invalid when the text is empty or long, or when no device sent it.
	Ask(ctx context.Context, submission, body string) (Question, error)
	// QuestionsTo lists those of a device that have no answer yet, oldest first, and
	// notes that they were seen.
	QuestionsTo(ctx context.Context, device string) ([]Question, error)
	// Answer: NotFound when the question is not the device's; the same answer again
	// changes nothing, another one is Conflict.
	Answer(ctx context.Context, device string, seq int64, body string) error
	// Answered lists those that were answered since, the newest answer first.
	Answered(ctx context.Context, since time.Time) ([]Question, error)
	// QuestionsOf lists those of a submission, oldest first.
	QuestionsOf(ctx context.Context, submission string) ([]Question, error)
}

// RuleSwitch is what the operation changed of a rule: off, or its limits.
type RuleSwitch struct {
	Rule  string
	On    bool
	Limit map[string]float64 // those that differ from the program's
	Actor string
	At    time.Time
	Seq   int64
	Why   string
}

// RuleSwitches keeps which rules an operation uses.
type RuleSwitches interface {
	SwitchRule(ctx context.Context, s RuleSwitch) error
	// RuleSwitches gives the last of each rule.
	RuleSwitches(ctx context.Context) ([]RuleSwitch, error)
}
