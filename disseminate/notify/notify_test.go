package notify_test

import (
	"context"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/notify"
	"dtm/locale"
	"dtm/operation"
)

func djibouti(t *testing.T) *dtm.Operation {
	t.Helper()
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func keys(list []dtm.News) string {
	var out []string
	for _, n := range list {
		out = append(out, n.Key)
	}
	return strings.Join(out, " ")
}

// TestNews: alerts and reports since the subscription was made, within reach.
func TestNews(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	day := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	now := day.AddDate(0, 0, 10)
	alert := func(by, key, state string, changed time.Time) dtm.Alert {
		return dtm.Alert{ID: dtm.AlertID("week", by, key, day), Kind: dtm.AlertCount, Step: "week", By: by, Key: key, Day: day, State: state, Observed: 50, Expected: math.NaN(), Changed: changed, Times: 1}
	}
	published := now.AddDate(0, 0, -1)
	before := now.AddDate(0, 0, -9)
	w := &notify.World{Operation: op, Now: now,
		Source: func(context.Context, dtm.Month) (dtm.Source, error) {
			return dtm.Source{Figures: none{}, Operation: op}, nil
		},
		Confirmed: []dtm.Alert{alert("", "", dtm.FlagConfirmed, published), alert("point", "obock", dtm.FlagConfirmed, published), alert("point", "galafi", dtm.FlagConfirmed, before)},
		Raised:    []dtm.Alert{alert("point", "galafi", dtm.FlagOpen, published)},
		Releases: []dtm.FrozenRelease{{Release: dtm.Release{Number: "2026-10/1"}, Month: dtm.Month{Year: 2026, Month: 10}, State: dtm.StatePublished, Published: &published},
			{Release: dtm.Release{Number: "2025-12/2"}, Month: dtm.Month{Year: 2025, Month: 12}, State: dtm.StatePublished, Published: &published},
			{Release: dtm.Release{Number: "2026-09/1"}, Month: dtm.Month{Year: 2026, Month: 9}, State: dtm.StatePublished, Published: &before},
			{Release: dtm.Release{Number: "2026-08/1"}, Month: dtm.Month{Year: 2026, Month: 8}, State: dtm.StateWithdrawn, Published: &published}}}
	obock, _ := op.Point("obock")
	all := dtm.Reach{Everywhere: true}
	for _, c := range []struct {
		name, kind, of string
		where          map[string][]string
		reach          dtm.Reach
		want           string
	}{
		{"alerts", dtm.SubscribeAlert, "", nil, all, "alert|week/all/2026-11-16|confirmed|1 alert|week/point:obock/2026-11-16|confirmed|1"},
		{"alerts of a region", dtm.SubscribeAlert, "", map[string][]string{"region": {obock.Area}}, all, "alert|week/point:obock/2026-11-16|confirmed|1"},
		{"alerts of a point", dtm.SubscribeAlert, "", map[string][]string{"point": {"galafi"}}, all, ""},
		{"alerts within the agreement", dtm.SubscribeAlert, "", nil, dtm.Reach{Areas: []string{obock.Area}}, "alert|week/point:obock/2026-11-16|confirmed|1"},
		{"alerts beyond the agreement", dtm.SubscribeAlert, "", nil, dtm.Reach{Areas: []string{"DJ05"}}, ""},
		{"alerts of staff", dtm.SubscribeAlert, "", map[string][]string{"point": {"galafi"}}, dtm.Reach{Everywhere: true, Raised: true}, "alert|week/point:galafi/2026-11-16|open|1"},
		{"monthly", dtm.SubscribeReport, dtm.ReportMonthly, nil, all, "report|2025-12|2025-12/2 report|2026-10|2026-10/1"},
		{"annual", dtm.SubscribeReport, dtm.ReportAnnual, nil, all, "report|annual-2025|2025-12/2"},
		{"partner", dtm.SubscribeReport, "partner-unicef", nil, all, "report|partner-unicef-2025-12|2025-12/2 report|partner-unicef-2026-10|2026-10/1"},
		{"weekly without counts", dtm.SubscribeReport, dtm.ReportWeekly, nil, all, ""},
	} {
		s := dtm.Subscription{Kind: c.kind, Of: c.of, Where: c.where, Created: now.AddDate(0, 0, -5)}
		got, err := w.News(t.Context(), s, c.reach)
		if err != nil || keys(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, keys(got), err, c.want)
		}
	}
}

// none are figures of nothing.
type none struct{ dtm.Figures }

func (none) Table(context.Context, dtm.Query) (dtm.Table, error) { return dtm.Table{}, nil }

// TestReady: digests are due once their hour has come, not before they begin.
func TestReady(t *testing.T) {
	t.Parallel()
	zone := djibouti(t).Zone
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		pace, begun, slot, now string
		want                   string // slot; "" when it is not due
	}{
		{dtm.PaceDaily, "2026-11-24 10:00", "", "2026-11-24 23:00", ""},
		{dtm.PaceDaily, "2026-11-24 10:00", "", "2026-11-25 06:59", ""},
		{dtm.PaceDaily, "2026-11-24 10:00", "", "2026-11-25 07:00", "2026-11-25"},
		{dtm.PaceDaily, "2026-11-24 10:00", "2026-11-25", "2026-11-25 22:00", ""},
		{dtm.PaceDaily, "2026-11-24 10:00", "2026-11-25", "2026-11-29 03:00", "2026-11-28"},
		// After a clock that stood two months ahead.
		{dtm.PaceDaily, "2026-11-20 10:00", "2027-01-25", "2026-11-25 07:00", "2026-11-25"},
		{dtm.PaceDaily, "2027-01-24 10:00", "", "2026-11-25 07:00", "2026-11-25"},
		{dtm.PaceWeekly, "2026-11-24 10:00", "", "2026-11-29 22:00", ""}, // a Tuesday, a Sunday
		{dtm.PaceWeekly, "2026-11-24 10:00", "", "2026-11-30 06:00", ""},
		{dtm.PaceWeekly, "2026-11-24 10:00", "", "2026-11-30 07:30", "2026-11-30"},
		{dtm.PaceWeekly, "2026-11-24 10:00", "2026-11-30", "2026-12-06 07:30", ""},
	} {
		s := dtm.Subscription{Pace: c.pace, Begun: at(c.begun), Slot: c.slot}
		slot, ready := s.Ready(at(c.now), zone)
		if ready != (c.want != "") || ready && slot != c.want {
			t.Errorf("%+v: %q %v", c, slot, ready)
		}
	}
}

func TestMet(t *testing.T) {
	t.Parallel()
	f := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		rule          string
		bound         float64
		value, before *float64
		want          bool
	}{
		{dtm.RuleNew, 0, nil, nil, true}, {dtm.RuleAbove, 10, f(10), nil, false}, {dtm.RuleAbove, 10, f(11), nil, true}, {dtm.RuleAbove, 0, nil, nil, false},
		{dtm.RuleBelow, 10, f(9), nil, true}, {dtm.RuleBelow, 10, nil, nil, false}, {dtm.RuleBelow, 10, f(10), nil, false},
		{dtm.RuleChange, 20, f(120), f(100), true}, {dtm.RuleChange, 20, f(80), f(100), true}, {dtm.RuleChange, 20, f(119), f(100), false},
		{dtm.RuleChange, 20, f(119), nil, false}, {dtm.RuleChange, 20, f(1), f(0), false}, {"", 0, f(1), f(1), false},
	} {
		if got := (dtm.Subscription{Rule: c.rule, Bound: c.bound}).Met(c.value, c.before); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestMail: every kind of news in every language, in both parts, with nothing left out of
// the catalogue.
func TestMail(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	w := notify.Words{Operation: op, Base: "https://dtm.example.org", Indicator: func(string) (dtm.Indicator, error) {
		return dtm.Indicator{ID: "x", Name: dtm.Text{"en": "Name <b>", "qps": "‹Name <b>›"}, Unit: "percent", Decimals: 1}, nil
	},
		Label: func(_, code string, _ dtm.Lang) string { return code }}
	v := 12.34
	day := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	list := []dtm.News{{Kind: dtm.SubscribeIndicator, Of: "x", Day: day, Value: &v, Before: &v, Release: "2026-10/1", Where: map[string][]string{"region": {"DJ01"}}}, {Kind: dtm.SubscribeIndicator, Of: "x", Day: day, Withheld: true, Where: map[string][]string{"age": {"children"}}},
		{Kind: dtm.SubscribeAlert, Of: "week/all/2026-10-05", Step: "week", Day: day, State: dtm.FlagConfirmed, Value: &v}, {Kind: dtm.SubscribeAlert, Of: "silent/obock/2026-10-05", Step: dtm.AlertSilent, By: "point", Place: "obock", Day: day},
		{Kind: dtm.SubscribeReport, Of: "partner-unicef-2026-10", Release: "2026-10/1", Value: &v, Day: day}, {Kind: dtm.SubscribeReport, Of: "weekly-2026-W40", Day: day}}
	for _, l := range append(slices.Clone(locale.Languages), locale.Pseudo) {
		for _, m := range []dtm.SubscriptionMessage{{News: list}, {News: list[:1], Trial: true}, {Trial: true}} {
			s := dtm.Subscription{Owner: "a@example.org", Lang: l, Kind: dtm.SubscribeIndicator, Of: "x", Rule: dtm.RuleChange, Bound: 20, Pace: dtm.PaceDaily, Stop: "token"}
			x, err := w.Mail(s, m)
			if err != nil || x.Subject == "" || strings.ContainsAny(x.Subject, "\r\n") {
				t.Fatalf("%s: %q %v", l, x.Subject, err)
			}
			if strings.Contains(x.HTML, "Name <b>") || l == dtm.Arabic && !strings.Contains(x.HTML, `dir="rtl"`) {
				t.Errorf("%s: %s", l, x.HTML)
			}
			for _, line := range w.Lines(l, m.News) {
				if !strings.Contains(x.Text, line.Text) || !strings.Contains(x.Text, line.Link) || !strings.HasPrefix(line.Link, "https://dtm.example.org/") {
					t.Errorf("%s: %+v is not in\n%s", l, line, x.Text)
				}
			}
			if strings.Contains(x.Text+x.HTML, "subscription.") {
				t.Errorf("%s says a key:\n%s", l, x.Text)
			}
		}
	}
}

// TestMailer: what cannot be sent safely is not.
func TestMailer(t *testing.T) {
	t.Parallel()
	for _, m := range []notify.Mailer{{}, {Host: "mail.example.org", TLS: notify.TLSStart}, {Host: "mail.example.org", From: "a@example.org", TLS: notify.TLSNone}, {Host: "mail.example.org", From: "a@example.org", TLS: "x"}} {
		if err := m.Check(); dtm.KindOf(err) != dtm.Unavailable || err == nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func FuzzReadBounce(f *testing.F) {
	b, err := os.ReadFile("testdata/bounce.eml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Add("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nStatus: 4\n--b--")
	f.Fuzz(func(t *testing.T, s string) {
		x, err := notify.ReadBounce(strings.NewReader(s))
		if err == nil && (len(x.ID) != 36 || x.Status == "" || strings.ContainsAny(x.Reason, "\r\n")) || err != nil && dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%+v %v", x, err)
		}
	})
}

// TestReadBounce: what came back for good, what is only late, and what is no such report.
func TestReadBounce(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/bounce.eml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := notify.ReadBounce(strings.NewReader(string(b)))
	if err != nil || got.ID != "0b8f6f0e-6d0a-4c39-9f57-2f3f8d1c7a11" || got.Status != "5.1.1" || !got.ForGood || !strings.Contains(got.Reason, "no such user here") {
		t.Errorf("%+v %v", got, err)
	}
	late := strings.NewReplacer("Action: failed", "Action: delayed", "Status: 5.1.1", "Status: 4.4.1").Replace(string(b))
	if got, err := notify.ReadBounce(strings.NewReader(late)); err != nil || got.ForGood {
		t.Errorf("late: %+v %v", got, err)
	}
	for _, x := range []string{"", "From: a\n\nHello", strings.Replace(string(b), "delivery-status", "disposition-notification", 1), strings.Replace(string(b), "0b8f6f0e-", "", 1)} {
		if _, err := notify.ReadBounce(strings.NewReader(x)); dtm.KindOf(err) != dtm.Invalid || err == nil {
			t.Errorf("%.60q: %v", x, err)
		}
	}
}
