package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/event"
	"dtm/internal/inside"
	"dtm/operation"
	"dtm/refer"
	"dtm/store/sqlite"
)

// deskBench measures the pages about people: inboxes, referrals, the register's search, over
// a folder with as many persons and referrals as an operation has after years.
type deskBench struct {
	folder             string // "": in the benchmark's own
	persons, referrals int
}

// deskUsers are who looks; the desk is the one with the most to answer.
var deskUsers = []dtm.User{
	{Email: "focal@bench.example", Role: dtm.RoleFocal},
	{Email: "desk@bench.example", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"},
}

// names are invented, with the most frequent as frequent as such names are.
func invented(r *rand.Rand, n int) []string {
	on, vowel, end := []string{"b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "r", "s", "t", "w", "z", "sh", "ch"}, []string{"a", "e", "i", "o", "u"}, []string{"", "", "d", "m", "n", "r", "s", "l"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var out []string
	for len(out) < n {
		name := pick(on) + pick(vowel) + pick(on) + pick(vowel) + pick(end)
		if !slices.Contains(out, name) {
			out = append(out, strings.ToUpper(name[:1])+name[1:])
		}
	}
	return out
}

// zipf draws a place in a list of n, the first ones far more often.
func zipf(r *rand.Rand, n int) int {
	return min(n-1, int(math.Pow(float64(n), r.Float64()))-1)
}

// fill makes the folder; one that is there already is taken as it is.
func (d deskBench) fill(bin, data string) error {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	making := data + ".making"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	if _, _, err := run(bin, "init", "-data", making); err != nil {
		return err
	}
	s, _, err := start(bin, making) // makes the keys
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	op, err := operation.Pack("djibouti")
	if err != nil {
		return err
	}
	ctx := event.WithActor(context.Background(), event.System)
	db, err := inside.Open(ctx, making, "", op)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := d.people(ctx, db, op); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return os.Rename(making, data)
}

func (d deskBench) people(ctx context.Context, db *sqlite.DB, op *dtm.Operation) error {
	desks, err := db.Desks(ctx)
	if err != nil {
		return err
	}
	if len(desks) == 0 {
		for _, x := range op.Desks {
			if x, err = db.SetDesk(ctx, x); err != nil {
				return err
			}
			desks = append(desks, x)
		}
	}
	today := dtm.DayOf(time.Now(), op.Zone)
	var all []string
	for _, p := range op.Programmes {
		all = append(all, p.Code)
	}
	for _, partner := range []string{"iom", "onars", "drc", "unicef"} {
		if _, err := db.AddAgreement(ctx, dtm.Agreement{Partner: partner, Kind: dtm.AgreementCases, Purpose: "bench", Basis: "bench", Programmes: all, Groups: dtm.FieldGroups, From: today.AddDate(-1, 0, 0), To: today.AddDate(1, 0, 0)}); err != nil {
			return err
		}
	}
	for i, x := range desks { // more desks of the same kinds elsewhere
		for k := range 6 {
			y := x
			y.Code, y.Version, y.Area = fmt.Sprintf("%s-%d", x.Code, k), 0, ""
			y.Name = dtm.Text{"en": fmt.Sprintf("%s %d", x.Name["en"], k), "fr": fmt.Sprintf("%s %d", x.Name["fr"], k), "ar": x.Name["ar"]}
			y.Lat, y.Lon = 11+float64(k)/6, 42+float64(i)/6
			if y, err = db.SetDesk(ctx, y); err != nil {
				return err
			}
			desks = append(desks, y)
		}
	}
	r := rand.New(rand.NewPCG(7, 9))
	first, last := invented(r, 300), invented(r, 900)
	points := op.Network()
	now := time.Now().UTC()
	var work []dtm.ScreeningWork
	for i := range d.persons {
		open := r.IntN(100) < 6
		captured := now.Add(-time.Duration(30*24+r.IntN(900*24)) * time.Hour)
		if open {
			captured = now.Add(-time.Duration(r.IntN(60*24)) * time.Minute)
		}
		name := first[zipf(r, len(first))] + " " + last[zipf(r, len(last))]
		if r.IntN(2) == 0 {
			name += " " + last[zipf(r, len(last))]
		}
		p := dtm.Person{ID: fmt.Sprintf("%08x-0000-7000-8000-%012d", i, i), Created: captured, Sex: []string{"male", "female"}[r.IntN(2)], Age: "18-59",
			Fields: map[string]string{"name": name, "birth_year": strconv.Itoa(1970 + r.IntN(40)), "phone": fmt.Sprintf("77%06d", r.IntN(1_000_000)), "nationality": "ETH", "language": "om"}}
		w := dtm.ScreeningWork{Submission: fmt.Sprintf("uuid:%012d", i), Person: &p}
		for k := range max(1, d.referrals/d.persons) {
			desk := desks[zipf(r, len(desks))]
			if k == 0 && r.IntN(3) == 0 {
				desk = desks[1] // health in Obock
			}
			x := dtm.Referral{ID: fmt.Sprintf("%08x-%04x-7000-9000-%012d", i, k, i), Person: p.ID, Submission: w.Submission, Device: "", Point: points[r.IntN(len(points))].Code, Programme: desk.Programme, Desk: desk.Code, Version: 3,
				Priority: dtm.Priorities[min(2, r.IntN(5))], Captured: captured, Received: captured.Add(time.Duration(r.IntN(600)) * time.Minute),
				Preview: dtm.Preview{Sex: p.Sex, Age: p.Age, Needs: []string{"health"}, Lang: "om", SeenAt: captured}}
			at := x.Received
			x.Sent, x.Changed = &at, at
			later := func(hours int) *time.Time { t := at.Add(time.Duration(r.IntN(hours*60)) * time.Minute); return &t }
			x.State = []dtm.ReferralState{dtm.ReferralClosed, dtm.ReferralClosed, dtm.ReferralClosed, dtm.ReferralUnmet, dtm.ReferralWithdrawn}[r.IntN(5)]
			if open {
				x.State = []dtm.ReferralState{dtm.ReferralSent, dtm.ReferralSent, dtm.ReferralAcknowledged, dtm.ReferralAccepted, dtm.ReferralInService, dtm.ReferralCompleted, dtm.ReferralRejected, dtm.ReferralSubmitted}[r.IntN(8)]
			}
			switch x.State {
			case dtm.ReferralSubmitted:
				x.Desk, x.Sent = "", nil
			case dtm.ReferralRejected:
				x.Reason = "no_capacity"
				x.Acknowledged, x.Answered, x.Ended = later(10), later(20), later(20)
			case dtm.ReferralUnmet:
				x.Reason = "no_capacity"
				x.Ended = later(200)
			case dtm.ReferralWithdrawn:
				x.Reason = "person_asked"
				x.Ended = later(200)
			case dtm.ReferralAcknowledged:
				x.Acknowledged = later(10)
			case dtm.ReferralSent:
			default:
				x.Acknowledged, x.Answered, x.Started = later(10), later(20), later(50)
				if x.State == dtm.ReferralClosed || x.State == dtm.ReferralCompleted {
					x.Ended = later(100)
				}
			}
			if x.Ended != nil {
				x.Changed = *x.Ended
			}
			w.Referrals = append(w.Referrals, x)
			w.Consents = append(w.Consents, dtm.Consent{ID: x.ID, Person: p.ID, Recipient: refer.ForProgramme(x.Programme), Groups: []string{dtm.GroupNeed, dtm.GroupIdentity, dtm.GroupContact, dtm.GroupOf(x.Programme)}, Wording: "1", Lang: "om", How: dtm.ConsentWitnessed, Of: dtm.ConsentOfPerson, Actor: "device:bench", Given: captured})
		}
		if work = append(work, w); len(work) == 500 || i == d.persons-1 {
			if err := db.KeepScreenings(ctx, work, 0); err != nil {
				return err
			}
			work = work[:0]
		}
	}
	return nil
}

// signedIn gives clients of the users, who are added where there are none.
func signedIn(data string, users []dtm.User) (list []*http.Client, err error) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return nil, err
	}
	ctx := event.WithActor(context.Background(), event.System)
	db, err := inside.Open(ctx, data, "", op)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	for _, u := range users {
		transport, err := inside.SignIn(ctx, db, u, time.Now())
		if err != nil {
			return nil, err
		}
		list = append(list, &http.Client{Transport: transport})
	}
	return list, nil
}

// ask is one page as somebody asks for it; a form is posted.
type ask struct {
	who  int // in deskUsers
	name string
	path func(i int) string
	form func(i int) url.Values
}

func (d deskBench) measure(bin, dir string) error {
	data := d.folder
	if data == "" {
		data = filepath.Join(dir, "desk")
	}
	began := time.Now()
	if err := d.fill(bin, data); err != nil {
		return err
	}
	line(fmt.Sprintf("%d persons, %d referrals", d.persons, d.referrals), "folder ready after "+time.Since(began).Round(time.Second).String(), "")
	ids, numbers, err := d.some(data)
	if err != nil {
		return err
	}
	clients, err := signedIn(data, deskUsers)
	if err != nil {
		return err
	}
	s, ready, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	began = time.Now()
	s.quiet(5 * time.Minute) // clocks that said something new since the folder was made are followed first
	line("start to ready; to rest", ms(ready)+"; "+time.Since(began).Round(time.Second).String(), "")
	at := func(path string) func(int) string { return func(int) string { return path } }
	r := rand.New(rand.NewPCG(7, 9))
	first, last := invented(r, 300), invented(r, 900)
	list := []ask{
		{0, "focal point: inbox", at("/staff/referrals/"), nil},
		{0, "focal point: inbox, 500 a box", at("/staff/referrals/?more=1"), nil},
		{0, "focal point: over", at("/staff/referrals/?over=1"), nil},
		{0, "focal point: by number", func(i int) string { return "/staff/referrals/?number=" + numbers[i%len(numbers)] }, nil},
		{0, "focal point: a referral", func(i int) string { return "/staff/referrals/" + ids[0][i%len(ids[0])] }, nil},
		{0, "focal point: a person, with candidates", func(i int) string { return "/staff/referrals/" + ids[0][i%len(ids[0])] + "/person" }, func(int) url.Values { return nil }},
		{0, "search: frequent first name", at("/staff/referrals/find"), func(i int) url.Values { return url.Values{"name": {first[i%3]}} }},
		{0, "search: frequent full name", at("/staff/referrals/find"), func(i int) url.Values { return url.Values{"name": {first[i%3] + " " + last[i%5]}} }},
		{0, "search: full name and year", at("/staff/referrals/find"), func(i int) url.Values {
			return url.Values{"name": {first[i%50] + " " + last[i%70]}, "birth_year": {strconv.Itoa(1970 + i%40)}}
		}},
		{0, "search: telephone", at("/staff/referrals/find"), func(i int) url.Values { return url.Values{"phone": {fmt.Sprintf("77%06d", i*7919%1_000_000)}} }},
		{0, "figures, 30 days", at("/staff/referrals/figures"), nil},
		{0, "figures, 90 days", at("/staff/referrals/figures?days=90"), nil},
		{0, "who waits where", at("/staff/referrals/waiting"), nil},
		{0, "service desks", at("/staff/desks/"), nil},
		{1, "desk: inbox", at("/staff/referrals/"), nil},
		{1, "desk: inbox, 500 a box", at("/staff/referrals/?more=1"), nil},
		{1, "desk: patrol", at("/staff/referrals/patrol"), nil},
		{1, "desk: a referral", func(i int) string { return "/staff/referrals/" + ids[1][i%len(ids[1])] }, nil},
		{1, "desk: a person", func(i int) string { return "/staff/referrals/" + ids[1][i%len(ids[1])] + "/person" }, func(int) url.Values { return nil }},
		{1, "desk: figures, 90 days", at("/staff/referrals/figures?days=90"), nil},
	}
	fmt.Printf("%-46s %-12s %-26s %s\n", "p50 and p95", "first", "seen", "processor time each; allowed p95 150 ms")
	slow := 0
	for _, x := range list {
		const n = 24
		var took []time.Duration
		cpu := s.processor()
		for i := range n {
			began := time.Now()
			if err := visited(clients[x.who], s.base+"/en"+x.path(i), x.form, i); err != nil {
				fmt.Println("left out:", x.name, err)
				break
			}
			took = append(took, time.Since(began))
		}
		if len(took) < n {
			continue
		}
		each := (s.processor() - cpu) / n
		first := took[0]
		p95 := percentile(took, .95)
		note := ""
		if p95 > 150*time.Millisecond {
			slow++
			note = "  over 150 ms"
		}
		fmt.Printf("%-46s %-12s %-26s %s%s\n", x.name, ms(first), ms(percentile(took, .5))+"  "+ms(p95), ms(each), note)
	}
	line("pages about people over 150 ms", fmt.Sprintf("%d of %d", slow, len(list)), "0")
	line("memory of the server after that", s.memory(), "")
	return nil
}

// quiet waits until the server has done what it had to do after its start.
func (s *server) quiet(most time.Duration) {
	for began := time.Now(); time.Since(began) < most; {
		before := s.processor()
		time.Sleep(2 * time.Second)
		if s.processor()-before < 100*time.Millisecond {
			return
		}
	}
}

func visited(c *http.Client, address string, form func(int) url.Values, i int) error {
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = c.Get(address)
	} else {
		resp, err = c.PostForm(address, form(i))
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", address, resp.Status)
	}
	return err
}

// some are ids of referrals that each user may open, and numbers.
func (d deskBench) some(data string) (ids [2][]string, numbers []string, err error) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return ids, nil, err
	}
	ctx := context.Background()
	db, err := inside.Open(ctx, data, "", op)
	if err != nil {
		return ids, nil, err
	}
	defer db.Close()
	for i, f := range []dtm.ReferralFilter{{Limit: 40, Offset: 1000}, {Desks: []string{deskUsers[1].Desk}, States: []dtm.ReferralState{dtm.ReferralAccepted, dtm.ReferralInService}, Limit: 40}} {
		list, _, err := db.Referrals(ctx, f)
		if err != nil {
			return ids, nil, err
		}
		for _, r := range list {
			ids[i] = append(ids[i], r.ID)
			numbers = append(numbers, url.QueryEscape(r.Number))
		}
	}
	return ids, numbers, nil
}

func benchDesk(bin string, d deskBench) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	line("measure", "seen", "allowed")
	return d.measure(bin, dir)
}
