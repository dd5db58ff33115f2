package refer

import (
	"testing"
	"time"

	"dtm"
)

func TestClocks(t *testing.T) {
	t.Parallel()
	h := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	p := func(n int) *time.Time { x := h(n); return &x }
	for _, c := range []struct {
		name       string
		r          dtm.Referral
		at         int // hours
		ack, serve bool
		escalation int
		expired    bool
		believed   bool
		start      int
	}{
		{"in time", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Emergency, Captured: h(0), Received: h(1), Sent: p(1)}, 20, false, false, 0, false, true, 0},
		{"a day and an hour", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Emergency, Captured: h(0), Received: h(1), Sent: p(1)}, 25, true, false, 1, false, true, 0},
		{"two days", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Emergency, Captured: h(0), Received: h(1), Sent: p(1)}, 49, true, false, 2, false, true, 0},
		{"three days since it was sent", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Emergency, Captured: h(0), Received: h(1), Sent: p(1)}, 73, true, false, 2, true, true, 0},
		{"a phone without network for five days: late on arrival, not expired", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Emergency, Captured: h(0), Received: h(120), Sent: p(120)}, 121, true, false, 2, false, true, 0},
		{"a phone ten years behind", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Urgent, Captured: h(-87600), Received: h(0), Sent: p(0)}, 71, false, false, 0, false, false, 0},
		{"a phone ten years ahead", dtm.Referral{State: dtm.ReferralSent, Priority: dtm.Urgent, Captured: h(87600), Received: h(0), Sent: p(0)}, 73, true, false, 1, false, false, 0},
		{"accepted, service owed", dtm.Referral{State: dtm.ReferralAccepted, Priority: dtm.Emergency, Captured: h(0), Received: h(0), Sent: p(0), Acknowledged: p(20), Answered: p(20)}, 45, false, true, 1, false, true, 0},
		{"acknowledged, answer owed", dtm.Referral{State: dtm.ReferralAcknowledged, Priority: dtm.Emergency, Captured: h(0), Received: h(0), Sent: p(0), Acknowledged: p(2)}, 27, false, true, 1, false, true, 0},
		{"waiting for the focal point", dtm.Referral{State: dtm.ReferralSubmitted, Priority: dtm.Emergency, Captured: h(0), Received: h(0)}, 30, true, false, 1, false, true, 0},
		{"rejected and left", dtm.Referral{State: dtm.ReferralRejected, Priority: dtm.Normal, Captured: h(0), Received: h(0)}, 15 * 24, true, false, 1, false, true, 0},
		{"over", dtm.Referral{State: dtm.ReferralClosed, Priority: dtm.Emergency, Captured: h(0), Received: h(0)}, 9999, false, false, 0, false, true, 0},
		{"held", dtm.Referral{State: dtm.ReferralHeld, Priority: dtm.Emergency, Captured: h(0), Received: h(0)}, 9999, false, false, 0, false, true, 0},
	} {
		got := Clocks(c.r, h(c.at))
		if got.OverdueAck != c.ack || got.OverdueService != c.serve || got.Escalation != c.escalation || got.Expired != c.expired || got.Believed != c.believed || !got.Start.Equal(h(c.start)) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Late < 0 {
			t.Errorf("%s: late by %v", c.name, got.Late)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	if got := Number(0); got != "000000000" {
		t.Errorf("0 is %q", got)
	}
	// 1234 is 16J with check sign D in Crockford's own example.
	if got := Number(1234); got != "0000016JD" {
		t.Errorf("1234 is %q", got)
	}
	n := Number(0xABCDE12345)
	for _, s := range []string{n, n[:4] + "-" + n[4:], " " + n + " ", n[:8]} {
		if got, ok := ReadNumber(s); !ok || got != n {
			t.Errorf("%q reads as %q, %v", s, got, ok)
		}
	}
	if got, ok := ReadNumber("oooo ol6j d"); !ok || got != "0000016JD" {
		t.Errorf("misread letters: %q, %v", got, ok)
	}
	for _, s := range []string{"", "1234", "UUUUUUUUU", n[:8] + "!", "0000016JE", "1000016JD", "0000061JD"} {
		if got, ok := ReadNumber(s); ok {
			t.Errorf("%q is taken for %q", s, got)
		}
	}
}
