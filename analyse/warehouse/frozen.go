package warehouse

import "dtm"

// Frozen is the state of the facts that the figures of a month need: the facts of
// the month itself, and the sums by month and cell of every month up to it. Rows
// are in canonical order and cells are numbered by theirs, so that the same facts
// are the same Frozen however they came into a warehouse (package release sorts).
type Frozen struct {
	Month dtm.Month
	At    Position // the last event whose facts are in it
	With  string   // fingerprint of the Pack that they were made with; "" when not known

	Cells      []Cell         // those that the rows below name by their place
	Facts      []FrozenFact   // of the month
	Vulnerable []FrozenPeople // of the facts; of earlier months summed up, without source
	Months     []FrozenSum    // up to the month
	Days       []FrozenDay    // up to the month
}

// FrozenFact is a row of fact.
type FrozenFact struct {
	Source    string
	Observed  string // YYYY-MM-DD
	MonthOnly bool
	Cell      int32
	People    int64
	Assessed  string
	Main      bool
}

// FrozenPeople is a row of fact_vulnerability, or the sum of a month's.
type FrozenPeople struct {
	Source    string // "" for a sum
	Observed  string // the first of the month for a sum
	MonthOnly bool
	Cell      int32
	Code      string
	People    int64
	Assessed  int64
}

// FrozenSum is a row of fact_month.
type FrozenSum struct {
	Month     string // YYYY-MM
	MonthOnly bool
	Cell      int32
	People    int64
	Main      bool
}

// FrozenDay is a row of point_day.
type FrozenDay struct {
	Observed, Point, PointText, Region string
}
