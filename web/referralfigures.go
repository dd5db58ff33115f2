package web

import (
	"net/http"

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
	Cut     bool
}

// mostFigured bounds how many referrals one look at the figures reads.
const mostFigured = 50_000

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
	f := dtm.ReferralFilter{Within: &scope, ReceivedSince: p.Now().AddDate(0, 0, -v.Days), Limit: mostFigured}
	if u.Role != dtm.RoleFocal {
		f.Desks = []string{u.Desk}
	}
	list, total, err := p.Staff.Referring.Referrals.Referrals(ctx, f)
	if err != nil {
		return err
	}
	v.Cut = total > len(list)
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
		open := 0
		for _, s := range x.spans {
			if s.Censored {
				open++
			}
		}
		v.Times = append(v.Times, timeRow{v.T("figures.time." + x.key), lasting(x.spans, 0.5), lasting(x.spans, 0.9), v.T("figures.spans", len(x.spans), open)})
	}
	share := func(key string, s refer.Share) {
		row := shareRow{Name: v.T("figures." + key), Share: "–", Of: v.T("figures.of", s.N, s.Of), Note: v.T("figures." + key + ".note")}
		if s.Of > 0 {
			row.Share = locale.Percent(v.Lang, 100*float64(s.N)/float64(s.Of), 0)
		}
		v.Shares = append(v.Shares, row)
	}
	share("completion", v.F.Completion)
	share("intime", v.F.AckInTime)
	share("rejected", v.F.Rejected)
	share("expired", v.F.Expired)
	share("noshow", v.F.NoShow)
	share("declined", v.F.Declined)
	share("withdrawn", v.F.Withdrawn)
	share("fedback", v.F.FedBack)
	for _, x := range v.F.Reasons {
		v.Reasons = append(v.Reasons, shareRow{Name: v.T("referral.reason." + x.Reason), Share: v.Number(x.N)})
	}
	for _, x := range v.F.Unmet {
		v.Unmet = append(v.Unmet, unmetRow{x, v.Programme(x.Programme)})
	}
	return p.show(w, http.StatusOK, "referralfigures", v)
}
