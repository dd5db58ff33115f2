package sqlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dtm"
	"dtm/access"
	"dtm/store/sqlite"
)

// TestScopeIsDecide: in random worlds the referrals that the store gives within a scope
// are exactly those for which access.Decide is nil, one by one.
func TestScopeIsDecide(t *testing.T) {
	ctx := t.Context()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	zone := time.FixedZone("EAT", 3*3600)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	programmes, partners := []string{"health", "vhr", "protection"}, []string{"p1", "p2", ""}
	points, regions := []string{"a", "b", "c", ""}, map[string]string{"a": "DJ01", "b": "DJ02", "c": "DJ01"}
	desks := []dtm.Desk{{Code: "h1", Programme: "health", Partner: "p1"}, {Code: "h2", Programme: "health", Partner: "p2"}, {Code: "v1", Programme: "vhr", Partner: "p1"}, {}}
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(0, 120*24*60).Draw(t, "minute")) * time.Minute)
	})
	var all []dtm.Referral
	seen, hidden := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var more []dtm.Referral
		for range rapid.IntRange(0, 6).Draw(t, "referrals") {
			at := moment.Draw(t, "received")
			r := dtm.Referral{ID: fmt.Sprintf("r%05d", len(all)+len(more)), Person: "x", Point: rapid.SampledFrom(points).Draw(t, "point"), Programme: rapid.SampledFrom(programmes).Draw(t, "programme"),
				Desk: rapid.SampledFrom(desks).Draw(t, "desk").Code, State: rapid.SampledFrom(dtm.ReferralStates).Draw(t, "state"), Version: 1, Priority: dtm.Normal, Captured: at, Received: at, Changed: at}
			if rapid.Bool().Draw(t, "ended") {
				e := moment.Draw(t, "end")
				r.Ended = &e
			}
			more = append(more, r)
		}
		if len(more) > 0 {
			if _, err := db.OpenReferrals(ctx, more); err != nil {
				t.Fatal(err)
			}
			all = append(all, more...)
		}
		now := moment.Draw(t, "now")
		desk := rapid.SampledFrom(desks).Draw(t, "of")
		a := access.Actor{Zone: zone, Now: now, Regions: regions, Desk: desk, User: dtm.User{Email: "a@example.org", Role: rapid.SampledFrom(append(dtm.StaffRoles, "")).Draw(t, "role"), Partner: desk.Partner, Desk: desk.Code}}
		switch rapid.IntRange(0, 9).Draw(t, "odd") { // mostly as it should be
		case 0:
			a.User.Partner = rapid.SampledFrom(partners).Draw(t, "partner")
		case 1:
			a.User.Desk = "h2"
		case 2:
			a.User.Disabled = &start
		}
		for range rapid.IntRange(0, 3).Draw(t, "agreements") {
			from := dtm.DayOf(moment.Draw(t, "from"), zone)
			g := dtm.Agreement{Partner: rapid.SampledFrom(partners).Draw(t, "with"), Kind: rapid.SampledFrom([]string{dtm.AgreementCases, dtm.AgreementCases, dtm.AgreementFigures}).Draw(t, "kind"),
				Programmes: rapid.SliceOfDistinct(rapid.SampledFrom(programmes), rapid.ID[string]).Draw(t, "for"), Areas: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"DJ01", "DJ02", "DJ09"}), 0, 2, rapid.ID[string]).Draw(t, "areas"),
				From: from, To: from.AddDate(0, 0, rapid.IntRange(0, 90).Draw(t, "days"))}
			if rapid.IntRange(0, 4).Draw(t, "cut") == 0 {
				e := moment.Draw(t, "cut at")
				g.Ended = &e
			}
			a.Agreements = append(a.Agreements, g)
		}
		for range rapid.IntRange(0, 2).Draw(t, "glass") {
			at := now.Add(-time.Duration(rapid.IntRange(-30, 240).Draw(t, "ago")) * time.Minute)
			g := dtm.Glass{Email: rapid.SampledFrom([]string{"a@example.org", "b@example.org"}).Draw(t, "whose"), At: at, Until: at.Add(dtm.GlassFor)}
			if len(all) > 0 {
				g.Referral = rapid.SampledFrom(all).Draw(t, "which").ID
			}
			a.Glass = append(a.Glass, g)
		}
		scope := a.Scope(access.ReadReferrals)
		list, total, err := db.Referrals(ctx, dtm.ReferralFilter{Within: &scope, Limit: 1_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if total != len(list) {
			t.Fatalf("%d are counted and %d given", total, len(list))
		}
		var got, want []string
		for _, r := range list {
			got = append(got, r.ID)
		}
		for _, r := range all {
			if a.Decide(access.ReadReferrals, access.Case{Referral: r}) == nil {
				want = append(want, r.ID)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("the list has %v, one by one %v\nactor %+v", got, want, a)
		}
		seen, hidden = seen+len(got), hidden+len(all)-len(got)
	})
	if seen == 0 || hidden == 0 {
		t.Errorf("%d seen, %d hidden: this proves nothing", seen, hidden)
	}
	t.Logf("%d referrals, %d decisions alike: %d seen, %d hidden", len(all), seen+hidden, seen, hidden)
}
