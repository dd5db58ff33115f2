package guard

import "math"

// moves are the ways in which counts may change: how far up and down each may go, and
// what a step of it costs. All sums hold.
type moves struct {
	rows     [][]int
	up, down []float64 // 0: not at all
	cost     []float64
}

const (
	tiny  = 1e-7
	stall = 50 // steps that gain nothing, after which the order of the counts decides
)

// push moves count i by at most by (with its sign; may be infinite) as far as the
// sums and limits allow, at the least cost, and returns the changes of all counts.
// Nothing moved is a feasible start, so that the simplex method needs no first phase;
// Bland's rule keeps it from going round in circles.
func (m moves) push(i int, by float64) []float64 {
	t := m.tableau(i, by)
	gained := 0
	for {
		j := t.enter(gained > stall)
		if j < 0 {
			break
		}
		step := t.step(j)
		if math.IsInf(step, 1) {
			change := make([]float64, len(m.up))
			change[i] = by // unbounded, which only count i is not charged for
			return change
		}
		if step > tiny {
			gained = 0
		} else {
			gained++
		}
	}
	change := make([]float64, len(m.up))
	for j, v := range t.vars {
		change[v.count] += v.sign * t.value(j)
	}
	return change
}

// variable is one direction of a count.
type variable struct {
	count int
	sign  float64
	limit float64
}

// tableau is the state of the simplex method with bounded variables: the rows are
// solved for the basic variables.
type tableau struct {
	vars    []variable
	a       [][]float64
	gain    []float64 // reduced costs
	basic   []int     // variable of each row
	row     []int     // row of each variable; -1: it is at a limit
	x       []float64 // value of each row's variable
	atLimit []bool    // of variables at a limit: at the upper one
}

func (m moves) tableau(i int, by float64) *tableau {
	t := &tableau{}
	of := map[int][2]int{} // variables up and down of a count, plus one
	add := func(c int, sign, limit, cost float64) {
		if limit <= 0 {
			return
		}
		t.vars = append(t.vars, variable{c, sign, limit})
		t.gain = append(t.gain, cost)
		k := of[c]
		if sign > 0 {
			k[0] = len(t.vars)
		} else {
			k[1] = len(t.vars)
		}
		of[c] = k
	}
	reward := 1.0
	for _, c := range m.cost {
		reward += 10 * c
	}
	for c := range m.up {
		if c != i {
			add(c, 1, m.up[c], m.cost[c])
			add(c, -1, m.down[c], m.cost[c])
		}
	}
	if by > 0 {
		add(i, 1, by, -reward)
	} else {
		add(i, -1, -by, -reward)
	}
	for _, r := range m.rows {
		v := make([]float64, len(t.vars))
		any := false
		for q, c := range r {
			sign := -1.0
			if q == 0 {
				sign = 1
			}
			if k := of[c][0]; k > 0 {
				v[k-1], any = v[k-1]+sign, true
			}
			if k := of[c][1]; k > 0 {
				v[k-1], any = v[k-1]-sign, true
			}
		}
		if any {
			t.a = append(t.a, v)
		}
	}
	t.row = make([]int, len(t.vars))
	for j := range t.row {
		t.row[j] = -1
	}
	t.atLimit = make([]bool, len(t.vars))
	// Solve the rows for some variables; rows that follow from others vanish.
	rows := t.a
	t.a = nil
	for len(rows) > 0 {
		v := rows[0]
		rows = rows[1:]
		p := -1
		for j, x := range v {
			if math.Abs(x) > tiny && t.row[j] < 0 && (p < 0 || math.Abs(x) > math.Abs(v[p])) {
				p = j
			}
		}
		if p < 0 {
			continue
		}
		t.a = append(t.a, v)
		t.basic, t.x = append(t.basic, p), append(t.x, 0)
		t.pivot(len(t.a)-1, p, rows)
	}
	return t
}

// pivot solves row r for variable j and takes j out of the other rows, of more too.
func (t *tableau) pivot(r, j int, more [][]float64) {
	row := t.a[r]
	f := row[j]
	for k := range row {
		row[k] /= f
	}
	row[j] = 1
	out := func(v []float64) {
		f := v[j]
		if f == 0 {
			return
		}
		for k, x := range row {
			if x != 0 {
				v[k] -= f * x
			}
		}
		v[j] = 0
	}
	for k, v := range t.a {
		if k != r {
			out(v)
		}
	}
	for _, v := range more {
		out(v)
	}
	out(t.gain)
	t.basic[r], t.row[j] = j, r
}

// enter chooses the variable to move: the one that gains most, or the first that
// gains when first is set; -1 when none does.
func (t *tableau) enter(first bool) int {
	best, most := -1, tiny
	for j, g := range t.gain {
		if t.row[j] >= 0 {
			continue
		}
		if !t.atLimit[j] {
			g = -g
		}
		if g > most {
			best, most = j, g
			if first {
				break
			}
		}
	}
	return best
}

// step moves variable j until it or a basic one is at a limit, and returns how far.
func (t *tableau) step(j int) float64 {
	sign := 1.0
	if t.atLimit[j] {
		sign = -1
	}
	far, leave, upper := t.vars[j].limit, -1, false
	for r, v := range t.a {
		d := -sign * v[j] // of row r's variable for a step of one
		var room float64
		switch {
		case d < -tiny:
			room = max(t.x[r], 0) / -d
		case d > tiny:
			room = max(t.vars[t.basic[r]].limit-t.x[r], 0) / d
		default:
			continue
		}
		if room < far || room == far && leave >= 0 && t.basic[r] < t.basic[leave] {
			far, leave, upper = room, r, d > 0
		}
	}
	if math.IsInf(far, 1) {
		return far
	}
	for r, v := range t.a {
		t.x[r] -= sign * v[j] * far
	}
	if leave < 0 {
		t.atLimit[j] = !t.atLimit[j]
		return far
	}
	out := t.basic[leave]
	value := far
	if sign < 0 {
		value = t.vars[j].limit - far
	}
	t.row[out], t.atLimit[out], t.atLimit[j] = -1, upper, false
	t.pivot(leave, j, nil)
	t.x[leave] = value
	return far
}

func (t *tableau) value(j int) float64 {
	switch {
	case t.row[j] >= 0:
		return t.x[t.row[j]]
	case t.atLimit[j]:
		return t.vars[j].limit
	}
	return 0
}
