package guard

import (
	"cmp"
	"math"
	"slices"
)

// moves are the ways in which counts may change: how far up and down each may go, and
// what a step of it costs. All sums hold.
type moves struct {
	rows     [][]int
	up, down []float64 // 0: not at all
	cost     []float64
	of       [][]int // the sums of each count
	work     *work
}

// work is what one push after the other uses again.
type work struct {
	seen, bound []bool    // of counts and of sums; false between two pushes
	variable    []int32   // of each count, plus one; 0 between two pushes
	cells       []float64 // of the tableau's rows
	most        int       // cells of a tableau, beyond which nothing is found; 0: any number
	spent       int       // cells that were looked at or changed
	ended       func() bool
}

// newWork is for so many counts and sums. Once ended says so, nothing is looked for any
// more, and what was found is not to be used.
func newWork(counts, sums int, ended func() bool) *work {
	return &work{seen: make([]bool, counts), bound: make([]bool, sums), variable: make([]int32, counts), ended: ended}
}

// bounds tells whether a tableau of so many sums and counts may be made.
func (w *work) bounds(sums, counts int) bool { return w.most == 0 || sums*counts <= w.most }

// never ends.
func never() bool { return false }

// change is how counts move: those that do, in order.
type change []moved

type moved struct {
	count int
	by    float64
}

// of is how far a count moves.
func (c change) of(count int) float64 {
	n, found := slices.BinarySearchFunc(c, count, func(m moved, count int) int { return cmp.Compare(m.count, count) })
	if !found {
		return 0
	}
	return c[n].by
}

const (
	tiny  = 1e-7
	stall = 50 // steps that gain nothing, after which the order of the counts decides
	// kink is how far apart the places are put at which counts begin to cost, so that no
	// two are met at once: what costs less than nothing to leave is then always found.
	kink = 1e-5
)

// reach lists the counts that can move together with count i, and the sums that bind
// them; both in order.
func (m moves) reach(i int) (counts, sums []int) {
	seen, bound := m.work.seen, m.work.bound
	counts = []int{i}
	seen[i] = true
	for next := 0; next < len(counts); next++ {
		for _, n := range m.of[counts[next]] {
			if bound[n] {
				continue
			}
			bound[n] = true
			sums = append(sums, n)
			for _, o := range m.rows[n] {
				if !seen[o] && (m.up[o] > 0 || m.down[o] > 0) {
					seen[o] = true
					counts = append(counts, o)
				}
			}
		}
	}
	for _, c := range counts {
		seen[c] = false
	}
	for _, n := range sums {
		bound[n] = false
	}
	slices.Sort(counts)
	slices.Sort(sums)
	return counts, sums
}

// rowsOf lists for each count the sums that it is in.
func rowsOf(counts int, rows [][]int) [][]int {
	of := make([][]int, counts)
	for n, r := range rows {
		for _, c := range r {
			of[c] = append(of[c], n)
		}
	}
	return of
}

// push moves count i by at most by (with its sign; may be infinite) as far as the
// sums and limits allow, at the least cost, and returns how counts move.
//
// It is the simplex method with bounded variables whose costs are those of their
// distance from nothing: one variable may pass from down to up on the way, so that a
// step is as long as it gains (Bartels & Conn's linear programming in absolute values).
func (m moves) push(i int, by float64) change {
	change, ok := m.simplex(i, by, kink)
	if !ok {
		change, _ = m.simplex(i, by, 0) // all kinks in one place: slower, exact
	}
	return change
}

// simplex is the work of push; false: taking the kinks' distance out again left a
// limit behind.
func (m moves) simplex(i int, by float64, kink float64) (change, bool) {
	t := m.tableau(i, by, kink)
	if t == nil {
		return nil, true
	}
	gained := 0
	for {
		if m.work.ended() {
			return nil, true
		}
		j, sign, gain := t.enter(gained > stall)
		if j < 0 {
			break
		}
		step := t.step(j, sign, gain)
		if math.IsInf(step, 1) {
			return change{{i, by}}, true // unbounded, which only count i is not charged for
		}
		if step > tiny {
			gained = 0
		} else {
			gained++
		}
	}
	return t.change()
}

// variable is the change of one count.
type variable struct {
	count     int
	low, high float64
	cost      float64 // of a step away from zero
	zero      float64 // where that is
	pull      float64 // gain of a step up: of the count that is to move
}

// tableau is the state of the method: the sums are solved for the basic variables,
// each plus its row times the others is zero.
type tableau struct {
	vars  []variable
	a     [][]float64
	basic []int // variable of each row
	row   []int // row of each variable; -1: it rests at a limit or at zero
	x     []float64
	z     []float64 // scratch: what the basic variables cost for a step of each
	up    []float64 // scratch: what a step up costs of each, and one down
	down  []float64
	work  *work
}

// tableau solves the sums for the counts that may move; nil where they are too many or the
// work has ended.
func (m moves) tableau(i int, by, kink float64) *tableau {
	near, touched := m.reach(i)
	if m.work.ended() || !m.work.bounds(len(touched), len(near)) {
		return nil
	}
	t := &tableau{work: m.work}
	of := m.work.variable
	defer func() {
		for _, c := range near {
			of[c] = 0
		}
	}()
	reward := 1.0
	for _, c := range near {
		reward += 10 * m.cost[c]
	}
	for n, c := range near {
		v := variable{count: c, low: -m.down[c], high: m.up[c], cost: m.cost[c]}
		if c == i {
			v = variable{count: c, low: min(by, 0), high: max(by, 0), pull: reward * math.Copysign(1, by)}
		} else if v.cost > 0 {
			// A fixed spread: the same answer every time.
			v.zero = kink * (0.1 + math.Mod(float64(n)*0.6180339887498949, 1))
		}
		if v.low == 0 && v.high == 0 {
			continue
		}
		t.vars = append(t.vars, v)
		of[c] = int32(len(t.vars))
	}
	n := len(t.vars)
	t.row, t.x, t.z, t.up, t.down = make([]int, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for j, v := range t.vars {
		t.row[j], t.x[j] = -1, v.zero
	}
	var rows [][]float64
	m.work.cells = slices.Grow(m.work.cells[:0], len(touched)*len(t.vars))[:len(touched)*len(t.vars)]
	clear(m.work.cells)
	for k, n := range touched {
		v := m.work.cells[k*len(t.vars) : (k+1)*len(t.vars)]
		any := false
		for q, c := range m.rows[n] {
			sign := -1.0
			if q == 0 {
				sign = 1
			}
			if k := of[c]; k > 0 {
				v[k-1], any = v[k-1]+sign, true
			}
		}
		if any {
			rows = append(rows, v)
		}
	}
	// Solve the rows for some variables, those with the most room and the least cost
	// first; rows that follow from others vanish.
	room := func(j int) float64 {
		v := t.vars[j]
		if v.pull != 0 {
			return -1
		}
		return min(v.high, 1e6) + min(-v.low, 1e6)
	}
	for len(rows) > 0 && !m.work.ended() {
		v := rows[0]
		rows = rows[1:]
		p := -1
		for j, x := range v {
			if math.Abs(x) > 0.5 && t.row[j] < 0 && (p < 0 || room(j) > room(p)) {
				p = j
			}
		}
		if p < 0 { // no coefficient of one is left: the largest will do
			for j, x := range v {
				if math.Abs(x) > tiny && t.row[j] < 0 && (p < 0 || math.Abs(x) > math.Abs(v[p])) {
					p = j
				}
			}
		}
		if p < 0 {
			continue
		}
		t.a, t.basic = append(t.a, v), append(t.basic, p)
		t.pivot(len(t.a)-1, p, rows)
	}
	t.settle()
	return t
}

// settle computes the basic variables from the others.
func (t *tableau) settle() {
	for r, v := range t.a {
		x := 0.0
		for j, f := range v {
			if f != 0 && t.row[j] < 0 {
				x -= f * t.x[j]
			}
		}
		t.x[t.basic[r]] = x
	}
}

// pivot solves row r for variable j and takes j out of the other rows, of more too.
func (t *tableau) pivot(r, j int, more [][]float64) {
	row := t.a[r]
	f := row[j]
	var at []int
	for k, x := range row {
		if x == 0 {
			continue
		}
		if x /= f; math.Abs(x) < 1e-12 {
			x = 0
		} else {
			at = append(at, k)
		}
		row[k] = x
	}
	row[j] = 1
	out := func(v []float64) {
		f := v[j]
		if f == 0 {
			return
		}
		t.work.spent += len(at)
		for _, k := range at {
			v[k] -= f * row[k]
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
	t.basic[r], t.row[j] = j, r
}

// slope is what a step up costs where a variable is, and a step down.
func (t *tableau) slope(j int) (up, down float64) {
	v := &t.vars[j]
	up, down = v.cost-v.pull, v.cost+v.pull
	switch d := t.x[j] - v.zero; {
	case v.cost == 0:
	case d > 1e-12:
		down -= 2 * v.cost
	case d < -1e-12:
		up -= 2 * v.cost
	}
	return up, down
}

// enter chooses the variable to move, and whether up or down: the one that gains most
// a step, or the first that gains when first is set; -1 when none does.
func (t *tableau) enter(first bool) (best int, sign, most float64) {
	clear(t.z)
	t.work.spent += len(t.a) * len(t.vars)
	var edge []int // rows whose variable is just at its zero: either way costs
	for r, v := range t.a {
		up, down := t.slope(t.basic[r])
		if up != -down {
			edge = append(edge, r)
			continue
		}
		if up == 0 {
			continue
		}
		z := t.z[:len(v)]
		for j, f := range v {
			z[j] -= up * f
		}
	}
	for j := range t.vars {
		t.up[j], t.down[j] = t.slope(j)
	}
	for _, r := range edge {
		u, d := t.slope(t.basic[r])
		for j, f := range t.a[r] {
			switch {
			case f > 0: // up of j is down of the basic one
				t.up[j], t.down[j] = t.up[j]+f*d, t.down[j]+f*u
			case f < 0:
				t.up[j], t.down[j] = t.up[j]-f*u, t.down[j]-f*d
			}
		}
	}
	best, most = -1, tiny
	for j := range t.vars {
		if t.row[j] >= 0 {
			continue
		}
		v, up, down := &t.vars[j], t.up[j], t.down[j]
		if g := -(up + t.z[j]); g > most && t.x[j] < v.high-1e-12 {
			best, sign, most = j, 1, g
		}
		if g := -(down - t.z[j]); g > most && t.x[j] > v.low+1e-12 {
			best, sign, most = j, -1, g
		}
		if first && best >= 0 {
			break
		}
	}
	return best, sign, most
}

// stop is a place on the way of a step: where a variable meets its zero, after which
// the step gains less, or a limit.
type stop struct {
	at   float64
	row  int // -1: the entering variable itself
	less float64
	end  bool
	to   float64
}

// step moves variable j for as long as it gains, and returns how far.
func (t *tableau) step(j int, sign, gain float64) float64 {
	var stops []stop
	meet := func(k, r int, rate float64) {
		v, x := &t.vars[k], t.x[k]
		limit := v.high
		if rate < 0 {
			limit = v.low
		}
		if !math.IsInf(limit, 0) {
			stops = append(stops, stop{max(0, (limit-x)/rate), r, 0, true, limit})
		}
		if d := (v.zero - x) / rate; v.cost > 0 && d > 1e-12 && d*math.Abs(rate) > 1e-12 {
			stops = append(stops, stop{d, r, 2 * v.cost * math.Abs(rate), false, v.zero})
		}
	}
	meet(j, -1, sign)
	for r, v := range t.a {
		if rate := -sign * v[j]; math.Abs(rate) > tiny {
			meet(t.basic[r], r, rate)
		}
	}
	slices.SortFunc(stops, func(a, b stop) int {
		which := func(s stop) int {
			if s.row < 0 {
				return j
			}
			return t.basic[s.row]
		}
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(which(a), which(b)))
	})
	for _, s := range stops {
		if gain -= s.less; !s.end && gain > tiny {
			continue
		}
		for r, v := range t.a {
			t.x[t.basic[r]] -= sign * v[j] * s.at
		}
		t.x[j] += sign * s.at
		if s.row < 0 {
			t.x[j] = s.to
			return s.at
		}
		out := t.basic[s.row]
		t.x[out], t.row[out] = s.to, -1
		t.pivot(s.row, j, nil)
		return s.at
	}
	return math.Inf(1)
}

// change reads the solution, with the kinks back at nothing: false when a basic
// variable then is beyond a limit.
func (t *tableau) change() (change, bool) {
	for j, v := range t.vars {
		if t.row[j] < 0 && t.x[j] == v.zero {
			t.x[j] = 0
		}
	}
	t.settle()
	out, ok := change(nil), true
	for j, v := range t.vars {
		x := t.x[j]
		ok = ok && x > v.low-tiny && x < v.high+tiny
		if math.Abs(x) >= tiny {
			out = append(out, moved{v.count, x})
		}
	}
	return out, ok
}
