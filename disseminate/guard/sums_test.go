package guard

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// square is a table with its margins: cells first, row by row, then row totals,
// column totals, the total.
func square(x [][]float64) Sums {
	var s Sums
	h, w := len(x), len(x[0])
	total := 0.0
	cell := func(i, j int) int { return i*w + j }
	for _, row := range x {
		for _, v := range row {
			s.Add(v)
			total += v
		}
	}
	var rows, cols []int
	for i := range h {
		sum := []int{0}
		v := 0.0
		for j := range w {
			sum, v = append(sum, cell(i, j)), v+x[i][j]
		}
		sum[0] = s.Add(v)
		rows = append(rows, sum[0])
		s.Rows = append(s.Rows, sum)
	}
	for j := range w {
		sum := []int{0}
		v := 0.0
		for i := range h {
			sum, v = append(sum, cell(i, j)), v+x[i][j]
		}
		sum[0] = s.Add(v)
		cols = append(cols, sum[0])
		s.Rows = append(s.Rows, sum)
	}
	t := s.Add(total)
	s.Rows = append(s.Rows, append([]int{t}, rows...), append([]int{t}, cols...))
	return s
}

// TestAttackTwoEach: two hidden cells in each row and column are not enough. The
// table and what is known of it are those of sdcTable's test of its simple
// heuristic: w.b is computed exactly, and after x.b is hidden too it is 0 to 141.
func TestAttackTwoEach(t *testing.T) {
	s := square([][]float64{{30, 47, 64, 89}, {90, 124, 5, 31}, {92, 100, 59, 85}, {800, 991, 651, 685}})
	hidden := make([]bool, len(s.Count))
	for _, c := range [][2]int{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 1}, {2, 3}, {3, 1}, {3, 3}} {
		hidden[c[0]*4+c[1]] = true
	}
	if b := s.attack(s.whatReadersSee(hidden), hidden, 1); math.Abs(b.Low-47) > 1e-6 || math.Abs(b.High-47) > 1e-6 {
		t.Errorf("w.b is found to be %v, want exactly 47", b)
	}
	hidden[1*4+1] = true
	if b := s.attack(s.whatReadersSee(hidden), hidden, 1); math.Abs(b.Low) > 1e-6 || math.Abs(b.High-141) > 1e-6 {
		t.Errorf("w.b is found to be %v, want 0 to 141", b)
	}
}

// BenchmarkProtect: origins by destinations, most pairs empty.
func BenchmarkProtect(b *testing.B) {
	for _, n := range []int{10, 20, 50} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(3, 4))
			x := make([][]float64, n)
			for i := range x {
				x[i] = make([]float64, n)
				for j := range x[i] {
					if r.IntN(1+n/6) == 0 {
						x[i][j] = math.Floor(math.Exp(r.Float64() * 8))
					}
				}
			}
			s := square(x)
			for b.Loop() {
				Protect(s, primary(s, 10), primary(s, 10), 10)
			}
		})
	}
}

// randomCube is a random table of three dimensions with all margins, whose first
// dimension has a level between its codes and its total.
func randomCube(r *rand.Rand) Sums {
	var s Sums
	// Each dimension as a tree: node 0 is the total, children of each node.
	var trees [3][][]int
	for d := range trees {
		n := 2 + r.IntN(3)
		tree := [][]int{nil}
		if d == 0 { // two groups
			tree = append(tree, nil, nil)
			tree[0] = []int{1, 2}
			for g := 1; g <= 2; g++ {
				for range 1 + r.IntN(3) {
					tree[g] = append(tree[g], len(tree))
					tree = append(tree, nil)
				}
			}
		} else {
			for range n {
				tree[0] = append(tree[0], len(tree))
				tree = append(tree, nil)
			}
		}
		trees[d] = tree
	}
	of := map[[3]int]int{}
	most := 1 + r.IntN(80)
	empty := r.Float64() * 0.6
	var value func(k [3]int) int
	value = func(k [3]int) int {
		if i, ok := of[k]; ok {
			return i
		}
		i := s.Add(0)
		of[k] = i
		leaf := true
		for d := range k {
			parts := trees[d][k[d]]
			if parts == nil {
				continue
			}
			row, sum := []int{i}, 0.0
			for _, p := range parts {
				k := k
				k[d] = p
				j := value(k)
				row, sum = append(row, j), sum+s.Count[j]
			}
			s.Rows = append(s.Rows, row)
			s.Count[i], leaf = sum, false
		}
		if leaf && r.Float64() >= empty {
			s.Count[i] = float64(r.IntN(most))
		}
		return i
	}
	value([3]int{})
	return s
}

func primary(s Sums, threshold float64) []bool {
	hidden := make([]bool, len(s.Count))
	for i, n := range s.Count {
		hidden[i] = n > 0 && n < threshold
	}
	return hidden
}

// naive hides a second cell in each row that has a single hidden one, the smallest.
func naive(s Sums, threshold float64) []bool {
	hidden := primary(s, threshold)
	for again := true; again; {
		again = false
		for _, row := range s.Rows {
			n, best := 0, -1
			for _, c := range row {
				if hidden[c] {
					n++
				} else if best < 0 || s.Count[c] < s.Count[best] {
					best = c
				}
			}
			if n == 1 && best >= 0 {
				hidden[best], again = true, true
			}
		}
	}
	return hidden
}

// TestProtect: on random tables of three dimensions, one with a hierarchy, no small
// count can be concluded to within the threshold; hiding two in each row leaves
// some that can. DTM_TEST_TABLES tells how many, DTM_TEST_SEED which.
func TestProtect(t *testing.T) {
	number := func(name string, def int) int {
		if v := os.Getenv(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		return def
	}
	tables, r := number("DTM_TEST_TABLES", 6), rand.New(rand.NewPCG(uint64(number("DTM_TEST_SEED", 1)), 7))
	const threshold = 10
	var small, hiddenCells, cells, found, foundNaive, hiddenNaive int
	var people, all float64
	for range tables {
		s := randomCube(r)
		hidden := primary(s, threshold)
		protected := Protect(s, primary(s, threshold), hidden, threshold)
		poor := naive(s, threshold)
		for i, n := range s.Count {
			cells++
			all += n
			if poor[i] {
				hiddenNaive++
			}
			if hidden[i] {
				hiddenCells++
				people += n
			}
			if n <= 0 || n >= threshold {
				continue
			}
			small++
			if !hidden[i] {
				t.Fatalf("%v is shown", n)
			}
			if small%20 == 0 && len(s.Count) < 120 { // the program that finds is not the one that proves
				a, b := attackByGonum(s, hidden, i), s.attack(s.whatReadersSee(hidden), hidden, i)
				if math.Abs(a.Low-b.Low) > 1e-6 || a.High != b.High && math.Abs(a.High-b.High) > 1e-6 {
					t.Errorf("%v is known to be %v to %v, another method says %v to %v", n, b.Low, b.High, a.Low, a.High)
				}
			}
			if b := s.attack(s.whatReadersSee(hidden), hidden, i); b.High-b.Low < threshold-1e-6 || !protected[i] {
				found++
				t.Errorf("%v is known to be %v to %v", n, b.Low, b.High)
			}
			if b := s.attack(s.whatReadersSee(poor), poor, i); b.High-b.Low < threshold-1e-6 {
				foundNaive++
			}
		}
	}
	t.Logf("%d tables of %d counts, %d small: %d found; %d hidden, %.1f %% of the counts, %.2f %% of the people in them. Two in each row: %d found, %d hidden",
		tables, cells, small, found, hiddenCells, 100*float64(hiddenCells)/float64(cells), 100*people/all, foundNaive, hiddenNaive)
	if foundNaive == 0 {
		t.Error("the attack finds nothing in tables with two hidden in each row: it cannot fail")
	}
}
