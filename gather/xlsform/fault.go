package xlsform

import (
	"fmt"
	"strconv"
	"strings"

	"dtm"
)

// Fault is one thing wrong with a form. Code is its key in the message
// catalogues, Args what the message is filled with.
type Fault struct {
	Sheet string
	Cell  string // "B12"
	Code  string
	Msg   string
	Args  []any

	format string // English, of Msg
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

func (f Fault) line() int {
	n, _ := strconv.Atoi(strings.TrimLeft(f.Cell, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return n
}

func (f Fault) String() string { return f.Where() + ": " + f.Msg }

// Err is the fault as an error of kind Invalid.
func (f Fault) Err() *dtm.Error {
	return &dtm.Error{Kind: dtm.Invalid, Op: "xlsform.Read", Code: "form." + f.Code, Args: f.Args, Where: f.Where(), Msg: f.Msg}
}

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
	if !ok || len(f) == 0 {
		return false
	}
	*p = f[0].Err()
	if len(f) > 1 {
		(*p).Msg += fmt.Sprintf(" (and %d more faults)", len(f)-1)
	}
	return true
}

// Warning is something a form can be used with but its author should know.
type Warning Fault

func (w Warning) String() string { return Fault(w).String() }
