package indicator

import (
	"context"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

var _ dtm.Arrivals = (*Engine)(nil)

// arrivals runs a text about arrivals. They count records, not people.
func (e *Engine) arrivals(ctx context.Context, file string, p dtm.Period, row func(scan func(...any) error) error, extra ...any) error {
	body, args, err := text(file, e.op.Code, ask{period: p}, extra...)
	if err != nil {
		return err
	}
	return e.wh.Read(ctx, func(rd warehouse.Reader) error { return rd.Query(ctx, body, args, row) })
}

// PointDays implements dtm.Arrivals.
func (e *Engine) PointDays(ctx context.Context, p dtm.Period) (out []dtm.PointDay, err error) {
	return out, e.arrivals(ctx, "point_days", p, func(scan func(...any) error) error {
		var d dtm.PointDay
		var day string
		if err := scan(&d.Point, &day, &d.Records, &d.Hours, &d.First, &d.Last); err != nil {
			return err
		}
		d.First, d.Last = d.First.UTC(), d.Last.UTC()
		var err error
		d.Day, err = time.Parse(time.DateOnly, day[:len(time.DateOnly)])
		out = append(out, d)
		return err
	})
}

// Senders implements dtm.Arrivals.
func (e *Engine) Senders(ctx context.Context, p dtm.Period) (out []dtm.Sender, err error) {
	return out, e.arrivals(ctx, "senders", p, func(scan func(...any) error) error {
		var s dtm.Sender
		err := scan(&s.Point, &s.Device, &s.Records, &s.Days, &s.Last)
		s.Last = s.Last.UTC()
		out = append(out, s)
		return err
	})
}

// Delays implements dtm.Arrivals.
func (e *Engine) Delays(ctx context.Context, p dtm.Period) (out []dtm.Delay, err error) {
	return out, e.arrivals(ctx, "delays", p, func(scan func(...any) error) error {
		var d dtm.Delay
		var median, p90 *float64
		if err := scan(&d.Point, &d.Records, &median, &p90); err != nil || median == nil {
			return err
		}
		d.Median, d.P90 = time.Duration(*median*float64(time.Minute)), time.Duration(*p90*float64(time.Minute))
		out = append(out, d)
		return nil
	})
}

// Sightings implements dtm.Arrivals.
func (e *Engine) Sightings(ctx context.Context, point string, p dtm.Period, limit int) (out []dtm.Sighting, err error) {
	return out, e.arrivals(ctx, "sightings", p, func(scan func(...any) error) error {
		var s dtm.Sighting
		var day string
		if err := scan(&s.Submission, &s.Device, &day, &s.Received, &s.Lon, &s.Lat); err != nil {
			return err
		}
		s.Received = s.Received.UTC()
		var err error
		s.Day, err = time.Parse(time.DateOnly, day[:len(time.DateOnly)])
		out = append(out, s)
		return err
	}, point, limit)
}

// Late implements dtm.Arrivals.
func (e *Engine) Late(ctx context.Context, p dtm.Period) (out []dtm.Arrived, err error) {
	east := 0
	if e.op.Zone != nil {
		_, east = p.From.In(e.op.Zone).Zone()
	}
	return out, e.arrivals(ctx, "late", p, func(scan func(...any) error) error {
		var a dtm.Arrived
		var day string
		if err := scan(&day, &a.Late, &a.People); err != nil {
			return err
		}
		var err error
		a.Day, err = time.Parse(time.DateOnly, day[:len(time.DateOnly)])
		out = append(out, a)
		return err
	}, east/60)
}
