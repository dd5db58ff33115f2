package indicator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// Statement gives the main SELECT that a question is answered with, its arguments
// written in: what somebody may run who may ask the warehouse. What follows (shares,
// averages by days, names) is said by the definition's formula.
func (e *Engine) Statement(q dtm.Query) (string, error) {
	r, err := e.resolve(q)
	if err != nil {
		return "", err
	}
	c := &computation{engine: e, request: r}
	by, where := r.by, r.where
	switch r.def.kind {
	case "share_answers", "answers", "coded":
		_, by, _, where = c.byAnswer()
	case "stock_average", "stock_latest", "stock_peak":
		by = append(slices.Clone(by), "site", "day")
	case "coverage":
		by = []string{"point", "day"}
	}
	a := c.ask(by, where, r.period)
	var extra []any
	switch {
	case r.def.code != "":
		extra = []any{r.def.code}
	case r.def.query == "entries":
		extra = []any{e.op.Country}
	}
	body, args, err := text(r.def.query, e.op.Code, a, extra...)
	if err != nil {
		return "", err
	}
	return argument.ReplaceAllStringFunc(strings.TrimSpace(body), func(s string) string {
		n, _ := strconv.Atoi(s[1:])
		if n < 1 || n > len(args) {
			return s
		}
		return "'" + strings.ReplaceAll(fmt.Sprint(args[n-1]), "'", "''") + "'"
	}), nil
}

// Word gives the name of a unit or a dimension in a language; the code when there is
// none.
func Word(code string, lang dtm.Lang) string { return word(code, lang) }

// Codes lists the codes that a dimension can be filtered by, as the operation knows
// them; nil for a dimension that has no list.
func Codes(op *dtm.Operation, dim string) (out []string) {
	switch dim {
	case "point":
		for _, p := range op.Network() {
			out = append(out, p.Code)
		}
	case "region", "area":
		for _, a := range op.Atlas().Areas {
			if (a.Level == 1) == (dim == "region") {
				out = append(out, a.Code)
			}
		}
	case "role":
		out = slices.Clone(dtm.Roles)
	default:
		if l, ok := listOf(op, dim); ok {
			for _, c := range l.Codes {
				out = append(out, c.Code)
			}
		}
	}
	return out
}
