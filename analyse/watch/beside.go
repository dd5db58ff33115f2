package watch

import (
	"context"

	"dtm"
)

// BesideMonth is a month as others counted it, and as we did.
type BesideMonth struct {
	dtm.OutsideMonth
	Ours     *float64 // nil: nothing was observed, or it is withheld
	Withheld bool
}

// ReadBeside asks the figures for the months that others counted, and those between, with
// the part of our movements that the operation declares for their series.
func ReadBeside(ctx context.Context, f dtm.Figures, b dtm.Beside, theirs []dtm.OutsideMonth) ([]BesideMonth, error) {
	if len(theirs) == 0 {
		return nil, nil
	}
	p := dtm.Months(theirs[0].Month, theirs[len(theirs)-1].Month)
	t, err := f.Table(ctx, dtm.Query{Indicator: b.Base, Period: p, By: []string{"month"}, Where: b.Where})
	if err != nil {
		return nil, err
	}
	ours := map[string]dtm.Figure{}
	for _, x := range t.Figures {
		ours[x.Keys[0]] = x
	}
	var out []BesideMonth
	for _, x := range theirs {
		o := ours[x.Month.String()]
		out = append(out, BesideMonth{x, o.Value, o.Suppressed})
	}
	return out, nil
}
