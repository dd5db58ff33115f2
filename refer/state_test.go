package refer

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dtm"
)

var now = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

func op() *dtm.Operation {
	return &dtm.Operation{Code: "test", Zone: time.UTC, Programmes: []dtm.Programme{{Code: "protection"}, {Code: "health"}, {Code: "direct_assistance"}, {Code: "mrrm"}, {Code: "vhr", Return: true}}}
}

func desked(programme string) dtm.Desk {
	return dtm.Desk{Code: "d-" + programme, Programme: programme, Capacity: dtm.NoLimit, Verified: now}
}

// table is the state machine as refer-and-protect says it, one row a state, one column
// an action: where it leads and who may do it (e enumerator, f focal point, d desk,
// s system), a dot where it is refused. It is written by hand, apart from the code.
const table = `
                  submit          hold        consent     send     acknowledge      accept       reject       redirect     start         complete      not_complete     no_show    expire     withdraw      cancel       error               close     close_unmet     reopen
captured          submitted:es    held:s      .           .        .                .            .            .            .             .             .                .          .          withdrawn:ef  cancelled:e  in_error:f          .         .               .
submitted         .               held:s      .           sent:fs  .                .            .            .            .             .             .                .          .          withdrawn:ef  cancelled:f  in_error:f          .         unmet:f         .
held_no_consent   .               .           submitted:f .        .                .            .            .            .             .             .                .          .          withdrawn:ef  cancelled:f  in_error:f          .         unmet:f         .
sent              .               .           .           .        acknowledged:d   accepted:d   rejected:d   .            .             .             .                .          expired:s  withdrawn:ef  cancelled:f  in_error:f          .         .               .
acknowledged      .               .           .           .        .                accepted:d   rejected:d   .            .             .             .                no_show:d  .          withdrawn:ef  cancelled:f  in_error:f          .         .               .
accepted          .               .           .           .        .                .            .            .            in_service:d  completed:d   not_completed:d  no_show:d  .          withdrawn:ef  .            in_error:f          .         .               .
in_service        .               .           .           .        .                .            .            .            .             completed:d   not_completed:d  .          .          withdrawn:ef  .            in_error:f          .         .               .
completed         .               .           .           .        .                .            .            .            .             .             .                .          .          withdrawn:ef  .            in_error:f          closed:f  .               .
closed            .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               submitted:f
rejected          .               .           .           sent:fs  .                .            .            redirected:f .             .             .                .          .          withdrawn:ef  .            in_error:f          .         unmet:f         .
redirected        .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               .
closed_unmet      .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               submitted:f
expired           .               .           .           sent:fs  .                .            .            redirected:f .             .             .                .          .          withdrawn:ef  .            in_error:f          .         unmet:f         .
no_show           .               .           .           sent:fs  .                .            .            redirected:f .             .             .                .          .          withdrawn:ef  .            in_error:f          .         unmet:f         .
not_completed     .               .           .           sent:fs  .                .            .            redirected:f .             .             .                .          .          withdrawn:ef  .            in_error:f          .         unmet:f         .
withdrawn         .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               .
cancelled         .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               .
entered_in_error  .               .           .           .        .                .            .            .            .             .             .                .          .          .             .            .                   .         .               .
`

var short = map[string]dtm.ReferralState{"held": dtm.ReferralHeld, "in_error": dtm.ReferralInError, "unmet": dtm.ReferralUnmet}

var letters = map[dtm.Doer]string{dtm.DoerEnumerator: "e", dtm.DoerFocal: "f", dtm.DoerDesk: "d", dtm.DoerSystem: "s"}

// do is an action with all that it may need.
func do(a dtm.ReferralAction, version int, programme string) (dtm.Do, dtm.Desk) {
	d := dtm.Do{Action: a, Version: version, Second: "user:b@example.org"}
	if r := Reasons(a); len(r) > 0 {
		d.Reason, d.Words = r[0], "why"
	}
	to := desked(programme)
	if a == dtm.ReferralSend || a == dtm.ReferralRedirect {
		d.Desk = to.Code
	}
	return d, to
}

// TestTable tries every action in every state by everybody, and holds what happens
// against the table.
func TestTable(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.Trim(table, "\n"), "\n")
	head := strings.Fields(lines[0])
	if len(head) != len(dtm.ReferralActions) || len(lines)-1 != len(dtm.ReferralStates) {
		t.Fatalf("%d actions and %d states in the table, want %d and %d", len(head), len(lines)-1, len(dtm.ReferralActions), len(dtm.ReferralStates))
	}
	tried, allowed := 0, 0
	for _, line := range lines[1:] {
		f := strings.Fields(line)
		from := dtm.ReferralState(f[0])
		if !slices.Contains(dtm.ReferralStates, from) || len(f) != len(head)+1 {
			t.Fatalf("row %q has %d cells", from, len(f)-1)
		}
		for i, action := range head {
			a := dtm.ReferralAction(action)
			to, who, _ := strings.Cut(f[i+1], ":")
			want := dtm.ReferralState(to)
			if s, ok := short[to]; ok {
				want = s
			}
			for as, letter := range letters {
				tried++
				ended := now.Add(-time.Hour)
				r := dtm.Referral{ID: "r", State: from, Version: 3, Programme: "health", Desk: "d-health", Ended: &ended, Received: now.Add(-time.Hour)}
				x, desk := do(a, 3, "health")
				got, err := Next(op().Programmes, r, as, x, desk, now)
				switch {
				case f[i+1] == ".":
					if err == nil || dtm.KindOf(err) != dtm.Conflict {
						t.Errorf("%s, %s by %s: %v, want a conflict", from, a, as, err)
					}
				case !strings.Contains(who, letter):
					if err == nil || dtm.KindOf(err) != dtm.Forbidden {
						t.Errorf("%s, %s by %s: %v, want forbidden", from, a, as, err)
					}
				case err != nil || got.State != want || got.Version != 4 || !got.Changed.Equal(now):
					t.Errorf("%s, %s by %s: %s version %d, %v, want %s", from, a, as, got.State, got.Version, err, want)
				default:
					allowed++
				}
				if err != nil && (got.State != from || got.Version != 3) {
					t.Errorf("%s, %s by %s: refused and changed", from, a, as)
				}
				if offered := slices.Contains(Actions(r, as, now), a); offered != (err == nil) {
					t.Errorf("%s, %s by %s: offered %v, done %v", from, a, as, offered, err)
				}
			}
			// what is allowed is not done on a version that is not the current one
			if f[i+1] != "." {
				x, desk := do(a, 2, "health")
				if _, err := Next(op().Programmes, dtm.Referral{State: from, Version: 3, Programme: "health"}, dtm.DoerFocal, x, desk, now); err == nil || dtm.KindOf(err) != dtm.Conflict {
					t.Errorf("%s, %s on an old version: %v", from, a, err)
				}
			}
		}
	}
	t.Logf("%d combinations of state, action and actor: %d allowed, %d refused", tried, allowed, tried-allowed)
}

// TestReasons: an action that needs a reason is not done without one, with one of
// another action, or with "other" and no words.
func TestReasons(t *testing.T) {
	t.Parallel()
	for _, a := range dtm.ReferralActions {
		known := Reasons(a)
		if len(known) == 0 {
			continue
		}
		for _, from := range dtm.ReferralStates {
			_, who, ok := Leads(from, a)
			if !ok {
				continue
			}
			r := dtm.Referral{State: from, Version: 1, Programme: "health"}
			for _, bad := range []string{"", "nonsense", "No_Capacity"} {
				if _, err := Next(op().Programmes, r, who[0], dtm.Do{Action: a, Version: 1, Reason: bad, Words: "x"}, dtm.Desk{}, now); err == nil || dtm.KindOf(err) != dtm.Invalid {
					t.Errorf("%s for %q: %v", a, bad, err)
				}
			}
			if slices.Contains(known, "other") {
				if _, err := Next(op().Programmes, r, who[0], dtm.Do{Action: a, Version: 1, Reason: "other"}, dtm.Desk{}, now); err == nil || dtm.KindOf(err) != dtm.Invalid {
					t.Errorf("%s for other without words: %v", a, err)
				}
			}
		}
	}
}

func TestReopenWithin(t *testing.T) {
	t.Parallel()
	for days, ok := range map[int]bool{0: true, 30: true, 31: false} {
		ended := now.AddDate(0, 0, -days)
		_, err := Next(op().Programmes, dtm.Referral{State: dtm.ReferralClosed, Version: 1, Ended: &ended}, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralReopen, Version: 1}, dtm.Desk{}, now)
		if (err == nil) != ok || err != nil && dtm.KindOf(err) != dtm.Conflict {
			t.Errorf("after %d days: %v", days, err)
		}
	}
}

// TestRedirect: the new referral knows the old one and keeps the person's clocks.
func TestRedirect(t *testing.T) {
	t.Parallel()
	captured := now.Add(-50 * time.Hour)
	old := dtm.Referral{ID: "a", Number: "1", State: dtm.ReferralRejected, Version: 4, Programme: "health", Desk: "d-health", Captured: captured, Received: captured.Add(time.Hour), Priority: dtm.Emergency, Reason: "no_capacity", Escalation: 2}
	x := dtm.Do{Action: dtm.ReferralRedirect, Version: 4, Desk: "d-mrrm", Programme: "mrrm"}
	got, err := Next(op().Programmes, old, dtm.DoerFocal, x, desked("mrrm"), now)
	if err != nil || got.State != dtm.ReferralRedirected {
		t.Fatal(got, err)
	}
	n := Replacing(old, "b", "2", x, now)
	if n.Replaces != "a" || n.Programme != "mrrm" || n.Desk != "d-mrrm" || n.State != dtm.ReferralSent || n.Reason != "" || !n.Captured.Equal(captured) || n.Escalation != 0 || n.Version != 1 {
		t.Errorf("%+v", n)
	}
	if !Clocks(n, now).OverdueAck {
		t.Error("the person's clock began anew with the redirect")
	}
}

var steep = flag.Int("steps", 20_000, "steps of the property test")

// TestProperty walks referrals through random actions by random actors and holds the
// rules that no walk may break.
func TestProperty(t *testing.T) {
	taken := 0
	for taken < *steep {
		rapid.Check(t, func(rt *rapid.T) {
			programmes := []string{"protection", "health", "vhr"}
			programme := rapid.SampledFrom(programmes).Draw(rt, "programme")
			guarded := rapid.Bool().Draw(rt, "guarded")
			r := dtm.Referral{ID: "r", State: dtm.ReferralCaptured, Version: 1, Programme: programme, Guarded: guarded, Priority: rapid.SampledFrom(dtm.Priorities).Draw(rt, "priority"), Captured: now, Received: now}
			at := now
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				taken++
				a := rapid.SampledFrom(dtm.ReferralActions).Draw(rt, "action")
				as := rapid.SampledFrom([]dtm.Doer{dtm.DoerDesk, dtm.DoerEnumerator, dtm.DoerFocal, dtm.DoerSystem}).Draw(rt, "as")
				at = at.Add(time.Duration(rapid.IntRange(0, 40).Draw(rt, "hours")) * time.Hour)
				to := desked(rapid.SampledFrom(programmes).Draw(rt, "to"))
				to.Consulate = rapid.IntRange(0, 9).Draw(rt, "consulate") == 0
				x := dtm.Do{Action: a, Version: r.Version - rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, "behind"), Desk: to.Code, Words: "w", Second: "s"}
				if k := append(slices.Clone(Reasons(a)), ""); len(k) > 1 {
					x.Reason = rapid.SampledFrom(k).Draw(rt, "reason")
				}
				before := r
				got, err := Next(op().Programmes, r, as, x, to, at)
				if err != nil {
					if !sameReferral(got, before) {
						rt.Fatalf("refused and changed: %+v", got)
					}
					continue
				}
				if before.State.Terminal() && a != dtm.ReferralReopen {
					rt.Fatalf("%s left %s", a, before.State)
				}
				if got.Version != before.Version+1 {
					rt.Fatalf("version %d after %d", got.Version, before.Version)
				}
				if got.Guarded != before.Guarded {
					rt.Fatal("the guard was lifted")
				}
				if guarded && got.State.WithDesk() && (to.Consulate || to.Programme == "vhr") && (a == dtm.ReferralSend || a == dtm.ReferralAccept) {
					rt.Fatalf("a guarded person is with %s (consulate %v)", to.Programme, to.Consulate)
				}
				if got.State.Accepted() && (got.Acknowledged == nil || got.Sent == nil) && got.State != dtm.ReferralNoShow {
					rt.Fatalf("%s without being sent and acknowledged", got.State)
				}
				if !got.State.Terminal() && !Queued(got, at) && !got.State.WithDesk() && got.State != dtm.ReferralCaptured {
					rt.Fatalf("nobody has to do anything about %s", got.State)
				}
				c := Clocks(got, at)
				if c.Late < 0 || c.Escalation < 0 || c.Escalation > 2 {
					rt.Fatalf("clock %+v", c)
				}
				r = got
			}
		})
	}
	t.Logf("%d steps", taken)
}

func sameReferral(a, b dtm.Referral) bool {
	return a.State == b.State && a.Version == b.Version && a.Desk == b.Desk && a.Reason == b.Reason
}
