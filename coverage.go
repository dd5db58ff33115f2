package dtm

import (
	"context"
	"time"
)

// PointDay is what came of a point's civil day.
type PointDay struct {
	Point   string
	Day     time.Time
	Records int       // submissions about movements
	Hours   int       // different hours of the day in which at least one of them was begun
	History bool      // imported rows tell that the day was observed; they are no records
	First   time.Time // arrival of the first of them
	Last    time.Time // and of the last
}

// Sender is a device that sent records of a point.
type Sender struct {
	Point   string
	Device  string // id; "" when it is not known
	Records int
	Days    int // days of observation that they are about
	Last    time.Time
}

// Delay is how long records of a point took from their end to their arrival.
type Delay struct {
	Point   string // "": the whole network
	Records int    // with a known delay
	Median  time.Duration
	P90     time.Duration
}

// Sighting is where a record says that it was made.
type Sighting struct {
	Submission string
	Device     string
	Day        time.Time
	Received   time.Time
	Lon, Lat   float64
}

// Arrived is how many people of a day were in records that came so many days after it.
type Arrived struct {
	Day    time.Time
	Late   int
	People int
}

// Arrivals tells how the records of points came. Imported history has no arrivals.
type Arrivals interface {
	// PointDays gives the days of a period that have records, by point and day.
	PointDays(ctx context.Context, p Period) ([]PointDay, error)
	// Senders gives who sent records observed in a period, by point, the most first.
	Senders(ctx context.Context, p Period) ([]Sender, error)
	// Delays gives the delays of records observed in a period, of the network first.
	Delays(ctx context.Context, p Period) ([]Delay, error)
	// Late gives the people observed in a period by day, and by how many civil days later
	// their records came.
	Late(ctx context.Context, p Period) ([]Arrived, error)
	// Sightings gives the positions of a point's records of a period, the latest day
	// first, limit at most.
	Sightings(ctx context.Context, point string, p Period, limit int) ([]Sighting, error)
}
