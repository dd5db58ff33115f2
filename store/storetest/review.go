package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/event"
)

// place is where and how heavy the suite's flags are.
var place = dtm.FlagPlace{Point: "obock", Day: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Severity: func(rule string) int {
	if strings.HasPrefix(rule, "answers.") {
		return 0
	}
	return 1
}}

func states(list []dtm.Raised) (out []string) {
	for _, f := range list {
		out = append(out, f.Rule+" "+f.State)
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// counted checks that the kept sums are those of the flags.
func counted(t *testing.T, d Dialect, s Store, at string) {
	t.Helper()
	list, err := s.FlagCounts(ctx, dtm.Month{})
	must(t, err)
	sum := 0
	for _, c := range list {
		sum += c.N
		n := d.Query(t, at, `SELECT count(*) FROM flag WHERE state = $1 AND severity = $2 AND rule = $3 AND point = $4`, c.State, c.Severity, c.Rule, c.Point)
		if n[0] != fmt.Sprint(c.N) {
			t.Errorf("%+v is counted, %s are there", c, n[0])
		}
	}
	if n := d.Query(t, at, `SELECT count(*) FROM flag`); n[0] != fmt.Sprint(sum) {
		t.Errorf("%d flags are counted, %s are there", sum, n[0])
	}
}

// flagRows: each flag has a history; what a person decided stays when the rule runs
// again; what is not found any more is cleared, and may come again.
func flagRows(t *testing.T, d Dialect) {
	s, at := d.open(t)
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	id := submission(1).ID
	sum, far := dtm.Flag{Rule: "answers.sum", Path: "/data/total", Note: "1 / 2"}, dtm.Flag{Rule: "position.far"}
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{sum, far, far}))
	list, err := s.Queue(ctx, dtm.FlagFilter{})
	must(t, err)
	same(t, "raised", states(list), []string{"answers.sum open", "position.far open"})
	if f := list[0]; f.Severity != 0 || f.Point != "obock" || !f.Day.Equal(place.Day) || f.Path != "/data/total" || f.Note != "1 / 2" || f.Submission != id || f.Seq == 0 {
		t.Errorf("the first is %+v", f)
	}
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{sum}))
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{sum, far}))
	done, err := s.DecideFlags(event.WithActor(ctx, "user:a@example.org"), dtm.Decision{Flags: []string{list[1].ID}, State: dtm.FlagDismissed, Why: "seen it"})
	must(t, err)
	if done.Flags != 1 || done.Submissions != 0 {
		t.Errorf("done: %+v", done)
	}
	must(t, s.FlagAt(ctx, id, place, nil))
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{far}))
	list, err = s.Queue(ctx, dtm.FlagFilter{Submission: id})
	must(t, err)
	same(t, "after all", states(list), []string{"answers.sum cleared", "position.far dismissed"})
	if got, _ := s.Submission(ctx, id); got.State != "received" {
		t.Errorf("with one flag cleared and one dismissed it is %s", got.State)
	}
	history, err := s.FlagHistory(ctx, id, "")
	must(t, err)
	var acts []string
	for _, e := range history {
		acts = append(acts, strings.SplitN(e.Flag, "|", 2)[0]+" "+e.Act)
		if e.Act == "dismissed" && (e.Actor != "user:a@example.org" || e.Why != "seen it") {
			t.Errorf("the entry is %+v", e)
		}
	}
	same(t, "history", acts, []string{"answers.sum raised", "position.far raised", "position.far cleared", "position.far raised", "position.far dismissed", "answers.sum cleared"})
	edit := submission(2)
	edit.Deprecates = id
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{sum, far}))
	_, err = s.Receive(ctx, edit)
	must(t, err)
	if list, _ = s.Queue(ctx, dtm.FlagFilter{}); len(list) > 0 {
		t.Errorf("flags of what was replaced are open: %+v", list)
	}
	counted(t, d, s, at)
	for _, statement := range []string{`UPDATE flag_entry SET why = 'x'`, `DELETE FROM flag_entry`} {
		if d.Protected(t, at, statement) == nil {
			t.Errorf("%s was carried out", statement)
		}
	}
}

// flagSeries: flags of days and devices, of which those not found again are cleared.
func flagSeries(t *testing.T, d Dialect) {
	s, at := d.open(t)
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	day := place.Day
	far := dtm.Raised{ID: "day.outlier|obock|2026-03-02", Rule: "day.outlier", Severity: 1, Subject: "obock", Point: "obock", Day: day, Note: "500 / 60"}
	twice := dtm.Raised{ID: "duplicate.point|" + submission(1).ID + "|", Rule: "duplicate.point", Severity: 1, Subject: "obock", Point: "obock", Submission: submission(1).ID, Other: "uuid:other", Day: day}
	run := func(found ...dtm.Raised) (int, int) {
		t.Helper()
		raised, cleared, err := s.RaiseSeries(ctx, []string{"day.outlier", "duplicate.point"}, day.AddDate(0, 0, -9), day.AddDate(0, 0, 9), found)
		must(t, err)
		return raised, cleared
	}
	if a, b := run(far, twice, far); a != 2 || b != 0 {
		t.Errorf("%d raised, %d cleared", a, b)
	}
	before, _ := s.Last(ctx)
	if a, b := run(far, twice); a != 0 || b != 0 {
		t.Errorf("again: %d raised, %d cleared", a, b)
	}
	if after, _ := s.Last(ctx); after != before {
		t.Error("a run that found nothing new is in the log")
	}
	if got, _ := s.Submission(ctx, submission(1).ID); got.State != "flagged" {
		t.Errorf("the submission is %s", got.State)
	}
	// The rules of single records leave the flags of others alone.
	must(t, s.FlagAt(ctx, submission(1).ID, place, []dtm.Flag{{Rule: "answers.sum"}}))
	must(t, s.FlagAt(ctx, submission(1).ID, place, nil))
	if a, b := run(twice); a != 0 || b != 1 {
		t.Errorf("one gone: %d raised, %d cleared", a, b)
	}
	if _, _, err := s.RaiseSeries(ctx, []string{"duplicate.point"}, day.AddDate(0, 0, 1), day.AddDate(0, 0, 9), nil); err != nil {
		t.Error(err)
	}
	list, err := s.Queue(ctx, dtm.FlagFilter{})
	must(t, err)
	same(t, "open", states(list), []string{"duplicate.point open"})
	if a, b := run(); a != 0 || b != 1 {
		t.Errorf("all gone: %d raised, %d cleared", a, b)
	}
	if got, _ := s.Submission(ctx, submission(1).ID); got.State != "received" {
		t.Errorf("the submission is %s", got.State)
	}
	if a, _ := run(far); a != 1 {
		t.Error("a flag that was cleared does not come again")
	}
	counted(t, d, s, at)
}

// decisions: the queue's order and pages, decisions on many at once, and taking them
// back.
func decisions(t *testing.T, d Dialect) {
	s, at := d.open(t)
	who := event.WithActor(ctx, "user:a@example.org")
	for i := range 6 {
		_, err := s.Receive(ctx, submission(i))
		must(t, err)
		p := place
		p.Point = []string{"obock", "galafi"}[i%2]
		if i == 5 {
			p.Day = p.Day.AddDate(0, 1, 0)
		}
		must(t, s.FlagAt(ctx, submission(i).ID, p, []dtm.Flag{{Rule: "position.far"}, {Rule: "answers.sum"}}))
	}
	var all []dtm.Raised
	f := dtm.FlagFilter{Limit: 5}
	for {
		list, err := s.Queue(ctx, f)
		must(t, err)
		if len(list) == 0 {
			break
		}
		all = append(all, list...)
		f.After = &list[len(list)-1]
	}
	var order []string
	for _, x := range all {
		order = append(order, fmt.Sprint(x.Severity, x.Point))
	}
	if len(all) != 12 || !slices.IsSorted(order) {
		t.Errorf("the queue: %v", order)
	}
	zero, galafi := 0, "galafi"
	if list, _ := s.Queue(ctx, dtm.FlagFilter{Severity: &zero, Point: &galafi, Rule: "answers.sum"}); len(list) != 3 {
		t.Errorf("filtered: %+v", list)
	}
	// Flags about a month's days, in the queue and counted.
	m := dtm.MonthOf(place.Day)
	next := dtm.MonthOf(place.Day.AddDate(0, 1, 0))
	for month, want := range map[dtm.Month]int{m: 10, next: 2, {Year: 1999, Month: 1}: 0} {
		list, err := s.Queue(ctx, dtm.FlagFilter{Month: month})
		must(t, err)
		counts, err := s.FlagCounts(ctx, month)
		must(t, err)
		n := 0
		for _, c := range counts {
			if c.State == dtm.FlagOpen {
				n += c.N
			}
		}
		if len(list) != want || n != want {
			t.Errorf("%s: %d flags in the queue, %d counted, want %d", month, len(list), n, want)
		}
	}
	ids := func(n int) []string {
		return []string{"answers.sum|" + submission(n).ID + "|", "position.far|" + submission(n).ID + "|"}
	}
	state := func(n int) string {
		x, err := s.Submission(ctx, submission(n).ID)
		must(t, err)
		return x.State
	}
	// Dismissing the last open flag confirms the record.
	if n, err := s.FlaggedByDevice(ctx, time.Time{}); err != nil || n[submission(0).Device] != 6 {
		t.Errorf("flagged by device: %v, %v", n, err)
	}
	if n, err := s.FlaggedByDevice(ctx, time.Now().Add(time.Hour)); err != nil || len(n) != 0 {
		t.Errorf("flagged since later: %v, %v", n, err)
	}
	one, err := s.DecideFlags(who, dtm.Decision{Flags: ids(0)[:1], State: dtm.FlagDismissed})
	must(t, err)
	if state(0) != "flagged" || one.Submissions != 0 {
		t.Errorf("with one flag left it is %s", state(0))
	}
	many, err := s.DecideFlags(who, dtm.Decision{Flags: slices.Concat(ids(0)[1:], ids(1), ids(1)), State: dtm.FlagDismissed})
	must(t, err)
	if many.Flags != 3 || many.Submissions != 2 || state(0) != dtm.StateConfirmed || state(1) != dtm.StateConfirmed {
		t.Errorf("%+v; %s, %s", many, state(0), state(1))
	}
	again, err := s.DecideFlags(event.WithActor(ctx, "user:b@example.org"), dtm.Decision{Flags: ids(1), State: dtm.StateRejected, Why: "late"})
	must(t, err)
	if again.Passed != 2 || again.Flags != 0 || again.First != 0 || state(1) != dtm.StateConfirmed {
		t.Errorf("decided already: %+v, %s", again, state(1))
	}
	// Rejecting by one flag settles the others of the record.
	_, err = s.DecideFlags(who, dtm.Decision{Flags: ids(2)[:1], State: dtm.StateRejected})
	wantKind(t, err, dtm.Invalid)
	rejected, err := s.DecideFlags(who, dtm.Decision{Flags: ids(2)[:1], State: dtm.StateRejected, Why: "a test"})
	must(t, err)
	if rejected.Flags != 2 || state(2) != dtm.StateRejected {
		t.Errorf("rejected: %+v, %s", rejected, state(2))
	}
	v, err := s.Verdicts(ctx, submission(2).ID)
	must(t, err)
	if len(v) != 1 || v[0].From != "flagged" || v[0].To != dtm.StateRejected || v[0].Why != "a test" || v[0].Actor != "user:a@example.org" || v[0].At.IsZero() {
		t.Errorf("verdicts: %+v", v)
	}
	// Others cannot take it back, and nobody twice.
	_, err = s.UndoReview(event.WithActor(ctx, "user:b@example.org"), many.First, many.Last)
	wantKind(t, err, dtm.Conflict)
	undone, err := s.UndoReview(who, many.First, many.Last)
	must(t, err)
	if undone.Flags != 3 || undone.Submissions != 2 || state(0) != "flagged" || state(1) != "flagged" || state(2) != dtm.StateRejected {
		t.Errorf("undone: %+v; %s, %s", undone, state(0), state(1))
	}
	_, err = s.UndoReview(who, many.First, many.Last)
	wantKind(t, err, dtm.Conflict)
	// As of the event before the undoing the record was confirmed.
	if st, err := s.Standing(ctx, submission(0).ID, undone.First-1); err != nil || st.State != dtm.StateConfirmed {
		t.Errorf("as of then: %+v, %v", st, err)
	}
	if st, err := s.Standing(ctx, submission(0).ID, 0); err != nil || st.State != "flagged" {
		t.Errorf("now: %+v, %v", st, err)
	}
	_, err = s.DecideFlags(who, dtm.Decision{Flags: []string{"none"}, State: dtm.FlagDismissed})
	wantKind(t, err, dtm.NotFound)
	_, err = s.DecideFlags(who, dtm.Decision{Flags: ids(3), State: "lovely"})
	wantKind(t, err, dtm.Invalid)
	// A review of the whole record settles its flags.
	must(t, s.Review(who, submission(3).ID, dtm.StateConfirmed, "asked"))
	list, err := s.Queue(ctx, dtm.FlagFilter{Submission: submission(3).ID})
	must(t, err)
	same(t, "of a confirmed record", states(list), []string{"answers.sum dismissed", "position.far dismissed"})
	counted(t, d, s, at)
	must(t, s.Verify(ctx))
}

// corrections: of many that start from the same state one is taken, the others are
// kept; each is in the log, without what they say.
func corrections(t *testing.T, d Dialect) {
	s, at := d.open(t)
	_, err := s.Receive(ctx, submission(1))
	must(t, err)
	id := submission(1).ID
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{{Rule: "answers.sum"}, {Rule: "position.far"}}))
	change := func(n int) dtm.Correction {
		return dtm.Correction{Why: fmt.Sprint("reason ", n), Changes: []dtm.Change{{Path: "/data/a", Was: "1", Now: fmt.Sprint("secret ", n)}}}
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.Correct(event.WithActor(ctx, fmt.Sprintf("user:%d@example.org", i)), id, change(i))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Error("two corrections of one state were taken")
		default:
			wantKind(t, err, dtm.Conflict)
		}
	}
	list, err := s.Corrections(ctx, id)
	must(t, err)
	kept := map[string]bool{}
	for _, c := range list {
		kept[c.Changes[0].Now+c.Why+c.Actor] = true
		if (c.Number == 1) != (c.Actor == fmt.Sprintf("user:%d@example.org", winner)) {
			t.Errorf("taken: %+v, the caller says %d", c, winner)
		}
	}
	for i := range errs {
		if !kept[fmt.Sprintf("secret %dreason %duser:%d@example.org", i, i, i)] {
			t.Errorf("correction %d is lost", i)
		}
	}
	told := map[string]int{}
	for _, e := range allEvents(t, s) {
		told[e.Name]++
		if strings.Contains(e.Detail, "secret") || strings.Contains(e.Detail, "reason") {
			t.Errorf("the log says what is in the record: %s", e.Detail)
		}
	}
	if told[dtm.SubmissionCorrected] != 1 || told[dtm.CorrectionRefused] != 7 {
		t.Errorf("the log: %v", told)
	}
	st, err := s.Standing(ctx, id, 0)
	must(t, err)
	if st.State != dtm.StateCorrected || st.Number != 1 || len(st.Changes) != 1 || st.Changes[0].Now != fmt.Sprint("secret ", winner) {
		t.Errorf("standing: %+v", st)
	}
	next := change(9)
	next.Base = 1
	c, err := s.Correct(ctx, id, next)
	must(t, err)
	if c.Number != 2 || c.Seq == 0 {
		t.Errorf("the second: %+v", c)
	}
	if st, _ := s.Standing(ctx, id, c.Seq-1); st.Number != 1 || len(st.Changes) != 1 {
		t.Errorf("before the second: %+v", st)
	}
	// What a rule does not find any more after a correction was right.
	must(t, s.FlagAt(ctx, id, place, []dtm.Flag{{Rule: "position.far"}}))
	queue, err := s.Queue(ctx, dtm.FlagFilter{Submission: id})
	must(t, err)
	same(t, "flags", states(queue), []string{"answers.sum confirmed", "position.far open"})
	if got, _ := s.Submission(ctx, id); got.State != dtm.StateCorrected || string(got.XML) != string(submission(1).XML) {
		t.Errorf("the submission: %+v", got)
	}
	wantKind(t, second(s.Correct(ctx, "uuid:none", next)), dtm.NotFound)
	wantKind(t, second(s.Correct(ctx, id, dtm.Correction{Base: 2, Changes: next.Changes})), dtm.Invalid)
	wantKind(t, second(s.Correct(ctx, id, dtm.Correction{Base: 2, Why: "x"})), dtm.Invalid)
	must(t, s.Verify(ctx))
	if d.Protected(t, at, `UPDATE correction SET changes = '[]'`) == nil {
		t.Error("a correction was changed")
	}
	d.Exec(t, at, `UPDATE correction SET changes = '[]' WHERE number = 2`)
	wantKind(t, s.Verify(ctx), dtm.Conflict)
}

func second[T any](_ T, err error) error { return err }

// questions: to the device that sent the record, and nobody else's.
func questions(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	sub := submission(1)
	sub.Device = "phone-1"
	_, err := s.Receive(ctx, sub)
	must(t, err)
	nobody := submission(2)
	nobody.Device = ""
	_, err = s.Receive(ctx, nobody)
	must(t, err)
	wantKind(t, second(s.Ask(ctx, "uuid:none", "why?")), dtm.NotFound)
	wantKind(t, second(s.Ask(ctx, submission(2).ID, "why?")), dtm.Invalid)
	wantKind(t, second(s.Ask(ctx, sub.ID, "  ")), dtm.Invalid)
	wantKind(t, second(s.Ask(ctx, sub.ID, strings.Repeat("é", 1001))), dtm.Invalid)
	q, err := s.Ask(event.WithActor(ctx, "user:a@example.org"), sub.ID, " 40 or 4? ")
	must(t, err)
	if list, _ := s.QuestionsTo(ctx, "phone-2"); len(list) > 0 {
		t.Errorf("another device sees %+v", list)
	}
	list, err := s.QuestionsTo(ctx, "phone-1")
	must(t, err)
	if len(list) != 1 || list[0].Body != "40 or 4?" || list[0].Submission != sub.ID {
		t.Fatalf("asked: %+v", list)
	}
	if list, _ = s.QuestionsOf(ctx, sub.ID); list[0].Seen == nil || list[0].Answered != nil {
		t.Errorf("seen: %+v", list)
	}
	wantKind(t, s.Answer(ctx, "phone-2", q.Seq, "4"), dtm.NotFound)
	wantKind(t, s.Answer(ctx, "phone-1", q.Seq, ""), dtm.Invalid)
	must(t, s.Answer(ctx, "phone-1", q.Seq, "secret 4"))
	must(t, s.Answer(ctx, "phone-1", q.Seq, "secret 4")) // sent twice by a phone
	wantKind(t, s.Answer(ctx, "phone-1", q.Seq, "40"), dtm.Conflict)
	if list, _ = s.QuestionsTo(ctx, "phone-1"); len(list) > 0 {
		t.Errorf("answered, and asked still: %+v", list)
	}
	list, err = s.QuestionsOf(ctx, sub.ID)
	must(t, err)
	if list[0].Answer != "secret 4" || list[0].Answered == nil || list[0].AnswerSeq == 0 {
		t.Errorf("answered: %+v", list)
	}
	answers := 0
	for _, e := range allEvents(t, s) {
		if e.Name == dtm.EnumeratorAnswered {
			answers++
		}
		if strings.Contains(e.Detail, "secret") || strings.Contains(e.Detail, "40 or") {
			t.Errorf("the log holds the text: %s", e.Detail)
		}
	}
	if answers != 1 {
		t.Errorf("%d answers in the log", answers)
	}
}

func ruleSwitches(t *testing.T, d Dialect) {
	s, at := d.open(t)
	wantKind(t, s.SwitchRule(ctx, dtm.RuleSwitch{Rule: "group.large"}), dtm.Invalid)
	must(t, s.SwitchRule(ctx, dtm.RuleSwitch{Rule: "group.large", On: true, Limit: map[string]float64{"people": 400}, Why: "buses"}))
	must(t, s.SwitchRule(event.WithActor(ctx, "user:a@example.org"), dtm.RuleSwitch{Rule: "group.large", Why: "too many"}))
	list, err := s.RuleSwitches(ctx)
	must(t, err)
	if len(list) != 1 || list[0].On || list[0].Actor != "user:a@example.org" || list[0].Why != "too many" || list[0].At.IsZero() {
		t.Errorf("switches: %+v", list)
	}
	if d.Protected(t, at, `DELETE FROM rule_switch`) == nil {
		t.Error("a switch was deleted")
	}
}
