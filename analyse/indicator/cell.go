package indicator

import (
	"slices"
	"strings"

	"dtm"
)

// plural forms that data and questions use for the same age.
var otherNumber = map[string]string{
	"adult": "adults", "adults": "adult",
	"child": "children", "children": "child",
}

// code gives the code of a dimension as the facts hold it: Invalid when the
// operation does not know it. The empty code asks for what was not recorded.
func (e *Engine) code(dim, s string) (string, error) {
	switch {
	case s == "":
		return "", nil
	case dim == "point":
		if c, ok := e.op.ResolvePoint(s); ok {
			return c, nil
		}
	case dim == "site":
		return s, nil
	case dim == "region", dim == "area":
		for _, a := range e.op.Atlas().Areas {
			if a.Code == s {
				return s, nil
			}
		}
	case dim == "role":
		if slices.Contains([]string{dtm.RoleEntry, dtm.RoleTransit, dtm.RoleExit, dtm.RoleReturn}, s) {
			return s, nil
		}
	default:
		list, ok := e.list(dim)
		if !ok || list.Has(s) {
			return s, nil
		}
		if o := otherNumber[s]; o != "" && list.Has(o) {
			return o, nil
		}
		if lists[dim] == "country" && (s == dtm.UnknownCountry || s == dtm.OtherCountry) || s == dtm.Unknown {
			return s, nil
		}
	}
	return "", dtm.Errorf(dtm.Invalid, "%q is no code of %s in this operation", s, dim).Coded("code.unknown", s, dim)
}

// cell reads one wanted cell: a code of one default dimension, or codes of two
// joined by "_" in the order of the dimensions ("male_adult"). "unknown" is that
// of the first dimension.
func (e *Engine) cell(d *definition, s string) (cellSpec, error) {
	s = strings.TrimSpace(s)
	for _, dim := range d.Default {
		if c, err := e.code(dim, s); err == nil && e.listed(dim, s) {
			return cellSpec{dim: c}, nil
		}
	}
	if len(d.Default) == 2 {
		for i := range len(s) {
			if s[i] != '_' {
				continue
			}
			a, errA := e.code(d.Default[0], s[:i])
			b, errB := e.code(d.Default[1], s[i+1:])
			if errA == nil && errB == nil && a != "" && b != "" {
				return cellSpec{d.Default[0]: a, d.Default[1]: b}, nil
			}
		}
	}
	// Without code lists anything may be a code of the only dimension.
	if len(d.Default) == 1 {
		if c, err := e.code(d.Default[0], s); err == nil && c != "" {
			return cellSpec{d.Default[0]: c}, nil
		}
	}
	return nil, dtm.Errorf(dtm.Invalid, "%q is no cell of %s, which is split by %s", s, d.ID, strings.Join(d.Default, " and ")).Coded("indicator.cell", s, d.ID)
}

// listed tells whether the operation knows the code for certain.
func (e *Engine) listed(dim, s string) bool {
	if dim == "point" || dim == "region" || dim == "area" || dim == "role" {
		return s != ""
	}
	_, ok := e.list(dim)
	return s != "" && (ok || s == dtm.Unknown)
}

// addCells adds the wanted cells up. Each figure counts once, however many of the
// wanted cells it is in.
func (c *computation) addCells() {
	r := c.request
	if len(r.cells) == 0 {
		return
	}
	out := r.out()
	sums := map[string]*dtm.Figure{}
	var order []string
	for _, f := range c.table.Figures {
		wanted := slices.ContainsFunc(r.cells, func(s cellSpec) bool {
			for dim, code := range s {
				have := f.Keys[slices.Index(r.by, dim)]
				if have != code && otherNumber[have] != code {
					return false
				}
			}
			return true
		})
		keys := make([]string, 0, len(out))
		for _, dim := range out {
			keys = append(keys, f.Keys[slices.Index(r.by, dim)])
		}
		id := strings.Join(keys, "\x1f")
		sum, ok := sums[id]
		if !ok {
			// A share of a whole that is there is 0, not missing, when nobody is
			// in the cell.
			zero, none := 0.0, 0.0
			sum = &dtm.Figure{Keys: keys, Value: &zero, Denominator: f.Denominator}
			if f.Numerator != nil {
				sum.Numerator = &none
			}
			sums[id] = sum
			order = append(order, id)
		}
		if !wanted || f.Value == nil {
			continue
		}
		*sum.Value += *f.Value
		if f.Numerator != nil && sum.Numerator != nil {
			*sum.Numerator += *f.Numerator
		}
		sum.People += f.People
	}
	c.table.Figures = c.table.Figures[:0]
	for _, id := range order {
		c.table.Figures = append(c.table.Figures, *sums[id])
	}
}

// list is the code list of a dimension; programmes are one.
func (e *Engine) list(dim string) (dtm.CodeList, bool) {
	return listOf(e.op, dim)
}

func listOf(op *dtm.Operation, dim string) (dtm.CodeList, bool) {
	name := lists[dim]
	if name != "programme" {
		l, ok := op.Lists[name]
		return l, ok
	}
	var l dtm.CodeList
	for _, p := range op.Programmes {
		l.Codes = append(l.Codes, dtm.Code{Code: p.Code, Label: p.Name})
	}
	return l, len(l.Codes) > 0
}
