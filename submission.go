package dtm

import (
	"context"
	"io"
	"time"
)

// Submission is one received form instance. XML is what the phone sent, byte for
// byte, and never changes.
type Submission struct {
	ID          string // meta/instanceID
	Form        string
	Version     string
	Device      string // id of the device; "" when sent by a user
	DeviceID    string // the phone's own deviceID parameter
	Received    time.Time
	XML         []byte
	Deprecates  string // meta/deprecatedID: the instance this one replaces
	State       string // "received" | "flagged" | ... ; issue 4 adds the rest
	Flags       []Flag
	Expected    []string     // names of attachments the answers mention
	Attachments []Attachment // those that have arrived, without content
	Changes     []Change     // of corrections in force, where the reader asked for them: XML is without
}

// Flag is a remark on a submission or imported row: data is flagged, not refused.
type Flag struct {
	Rule string // "point.unknown", "answers.sum"
	Path string // element or column
	Note string // what was seen, in no language: "12 ≠ 10", a code; the rule's name says it in words
}

// Attachment is a file of a submission: a photo, a sound, an audit log.
type Attachment struct {
	Name string
	Type string // MIME type
	Size int64
	Hash string // "sha256:" + hex: its address in the blob store
}

// Receipt says what became of a submission that was sent.
type Receipt struct {
	Seq int64 // event that recorded it; 0 when nothing new was stored
	New bool  // false: the same bytes were there already
}

// Submissions keeps what phones send. A returned Receipt means durable.
type Submissions interface {
	// Receive stores a submission and the attachments that came with it (their
	// content is in the blob store already). The same id with the same bytes
	// adds missing attachments only. The same id with other bytes keeps both
	// and returns Conflict.
	Receive(ctx context.Context, s Submission) (Receipt, error)
	// Submission returns one with its attachments and flags: NotFound.
	Submission(ctx context.Context, id string) (Submission, error)
	// Submissions lists by filter, newest first, with the total.
	Submissions(ctx context.Context, f SubmissionFilter) ([]Submission, int, error)
	// Conflicts returns the versions refused under an id, oldest first.
	Conflicts(ctx context.Context, id string) ([]Submission, error)
	// Flag replaces the flags of a submission and records the event: NotFound.
	Flag(ctx context.Context, id string, flags []Flag) error
}

// Recorded gives submissions as the log has recorded them, to those who follow it.
type Recorded interface {
	// Arrived returns those that the entries first to last record, in their order and
	// without their attachments: all of them, or when they are large the first ones.
	Arrived(ctx context.Context, first, last int64) ([]Submission, error)
}

// SubmissionFilter narrows a list; nil means any.
type SubmissionFilter struct {
	Form   *string
	Device *string
	State  *string
	Limit  int // 0: 100
	Offset int
}

// Blobs keeps attachments by content address.
type Blobs interface {
	// Put stores r and returns "sha256:" + hex and the size, after the bytes are
	// durable. The same content again costs nothing more.
	Put(ctx context.Context, r io.Reader) (hash string, size int64, err error)
	// Open returns the content: NotFound.
	Open(ctx context.Context, hash string) (io.ReadSeekCloser, error)
}
