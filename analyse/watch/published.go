package watch

import (
	"context"
	"math"

	"dtm"
)

// Published are those of some alerts that may be told to everybody: confirmed ones about
// counts that guarded figures give, each with the count as they give it, and without what
// was expected, which rests on counts that are not published.
func Published(ctx context.Context, figures dtm.Figures, list []dtm.Alert) ([]dtm.Alert, error) {
	var out []dtm.Alert
	tables := map[string]dtm.Table{} // those of a step and kind of series have one question
	for _, a := range list {
		if a.Kind != dtm.AlertCount || !a.Holds || a.State != dtm.FlagConfirmed {
			continue
		}
		q := dtm.Query{Indicator: "total_movements", Period: Step(a.Step).Of(a.Day)}
		if a.By != "" {
			q.By = []string{a.By}
		}
		at := a.Step + a.By + a.Day.Format("20060102")
		t, ok := tables[at]
		if !ok {
			var err error
			if t, err = figures.Table(ctx, q); err != nil && dtm.KindOf(err) != dtm.Invalid { // Invalid: days of a point are not published
				return nil, err
			}
			tables[at] = t
		}
		for _, f := range t.Figures {
			if f.Value != nil && !f.Suppressed && (a.By == "" || f.Keys[0] == a.Key) {
				a.Observed, a.Expected, a.Bound, a.Note = *f.Value, math.NaN(), math.NaN(), ""
				out = append(out, a)
			}
		}
	}
	return out, nil
}
