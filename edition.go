package dtm

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Events of the words of reports.
const (
	WordingSaved     = "wording.saved"
	EditionProposed  = "edition.proposed"
	EditionPublished = "edition.published"
	EditionReturned  = "edition.returned"
)

// StateReturned is that of an edition that was given back to its writer; the others are
// those of releases: StateProposed, StatePublished.
const StateReturned = "returned"

// MaxWording is how many letters the words of one sentence may have.
const MaxWording = 2000

// ReportText names the sentences of one report of a release in one language.
type ReportText struct {
	Month  Month
	N      int    // of the release
	Report string // Report.Name
	Lang   Lang
}

// Subject is what the log says of: "2022-12/1 point-obock-2022-12 fr".
func (t ReportText) Subject() string {
	return ReleaseNumber(t.Month, t.N) + " " + t.Report + " " + string(t.Lang)
}

// Wording is what a writer put in place of a generated sentence. Figures stand in both
// texts as marks, {1}, {2}, in the order of the generated one: their values are the
// release's.
type Wording struct {
	Sentence string    `json:"sentence"` // "how_many/1"
	Base     string    `json:"base"`     // the generated sentence that it was written over
	Words    string    `json:"words"`    // "": as generated
	Author   string    `json:"author"`   // "user:EMAIL"
	At       time.Time `json:"at"`
}

// Check tells whether the words may be kept: Invalid.
func (w Wording) Check() error {
	if n := utf8.RuneCountInString(w.Words); n > MaxWording {
		return Errorf(Invalid, "a sentence has at most %d letters, not %d", MaxWording, n).Coded("wording.long", MaxWording)
	}
	return nil
}

// Edition is a report of a release in a writer's words: proposed by one person, published
// by another. Its words, and the PDF that was made of them and the release's figures, never
// change.
type Edition struct {
	Of       ReportText
	N        int // 1 for the first of the report
	Logged   int64
	Words    []Wording // of the sentences that are not as generated
	PDF      string    // address in the blob store
	PDFHash  string    // hex SHA-256
	Program  string    // version that printed it
	Note     string    // to the one who approves
	Proposed time.Time
	Proposer string

	State   string
	Decided *time.Time
	Decider string
	Reason  string // why it was returned
}

// File is the name of an edition's PDF under its release: its permanent address.
func (e Edition) File() string {
	return e.Of.Report + "-" + string(e.Of.Lang) + "-edition-" + strconv.Itoa(e.N) + ".pdf"
}

// ParseEditionFile reads what File writes, as far as it tells: not ok for any other name.
func ParseEditionFile(name string) (report string, l Lang, n int, ok bool) {
	name, ok = strings.CutSuffix(name, ".pdf")
	if !ok {
		return "", "", 0, false
	}
	name, number, ok := strings.Cut(name, "-edition-")
	if !ok {
		return "", "", 0, false
	}
	n, err := strconv.Atoi(number)
	cut := strings.LastIndexByte(name, '-')
	if err != nil || n < 1 || strconv.Itoa(n) != number || cut < 1 {
		return "", "", 0, false
	}
	return name[:cut], Lang(name[cut+1:]), n, true
}

// Authors are who wrote its words.
func (e Edition) Authors() []string {
	var out []string
	for _, w := range e.Words {
		if !slices.Contains(out, w.Author) {
			out = append(out, w.Author)
		}
	}
	return out
}

// Approvable tells whether actor may publish the edition: Conflict when it is not
// proposed, Forbidden for who proposed it or wrote any of its words.
func (e Edition) Approvable(actor string) error {
	if e.State != StateProposed {
		return e.not()
	}
	if actor == e.Proposer || slices.Contains(e.Authors(), actor) {
		return Errorf(Forbidden, "you wrote or proposed this text; another person has to read and approve it").Coded("edition.second")
	}
	if !strings.HasPrefix(actor, "user:") {
		return Errorf(Forbidden, "a text is approved by a person who has signed in").Coded("edition.person")
	}
	return nil
}

// Returnable tells whether the edition may be given back for the reason: Conflict when it
// is not proposed, Invalid without a reason.
func (e Edition) Returnable(reason string) error {
	if e.State != StateProposed {
		return e.not()
	}
	if strings.TrimSpace(reason) == "" {
		return Errorf(Invalid, "say what has to be changed").Coded("edition.reason")
	}
	return nil
}

func (e Edition) not() error {
	return Errorf(Conflict, "edition %d is %s, not proposed", e.N, e.State).Coded("edition.state", e.N, Word("edition.state."+e.State))
}

// Editions keeps the words of reports.
type Editions interface {
	// SaveWordings keeps words of sentences, those that are as before left out; without
	// words a sentence is said to be as generated. Author and At are set by the store. NotFound without the release, Invalid for words that are too
	// long, Conflict while an edition of the report is proposed.
	SaveWordings(ctx context.Context, of ReportText, list []Wording) error
	// Wordings lists the words that stand, one for each sentence that was ever changed;
	// those without Words were undone.
	Wordings(ctx context.Context, of ReportText) ([]Wording, error)
	// AddEdition keeps a proposal; N, Logged, Proposed, Proposer and State are set by the
	// store. NotFound without the release, Conflict when one is proposed already.
	AddEdition(ctx context.Context, e Edition) (Edition, error)
	// Edition returns one: NotFound.
	Edition(ctx context.Context, of ReportText, n int) (Edition, error)
	// Editions lists those of a release, by report and language, the latest first.
	Editions(ctx context.Context, m Month, n int) ([]Edition, error)
	// PublishEdition makes a proposal public: NotFound, the errors of Approvable for the
	// context's actor, Conflict while the release itself is not published.
	PublishEdition(ctx context.Context, of ReportText, n int) (Edition, error)
	// ReturnEdition gives it back: NotFound, and the errors of Returnable.
	ReturnEdition(ctx context.Context, of ReportText, n int, reason string) (Edition, error)
}
