package guard

import (
	"cmp"
	"maps"
	"slices"
)

// Bounds of the work, so that a month of any size comes to an end, in memory that does not
// grow with it. The work of a question grows with the cube of its counts.
const (
	mostCounts = 3200            // that one question is asked of
	mostCells  = 16 << 20        // of the table of a question: 128 MB
	mostFar    = 60_000_000_000  // cells looked at in questions over many counts, for a month
	mostSpent  = 600_000_000_000 // and in all: then only few counts are asked
)

// change finds a cheap change of all counts in which count i moves by d; nil when
// there is none. It is looked for among few counts first, then among more: what is found
// there is allowed all the same, only perhaps not the cheapest.
func (p *protection) change(i int, d float64, far bool) change {
	if d == 0 {
		return change{}
	}
	for _, dear := range []bool{false, true} {
		for _, k := range searches {
			if k.far != far || k.most > fewCounts && p.tired() {
				continue
			}
			if far && p.far > mostFar {
				return nil
			}
			before := p.moves.work.spent
			c := p.changeOf(k.list(p, i, min(k.most, len(p.Count)), dear), i, d)
			if far {
				p.far += p.moves.work.spent - before
			}
			if c != nil {
				return c
			}
		}
		if p.Dear == nil {
			break
		}
	}
	return nil
}

// fewCounts are asked of in any month, however much work it was.
const fewCounts = 400

// tired tells that a month was so much work that only few counts are asked of from now on,
// and the more are withheld.
func (p *protection) tired() bool { return p.moves.work.spent > mostSpent }

// searches are where a change is looked for, one after the other; far off when no change of
// any kind was found otherwise.
var searches = []struct {
	list func(p *protection, i, most int, dear bool) []int
	most int
	far  bool
}{
	{(*protection).near, 100, false},
	{(*protection).near, fewCounts, false},
	{(*protection).closing, 200, false},
	{(*protection).closing, 800, false},
	{(*protection).beside, 500, false},
	{(*protection).beside, 1500, false},
	{(*protection).closing, mostCounts, true},
	{(*protection).near, mostCounts, true},
}

// may tells whether a count may move: one that is hidden or can be; a dear one only if told.
func (p *protection) may(c int, dear bool) bool {
	return p.hidden[c] || !p.fixed(c) && (dear || p.Dear == nil || !p.Dear[c])
}

// wide rows offer so many counts with people and so many without, or so many to choose from.
const (
	someWith    = 4
	someWithout = 3
	someClosing = 64
)

// near lists counts that may move with count i, itself first, until there are most:
// of each sum the hidden ones and the cheapest; those that are dear only if told. All
// are listed when most is all.
func (p *protection) near(i, most int, dear bool) []int {
	seen := make([]bool, len(p.Count))
	seen[i] = true
	list := []int{i}
	add := func(c int) {
		if !seen[c] && p.may(c, dear) {
			seen[c] = true
			list = append(list, c)
		}
	}
	all := most >= len(p.Count)
	for n := 0; n < len(list) && len(list) < most; n++ {
		for _, r := range p.of[list[n]] {
			with, without := 0, 0
			for q, c := range p.cheap[r] {
				people := p.Count[c] > p.least(c)
				switch {
				case all || p.hidden[c] || q == len(p.cheap[r])-1:
					add(c)
				case people && with < someWith:
					add(c)
					with++
				case !people && without < someWithout:
					add(c)
					without++
				}
			}
		}
	}
	return list
}

// closing lists counts that may move with count i, itself first: for each sum that has one
// of them only, another one, which brings the fewest such sums along; then more for those
// that have few, until there are most. Where near spreads into every table a little, this
// stays among the few counts that can make up for each other, however many a month has.
func (p *protection) closing(i, most int, dear bool) []int {
	listed, in := map[int]bool{i: true}, map[int]int{}
	list, queue := []int{i}, []int{}
	add := func(c int) {
		listed[c] = true
		if c != i {
			list = append(list, c)
		}
		for _, r := range p.of[c] {
			if in[r]++; in[r] == 1 {
				queue = append(queue, r)
			}
		}
	}
	add(i)
	for want := 2; want <= 4 && len(list) < most; want++ {
		if want > 2 {
			queue = slices.Sorted(maps.Keys(in))
		}
		for n := 0; n < len(queue) && len(list) < most; n++ {
			r := queue[n]
			if in[r] >= want {
				continue
			}
			best, fewest, looked := -1, 0, 0
			for _, c := range p.cheap[r] {
				if listed[c] || !p.may(c, dear) {
					continue
				}
				if looked++; looked > someClosing {
					break
				}
				opened := 0
				for _, r := range p.of[c] {
					if in[r] == 0 {
						opened++
					}
				}
				if best < 0 || opened < fewest {
					best, fewest = c, opened
				}
			}
			if best >= 0 {
				add(best)
			}
		}
	}
	return list
}

// beside lists counts that may move with count i, itself first: all of its place, then all
// of the places that can make up for most of it, until there are most. Points of a region
// meet in its sums only, so that what moves at one from one count to another can move back
// at one that has the same counts, however many others there are.
func (p *protection) beside(i, most int, dear bool) []int {
	if p.Block == nil || p.Block[i] == 0 {
		return nil
	}
	if p.blocks == nil {
		p.blocks = map[int][]int{}
		for c, b := range p.Block {
			p.blocks[b] = append(p.blocks[b], c)
		}
	}
	own := p.Block[i]
	list, listed := []int{i}, map[int]bool{i: true}
	add := func(c int) {
		if !listed[c] && p.may(c, dear) {
			listed[c] = true
			list = append(list, c)
		}
	}
	worth := map[int]int{}
	for _, c := range p.blocks[own] {
		if !p.may(c, dear) {
			continue
		}
		add(c)
		for _, r := range p.of[c] {
			for _, o := range p.Rows[r] {
				switch b := p.Block[o]; {
				case b == own || !p.may(o, dear):
				case b == 0:
					if p.hidden[o] {
						add(o)
					}
				case p.Count[o]-p.least(o) >= p.threshold:
					worth[b] += 2
				default:
					worth[b]++
				}
			}
		}
	}
	others := slices.SortedFunc(maps.Keys(worth), func(a, b int) int {
		return cmp.Or(cmp.Compare(worth[b], worth[a]), cmp.Compare(a, b))
	})
	for _, b := range others {
		if len(list)+len(p.blocks[b]) > most {
			break
		}
		for _, c := range p.blocks[b] {
			add(c)
		}
	}
	return list
}
