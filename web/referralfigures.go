package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"dtm"
	"dtm/access"
	"dtm/locale"
	"dtm/refer"
)

type timeRow struct{ Name, Median, P90, Known string }

type shareRow struct{ Name, Share, Of, Note string }

type unmetRow struct {
	refer.Unmet
	Name string
}

type figuresView struct {
	page
	F       refer.Figures
	Days    int
	Periods []option
	Times   []timeRow
	Shares  []shareRow
	Reasons []shareRow
	Unmet   []unmetRow
	Places  []unmetRow
	Weeks   []unmetRow
	Choices []option // of programmes, for the tables by place and week
	Cut     bool
}

// mostFigured bounds how many referrals one look at the figures reads.
const mostFigured = 50_000

// referralShares are the shares of what became of referrals, by their names, as the page
// and the catalogue have them.
var referralShares = []string{"completion", "intime", "rejected", "expired", "noshow", "declined", "withdrawn", "fedback"}

// referralFigures are times, outcomes and unmet need of those received in the last days.
func (p *Pages) referralFigures(w http.ResponseWriter, r *http.Request) error {
	ctx, u := r.Context(), member(r.Context())
	v := figuresView{page: p.inside(r, "referrals", "referral.figures", "/referrals/figures"), Days: 30}
	for _, d := range []struct {
		value string
		days  int
	}{{"7", 7}, {"30", 30}, {"90", 90}} {
		chosen := r.URL.Query().Get("days") == d.value
		if chosen {
			v.Days = d.days
		}
		v.Periods = append(v.Periods, option{Value: d.value, Label: v.T("lasting.days", d.days), Selected: chosen || r.URL.Query().Get("days") == "" && d.days == 30})
	}
	a, err := p.asker(ctx, u)
	if err != nil {
		return err
	}
	scope := a.Scope(access.ReadReferrals)
	f := dtm.ReferralFilter{Within: &scope, ReceivedSince: p.Now().AddDate(0, 0, -v.Days), Limit: mostFigured + 1, Figured: true}
	if u.Role != dtm.RoleFocal {
		f.Desks = []string{u.Desk}
	}
	list, _, err := p.Staff.Referring.Referrals.Referrals(ctx, f)
	if err != nil {
		return err
	}
	if v.Cut = len(list) > mostFigured; v.Cut {
		list = list[:mostFigured]
	}
	v.F = refer.Compute(list, p.Now())
	lasting := func(s []refer.Span, share float64) string {
		d, ok := refer.Quantile(s, share)
		if !ok {
			return v.T("figures.unknown")
		}
		return v.Lasting(d)
	}
	for _, x := range []struct {
		key   string
		spans []refer.Span
	}{{"ack", v.F.ToAck}, {"accept", v.F.ToAccept}, {"service", v.F.ToService}, {"late", v.F.Late}} {
		known := 0
		for _, s := range x.spans {
			if !s.Censored {
				known++
			}
		}
		v.Times = append(v.Times, timeRow{v.T("figures.time." + x.key), lasting(x.spans, 0.5), lasting(x.spans, 0.9), v.T("figures.spans", known, len(x.spans))})
	}
	share := func(key string, s refer.Share) {
		row := shareRow{Name: v.T("figures." + key), Share: "–", Of: v.T("figures.of", s.N, s.Of), Note: v.T("figures." + key + ".note")}
		if s.Of > 0 {
			row.Share = locale.Percent(v.Lang, 100*float64(s.N)/float64(s.Of), 0)
		}
		v.Shares = append(v.Shares, row)
	}
	for i, s := range []refer.Share{v.F.Completion, v.F.AckInTime, v.F.Rejected, v.F.Expired, v.F.NoShow, v.F.Declined, v.F.Withdrawn, v.F.FedBack} {
		share(referralShares[i], s)
	}
	for _, x := range v.F.Reasons {
		v.Reasons = append(v.Reasons, shareRow{Name: v.T("referral.reason." + x.Reason), Share: v.Number(x.N)})
	}
	for _, x := range v.F.Unmet {
		v.Unmet = append(v.Unmet, unmetRow{x, v.Programme(x.Programme)})
	}
	v.unmetWhere(list, r.URL.Query().Get("programme"))
	return p.show(w, http.StatusOK, "referralfigures", v)
}

// unmetWhere counts need by place and by week, of one programme or of all.
func (v *figuresView) unmetWhere(list []dtm.Referral, programme string) {
	v.Choices = []option{{Label: v.T("figures.all")}}
	known := false
	for _, x := range v.p.Operation.Programmes {
		chosen := x.Code == programme
		known = known || chosen
		v.Choices = append(v.Choices, option{Value: x.Code, Label: x.Name.In(v.Lang), Selected: chosen})
	}
	if known {
		list = slices.DeleteFunc(slices.Clone(list), func(r dtm.Referral) bool { return r.Programme != programme })
	}
	for _, x := range refer.UnmetBy(list, func(r dtm.Referral) string { return r.Point }) {
		name := v.T("waiting.nowhere")
		if x.Key != "" {
			name = v.PointName(x.Key)
		}
		v.Places = append(v.Places, unmetRow{x, name})
	}
	slices.SortStableFunc(v.Places, func(a, b unmetRow) int { return cmp.Compare(b.All, a.All) })
	zone, now := v.p.Operation.Zone, v.p.Now()
	for _, x := range refer.UnmetBy(list, func(r dtm.Referral) string {
		day := dtm.DayOf(refer.Clocks(r, now).Start, zone)
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7).Format(time.DateOnly) // Mondays
	}) {
		monday, err := time.Parse(time.DateOnly, x.Key)
		if err != nil {
			continue
		}
		v.Weeks = append(v.Weeks, unmetRow{x, v.T("figures.week", locale.Date(v.Lang, monday))})
	}
	slices.Reverse(v.Weeks)
}

type unmetTable struct {
	page
	Head string
	Rows []unmetRow
}

// Table is a table of need and what met it, by what head says.
func (v figuresView) Table(head string, rows []unmetRow) unmetTable {
	return unmetTable{v.page, head, rows}
}
