package event

import (
	"context"

	"dtm"
)

// Ahead gives the submissions that a batch of entries records: some are read at a
// time, which is much cheaper than one after the other.
type Ahead struct {
	From dtm.Recorded
	Last int64 // number of the last entry of the batch
	list []dtm.Submission
}

// Of returns the submission that e, which is dtm.SubmissionReceived, records, without
// its attachments: NotFound. Entries are asked for in their order.
func (a *Ahead) Of(ctx context.Context, e dtm.Event) (dtm.Submission, error) {
	if len(a.list) == 0 || a.list[0].ID != e.Subject {
		var err error
		if a.list, err = a.From.Arrived(ctx, e.Seq, max(e.Seq, a.Last)); err != nil {
			return dtm.Submission{}, err
		}
	}
	if len(a.list) == 0 || a.list[0].ID != e.Subject {
		return dtm.Submission{}, dtm.Errorf(dtm.NotFound, "there is no submission %s", e.Subject).Coded("submission.unknown", e.Subject)
	}
	s := a.list[0]
	a.list[0] = dtm.Submission{} // its answers are let go of with its reader
	a.list = a.list[1:]
	return s, nil
}
