package xpath

import (
	"errors"
	"fmt"

	"dtm"
)

// why is what an error says, with its parts apart, for those who say it in another
// language.
type why struct {
	format string
	args   []any
}

func (w *why) Error() string { return fmt.Sprintf(w.format, w.args...) }

// Explain takes the error of Parse, ParseForm or Eval apart: what it says as a format
// in English, and what the format is filled with. ok is false for another error.
func Explain(err error) (format string, args []any, ok bool) {
	var w *why
	if !errors.As(err, &w) {
		return "", nil, false
	}
	return w.format, w.args, true
}

// fault is an error of an expression at a place, counted in characters from 1.
func fault(src string, at int, code, format string, a ...any) *dtm.Error {
	w := &why{format, a}
	return &dtm.Error{Kind: dtm.Invalid, Code: "xpath." + code, Where: fmt.Sprintf("character %d", len([]rune(src[:min(at, len(src))]))+1), Msg: w.Error(), Err: w}
}
