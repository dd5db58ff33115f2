package guard

import "math"

// Bounds is what a reader can conclude about one hidden count.
type Bounds struct{ Low, High float64 }

// Attack computes what a reader concludes about each hidden count from the shown
// ones and the sums, knowing that none is negative (nor below Least): the smallest and the largest
// value that it can have, by linear programming (two programs a count; Fischetti &
// Salazar 2000 call it the attacker's problem). High is +Inf where nothing bounds
// it. A count that is not hidden has its own value as both.
func Attack(s Sums, hidden []bool) []Bounds {
	out := make([]Bounds, len(s.Count))
	if len(out) == 0 {
		return out
	}
	m := s.whatReadersSee(hidden)
	for i := range out {
		out[i] = s.attack(m, hidden, i)
	}
	return out
}

func (s Sums) attack(m moves, hidden []bool, i int) Bounds {
	b := Bounds{s.Count[i], s.Count[i]}
	if !hidden[i] {
		return b
	}
	if d := m.down[i]; d > 0 {
		b.Low += m.push(i, -d).of(i)
	}
	b.High += m.push(i, math.Inf(1)).of(i)
	return b
}

// whatReadersSee lets the hidden counts be anything that is not less than they are
// known to be.
func (s Sums) whatReadersSee(hidden []bool) moves {
	n := len(s.Count)
	m := moves{s.Rows, make([]float64, n), make([]float64, n), make([]float64, n), rowsOf(n, s.Rows), newWork(n, len(s.Rows), never)}
	for c, h := range hidden {
		if h {
			m.up[c], m.down[c] = s.room(c)
		}
	}
	return m
}
