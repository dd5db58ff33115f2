package guard

import "math"

// Sums are counts that add up: what a reader who knows the shown ones can compute
// with. A table of n dimensions has its cells, the margins over each subset of its
// dimensions and one equation for each margin and dimension; hierarchies and linked
// tables are further equations between the same counts.
type Sums struct {
	Count []float64 // never negative
	Fixed []bool    // is published elsewhere and cannot be hidden; nil: none
	Least []float64 // what readers know each to be at least; nil: nothing
	Rows  [][]int   // each: a total, then its parts, as indices into Count
	Most  []float64 // and at most; nil: nothing
	Dear  []bool    // is hidden only where nothing else helps; nil: none
	Cost  []float64 // what hiding a count loses; nil: the count itself
	Block []int     // counts of one place have one number; 0: of none; nil: no places
}

func (s Sums) fixed(i int) bool { return s.Fixed != nil && s.Fixed[i] }

// least is the smallest value that readers think possible.
func (s Sums) least(i int) float64 {
	if s.Least != nil {
		return s.Least[i]
	}
	return 0
}

// room is how far up and down readers think that a hidden count may be.
func (s Sums) room(i int) (up, down float64) {
	up = math.Inf(1)
	if s.Most != nil {
		up = s.Most[i] - s.Count[i]
	}
	return up, s.Count[i] - s.least(i)
}

// cost prefers few people over many, and any count that nobody is behind.
func (s Sums) cost(i int) float64 {
	if s.Cost != nil {
		return s.Cost[i]
	}
	return s.Count[i] + 1
}

// Add appends a count and returns its index.
func (s *Sums) Add(count float64) int {
	s.Count = append(s.Count, count)
	return len(s.Count) - 1
}
