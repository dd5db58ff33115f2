package guard

import (
	"cmp"
	"math"
	"slices"
)

// Protect hides more counts, in hidden, until none of the small ones, which are hidden
// already, can be computed: what a reader can conclude about each is then at least threshold
// wide (Attack). protected is false for one that stays narrower though everything it
// hangs together with is hidden, because what is published elsewhere gives it away.
//
// For each, the largest first, the cheapest change is found that the shown counts
// allow the hidden ones: down to none and up to threshold, or up by threshold (linear
// programming, the change times what hiding loses as the cost; Kelly, Golden & Assad
// 1992). What changes in it is hidden. In the end what is not needed is shown again,
// the dearest first.
func Protect(s Sums, small, hidden []bool, threshold float64) (protected []bool) {
	p := &protection{Sums: s, threshold: threshold, hidden: hidden, needs: make([][]bool, len(s.Count))}
	p.up, p.down = make([]float64, len(s.Count)), make([]float64, len(s.Count))
	for i, is := range small {
		if is {
			p.small = append(p.small, i)
		}
	}
	slices.SortStableFunc(p.small, func(a, b int) int { return cmp.Compare(s.Count[b], s.Count[a]) })
	for _, i := range p.small {
		p.protect(i)
	}
	p.reduce()
	protected = make([]bool, len(s.Count))
	for _, i := range p.small {
		protected[i] = !p.open[i]
	}
	return protected
}

type protection struct {
	Sums
	threshold float64
	hidden    []bool
	small     []int     // what is to be protected
	company   []int     // what was hidden for that
	up, down  []float64 // how far each count is known to be free
	needs     [][]bool  // for each of small: which counts must stay hidden for it
	open      map[int]bool
}

// wide tells whether what a reader can conclude about a hidden count is as wide as
// the threshold.
func (p *protection) wide(i int) bool {
	m := p.whatReadersSee(p.hidden)
	down := 0.0
	if p.Count[i] > 0 {
		down = -m.push(i, -p.Count[i])[i]
	}
	missing := p.threshold - down
	return missing < 1e-6 || m.push(i, missing)[i] > missing-1e-6
}

func (p *protection) free(i int) bool { return p.up[i]+p.down[i] >= p.threshold-1e-6 }

func (p *protection) protect(i int) {
	if p.free(i) {
		return
	}
	if p.wide(i) {
		p.needs[i] = slices.Clone(p.hidden)
		return
	}
	if down := p.change(i, -p.Count[i]); down != nil {
		if up := p.change(i, max(0, p.threshold-p.Count[i])); up != nil {
			p.hide(down)
			p.hide(up)
			return
		}
	}
	if up := p.change(i, p.threshold); up != nil {
		p.hide(up)
		return
	}
	p.hideAll(i)
	p.needs[i] = slices.Clone(p.hidden)
	if !p.wide(i) {
		if p.open == nil {
			p.open = map[int]bool{}
		}
		p.open[i] = true
	}
}

// hideAll hides what hangs together with a count.
func (p *protection) hideAll(i int) {
	reached := map[int]bool{i: true}
	for again := true; again; {
		again = false
		for _, row := range p.Rows {
			if !slices.ContainsFunc(row, func(c int) bool { return reached[c] }) {
				continue
			}
			for _, c := range row {
				if reached[c] || p.fixed(c) && !p.hidden[c] {
					continue
				}
				reached[c], again = true, true
				if !p.hidden[c] {
					p.hidden[c] = true
					p.company = append(p.company, c)
				}
			}
		}
	}
}

// hide takes a change that is allowed: what moves in it is hidden, and is free by as
// much for as long as the others of the change stay hidden.
func (p *protection) hide(change []float64) {
	moved := make([]bool, len(change))
	for i, d := range change {
		if math.Abs(d) > 1e-6 {
			moved[i] = true
			if !p.hidden[i] {
				p.hidden[i] = true
				p.company = append(p.company, i)
			}
		}
	}
	for i, d := range change {
		if !moved[i] || d <= p.up[i] && -d <= p.down[i] {
			continue
		}
		if p.needs[i] == nil {
			p.needs[i] = make([]bool, len(change))
		}
		for c, m := range moved {
			p.needs[i][c] = p.needs[i][c] || m
		}
		p.up[i], p.down[i] = max(p.up[i], d), max(p.down[i], -d)
	}
}

// change finds the cheapest change of all counts in which count i moves by d; nil
// when there is none.
func (p *protection) change(i int, d float64) []float64 {
	n := len(p.Count)
	m := moves{p.Rows, make([]float64, n), make([]float64, n), make([]float64, n)}
	dearest := 0.0
	for c := range p.Count {
		dearest = max(dearest, p.cost(c))
	}
	for c, x := range p.Count {
		switch {
		case p.hidden[c]:
			m.cost[c] = 1e-6
		case p.fixed(c):
			continue
		default:
			m.cost[c] = p.cost(c) / dearest
		}
		m.up[c], m.down[c] = math.Inf(1), x
	}
	change := m.push(i, d)
	if math.Abs(change[i]-d) > 1e-6 {
		return nil
	}
	return change
}

// reduce shows company again where all stay protected without it.
func (p *protection) reduce() {
	slices.SortStableFunc(p.company, func(a, b int) int { return cmp.Compare(p.cost(b), p.cost(a)) })
	for _, c := range p.company {
		p.hidden[c] = false
		var again []int // whose protection is another from now on
		for _, i := range p.small {
			if p.needs[i] == nil || !p.needs[i][c] {
				continue
			}
			if p.open[i] || !p.wide(i) {
				p.hidden[c] = true
				break
			}
			again = append(again, i)
		}
		if !p.hidden[c] {
			for _, i := range again {
				p.needs[i] = slices.Clone(p.hidden)
			}
		}
	}
}
