package check

import (
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Record is what rules see of one registered group, or of one row of imported
// history.
type Record struct {
	ID       string
	Device   string // or enumerator: whoever made it
	Point    string // code; "" when blank or not resolved
	Observed time.Time
	Slot     string    // part of the day that the answer names; "" when not asked
	Start    time.Time // by the device's clock; zero when not recorded
	End      time.Time
	Received time.Time // by the server's clock
	Position *Position
	Rows     []dtm.Movement
	Stated   *int   // the total that the form says; nil when it does not ask
	Imported bool   // a row of history: nobody filled in a form for it
	Answers  string // all answers that describe the group, for comparing records
}

// Position is where a device says it was.
type Position struct {
	Lat, Lon float64
	Accuracy float64 // metres; 0 when not known
}

// people is the number of people of the record.
func (r *Record) people() int {
	n := 0
	for i := range r.Rows {
		n += r.Rows[i].People
	}
	return n
}

// unknown is the number of people of whom sex or age is not known.
func (r *Record) unknown() int {
	n := 0
	for i := range r.Rows {
		if m := r.Rows[i]; m.Sex == dtm.Unknown || m.Age == dtm.Unknown || m.Sex == "" && m.Breakdown != dtm.ByNationality {
			n += m.People
		}
	}
	return n
}

// Finding is what a rule found.
type Finding struct {
	Rule    string
	Record  string // id; "" when it is of a day, a device or a month
	Other   string // the record that it is compared with
	Subject string // point or device
	Day     time.Time
	Text    string  // what was written, and what it was taken for
	Seen    float64 // what was measured, in the rule's unit
	Usual   float64 // what it is compared with
}

// Row says in codes what a row of history is, to tell it from the others of its point
// and month: "ETH > SAU, male, adults: 43". Where the point is not known, it begins with
// what was written for one: "Obokk · ETH > SAU, male, adults: 43".
func (x *Record) Row() string {
	if len(x.Rows) == 0 {
		return ""
	}
	m := &x.Rows[0]
	parts := []string{m.Previous + " > " + m.Next}
	for _, s := range []string{m.Subroute, m.Nationality, m.Sex, m.Age} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	row := strings.Join(parts, ", ") + ": " + strconv.Itoa(m.People)
	if x.Point == "" && m.PointText != "" {
		row = m.PointText + " · " + row
	}
	return row
}
