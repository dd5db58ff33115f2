package dtm

import (
	"context"
	"time"
)

// Events of what people say of a submission.
const (
	SubmissionCommented = "submission.commented"
	SubmissionReviewed  = "submission.reviewed"
)

// States that a review gives a submission, beside "received", "flagged" and
// "superseded".
const (
	StateConfirmed = "confirmed"
	StateCorrected = "corrected"
	StateRejected  = "rejected"
)

// Comment is what somebody wrote about a submission.
type Comment struct {
	Body    string
	Actor   string // "user:EMAIL"
	Created time.Time
}

// Reviews keeps what people say of submissions.
type Reviews interface {
	// AddComment: NotFound. The event does not hold the text.
	AddComment(ctx context.Context, submission, body string) (Comment, error)
	// Comments returns them, newest first.
	Comments(ctx context.Context, submission string) ([]Comment, error)
	// Review gives a submission a state: received, flagged, confirmed, corrected or
	// rejected, and says why ("" when the asker cannot say). Its open flags are settled
	// with it. NotFound, Invalid; Conflict when a later edit replaced it.
	Review(ctx context.Context, submission, state, why string) error
}
