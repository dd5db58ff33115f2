package notify

import (
	"context"
	"slices"
	"strconv"
	"time"

	"dtm"
)

// Settling is how long after its end a month that was not released is told: records
// arrive late.
const Settling = 3 * 24 * time.Hour

// monthsBack is how many whole months are looked at: a month may be released late.
const monthsBack = 3

// World is what there may be news of, as it is now. Nothing in it but Raised is unguarded.
type World struct {
	Operation *dtm.Operation
	Now       time.Time
	// Source gives the figures of a month: its release, or the data as they are.
	Source    func(ctx context.Context, m dtm.Month) (dtm.Source, error)
	Confirmed []dtm.Alert // alerts that are published, with their counts as published
	Raised    []dtm.Alert // alerts that nobody has judged; their counts are not told
	Releases  []dtm.FrozenRelease
}

// News are the things that a subscription has to be told of, whether it was told of them
// before or not, the oldest first.
func (w *World) News(ctx context.Context, s dtm.Subscription, reach dtm.Reach) ([]dtm.News, error) {
	switch s.Kind {
	case dtm.SubscribeIndicator:
		return w.figures(ctx, s, reach)
	case dtm.SubscribeAlert:
		return w.alerts(s, reach), nil
	case dtm.SubscribeReport:
		return w.reports(ctx, s)
	}
	return nil, nil
}

// Sample is what a subscription would be told now if everything were news: for a trial.
func (w *World) Sample(ctx context.Context, s dtm.Subscription, reach dtm.Reach) ([]dtm.News, error) {
	s.Rule, s.Created = dtm.RuleNew, time.Time{}
	list, err := w.News(ctx, s, reach)
	return list[max(0, len(list)-1):], err
}

// Figure asks for the one figure of a subscription in a month: Invalid when it is none.
func Figure(ctx context.Context, f dtm.Figures, s dtm.Subscription, m dtm.Month) (value *float64, withheld bool, release string, there bool, err error) {
	where := map[string][]string{}
	for d, codes := range s.Where {
		where[d] = codes
	}
	t, err := f.Table(ctx, dtm.Query{Indicator: s.Of, Period: dtm.Months(m, m), Where: where})
	if err != nil {
		return nil, false, "", false, err
	}
	if len(t.By) > 0 || len(t.Figures) > 1 {
		return nil, false, "", false, dtm.Errorf(dtm.Invalid, "%s is more than one figure; choose an indicator of one", s.Of).Coded("subscription.several", s.Of)
	}
	if len(t.Figures) == 0 {
		return nil, false, t.Release.ID(), false, nil
	}
	x := t.Figures[0]
	if x.Value != nil && !x.Suppressed {
		v := t.Indicator.Round(*x.Value)
		value = &v
	}
	return value, x.Suppressed, t.Release.ID(), value != nil || x.Suppressed, nil
}

func (w *World) figures(ctx context.Context, s dtm.Subscription, reach dtm.Reach) (list []dtm.News, err error) {
	if !reach.Covers(s.Region(w.Operation)) {
		return nil, nil // the agreement has changed since
	}
	now := dtm.DayOf(w.Now, w.Operation.Zone)
	last := dtm.MonthOf(now).Add(-1)
	for k := monthsBack - 1; k >= 0; k-- {
		m := last.Add(-k)
		src, err := w.Source(ctx, m)
		if err != nil {
			return nil, err
		}
		// Older months are news when they were released since.
		if k > 0 && (src.Frozen == nil || src.Frozen.Published == nil || !src.Frozen.Published.After(s.Created)) {
			continue
		}
		if src.Frozen == nil && now.Before(m.Add(1).First().Add(Settling)) {
			continue
		}
		n := dtm.News{Kind: s.Kind, Of: s.Of, Where: s.Where, Day: m.First()}
		there := false
		if n.Value, n.Withheld, n.Release, there, err = Figure(ctx, src.Figures, s, m); err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		if before, err := w.Source(ctx, m.Add(-1)); err != nil {
			return nil, err
		} else if n.Before, _, _, _, err = Figure(ctx, before.Figures, s, m.Add(-1)); err != nil {
			return nil, err
		}
		if !s.Met(n.Value, n.Before) {
			continue
		}
		// A threshold is passed once a month, whatever the releases of the month say; a
		// month's figure is news again when it is released.
		n.Key = "figure|" + m.String()
		if s.Rule == dtm.RuleNew && src.Frozen != nil {
			n.Key += "|" + src.Frozen.Number
		}
		list = append(list, n)
	}
	return list, nil
}

func (w *World) alerts(s dtm.Subscription, reach dtm.Reach) (list []dtm.News) {
	all := w.Confirmed
	if reach.Raised {
		all = slices.Concat(all, w.Raised)
	}
	for _, a := range all {
		region := ""
		if a.By == "point" {
			p, _ := w.Operation.Point(a.Key)
			region = p.Area
		}
		switch {
		case !a.Changed.After(s.Created), !reach.Covers(region):
			continue
		case len(s.Where["point"]) > 0 && (a.By != "point" || !slices.Contains(s.Where["point"], a.Key)):
			continue
		case len(s.Where["region"]) > 0 && !slices.Contains(s.Where["region"], region):
			continue
		}
		n := dtm.News{Kind: s.Kind, Of: a.ID, Step: a.Step, By: a.By, Place: a.Key, Day: a.Day, State: a.State,
			Key: "alert|" + a.ID + "|" + a.State + "|" + strconv.Itoa(a.Times)}
		if a.Kind == dtm.AlertSilent {
			n.Step = dtm.AlertSilent
		}
		if a.State == dtm.FlagConfirmed {
			v := a.Observed
			n.Value = &v
		}
		list = append(list, n)
	}
	slices.SortStableFunc(list, func(a, b dtm.News) int { return a.Day.Compare(b.Day) })
	return list
}

// reports are those that came out since the subscription was made.
func (w *World) reports(ctx context.Context, s dtm.Subscription) (list []dtm.News, err error) {
	product, of := s.Of, ""
	for _, p := range []string{dtm.ReportPoint, dtm.ReportPartner} {
		if len(s.Of) > len(p) && s.Of[:len(p)+1] == p+"-" {
			product, of = p, s.Of[len(p)+1:]
		}
	}
	if product == dtm.ReportWeekly {
		return w.bulletin(ctx, s)
	}
	for i := len(w.Releases) - 1; i >= 0; i-- {
		x := w.Releases[i]
		if x.State != dtm.StatePublished || x.Published == nil || !x.Published.After(s.Created) {
			continue
		}
		r := dtm.Report{Product: product, Month: x.Month, Of: of}
		if product == dtm.ReportAnnual {
			if x.Month.Month != time.December {
				continue
			}
			r.Year = x.Month.Year
		}
		n := dtm.News{Kind: s.Kind, Of: r.Name(), Day: x.Month.First(), Release: x.Number, Key: "report|" + r.Name() + "|" + x.Number}
		if err := w.total(ctx, &n, dtm.Months(x.Month, x.Month)); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// bulletin is that of the last whole week, where anything was counted in it.
func (w *World) bulletin(ctx context.Context, s dtm.Subscription) ([]dtm.News, error) {
	monday := dtm.Monday(dtm.DayOf(w.Now, w.Operation.Zone)).AddDate(0, 0, -7)
	r := dtm.Report{Product: dtm.ReportWeekly, Week: monday}
	n := dtm.News{Kind: s.Kind, Of: r.Name(), Day: monday, Key: "report|" + r.Name()}
	if err := w.total(ctx, &n, r.Period()); err != nil || n.Value == nil && !n.Withheld {
		return nil, err
	}
	return []dtm.News{n}, nil
}

// total gives the movements observed in a period with the news of its report.
func (w *World) total(ctx context.Context, n *dtm.News, p dtm.Period) error {
	src, err := w.Source(ctx, dtm.MonthOf(p.From))
	if err != nil {
		return err
	}
	t, err := src.Figures.Table(ctx, dtm.Query{Indicator: "total_movements", Period: p})
	if err != nil || len(t.Figures) != 1 {
		return err
	}
	n.Value, n.Withheld = t.Figures[0].Value, t.Figures[0].Suppressed
	if n.Withheld {
		n.Value = nil
	}
	return nil
}
