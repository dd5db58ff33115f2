package refer

import (
	"math"
	"slices"
	"testing"
	"time"

	"dtm"
)

// TestQuantile holds the estimate against survival times worked by hand, and against
// those of Freireich's trial of 6-MP (21 patients, 12 censored), whose median of 23 weeks
// is in every textbook.
func TestQuantile(t *testing.T) {
	t.Parallel()
	h := func(n float64, censored bool) Span { return Span{time.Duration(n * float64(time.Hour)), censored} }
	trial := []Span{h(6, false), h(6, false), h(6, false), h(6, true), h(7, false), h(9, true), h(10, false), h(10, true), h(11, true), h(13, false), h(16, false), h(17, true), h(19, true), h(20, true), h(22, false), h(23, false), h(25, true), h(32, true), h(32, true), h(34, true), h(35, true)}
	for _, c := range []struct {
		name  string
		spans []Span
		share float64
		want  float64 // hours; NaN: cannot be said
	}{
		{"nothing", nil, 0.5, math.NaN()},
		{"all ended", []Span{h(1, false), h(2, false), h(3, false), h(4, false)}, 0.5, 2},
		{"one open before", []Span{h(1, true), h(2, false), h(3, false), h(4, false)}, 0.5, 3},
		{"all open", []Span{h(1, true), h(2, true)}, 0.5, math.NaN()},
		{"too few ended", []Span{h(1, false), h(2, true), h(3, true)}, 0.5, math.NaN()},
		{"6-MP", trial, 0.5, 23},
		{"6-MP, a quarter", trial, 0.25, 13},
	} {
		got, ok := Quantile(c.spans, c.share)
		if ok == math.IsNaN(c.want) || ok && got != time.Duration(c.want*float64(time.Hour)) {
			t.Errorf("%s: %v, %v, want %v h", c.name, got, ok, c.want)
		}
	}
}

// TestCompute: ten referrals of health and two of protection, counted with a pencil.
func TestCompute(t *testing.T) {
	t.Parallel()
	at := func(n int) *time.Time { x := now.Add(time.Duration(n) * time.Hour); return &x }
	r := func(state dtm.ReferralState, change func(*dtm.Referral)) dtm.Referral {
		x := dtm.Referral{State: state, Programme: "health", Priority: dtm.Emergency, Device: "d", Captured: *at(-100), Received: *at(-98), Sent: at(-98)}
		if change != nil {
			change(&x)
		}
		return x
	}
	list := []dtm.Referral{
		// 1 acknowledged after 4 h, accepted after 6, begun after 10: done
		r(dtm.ReferralClosed, func(x *dtm.Referral) {
			x.Acknowledged, x.Answered, x.Started, x.Ended = at(-96), at(-94), at(-90), at(-80)
		}),
		// 2 after 30 h: late; done
		r(dtm.ReferralCompleted, func(x *dtm.Referral) {
			x.Acknowledged, x.Answered, x.Started, x.Ended = at(-70), at(-70), at(-60), at(-50)
		}),
		// 3 rejected after 10 h
		r(dtm.ReferralRejected, func(x *dtm.Referral) {
			x.Acknowledged, x.Answered, x.Ended, x.Reason = at(-90), at(-90), at(-90), "no_capacity"
		}),
		// 4 expired after 74 h
		r(dtm.ReferralExpired, func(x *dtm.Referral) { x.Ended = at(-26) }),
		// 5 accepted after 20 h, in service since 40 h: its time for service has passed
		r(dtm.ReferralInService, func(x *dtm.Referral) { x.Acknowledged, x.Answered, x.Started = at(-80), at(-80), at(-60) }),
		// 6 sent two hours ago: in time, counts nowhere but as open
		r(dtm.ReferralSent, func(x *dtm.Referral) { x.Captured, x.Received, x.Sent = *at(-3), *at(-2), at(-2) }),
		// 7 redirected to 8, after a rejection
		r(dtm.ReferralRedirected, func(x *dtm.Referral) {
			x.Acknowledged, x.Answered, x.Ended, x.Reason, x.ReplacedBy = at(-92), at(-92), at(-90), "wrong_service", "8"
		}),
		// 8 not found
		r(dtm.ReferralNoShow, func(x *dtm.Referral) {
			x.ID, x.Replaces, x.Sent, x.Acknowledged, x.Answered, x.Ended, x.Reason = "8", "7", at(-90), at(-88), at(-88), at(-70), "not_found"
		}),
		// 9 no consent
		r(dtm.ReferralHeld, func(x *dtm.Referral) { x.Sent = nil }),
		// 10 no desk
		r(dtm.ReferralSubmitted, func(x *dtm.Referral) { x.Sent = nil }),
		// an error: of nobody
		r(dtm.ReferralInError, nil),
		// 11, 12 protection: withdrawn before an answer; done
		r(dtm.ReferralWithdrawn, func(x *dtm.Referral) { x.Programme, x.Ended = "protection", at(-95) }),
		r(dtm.ReferralClosed, func(x *dtm.Referral) {
			x.Programme, x.Device, x.Acknowledged, x.Answered, x.Started, x.Ended = "protection", "", at(-97), at(-97), at(-97), at(-97)
		}),
	}
	f := Compute(list, now)
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"referrals: all but 7, 9 and the error", f.Referrals, 10},
		{"open: 3, 4, 5, 6, 8, 10", f.Open, 6},
		{"completion: 1, 2, 12 of 1, 2, 3, 4, 5, 8, 11, 12", f.Completion, Share{3, 8}},
		{"acknowledged in time: 1, 3, 5, 8, 12 of all sent but 6; 11 was not, and its time has passed", f.AckInTime, Share{5, 8}},
		{"rejected: 3 and 7 of ten sent", f.Rejected, Share{2, 10}},
		{"expired: 4", f.Expired, Share{1, 10}},
		{"not found: 8", f.NoShow, Share{1, 10}},
		{"redirects", f.Redirects, 1},
		{"declined: 9 of eleven needs", f.Declined, Share{1, 11}},
		{"withdrawn: 11", f.Withdrawn, Share{1, 10}},
		{"told back: 1, 2, 5, 8, 11 of the nine from a device", f.FedBack, Share{5, 9}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	// To acknowledgement, hours: 3, 3+ (6), 4, 5+ (11), 10, 12, 20, 30, 74+. Nine at risk, then
	// the one at 3 ends: 8/9; of seven the one at 4: 8/9·6/7; of five: 10, 12, 20 leave
	// 0.762·(4/5)(3/4)(2/3) = 0.305. It falls to a half at 12: 0.762·(4/5)(3/4) = 0.457.
	if got, ok := Quantile(f.ToAck, 0.5); !ok || got != 12*time.Hour {
		t.Errorf("median to acknowledgement %v, %v", got, ok)
	}
	if len(f.ToAck) != 9 || len(f.Late) != 10 || len(f.Reasons) != 2 {
		t.Errorf("%d spans, %d delays, %v", len(f.ToAck), len(f.Late), f.Reasons)
	}
	want := []Unmet{{Programme: "health", Needs: 9, Met: 2, Declined: 1, Rejected: 1, NoShow: 1, NoDesk: 1, Waiting: 3, All: 7}, {Programme: "protection", Needs: 2, Met: 1, Other: 1, All: 1}}
	if len(f.Unmet) != 2 || f.Unmet[0] != want[0] || f.Unmet[1] != want[1] {
		t.Errorf("unmet %+v", f.Unmet)
	}
	// By another key the same needs are counted, each once.
	want[0].Key, want[0].Programme, want[1].Key, want[1].Programme = "health", "", "protection", ""
	if by := UnmetBy(list, func(r dtm.Referral) string { return r.Programme }); !slices.Equal(by, want) {
		t.Errorf("by programme as a key: %+v", by)
	}
	all := want[0]
	all.Key, all.Needs, all.Met, all.Other, all.All = "", 11, 3, 1, 8
	if by := UnmetBy(list, func(dtm.Referral) string { return "" }); len(by) != 1 || by[0] != all {
		t.Errorf("together: %+v, want %+v", by, all)
	}
}
