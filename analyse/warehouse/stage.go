package warehouse

import (
	"cmp"
	"slices"
	"time"

	"dtm"
)

// Stage is a batch made ready for a database: facts with their cell's number, one
// for each key, and what they add to the rollups. Pure; the rooms under warehouse
// write it down.
type Stage struct {
	Cells     []Cell // new ones, numbered from FirstCell
	FirstCell int32
	Facts     []Fact
	Months    map[time.Time]int // rows that fact_month got, by month: filled by the room
	SumUp     []time.Time       // months whose rollups were made short again: filled by the room
	Mixed     bool              // not all rows record everything: main must be looked at

	Submitted []string  // sources of submissions
	Arrivals  []Arrived // of them
	Replaced  []string  // instances they replace
	Outcomes  []Outcome // of the chunks; Count fills them

	Rows    map[string][]Row // facts besides movements, by table
	Answers []Answered       // of their sets

	known  map[Cell]int32
	cells  map[Cell]*stagedCell
	places map[place]*place
	days   map[int64]*stagedDay
	months map[time.Time]*time.Time
	keys   map[string]int // of the first keyed imported facts, once they are needed
	keyed  int
	twice  bool // a key came more than once
	sets   map[Answered]bool

	void    map[time.Time]bool // months that rows were taken out of
	touched map[monthPlace]bool
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
	MonthOnly bool
	People    int32
	Assessed  string
	Movement  *dtm.Movement
	Dropped   bool // it is not written: the key comes again in the batch, or stands already
	maybe     bool // the key of an imported fact may stand

	day  *stagedDay
	cell *stagedCell
}

// stagedCell, stagedDay and place are what many facts of a batch share: held once,
// and as the values that a database is given.
type stagedCell struct {
	n     int32
	value any // n
	main  bool
	full  bool
	place *place

	direction string
}

type stagedDay struct {
	observed, month any        // time.Time
	first           *time.Time // of the month: one for all its days
}

type place struct{ point, text, region string }

type monthPlace struct {
	month       time.Time
	point, text string
}

// NewStage stages a batch. known are the cells that have a number already: all
// numbers below len(known). keys learns those of the imported rows.
func NewStage(b *Batch, pack *Pack, known map[Cell]int32, keys *Keys) *Stage {
	s := &Stage{
		FirstCell: int32(len(known)),
		Facts:     make([]Fact, 0, b.Rows()),
		Months:    map[time.Time]int{},
		Outcomes:  make([]Outcome, len(b.Chunks)),
		known:     known,
		cells:     map[Cell]*stagedCell{},
		places:    map[place]*place{},
		days:      map[int64]*stagedDay{},
		months:    map[time.Time]*time.Time{},
		void:      map[time.Time]bool{},
		touched:   map[monthPlace]bool{},
	}
	for i := range b.Chunks {
		rows := b.Chunks[i].Rows
		s.Outcomes[i] = Outcome{Chunk: b.Chunks[i].Hash, Rows: len(rows)}
		for j := range rows {
			maybe := keys.add(rows[j].Source)
			if maybe {
				s.once(rows[j].Source)
			}
			s.add(int32(i), rows[j].Source, &rows[j], pack)
			s.Facts[len(s.Facts)-1].maybe = maybe
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

// once drops the imported fact of the batch that has the key already. Most batches hold
// no key that was seen before; then their keys are not laid side by side.
func (s *Stage) once(source string) {
	if s.keys == nil {
		s.keys = make(map[string]int, cap(s.Facts))
	}
	for ; s.keyed < len(s.Facts); s.keyed++ {
		s.keys[s.Facts[s.keyed].Source] = s.keyed
	}
	if before, ok := s.keys[source]; ok {
		s.Facts[before].Dropped = true
		s.twice = true
	}
}

func (s *Stage) add(chunk int32, source string, m *dtm.Movement, pack *Pack) {
	c := s.cell(pack.CellOf(m))
	s.Mixed = s.Mixed || !c.full
	s.Facts = append(s.Facts, Fact{
		Chunk: chunk, Source: source, MonthOnly: m.MonthOnly, People: int32(m.People), Assessed: Assessed(m), Movement: m,
		day: s.day(m.Observed), cell: c,
	})
}

// cell gives a cell its number, a new one when it has none.
func (s *Stage) cell(c Cell) *stagedCell {
	if known, ok := s.cells[c]; ok {
		return known
	}
	n, ok := s.known[c]
	if !ok {
		n = s.FirstCell + int32(len(s.Cells))
		s.Cells = append(s.Cells, c)
	}
	at := place{c.Point, c.PointText, c.Region}
	if s.places[at] == nil {
		s.places[at] = &at
	}
	x := &stagedCell{n: n, value: n, main: c.Breakdown != string(dtm.ByNationality), full: c.Breakdown == string(dtm.Full), place: s.places[at], direction: c.Direction}
	s.cells[c] = x
	return x
}

func (s *Stage) day(observed time.Time) *stagedDay {
	n := observed.Unix()
	d := s.days[n]
	if d == nil {
		first := month(observed)
		if s.months[first] == nil {
			s.months[first] = &first
		}
		d = &stagedDay{observed: observed, month: first, first: s.months[first]}
		s.days[n] = d
	}
	return d
}

// byNationality are the places that have rows by nationality alone, of any region.
func (s *Stage) byNationality() map[place]bool {
	out := map[place]bool{}
	add := func(c *Cell) {
		if c.Breakdown == string(dtm.ByNationality) {
			out[place{point: c.Point, text: c.PointText}] = true
		}
	}
	for c := range s.known {
		add(&c)
	}
	for i := range s.Cells {
		add(&s.Cells[i])
	}
	return out
}

// rollup is what the staged facts that are written add to the rollups.
type rollup struct {
	months []sum // by month and cell
	days   []sum // by day, place and direction, where the day is known
}

type sum struct {
	day       *stagedDay // a day of the month
	monthOnly bool
	cell      *stagedCell
	people    int64
}

func (s *Stage) rollup() (r rollup) {
	type monthCell struct {
		month     *time.Time
		monthOnly bool
		cell      *stagedCell
	}
	type dayPlace struct {
		day       *stagedDay
		place     *place
		direction string
		main      bool
	}
	months, days := map[monthCell]int32{}, map[dayPlace]int32{}
	for i := range s.Facts {
		f := &s.Facts[i]
		if f.Dropped {
			continue
		}
		k := monthCell{f.day.first, f.MonthOnly, f.cell}
		n, ok := months[k]
		if !ok {
			n = int32(len(r.months))
			months[k] = n
			r.months = append(r.months, sum{day: f.day, monthOnly: f.MonthOnly, cell: f.cell})
		}
		r.months[n].people += int64(f.People)
		if f.MonthOnly {
			continue
		}
		at := dayPlace{f.day, f.cell.place, f.cell.direction, f.cell.main}
		if n, ok = days[at]; !ok {
			n = int32(len(r.days))
			days[at] = n
			r.days = append(r.days, sum{day: f.day, cell: f.cell})
		}
		r.days[n].people += int64(f.People)
	}
	return r
}

// Stood is what a fact said before the batch.
type Stood struct {
	People   int32
	Assessed string
	month    time.Time
}

// changed drops the imported facts that stand already, given those that stood before
// under the same keys, and gives those that are corrected.
func (s *Stage) changed(before map[string]Stood) (sources []string) {
	for i := range s.Facts {
		f := &s.Facts[i]
		if f.Chunk < 0 || f.Dropped {
			continue
		}
		switch was, ok := before[f.Source]; {
		case !ok:
		case was.People == f.People && was.Assessed == f.Assessed:
			f.Dropped = true
		default:
			sources = append(sources, f.Source)
			s.void[was.month] = true
		}
	}
	return sources
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
		switch was, ok := before[f.Source]; {
		case !ok:
			o.Added++
		case was.People == f.People && was.Assessed == f.Assessed:
			o.Unchanged++
		default:
			o.Changed++
		}
		if s.twice {
			before[f.Source] = Stood{People: f.People, Assessed: f.Assessed}
		}
	}
}
