package dtm

import (
	"context"
	"time"
)

// SubmissionQuery narrows a stream of the submissions of a form. What was replaced
// by a later edit is never in it.
type SubmissionQuery struct {
	Form   string
	Before int64     // only those recorded by an earlier event; 0: from the newest
	Skip   int       // leave out that many of the newest
	Limit  int       // 0: all
	From   time.Time // received at or after; zero: any
	To     time.Time // received before; zero: any
	// Among leaves out what this search does not find; nil: nothing.
	Among *SubmissionSearch
}

// Streamed is a submission on its way out, without flags and attachments.
type Streamed struct {
	Submission
	Seq     int64  // of the event that recorded it: streams go down
	Edits   int    // how many versions it replaced
	Root    string // id of the first of them: that of the submission as a whole
	Present int    // attachments that have arrived
}

// SubmissionStream gives many submissions, for exports.
type SubmissionStream interface {
	// Stream calls f with batches, newest first, from one state of the store, and
	// stops at f's error. A batch is f's to keep.
	Stream(ctx context.Context, q SubmissionQuery, f func([]Streamed) error) error
	// CountSubmissions counts what Stream would give without Skip and Limit.
	CountSubmissions(ctx context.Context, q SubmissionQuery) (int, error)
	// Replacement is the id of the edit that replaced a submission: NotFound when none
	// did.
	Replacement(ctx context.Context, id string) (string, error)
	// Versions returns every version of a form, newest first, without Source and
	// Media data: NotFound.
	Versions(ctx context.Context, form string) ([]Form, error)
}
