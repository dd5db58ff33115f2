package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dtm"
)

// Readings: what a search finds is what a walk over all submissions finds, in the
// same order, page by page in both directions, for searches made by chance; counts,
// streams and spots agree with it.
func Readings(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var all []dtm.Listed
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var kept []dtm.Reading
	for i := range 200 {
		x := submission(i)
		x.ID = fmt.Sprintf("uuid:%08x-%04d", uint32(i)*2654435761, i)
		x.Form, x.Device = pick("fmr", "fms"), pick("d0", "d1", "")
		x.Received = start.Add(time.Duration(i)*time.Hour + time.Duration(r.IntN(300))*time.Minute)
		if r.IntN(4) == 0 {
			x.Flags = []dtm.Flag{{Rule: pick("answers.sum", "point.unknown")}, {Rule: "date.late"}, {Rule: "date.late", Path: "/data/day"}}
		}
		receipt, err := s.Receive(ctx, x)
		must(t, err)
		if r.IntN(5) == 0 {
			x.Flags = []dtm.Flag{{Rule: pick("answers.sum", "speed")}}
			must(t, s.Flag(ctx, x.ID, x.Flags))
		}
		if len(x.Flags) == 0 && i > 10 && r.IntN(10) == 0 { // an edit of it
			edit := x
			edit.ID, edit.Deprecates, edit.XML = x.ID+"-b", x.ID, []byte("<x/>")
			again, err := s.Receive(ctx, edit)
			must(t, err)
			edit.State = "received"
			all = append(all, dtm.Listed{Submission: edit, Reading: dtm.Reading{Seq: again.Seq}})
			kept = append(kept, dtm.Reading{Seq: again.Seq})
			x.State = "superseded"
		} else if x.State = "received"; len(x.Flags) > 0 {
			x.State = "flagged"
		}
		reading := dtm.Reading{Seq: receipt.Seq, Point: pick("obock", "galafi", ""), Enumerator: pick("amina", "houssein", ""),
			Day: start.AddDate(0, 0, r.IntN(14)).Format(time.DateOnly), Words: pick("Éthiopie Ethiopia إثيوبيا", "Djibouti", "Awash two"), Name: fmt.Sprint("n", i)}
		if r.IntN(3) > 0 {
			reading.Positioned, reading.Lat, reading.Lon = true, 11+float64(r.IntN(3)), 42+float64(r.IntN(3))
		}
		all = append(all, dtm.Listed{Submission: x, Reading: reading})
		kept = append(kept, reading)
	}
	last, err := s.Last(ctx)
	must(t, err)
	if n, err := s.Unread(ctx); err != nil || n != len(all) {
		t.Fatalf("%d unread, %v", n, err)
	}
	var about []dtm.Event
	for _, e := range allEvents(t, s) {
		if e.Name != dtm.SubmissionReceived {
			about = append(about, e)
		}
	}
	must(t, s.KeepReadings(ctx, kept, about, last))
	must(t, s.KeepReadings(ctx, kept, about, last)) // done twice is done once
	if n, err := s.Unread(ctx); err != nil || n != 0 {
		t.Fatalf("%d unread, %v", n, err)
	}
	for _, x := range all[:20] {
		var want []int64
		for _, e := range allEvents(t, s) {
			if e.Subject == x.ID {
				want = append(want, e.Seq)
			}
		}
		history, err := s.History(ctx, x.ID)
		must(t, err)
		var got []int64
		for _, e := range history {
			got = append(got, e.Seq)
		}
		if !slices.Equal(got, want) {
			t.Errorf("history %v, want %v", got, want)
		}
		r, err := s.Reading(ctx, x.ID)
		must(t, err)
		if x.Words = ""; r != x.Reading {
			t.Errorf("reading %+v, want %+v", r, x.Reading)
		}
	}
	wantKind(t, func() error { _, err := s.Reading(ctx, "uuid:none"); return err }(), dtm.NotFound)
	if done, err := s.ReadingsDone(ctx); err != nil || done != last {
		t.Fatalf("done %d, %v", done, err)
	}
	slices.SortFunc(all, func(a, b dtm.Listed) int { return int(b.Reading.Seq - a.Reading.Seq) })

	tried, found := 0, 0
	for turn := range 150 {
		var q dtm.SubmissionSearch
		maybe := func(v string) *string {
			if r.IntN(4) > 0 {
				return nil
			}
			return &v
		}
		q.Form, q.Device, q.State = maybe(pick("fmr", "fms")), maybe(pick("d0", "d1", "")), maybe(pick("received", "flagged", "superseded"))
		for into, of := range map[*string][]string{&q.Point: {"obock", "galafi"}, &q.Enumerator: {"amina", "houssein"}, &q.Rule: {"date.late", "answers.sum", "speed"},
			&q.Text: {"ETHIOP", "éthio", "إثيوبيا", "two awas", "djibouti", "none", "\" OR *", "uuid:9e37", "9e3779b1-0001", "00000000"}} {
			if r.IntN(5) == 0 {
				*into = pick(of...)
			}
		}
		if r.IntN(4) == 0 {
			q.From = start.Add(time.Duration(r.IntN(300)) * time.Hour)
		}
		if r.IntN(4) == 0 {
			q.To = start.Add(time.Duration(r.IntN(300)) * time.Hour)
		}
		if r.IntN(4) == 0 {
			q.FromDay = start.AddDate(0, 0, r.IntN(14)).Format(time.DateOnly)
		}
		if r.IntN(4) == 0 {
			q.ToDay = start.AddDate(0, 0, r.IntN(14)).Format(time.DateOnly)
		}
		q.Positioned = r.IntN(6) == 0
		if texts := []string{"ETHIOP", "éthio", "إثيوبيا", "two awas", "djibouti", "uuid:9e37"}; turn < len(texts) { // each by itself
			q = dtm.SubmissionSearch{Text: texts[turn]}
		}
		var want []string
		streamed, positioned := 0, 0
		for _, x := range all {
			if matches(q, x) {
				want = append(want, x.ID)
				if q.Form != nil && x.State != "superseded" {
					streamed++
				}
				if x.Positioned {
					positioned++
				}
			}
		}
		var got []string
		page := q
		for page.Limit = 1 + r.IntN(200); ; {
			list, total, err := s.Find(ctx, page)
			must(t, err)
			if total.N != len(want) || total.More {
				t.Fatalf("%+v: %v found, want %d", q, total, len(want))
			}
			if len(list) == 0 {
				break
			}
			if page.Before > 0 && len(got) > 0 { // and back
				back := page
				back.Before, back.After = 0, list[0].Reading.Seq
				before, _, err := s.Find(ctx, back)
				must(t, err)
				if n := len(before); n == 0 || before[n-1].ID != got[len(got)-1] || before[0].ID != got[max(0, len(got)-page.Limit)] {
					t.Fatalf("%+v: the page before is not the one before", back)
				}
			}
			for _, x := range list {
				got = append(got, x.ID)
			}
			page.Before = list[len(list)-1].Reading.Seq
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v: found\n%v, want\n%v", q, got, want)
		}
		tried++
		found += len(want)
		if q.Form != nil {
			n, err := s.CountSubmissions(ctx, dtm.SubmissionQuery{Form: *q.Form, Among: &q})
			must(t, err)
			if n != streamed {
				t.Fatalf("%+v: %d streamed, want %d", q, n, streamed)
			}
		}
		spots, total, err := s.Spots(ctx, q, 0.5)
		must(t, err)
		sum := 0
		for _, p := range spots {
			sum += p.Count
		}
		if total.N != positioned || total.More || sum != positioned || len(spots) > 9 {
			t.Fatalf("%+v: %d in %d spots of %v, want %d", q, sum, len(spots), total, positioned)
		}
	}
	if found < tried {
		t.Errorf("%d searches find %d: this proves little", tried, found)
	}
	if who, err := s.Enumerators(ctx, 10); err != nil || !slices.Equal(who, []string{"amina", "houssein"}) {
		t.Errorf("enumerators %v, %v", who, err)
	}
	if rules, err := s.Rules(ctx); err != nil || !slices.Equal(rules, []string{"answers.sum", "date.late", "point.unknown", "speed"}) {
		t.Errorf("rules %v, %v", rules, err)
	}
}

// matches says by hand whether a search finds a submission.
func matches(q dtm.SubmissionSearch, x dtm.Listed) bool {
	is := func(want *string, v string) bool { return want == nil || *want == v }
	if !is(q.Form, x.Form) || !is(q.Device, x.Device) || !is(q.State, x.State) ||
		q.Point != "" && q.Point != x.Point || q.Enumerator != "" && q.Enumerator != x.Enumerator ||
		q.Rule != "" && !slices.ContainsFunc(x.Flags, func(f dtm.Flag) bool { return f.Rule == q.Rule }) ||
		!q.From.IsZero() && x.Received.Before(q.From) || !q.To.IsZero() && !x.Received.Before(q.To) ||
		(q.FromDay != "" || q.ToDay != "") && x.Day == "" || q.FromDay != "" && x.Day < q.FromDay || q.ToDay != "" && x.Day > q.ToDay ||
		q.Positioned && !x.Positioned {
		return false
	}
	switch q.Text {
	case "":
		return true
	case "ETHIOP", "éthio", "إثيوبيا":
		return strings.HasPrefix(x.Words, "Éthiopie")
	case "two awas":
		return x.Words == "Awash two"
	case "djibouti":
		return x.Words == "Djibouti"
	case "uuid:9e37", "9e3779b1-0001", "00000000":
		return strings.HasPrefix(x.ID, "uuid:"+strings.TrimPrefix(q.Text, "uuid:"))
	}
	return false
}
