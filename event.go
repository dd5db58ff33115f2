package dtm

import (
	"context"
	"time"
)

// Names of events. An event is written in the transaction of the change it
// records; the log is also the work queue.
const (
	FormPublished      = "form.published"
	SubmissionReceived = "submission.received"
	SubmissionRefused  = "submission.refused" // same id, other content; both kept
	SubmissionFlagged  = "submission.flagged"
	AttachmentReceived = "attachment.received"
	ChunkImported      = "chunk.imported"
	DeviceAdded        = "device.added"
	DeviceRevoked      = "device.revoked"
	UserAdded          = "user.added"
	UserDisabled       = "user.disabled"
)

// Event is one entry of the audit log. Hash is hex SHA-256 over the previous
// hash and the entry's fields: a changed or missing entry breaks the chain.
type Event struct {
	Seq     int64
	At      time.Time // UTC, milliseconds
	Name    string
	Subject string // id of the thing changed
	Actor   string // "device:ID", "user:EMAIL", "system"
	Detail  string // JSON, no personal data
	Prev    string
	Hash    string
}

// Events reads the log.
type Events interface {
	// Events returns up to limit events after seq, oldest first.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
	// Last returns the sequence number of the newest event, 0 when there is none.
	Last(ctx context.Context) (int64, error)
	// Wait returns when an event after seq exists, or with ctx's error.
	Wait(ctx context.Context, after int64) error
	// Verify walks the chain and returns the first entry that breaks it as an
	// error of kind Conflict.
	Verify(ctx context.Context) error
}
