package dtm

import (
	"errors"
	"fmt"
	"strings"
)

// Kind classes an error by what the caller can do about it. The list is
// append-only: wire formats map kinds to status codes (package serve).
type Kind uint8

const (
	Internal        Kind = iota // our fault; the message is not shown to users
	Invalid                     // the input is wrong; Where names the place
	NotFound                    // no such thing
	Conflict                    // same identity, other content
	Forbidden                   // known, not allowed
	Unauthenticated             // not known
	TooLarge                    // over a stated limit
	Unsupported                 // understood, not done here (media type, file format)
	Unavailable                 // try again later
	Gone                        // was here, is withdrawn (revoked device, deleted form)
	TooMany                     // asked too often; try again later
)

// Error says what went wrong, where, and what to do. Msg is complete English
// prose for the reader; Code with Args lets package locale say it in another
// language. Err is the cause, for the log only.
type Error struct {
	Kind  Kind
	Op    string // "sqlite.Receive": for the log
	Code  string // key in the message catalogues, e.g. "form.unknown"
	Args  []any  // arguments of the message, in catalogue order
	Where string // file:line, sheet!cell, column, element; empty when there is no place
	Msg   string
	Err   error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Where != "" {
		b.WriteString(e.Where + ": ")
	}
	switch {
	case e.Msg != "":
		b.WriteString(e.Msg)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString("unknown error")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an *Error of kind k whose message is the formatted text. A %w
// verb keeps the cause.
func Errorf(k Kind, format string, a ...any) *Error {
	err := fmt.Errorf(format, a...)
	return &Error{Kind: k, Msg: err.Error(), Err: errors.Unwrap(err)}
}

// At returns a copy of e that names the place.
func (e *Error) At(where string) *Error {
	c := *e
	c.Where = where
	return &c
}

// Word is an argument that is a message itself, by its key in the catalogues; At is
// one that is the Where of an error. Package locale says both in the reader's language.
type (
	Word string
	At   string
)

// Coded returns a copy of e with its catalogue key and arguments.
func (e *Error) Coded(code string, args ...any) *Error {
	c := *e
	c.Code, c.Args = code, args
	return &c
}

// KindOf returns the kind of the first *Error in err's chain, Internal if there
// is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Public returns what a user may read of err: the message of an *Error that is
// not Internal, otherwise a sentence that gives nothing away.
func Public(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal {
		return e.Error()
	}
	return "something went wrong on our side; the log of the server has the details"
}
