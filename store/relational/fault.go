package relational

import (
	"context"
	"errors"

	"dtm"
)

// Fault is what an engine's error comes to.
type Fault struct {
	Taken  bool // the refusal of a key that is there already
	Undone bool // the transaction may be over: nothing more can be done in it
	Again  bool // nothing was done, because of others; the same transaction may succeed when it is run again
	Synced bool // a commit failed in such a way that what is on disk is not known any more
	// Tell is what the caller is told; nil: an internal error. Op and Err are filled in.
	Tell *dtm.Error
}

// faults are the engines' readings of their own errors; each knows those of its driver.
var faults []func(error) (Fault, bool)

// Faults adds an engine's reading of errors, by code and never by message: false for an
// error that is not from its driver. To be called by init, like sql.Register.
func Faults(read func(error) (Fault, bool)) { faults = append(faults, read) }

func faultOf(err error) Fault {
	for _, read := range faults {
		if f, ok := read(err); ok {
			return f
		}
	}
	return Fault{}
}

// failure turns what the driver says into an *dtm.Error; nil stays nil, and an
// *dtm.Error stays itself.
func failure(op string, err error) error {
	var own *dtm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if tell := faultOf(err).Tell; tell != nil {
		e := *tell
		e.Op, e.Err = op, err
		return &e
	}
	return &dtm.Error{Kind: dtm.Internal, Op: op, Err: err}
}

// Failure is failure, for what an engine does beside the shared text.
func Failure(op string, err error) error { return failure(op, err) }

// unique tells whether err is the refusal of a key that is there already.
func unique(err error) bool { return faultOf(err).Taken }

// fatal tells whether err is one after which the engine may have undone the whole
// transaction by itself.
func fatal(err error) bool {
	var own *dtm.Error
	if errors.As(err, &own) && own.Err == nil {
		return false
	}
	return faultOf(err).Undone
}
