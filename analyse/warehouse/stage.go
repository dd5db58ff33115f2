package warehouse

import (
	"cmp"
	"slices"
	"time"

	"dtm"
)

// Stage is a batch made ready for a database: facts with their cell's number, one
// for each key. Pure; the rooms under warehouse write it down.
type Stage struct {
	Cells     []Cell // new ones, numbered from FirstCell
	FirstCell int32
	Facts     []Fact
	Months    map[time.Time]int // rows that the months' sums get
	SumUp     []time.Time       // months that were summed up again: filled by the room
	Mixed     bool              // not all rows record everything: main must be looked at

	Submitted []string  // sources of submissions
	Arrivals  []Arrived // of them
	Replaced  []string  // instances they replace
	Outcomes  []Outcome // of the chunks; Count fills them

	Rows    map[string][]Row // facts besides movements, by table
	Answers []Answered       // of their sets

	known map[Cell]int32
	index map[Cell]int32 // of Cells
	keys  map[string]int // of imported facts
	sums  map[monthCell]struct{}
	twice bool // a key came more than once
	sets  map[Answered]bool
}

// Arrived is the arrival of a source.
type Arrived struct {
	Source string
	Arrival
}

// Fact is one movement row on its way into a database.
type Fact struct {
	Chunk     int32 // -1: of a submission
	Source    string
	Observed  time.Time
	Month     time.Time
	MonthOnly bool
	Cell      int32
	People    int32
	Assessed  string
	Movement  *dtm.Movement
	Dropped   bool // the key comes again in the batch: the last one stands
}

type monthCell struct {
	month time.Time
	cell  int32
}

// NewStage stages a batch. known are the cells that have a number already: all
// numbers below len(known).
func NewStage(b *Batch, pack *Pack, known map[Cell]int32) *Stage {
	s := &Stage{
		FirstCell: int32(len(known)),
		Facts:     make([]Fact, 0, b.Rows()),
		Months:    map[time.Time]int{},
		Outcomes:  make([]Outcome, len(b.Chunks)),
		known:     known,
		index:     map[Cell]int32{},
		keys:      map[string]int{},
		sums:      map[monthCell]struct{}{},
	}
	for i := range b.Chunks {
		rows := b.Chunks[i].Rows
		s.Outcomes[i] = Outcome{Chunk: b.Chunks[i].Hash, Rows: len(rows)}
		for j := range rows {
			if before, ok := s.keys[rows[j].Source]; ok {
				s.Facts[before].Dropped = true
				s.twice = true
			}
			s.keys[rows[j].Source] = len(s.Facts)
			s.add(int32(i), rows[j].Source, &rows[j], pack)
		}
	}
	last := map[string]int{}
	for i := range b.Submissions {
		last[b.Submissions[i].Source] = i
	}
	for i := range b.Submissions {
		sub := &b.Submissions[i]
		if last[sub.Source] != i {
			continue
		}
		s.Submitted = append(s.Submitted, sub.Source)
		if sub.Arrival != nil {
			a := *sub.Arrival
			if _, ok := pack.index[a.Point]; ok {
				a.PointText = ""
			} else if a.Point, a.PointText = "", cmp.Or(a.PointText, a.Point); a.PointText == "" {
				a.PointText = "-" // a record without a point
			}
			s.Arrivals = append(s.Arrivals, Arrived{sub.Source, a})
		}
		if sub.Replaces != "" && !slices.Contains(s.Replaced, sub.Replaces) {
			s.Replaced = append(s.Replaced, sub.Replaces)
		}
		for j := range sub.Facts.Movements {
			s.add(-1, sub.Source, &sub.Facts.Movements[j], pack)
		}
		s.records(sub.Source, &sub.Facts, pack)
	}
	return s
}

func (s *Stage) add(chunk int32, source string, m *dtm.Movement, pack *Pack) {
	c := pack.CellOf(m)
	n, ok := s.known[c]
	if !ok {
		n, ok = s.index[c]
	}
	if !ok {
		n = s.FirstCell + int32(len(s.Cells))
		s.index[c] = n
		s.Cells = append(s.Cells, c)
	}
	month := month(m.Observed)
	mc := monthCell{month, n}
	if _, ok := s.sums[mc]; !ok {
		s.sums[mc] = struct{}{}
		s.Months[month]++
	}
	s.Mixed = s.Mixed || c.Breakdown != string(dtm.Full)
	s.Facts = append(s.Facts, Fact{
		Chunk: chunk, Source: source, Observed: m.Observed, Month: month, MonthOnly: m.MonthOnly,
		Cell: n, People: int32(m.People), Assessed: Assessed(m), Movement: m,
	})
}

// Stood is what a fact said before the batch.
type Stood struct {
	People   int32
	Assessed string
}

// Count fills the outcomes, given the imported facts that stood before under the
// same keys: as if each chunk had been applied alone, in the order of the log.
func (s *Stage) Count(before map[string]Stood) {
	for i := range s.Facts {
		f := &s.Facts[i]
		if f.Chunk < 0 {
			continue
		}
		o := &s.Outcomes[f.Chunk]
		now := Stood{f.People, f.Assessed}
		switch was, ok := before[f.Source]; {
		case !ok:
			o.Added++
		case was == now:
			o.Unchanged++
		default:
			o.Changed++
		}
		if s.twice {
			before[f.Source] = now
		}
	}
}
