package dtm

import "context"

// States of a form, whatever its version.
const (
	FormOpen    = "open"    // handed out, submissions are taken
	FormClosing = "closing" // not handed out any more, submissions still come in
	FormClosed  = "closed"  // not handed out, new submissions are refused
)

// FormStateSet is the event of a form that is opened or closed.
const FormStateSet = "form.state"

// FormStates keeps what is open. A form that nobody closed is open.
type FormStates interface {
	// SetFormState: NotFound when no such form is published, Invalid when there is
	// no such state. The same state again changes nothing.
	SetFormState(ctx context.Context, id, state string) error
	// FormStates returns the states that were set, by form.
	FormStates(ctx context.Context) (map[string]string, error)
}
