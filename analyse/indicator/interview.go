package indicator

import (
	"context"
	"strings"
	"time"

	"dtm"
	"dtm/analyse/warehouse"
)

var _ dtm.Interviews = (*Engine)(nil)

// Interviews implements dtm.Interviews.
func (e *Engine) Interviews(ctx context.Context, p dtm.Period, row func(dtm.Interview) error) error {
	body, args, err := text("interviews", e.op.Code, ask{period: p})
	if err != nil {
		return err
	}
	return e.wh.Read(ctx, func(rd warehouse.Reader) error {
		return rd.Query(ctx, body, args, func(scan func(...any) error) error {
			var i dtm.Interview
			var day, reasons, transports, paid, why, difficulties, information string
			if err := scan(&i.Source, &day, &i.Point, &i.PointText, &i.Region, &i.Consent, &i.Before, &i.Sex, &i.Years, &i.Nationality,
				&i.Marital, &i.Education, &i.Employment, &i.Origin, &i.LeftWhen, &i.Company, &i.CompanySize, &reasons, &transports, &paid,
				&i.Next, &i.Final, &why, &i.Stay, &i.GoBack, &difficulties, &information, &i.KnowsHelp, &i.WantsHelp, &i.Counted, &i.CountedAt); err != nil {
				return err
			}
			i.Reasons, i.Transports, i.PaidBy, i.WhyFinal = codesOf(reasons), codesOf(transports), codesOf(paid), codesOf(why)
			i.Difficulties, i.Information = codesOf(difficulties), codesOf(information)
			var err error
			if i.Observed, err = time.Parse(time.DateOnly, day[:len(time.DateOnly)]); err != nil {
				return err
			}
			return row(i)
		})
	})
}

// codesOf are the codes of a set of answers; nil when there was none.
func codesOf(set string) []string {
	if set == "" {
		return nil
	}
	return strings.Fields(set)
}
