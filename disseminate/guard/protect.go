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
	p := protect(s, small, hidden, threshold, never)
	protected = make([]bool, len(s.Count))
	for _, i := range p.small {
		protected[i] = !p.open[i]
	}
	return protected
}

func protect(s Sums, small, hidden []bool, threshold float64, ended func() bool) *protection {
	p := &protection{Sums: s, threshold: threshold, hidden: hidden, needs: make([]swing, len(s.Count)), of: rowsOf(len(s.Count), s.Rows)}
	for _, row := range s.Rows {
		cheap := slices.Clone(row)
		slices.SortStableFunc(cheap, func(a, b int) int { return cmp.Compare(s.cost(a), s.cost(b)) })
		p.cheap = append(p.cheap, cheap)
	}
	p.kept = make([]bool, len(s.Count))
	p.up, p.down = make([]float64, len(s.Count)), make([]float64, len(s.Count))
	p.moves = moves{s.Rows, make([]float64, len(s.Count)), make([]float64, len(s.Count)), make([]float64, len(s.Count)), p.of, newWork(len(s.Count), len(s.Rows), ended)}
	for i, is := range small {
		if is {
			p.small = append(p.small, i)
		}
	}
	p.moves.work.most = mostCells
	slices.SortStableFunc(p.small, func(a, b int) int { return cmp.Compare(s.Count[b], s.Count[a]) })
	for _, i := range p.small {
		if ended() {
			return p
		}
		p.protect(i)
	}
	p.reduce()
	return p
}

// tell finds how closely the large counts that are hidden for others can be told
// without telling those: each to within a span around a round number, the narrowest
// of a few that leaves all small counts wide. What is told of one is known when the
// next is looked at; those that are worth most come first.
func (p *protection) tell(order []int) {
	n := len(p.Count)
	if p.Most == nil {
		p.Most = make([]float64, n)
		for i := range p.Most {
			p.Most[i] = math.Inf(1)
		}
	}
	p.Least = slices.Clone(p.Least)
	if p.Least == nil {
		p.Least = make([]float64, n)
	}
	for _, i := range order {
		if p.moves.work.ended() {
			return
		}
		for _, step := range []float64{2, 2.5, 5, 10, 20} {
			wide := step * p.threshold
			if wide > p.Count[i] || p.told(i, math.Round(p.Count[i]/wide)*wide, wide) || p.told(i, (math.Floor(p.Count[i]/wide)+0.5)*wide, wide) {
				break
			}
		}
	}
}

// told tells a hidden count to within half of wide of a middle, if that leaves all
// small counts wide.
func (p *protection) told(i int, middle, wide float64) bool {
	least, most := p.Least[i], p.Most[i]
	p.Least[i], p.Most[i] = max(least, middle-wide/2), middle+wide/2
	again := map[int]swing{}
	up, down := p.room(i)
	for _, s := range p.small {
		if w := p.needs[s]; !w.moves(i) || p.open[s] || w[i].high <= up+1e-9 && -w[i].low <= down+1e-9 {
			continue
		}
		moved, is := swing{}, false
		if p.trials++; p.trials <= mostTold {
			moved, is = p.wideIn(p.nearHidden(s, 40), s)
		}
		if !is {
			p.Least[i], p.Most[i] = least, most
			return false
		}
		again[s] = moved
	}
	for s, moved := range again {
		p.needs[s] = moved
	}
	return true
}

// swing is how far down and up counts move in the changes that show a small count to
// be wide; nil: in none.
type swing map[int]span

type span struct{ low, high float64 }

func (w swing) add(c change) {
	for _, m := range c {
		s := w[m.count]
		w[m.count] = span{min(s.low, m.by), max(s.high, m.by)}
	}
}

func (w swing) moves(c int) bool {
	s := w[c]
	return s.low < -1e-6 || s.high > 1e-6
}

type protection struct {
	Sums
	threshold float64
	hidden    []bool
	small     []int     // what is to be protected
	company   []int     // what was hidden for that
	up, down  []float64 // how far each count is known to be free
	needs     []swing   // for each of small: what must stay free for it
	open      map[int]bool
	kept      []bool        // is hidden whatever else is, because of an open one
	of        [][]int       // the sums of each count
	trials    int           // of telling
	cheap     [][]int       // the counts of each sum, the cheapest first
	blocks    map[int][]int // the counts of each place
	far       int           // of the work: over many counts
	moves     moves         // of one question, none between two
}

// wide tells whether what a reader can conclude about a hidden count is as wide as
// the threshold, and what moves in the changes that show it. Changes are looked for
// near it first, and among all that is hidden if far: who does not need to know for
// sure takes no for an answer sooner, and hides more.
func (p *protection) wide(i int, far bool) (moved swing, is bool) {
	for _, most := range []int{40, fewCounts, mostCounts} {
		if most > fewCounts && (!far || p.tired()) {
			break
		}
		near := p.nearHidden(i, most)
		moved, is = p.wideIn(near, i)
		if is || len(near) < most {
			return moved, is
		}
	}
	return moved, false
}

// nearHidden lists hidden counts that may move with count i, itself first, until
// there are most.
func (p *protection) nearHidden(i, most int) []int {
	seen := map[int]bool{i: true}
	list := []int{i}
	for n := 0; n < len(list) && len(list) < most; n++ {
		for _, r := range p.of[list[n]] {
			for _, c := range p.cheap[r] {
				if p.hidden[c] && !seen[c] {
					seen[c] = true
					list = append(list, c)
				}
			}
		}
	}
	return list
}

func (p *protection) wideIn(near []int, i int) (moved swing, is bool) {
	for _, c := range near {
		p.moves.up[c], p.moves.down[c] = p.room(c)
	}
	defer p.rest(near)
	moved = swing{}
	push := func(by float64) float64 {
		change := p.moves.push(i, by)
		moved.add(change)
		return change.of(i)
	}
	down := 0.0
	if room := p.Count[i] - p.least(i); room > 0 {
		down = -push(-min(room, p.threshold))
	}
	missing := p.threshold - down
	return moved, missing < 1e-6 || push(missing) > missing-1e-6
}

// rest lets the counts of a question move no more.
func (p *protection) rest(near []int) {
	for _, c := range near {
		p.moves.up[c], p.moves.down[c], p.moves.cost[c] = 0, 0, 0
	}
}

func (p *protection) free(i int) bool { return p.up[i]+p.down[i] >= p.threshold-1e-6 }

func (p *protection) protect(i int) {
	if p.free(i) {
		return
	}
	if moved, is := p.wide(i, false); is {
		p.needs[i] = moved
		return
	}
	room := p.Count[i] - p.least(i)
	for _, far := range []bool{false, true} {
		if down := p.change(i, -min(room, p.threshold), far); down != nil {
			if up := p.change(i, max(0, p.threshold-room), far); up != nil {
				p.hide(down)
				p.hide(up)
				return
			}
		}
		if up := p.change(i, p.threshold, far); up != nil {
			p.hide(up)
			return
		}
	}
	// The more of what hangs together with it is withheld, the more can move: all of it in
	// the end.
	moved, is := swing(nil), false
	for most, asked := mostCounts, false; !is; most *= 2 {
		hidden, all := p.hideAll(i, most)
		if hidden > 0 || all && !asked {
			moved, is = p.wide(i, true)
			asked = true
		}
		if all {
			break
		}
	}
	p.needs[i] = moved
	if !is {
		for c, h := range p.hidden { // nothing of it is given up
			p.kept[c] = p.kept[c] || h
		}
		if p.open == nil {
			p.open = map[int]bool{}
		}
		p.open[i] = true
	}
}

// hideAll hides what hangs together with a count, those that are nearest first, until
// there are most; all tells that there are no more.
func (p *protection) hideAll(i, most int) (hidden int, all bool) {
	seen := make([]bool, len(p.Count))
	seen[i] = true
	list := []int{i}
	for n := 0; n < len(list); n++ {
		for _, r := range p.of[list[n]] {
			for _, c := range p.cheap[r] {
				if seen[c] || p.fixed(c) && !p.hidden[c] {
					continue
				}
				if len(list) >= most {
					return hidden, false
				}
				seen[c] = true
				list = append(list, c)
				if !p.hidden[c] {
					p.hidden[c] = true
					p.company = append(p.company, c)
					hidden++
				}
			}
		}
	}
	return hidden, true
}

// hide takes a change that is allowed: what moves in it is hidden, and is free by as
// much for as long as the others of the change stay hidden.
func (p *protection) hide(c change) {
	for _, m := range c {
		if i := m.count; math.Abs(m.by) > 1e-6 && !p.hidden[i] {
			p.hidden[i] = true
			p.company = append(p.company, i)
		}
	}
	for _, m := range c {
		i, d := m.count, m.by
		if math.Abs(d) <= 1e-6 || d <= p.up[i] && -d <= p.down[i] {
			continue
		}
		if p.needs[i] == nil {
			p.needs[i] = swing{}
		}
		p.needs[i].add(c)
		p.up[i], p.down[i] = max(p.up[i], d), max(p.down[i], -d)
	}
}

// changeOf finds the cheapest change of the counts near in which count i moves by d.
func (p *protection) changeOf(near []int, i int, d float64) change {
	m := p.moves
	defer p.rest(near)
	dearest := 0.0
	for _, c := range near {
		dearest = max(dearest, p.cost(c))
	}
	for _, c := range near {
		switch {
		case p.hidden[c]:
			m.cost[c] = 1e-6
		case p.fixed(c):
			continue
		default:
			m.cost[c] = p.cost(c) / dearest
		}
		m.up[c], m.down[c] = p.room(c)
	}
	change := m.push(i, d)
	if math.Abs(change.of(i)-d) > 1e-6 {
		return nil
	}
	return change
}

// manyTrials is how many pairs of a small count and its company are worth looking at
// each: beyond it, company without people stays hidden, which loses nobody. After
// mostTrials, all stays as it is.
const (
	manyTrials = 5000
	mostTrials = 200
	mostTold   = 3000
)

// reduce shows company again where all stay protected without it.
func (p *protection) reduce() {
	trials := 0
	if len(p.company)*len(p.small) > manyTrials {
		p.company = slices.DeleteFunc(p.company, func(c int) bool { return p.Count[c] == 0 })
	}
	slices.SortStableFunc(p.company, func(a, b int) int { return cmp.Compare(p.cost(b), p.cost(a)) })
	for _, c := range p.company {
		if p.moves.work.ended() {
			return
		}
		if p.kept[c] {
			continue
		}
		p.hidden[c] = false
		again := map[int]swing{} // whose protection is another from now on
		for _, i := range p.small {
			if !p.needs[i].moves(c) {
				continue
			}
			trials++
			moved, is := swing{}, false
			if trials <= mostTrials && !p.open[i] {
				moved, is = p.wide(i, false)
			}
			if !is {
				p.hidden[c] = true
				break
			}
			again[i] = moved
		}
		if !p.hidden[c] {
			for i, moved := range again {
				p.needs[i] = moved
				p.up[i], p.down[i] = 0, 0
			}
		}
	}
}
