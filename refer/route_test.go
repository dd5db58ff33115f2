package refer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
)

func screening() dtm.Screening {
	return dtm.Screening{Submission: "uuid:1", Answered: true, Share: true, Age: 30, Sex: "male", Health: "no", Needs: []string{"none"}, Reach: "yes", Danger: "no", Asylum: "no", Forced: "no", Violence: "no", GoHome: "no", Received: now}
}

func ids() func(string) (string, string) {
	n := uint64(0)
	return func(p string) (string, string) { n++; return "id-" + p, Number(n) }
}

// TestHardRule: whoever may be a child, ask for asylum or have been trafficked is never
// put before a return programme or a consulate, whatever was chosen, whoever sends.
func TestHardRule(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, age := range []int{-1, 0, 9, 17, 18, 40} {
		for _, asylum := range []string{"", "yes", "no", "unsure"} {
			for _, forced := range []string{"", "yes", "no", "unsure"} {
				s := screening()
				s.Age, s.Asylum, s.Forced, s.GoHome, s.Needs, s.Referred = age, asylum, forced, "yes", []string{"return"}, []string{"vhr"}
				guarded := age < 18 || asylum != "no" || forced != "no"
				list := Open(op(), s, "p", ids())
				var programmes []string
				for _, r := range list {
					programmes = append(programmes, r.Programme)
					if r.Guarded != guarded {
						t.Fatalf("%+v: guarded %v", s, r.Guarded)
					}
					for _, action := range []dtm.ReferralAction{dtm.ReferralSend, dtm.ReferralRedirect, dtm.ReferralAccept} {
						for _, d := range []dtm.Desk{{Code: "x", Programme: "vhr"}, {Code: "x", Programme: r.Programme, Consulate: true}} {
							for as := range letters {
								tried++
								from := map[dtm.ReferralAction]dtm.ReferralState{dtm.ReferralSend: dtm.ReferralSubmitted, dtm.ReferralRedirect: dtm.ReferralRejected, dtm.ReferralAccept: dtm.ReferralSent}[action]
								r := r
								r.State = from
								_, err := Next(op().Programmes, r, as, dtm.Do{Action: action, Version: 1, Desk: "x", Programme: d.Programme, Second: "b", Words: "w"}, d, now)
								if guarded && (err == nil || dtm.KindOf(err) != dtm.Forbidden && dtm.KindOf(err) != dtm.Invalid) {
									t.Fatalf("%+v: %s to %+v by %s: %v", s, action, d, as, err)
								}
							}
						}
					}
				}
				want := "vhr"
				if guarded {
					want = "protection"
				}
				if strings.Join(programmes, " ") != want {
					t.Errorf("age %d asylum %q forced %q: opened %v, want %s", age, asylum, forced, programmes, want)
				}
				if p := Propose(s); guarded == slices.Contains(p, "vhr") || guarded && !slices.Contains(p, "protection") {
					t.Errorf("age %d asylum %q forced %q: proposed %v", age, asylum, forced, p)
				}
			}
		}
	}
	t.Logf("%d tries to send a guarded or open person home", tried)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*dtm.Screening)
		want   string
	}{
		{"nobody answered", func(s *dtm.Screening) { s.Answered = false; s.Health = "emergency" }, ""},
		{"nothing", func(*dtm.Screening) {}, ""},
		{"chosen as proposed", func(s *dtm.Screening) { s.Health = "soon"; s.Referred = []string{"health"} }, "health submitted urgent"},
		{"chosen otherwise", func(s *dtm.Screening) { s.Health = "soon"; s.Referred = []string{"mrrm"} }, "mrrm submitted urgent"},
		{"no consent", func(s *dtm.Screening) {
			s.Share, s.Health, s.Needs = false, "emergency", []string{"food"}
		}, "health held_no_consent emergency, direct_assistance held_no_consent emergency"},
		{"the phone's priority is more pressing", func(s *dtm.Screening) {
			s.Needs = []string{"food"}
			s.Referred = []string{"direct_assistance"}
			s.Priority = "emergency"
		}, "direct_assistance submitted emergency"},
		{"the phone's priority is less pressing", func(s *dtm.Screening) { s.Danger = "yes"; s.Referred = []string{"protection"}; s.Priority = "normal" }, "protection submitted emergency"},
		{"home and protection, barred", func(s *dtm.Screening) { s.Asylum = "yes"; s.Referred = []string{"vhr", "protection"} }, "protection submitted urgent"},
	} {
		s := screening()
		c.change(&s)
		var got []string
		for _, r := range Open(op(), s, "p", ids()) {
			got = append(got, fmt.Sprintf("%s %s %s", r.Programme, r.State, r.Priority))
			if r.State == dtm.ReferralHeld && (r.Person != "") {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

func TestOffers(t *testing.T) {
	t.Parallel()
	all, err := dtm.NewPlan("daily", "08:00", "16:00")
	if err != nil {
		t.Fatal(err)
	}
	at := func(code string, lat float64, change func(*dtm.Desk)) dtm.Desk {
		d := dtm.Desk{Code: code, Programme: "health", Capacity: 5, Located: true, Lat: lat, Lon: 43, Languages: []string{"om"}, Open: all, Verified: now}
		if change != nil {
			change(&d)
		}
		return d
	}
	desks := []dtm.Desk{
		at("far", 13, nil), at("near", 12.01, nil), at("full", 12, func(d *dtm.Desk) { d.Taken = 5 }), at("shut", 12, func(d *dtm.Desk) { d.Closed = true }),
		at("paused", 12, func(d *dtm.Desk) { d.Paused = "flood" }), at("over", 12, func(d *dtm.Desk) {
			u := now.Add(-time.Hour)
			d.Paused, d.Until = "flood", &u
			d.Languages = []string{"fr"}
		}),
		at("women", 12, func(d *dtm.Desk) { d.Sex = "female" }), at("children", 12, func(d *dtm.Desk) { d.MaxAge = 17 }), at("other", 12, func(d *dtm.Desk) { d.Area = "DJ03" }),
		at("consul", 12, func(d *dtm.Desk) { d.Consulate = true }), at("food", 12, func(d *dtm.Desk) { d.Programme = "direct_assistance" }), at("old", 14, func(d *dtm.Desk) { d.Verified = now.AddDate(0, 0, -31); d.Located = false }),
	}
	r := dtm.Referral{Programme: "health", Guarded: true, Preview: dtm.Preview{Sex: "male", Age: "18-59", Lang: "om"}}
	var got []string
	for _, o := range Offers(op(), r, desks, &dtm.Whereabouts{Lat: 12, Lon: 43}, "DJ01", now) {
		got = append(got, o.Desk.Code+":"+o.Why)
		if o.Desk.Code == "near" && (o.Km < 1 || o.Km > 1.3 || o.Free != 5 || !o.OpenNow || o.Stale) {
			t.Errorf("near: %+v", o)
		}
		if o.Desk.Code == "old" && (!o.Stale || o.Km != -1) {
			t.Errorf("old: %+v", o)
		}
	}
	if s := strings.Join(got, " "); s != "near: far: old: over: children:age consul:barred other:area paused:paused shut:closed women:sex full:full" {
		t.Errorf("offers: %s", s)
	}
	// Obock to Tadjoura, about 48 km as the crow flies over the gulf.
	if km := dtm.Kilometres(11.9631, 43.2906, 11.7853, 42.8844); km < 47 || km > 50 {
		t.Errorf("%.1f km", km)
	}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	gone := now.Add(-time.Minute)
	list := []dtm.Consent{
		{Recipient: "programme:health", Groups: []string{"need", "identity", "health"}, Given: now.Add(-time.Hour)},
		{Recipient: "unicef", Groups: []string{"family"}, Given: now.Add(-time.Hour)},
		{Recipient: "unicef", Groups: []string{"protection"}, Given: now.Add(-time.Hour), Withdrawn: &gone},
		{Recipient: "unhcr", Groups: []string{"need"}, Given: now.Add(time.Hour)},
	}
	for _, c := range []struct{ partner, programme, want string }{
		{"iom", "health", "need identity health"}, {"unicef", "health", "need identity family health"}, {"unicef", "protection", "family"}, {"iom", "vhr", ""}, {"unhcr", "protection", ""},
	} {
		in := slices.Clone(Covers(list, c.partner, c.programme, now))
		if strings.Join(sorted(in), " ") != strings.Join(sorted(strings.Fields(c.want)), " ") {
			t.Errorf("%s for %s: %v, want %s", c.partner, c.programme, in, c.want)
		}
	}
	whole := dtm.Consent{Person: "p", Recipient: "iom", Groups: []string{"need"}, Wording: "1", Lang: "om", How: dtm.ConsentWitnessed, Of: dtm.ConsentOfPerson, Actor: "user:a"}
	for name, c := range map[string]struct {
		change func(*dtm.Consent)
		child  bool
		ok     bool
	}{
		"whole":                   {func(*dtm.Consent) {}, false, true},
		"a child alone":           {func(*dtm.Consent) {}, true, false},
		"caregiver without child": {func(c *dtm.Consent) { c.Of = dtm.ConsentOfCaregiver }, true, false},
		"caregiver and child":     {func(c *dtm.Consent) { c.Of, c.Assent = dtm.ConsentOfCaregiver, true }, true, true},
		"best interest, no word":  {func(c *dtm.Consent) { c.Of = dtm.ConsentBestInterest }, true, false},
		"best interest":           {func(c *dtm.Consent) { c.Of, c.Reason = dtm.ConsentBestInterest, "alone" }, true, true},
		"override by one":         {func(c *dtm.Consent) { c.Of, c.Reason, c.Second = dtm.ConsentVitalInterest, "r", "user:a" }, false, false},
		"override by two":         {func(c *dtm.Consent) { c.Of, c.Reason, c.Second = dtm.ConsentVitalInterest, "r", "user:b" }, false, true},
		"no wording":              {func(c *dtm.Consent) { c.Wording = " " }, false, false},
		"no such group":           {func(c *dtm.Consent) { c.Groups = []string{"all"} }, false, false},
		"nobody":                  {func(c *dtm.Consent) { c.Recipient = "" }, false, false},
	} {
		x := whole
		c.change(&x)
		if err := CheckConsent(x, c.child); (err == nil) != c.ok || err != nil && dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := screening()
	s.Age, s.With, s.Lang = 15, "alone", "om"
	for _, c := range AtCapture(s, "p", "2026112801", []string{"protection"}, func(p string) string { return p }) {
		if err := CheckConsent(c, true); err != nil || c.Of != dtm.ConsentBestInterest || c.Reason != BestInterestOwed {
			t.Errorf("a child alone: %+v, %v", c, err)
		}
	}
}

func sorted(s []string) []string { slices.Sort(s); return s }
