package xlsform

import (
	"fmt"
	"strings"

	"dtm"
)

// Fault is one thing wrong with a form. Code is its key in the message
// catalogues.
type Fault struct {
	Sheet string
	Cell  string // "B12"; "" when the fault is of the sheet or the form
	Code  string
	Msg   string
}

// Where names the place as `survey!B12`.
func (f Fault) Where() string {
	switch {
	case f.Sheet == "":
		return "form"
	case f.Cell == "":
		return f.Sheet
	}
	return f.Sheet + "!" + f.Cell
}

func (f Fault) String() string { return f.Where() + ": " + f.Msg }

// Faults is the error of a form that cannot be used: all that was found.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// As lets errors.As find the *dtm.Error of kind Invalid that a server answers.
func (f Faults) As(target any) bool {
	p, ok := target.(**dtm.Error)
	if ok && len(f) > 0 {
		*p = &dtm.Error{Kind: dtm.Invalid, Op: "xlsform.Read", Code: f[0].Code, Where: f[0].Where(), Msg: f[0].Msg}
		if len(f) > 1 {
			(*p).Msg += fmt.Sprintf(" (and %d more faults)", len(f)-1)
		}
	}
	return ok
}

// Warning is something a form can be used with but its author should know.
type Warning Fault

func (w Warning) String() string { return Fault(w).String() }
