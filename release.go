package dtm

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Events of releases.
const (
	ReleaseProposed  = "release.proposed"
	ReleasePublished = "release.published"
	ReleaseWithdrawn = "release.withdrawn"
)

// States of a release. It is proposed by one person and published by another; what
// is published never changes. A withdrawn release keeps its number and its reason.
const (
	StateProposed  = "proposed"
	StatePublished = "published"
	StateWithdrawn = "withdrawn"
)

// FrozenRelease is a numbered state of a month's data: everything that its figures
// are computed from, its figures and its reports, each by its hash.
type FrozenRelease struct {
	Release // Number "2022-12/1"; Seq, Hash and At of the last event in it
	Month   Month
	N       int   // 1 for the first release of the month
	Logged  int64 // event that recorded the proposal
	Created time.Time
	Creator string // "user:EMAIL", "system" for the console
	Note    string // what the creator wants readers to know
	Program string // version that made it
	// Manifest names every part with its SHA-256. Its own is the release's hash.
	Manifest     []byte
	ManifestHash string            // hex SHA-256 of Manifest
	Parts        map[string]string // name of the part -> address in the blob store

	State     string
	Published *time.Time
	Approver  string
	Withdrawn *time.Time
	Withdrew  string // who withdrew it
	Reason    string // why it was withdrawn
}

// ReleaseNumber is what is printed: "2022-12/1".
func ReleaseNumber(m Month, n int) string { return m.String() + "/" + strconv.Itoa(n) }

// ParseReleaseNumber reads "2022-12/1" or "2022-12-1", the form for names of files:
// Invalid.
func ParseReleaseNumber(s string) (Month, int, error) {
	bad := Errorf(Invalid, "%q is not a release; write month and number, for example 2022-12/1", s).Coded("release.number", s)
	if len(s) < len("2022-12/1") || s[7] != '/' && s[7] != '-' {
		return Month{}, 0, bad
	}
	m, err := ParseMonth(s[:7])
	if err != nil {
		return Month{}, 0, bad
	}
	n, err := strconv.Atoi(s[8:])
	if err != nil || n < 1 || strings.HasPrefix(s[8:], "+") || strings.HasPrefix(s[8:], "0") {
		return Month{}, 0, bad
	}
	return m, n, nil
}

// Approvable tells whether actor may publish the release: Conflict when it is not
// proposed, Forbidden for who created it. What the role allows is package access's.
func (r FrozenRelease) Approvable(actor string) error {
	if r.State != StateProposed {
		return r.not(StateProposed)
	}
	if actor == r.Creator {
		return Errorf(Forbidden, "release %s was created by you; another person has to look at it and approve it", r.Number).Coded("release.second", r.Number)
	}
	if !strings.HasPrefix(actor, "user:") {
		return Errorf(Forbidden, "a release is approved by a person who has signed in").Coded("release.person")
	}
	return nil
}

// Withdrawable tells whether the release may be withdrawn for the reason: Conflict
// when it is withdrawn, Invalid without a reason.
func (r FrozenRelease) Withdrawable(reason string) error {
	if r.State == StateWithdrawn {
		return r.not(StatePublished)
	}
	if strings.TrimSpace(reason) == "" {
		return Errorf(Invalid, "say why the release is withdrawn: readers will see it").Coded("release.reason")
	}
	return nil
}

func (r FrozenRelease) not(want string) error {
	return Errorf(Conflict, "release %s is %s, not %s", r.Number, r.State, want).Coded("release.state", r.Number, Word("release.state."+r.State))
}

// Releases keeps frozen releases.
type Releases interface {
	// AddRelease keeps a proposal; State, Logged and Created are set by the store.
	// Conflict when the number is taken or another release of the month is proposed.
	AddRelease(ctx context.Context, r FrozenRelease) (FrozenRelease, error)
	// FrozenRelease returns one: NotFound.
	FrozenRelease(ctx context.Context, m Month, n int) (FrozenRelease, error)
	// FrozenReleases lists all, without manifests and parts: latest month first, in a
	// month latest number first.
	FrozenReleases(ctx context.Context) ([]FrozenRelease, error)
	// PublishRelease makes a proposal public: NotFound, and the errors of Approvable
	// for the context's actor.
	PublishRelease(ctx context.Context, m Month, n int) (FrozenRelease, error)
	// WithdrawRelease takes it back: NotFound, and the errors of Withdrawable.
	WithdrawRelease(ctx context.Context, m Month, n int, reason string) (FrozenRelease, error)
}

// Source is what an answer is made from: figures, with the operation as it was when
// they were made.
type Source struct {
	Figures   Figures
	Operation *Operation
	Frozen    *FrozenRelease // nil: provisional
}

// Asked for in place of a number.
const (
	ReleaseLatest      = "latest"
	ReleaseProvisional = "provisional"
)

// Sources picks the figures that a reader asked for.
type Sources interface {
	// Source gives guarded figures of the release that is asked for: a number; "latest",
	// the published one with the highest number of the month, or of the latest
	// published month when month is zero; "provisional", the data as they are now; "",
	// latest if there is one, else provisional, which for a zero month is always so.
	// NotFound when there is no such release or it is not published, Gone when it was
	// withdrawn.
	Source(ctx context.Context, asked string, month Month) (Source, error)
}
