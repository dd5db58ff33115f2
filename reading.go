package dtm

import (
	"context"
	"time"
)

// Reading is what a submission says of itself for lists, searches and maps. It is
// made of the answers by the form and can be made again at any time.
type Reading struct {
	Seq        int64  // event that recorded the submission
	Point      string // code; that of the device when the form asks for none
	Enumerator string // as answered
	Day        string // observed, "2026-11-23"
	Positioned bool
	Lat, Lon   float64
	Name       string // meta/instanceName
	Words      string // what a search in words finds: texts and labels of choices
}

// Listed is a submission in a list, with what was read from it. Its XML is left out.
type Listed struct {
	Submission
	Reading
}

// SubmissionSearch narrows a list of submissions; zero values mean any.
type SubmissionSearch struct {
	SubmissionFilter // Offset is not looked at
	Point            string
	Enumerator       string
	Rule             string    // that flagged it
	Text             string    // words of the answers, or the beginning of the id
	From, To         time.Time // received at or after, and before
	FromDay, ToDay   string    // observed, "2026-11-23", both included
	Positioned       bool      // only those with a position
	Before           int64     // recorded by an earlier event: the next page
	After            int64     // recorded by a later one, the nearest of them: the page before
	Uncounted        bool      // the number of all that is found is not asked for
}

// Empty tells whether the search leaves nothing out.
func (s SubmissionSearch) Empty() bool {
	s.SubmissionFilter.Limit, s.SubmissionFilter.Offset, s.Before, s.After = 0, 0, 0, 0
	s.Uncounted = false
	return s == SubmissionSearch{}
}

// Spot is a place where submissions were made.
type Spot struct {
	Lat, Lon float64 // the middle of the submissions that it stands for
	Count    int
	Seq      int64  // of the newest
	ID       string // of the newest
}

// Found is how many submissions a search finds. More: counting ended at N, there may be
// more.
type Found struct {
	N    int
	More bool
}

// MostSpots is how many positions a map is made of: the newest.
const MostSpots = 5_000

// Readings finds submissions by what was read from them.
type Readings interface {
	// Find lists what a search finds, newest first, with the number of all that it
	// finds: exact of a search that is Empty, of others as far as some thousand rows
	// say.
	Find(ctx context.Context, s SubmissionSearch) ([]Listed, Found, error)
	// Spots puts the positions of the newest MostSpots that a search finds together
	// in squares of so many degrees; total is of those with a position, counted as by
	// Find.
	Spots(ctx context.Context, s SubmissionSearch, degrees float64) (spots []Spot, total Found, err error)
	// Enumerators lists who made submissions, by name, at most limit.
	Enumerators(ctx context.Context, limit int) ([]string, error)
	// Rules lists the rules that flagged submissions.
	Rules(ctx context.Context) ([]string, error)
	// Unread counts submissions that were received and are not read yet: searches by
	// what is read do not find them.
	Unread(ctx context.Context) (int, error)
	// Reading returns what was read from a submission: NotFound.
	Reading(ctx context.Context, id string) (Reading, error)
	// History returns the entries of the log about something, oldest first, as far
	// as the log has been read.
	History(ctx context.Context, subject string) ([]Event, error)
}

// ReadingWork is what the reader of the log needs.
type ReadingWork interface {
	// ReadingsDone returns the position in the log up to which submissions have been
	// read.
	ReadingsDone(ctx context.Context) (int64, error)
	// KeepReadings replaces readings, remembers which entries of the log are about
	// what, and moves the position. About is not needed of the entries that record
	// the submissions read.
	KeepReadings(ctx context.Context, list []Reading, about []Event, done int64) error
}
