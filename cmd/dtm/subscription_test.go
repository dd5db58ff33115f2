package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/config"
	"dtm/event"
	"dtm/gather/webhook"
)

// told is a house of its own time whose messages go to a mail server of the test.
type told struct {
	*house
	t    *testing.T
	post *post
	data string
	mu   sync.Mutex
	at   time.Time
}

func (d *told) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(time.Millisecond) // no two things at once
	return d.at
}

// go to a time of the operation's clock.
func (d *told) on(s string) {
	d.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, d.op.Zone)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.at = at
	d.mu.Unlock()
}

func (d *told) open() {
	d.t.Helper()
	cfg, err := config.FromFolder(os.DirFS(d.data), testEnv, os.ReadFile)
	if err != nil {
		d.t.Fatal(err)
	}
	cfg.SMTPHost, cfg.SMTPPort, cfg.SMTPFrom, cfg.SMTPTLS, cfg.BaseURL = "127.0.0.1", int64(d.post.addr.Port), "DTM Djibouti <dtm@example.org>", "none", "https://dtm.example.org"
	if d.house, err = openHouse(testContext(d.t), realPath(d.data), cfg, d.clock); err != nil {
		d.t.Fatal(err)
	}
}

// tell does what the server does again and again.
func (d *told) tell() {
	d.t.Helper()
	ctx := event.WithActor(d.t.Context(), event.System)
	if _, err := d.queueNews(ctx); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.sendMail(ctx); err != nil {
		d.t.Fatal(err)
	}
}

func (d *told) subscribe(s dtm.Subscription) dtm.Subscription {
	d.t.Helper()
	ctx := event.WithActor(d.t.Context(), "user:"+s.Owner)
	u, _, err := d.db.User(ctx, s.Owner)
	if err != nil {
		d.t.Fatal(err)
	}
	reach, err := d.reach(ctx, u)
	if err != nil {
		d.t.Fatal(err)
	}
	if s.Lang == "" {
		s.Lang = dtm.English
	}
	if s.Channel == "" {
		s.Channel = dtm.ChannelEmail
	}
	if err := d.checkSubscription(ctx, s, reach); err != nil {
		d.t.Fatal(err)
	}
	s, err = d.db.AddSubscription(ctx, s)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func movementsOf(month string, at ...string) string {
	var b strings.Builder
	b.WriteString("month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n")
	for _, x := range at {
		fmp, n, _ := strings.Cut(x, ":")
		fmt.Fprintf(&b, "%s,%s,incoming,ETH,DJI,male,adults,%s,1,0\n", month, fmp, n)
	}
	return b.String()
}

func newTold(t *testing.T) *told {
	t.Helper()
	d := &told{t: t, post: newPost(t), data: filepath.Join(t.TempDir(), "data")}
	dtmRun(t, "init", "-data", d.data)
	for month, text := range map[string]string{
		"2022-11": movementsOf("2022-11", "Obock:4000", "Galafi (DJI):2000", "Loyada:300"),
		"2022-12": movementsOf("2022-12", "Obock:5000", "Galafi (DJI):2500", "Loyada:7"),
	} {
		file := filepath.Join(t.TempDir(), month+".csv")
		write(t, file, text)
		dtmRun(t, "import", "movements", "-data", d.data, file)
	}
	d.open()
	t.Cleanup(func() { d.close() })
	for _, u := range []dtm.User{{Email: "anna@example.org", Role: dtm.RolePartner, Partner: "unicef"}, {Email: "omar@example.org", Role: dtm.RolePartner, Partner: "onars"}, {Email: "lea@example.org", Role: dtm.RoleManager}} {
		if err := d.db.AddUser(t.Context(), u, "x"); err != nil {
			t.Fatal(err)
		}
	}
	day := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	if _, err := d.db.AddAgreement(t.Context(), dtm.Agreement{Partner: "unicef", Kind: dtm.AgreementFigures, Purpose: "x", From: day(2022), To: day(2024)}); err != nil {
		t.Fatal(err)
	}
	return d
}

// texts are the two parts of a letter.
func (l letter) texts(t *testing.T) (plain, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(l.msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s %v", kind, err)
	}
	r := multipart.NewReader(l.msg.Body, params["boundary"])
	for {
		p, err := r.NextPart() // undoes quoted-printable
		if err == io.EOF {
			return plain, html
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			plain = string(b)
		} else {
			html = string(b)
		}
	}
}

// TestSubscriptions: thresholds, digests, withheld figures, agreements, one-click stop,
// with a real mail server.
func TestSubscriptions(t *testing.T) {
	t.Parallel()
	d := newTold(t)
	d.on("2023-01-02 10:00")
	over := d.subscribe(dtm.Subscription{Owner: "anna@example.org", Lang: dtm.French, Kind: dtm.SubscribeIndicator, Of: "total_movements", Rule: dtm.RuleAbove, Bound: 7000, Pace: dtm.PaceOnce})
	under := d.subscribe(dtm.Subscription{Owner: "anna@example.org", Kind: dtm.SubscribeIndicator, Of: "total_movements", Rule: dtm.RuleBelow, Bound: 7000, Pace: dtm.PaceOnce})
	d.tell()
	if n := len(d.post.to("anna@example.org")); n != 0 {
		t.Fatalf("%d messages about a month that is still settling", n)
	}
	d.on("2023-01-05 10:00")
	d.tell()
	d.tell()
	got := d.post.to("anna@example.org")
	if len(got) != 1 {
		t.Fatalf("%d messages, want one", len(got))
	}
	plain, html := got[0].texts(t)
	head := got[0].msg.Header
	for name, want := range map[string]string{"List-Unsubscribe": "<https://dtm.example.org/fr/stop/" + over.Stop + ">", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated"} {
		if head.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, head.Get(name), want)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
	if err != nil || subject != "Mouvements observés, décembre 2022 : 7 507" && !strings.Contains(subject, "7\u202f507") {
		t.Errorf("subject %q %v", subject, err)
	}
	for _, part := range []string{plain, html} {
		for _, want := range []string{"7\u202f507", "6\u202f300", "décembre 2022", "https://dtm.example.org/fr/?from=2022-12", "https://dtm.example.org/fr/stop/" + over.Stop} {
			if !strings.Contains(part, want) && !strings.Contains(part, strings.ReplaceAll(want, "=", "&#61;")) {
				t.Errorf("%q is not in\n%s", want, part)
			}
		}
	}
	if list, err := d.db.SubscriptionMessages(t.Context(), under.ID, 5); err != nil || len(list) != 0 {
		t.Errorf("a threshold that was not passed: %v %v", list, err)
	}

	// A figure that is withheld passes no threshold, and is told without its number.
	d.subscribe(dtm.Subscription{Owner: "lea@example.org", Kind: dtm.SubscribeIndicator, Of: "total_movements", Where: map[string][]string{"point": {"loyada"}}, Rule: dtm.RuleBelow, Bound: 100, Pace: dtm.PaceOnce})
	d.tell()
	if n := len(d.post.to("lea@example.org")); n != 0 {
		t.Errorf("%d messages tell that a withheld count is small", n)
	}
	// A digest comes once a day, in the morning after.
	daily := d.subscribe(dtm.Subscription{Owner: "lea@example.org", Kind: dtm.SubscribeIndicator, Of: "total_movements", Where: map[string][]string{"point": {"loyada"}}, Rule: dtm.RuleNew, Pace: dtm.PaceDaily})
	d.subscribe(dtm.Subscription{Owner: "lea@example.org", Kind: dtm.SubscribeIndicator, Of: "total_movements", Rule: dtm.RuleNew, Pace: dtm.PaceWeekly})
	d.tell()
	d.on("2023-01-06 06:59")
	d.tell()
	if n := len(d.post.to("lea@example.org")); n != 0 {
		t.Errorf("%d digests before their hour", n)
	}
	d.on("2023-01-06 07:05")
	d.tell()
	d.tell()
	d.on("2023-01-06 15:00")
	d.tell()
	got = d.post.to("lea@example.org")
	if len(got) != 1 {
		t.Fatalf("%d digests, want one", len(got))
	}
	plain, _ = got[0].texts(t)
	if !strings.Contains(plain, "not published") || strings.Contains(plain, ": 7\n") || !strings.Contains(plain, "November 2022: 300") {
		t.Errorf("a withheld figure is told as\n%s", plain)
	}
	d.on("2023-01-09 07:05") // a Monday
	d.tell()
	d.on("2023-01-10 07:05")
	d.tell()
	if n := len(d.post.to("lea@example.org")); n != 1 {
		t.Errorf("%d weekly digests, want one", n)
	}

	// Without an agreement there is nothing; when it has ended, nothing more.
	u, _, err := d.db.User(t.Context(), "omar@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.reach(t.Context(), u); dtm.KindOf(err) != dtm.Forbidden {
		t.Errorf("without an agreement: %v", err)
	}

	// The one-click stop: looking stops nothing, posting does, without a session.
	pages, err := d.pages()
	if err != nil {
		t.Fatal(err)
	}
	site := guarded(pages)
	ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w
	}
	state := func(id string) string {
		s, err := d.db.Subscription(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s.State
	}
	if w := ask("GET", "/fr/stop/"+over.Stop, nil); w.Code != 200 || state(over.ID) != dtm.SubscriptionActive {
		t.Errorf("looking: %d, %s", w.Code, state(over.ID))
	}
	if w := ask("POST", "/fr/stop/wrong", url.Values{"List-Unsubscribe": {"One-Click"}}); w.Code != 404 {
		t.Errorf("another token: %d", w.Code)
	}
	if w := ask("POST", "/fr/stop/"+over.Stop, url.Values{"List-Unsubscribe": {"One-Click"}}); w.Code != 200 || state(over.ID) != dtm.SubscriptionEnded {
		t.Errorf("posting: %d, %s", w.Code, state(over.ID))
	}
	file := filepath.Join(t.TempDir(), "january.csv")
	write(t, file, movementsOf("2023-01", "Obock:9000", "Galafi (DJI):2500"))
	d.close()
	dtmRun(t, "import", "movements", "-data", d.data, file)
	d.open()
	d.on("2023-02-05 10:00")
	d.tell()
	if n := len(d.post.to("anna@example.org")); n != 0 {
		t.Errorf("%d messages after the stop", n)
	}
	if list, err := d.db.SubscriptionMessages(t.Context(), daily.ID, 5); err != nil || len(list) != 1 {
		t.Errorf("a figure that is not there is told: %v %v", list, err)
	}
	if n := len(d.post.to("lea@example.org")); n != 1 {
		t.Errorf("%d messages to lea, want the weekly digest that no server sent on Monday", n)
	}
}

// TestSubscriptionBounces: refusals for good count, others are tried again; a server that
// dies between sending and noting sends once more and no more.
func TestSubscriptionBounces(t *testing.T) {
	t.Parallel()
	d := newTold(t)
	d.on("2023-01-05 10:00")
	ctx := t.Context()
	s := d.subscribe(dtm.Subscription{Owner: "anna@example.org", Kind: dtm.SubscribeIndicator, Of: "total_movements", Rule: dtm.RuleNew, Pace: dtm.PaceOnce})
	// Busy: tried again after a minute, once.
	d.post.refusing(s.Owner, 451, "try later")
	d.tell()
	d.tell()
	if n := d.post.tried[s.Owner]; n != 1 {
		t.Errorf("tried %d times at once", n)
	}
	d.post.refusing(s.Owner, 0, "")
	d.on("2023-01-05 10:05")
	d.tell()
	d.tell()
	if n := len(d.post.to(s.Owner)); n != 1 {
		t.Fatalf("%d messages after the server was busy", n)
	}
	// Killed between the server's answer and our record.
	if _, err := d.db.QueueMessage(ctx, dtm.SubscriptionMessage{Subscription: s.ID, News: []dtm.News{{Key: "again", Kind: dtm.SubscribeIndicator, Of: "total_movements", Day: time.Date(2022, 12, 1, 0, 0, 0, 0, time.UTC)}}}, ""); err != nil {
		t.Fatal(err)
	}
	due, err := d.db.DueMessages(ctx, d.now(), 5)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	claimed, ok, err := d.db.ClaimMessage(ctx, due[0].ID, d.now().Add(time.Minute))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	mail, err := d.words().Mail(claimed, due[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := d.mailer().Send(ctx, mail); err != nil {
		t.Fatal(err)
	}
	d.close()
	d.open()
	d.on("2023-01-05 10:10")
	d.tell()
	d.tell()
	d.on("2023-01-06 10:10")
	d.tell()
	got := d.post.to(s.Owner)
	if len(got) != 2 || got[0].msg.Header.Get("Message-Id") != got[1].msg.Header.Get("Message-Id") || got[0].msg.Header.Get("Message-Id") == "" {
		t.Fatalf("%d messages", len(got))
	}
	// A message that comes back is counted once.
	file := filepath.Join(t.TempDir(), "bounce.eml")
	write(t, file, strings.ReplaceAll(fmt.Sprintf(returned, got[0].msg.Header.Get("Message-Id")), "\n", "\r\n"))
	for range 2 {
		b, err := readBounce(file)
		if err != nil || b.Status != "5.1.1" || !b.ForGood {
			t.Fatal(b, err)
		}
		if err := d.db.MessageBounced(ctx, b.ID, b.Status+" "+b.Reason); err != nil {
			t.Fatal(err)
		}
	}
	state := func() dtm.Subscription {
		s, err := d.db.Subscription(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if state().State != dtm.SubscriptionActive {
		t.Fatal("one message that came back has it rest")
	}
	d.post.refusing(s.Owner, 550, "no such user")
	for i := range 2 {
		m, err := d.trySubscription(ctx, s.ID)
		if err != nil || !m.Bounced || m.Status != 550 || !strings.Contains(m.Problem, "no such user") {
			t.Fatalf("trial %d: %+v %v", i, m, err)
		}
	}
	if x := state(); x.State != dtm.SubscriptionAtRest || x.Cause != "bounced" {
		t.Fatalf("after three came back: %s %q", x.State, x.Cause)
	}
	if _, err := d.trySubscription(ctx, s.ID); dtm.KindOf(err) != dtm.Conflict {
		t.Errorf("a trial of one that rests: %v", err)
	}
	before := d.post.tried[s.Owner]
	if _, err := d.db.QueueMessage(ctx, dtm.SubscriptionMessage{Subscription: s.ID, News: []dtm.News{{Key: "more"}}}, ""); err != nil {
		t.Fatal(err)
	}
	d.tell()
	if d.post.tried[s.Owner] != before {
		t.Error("one that rests is told")
	}
	if err := d.db.ResumeSubscription(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	d.post.refusing(s.Owner, 0, "")
	if m, err := d.trySubscription(ctx, s.ID); err != nil || m.Done == nil || m.Problem != "" {
		t.Errorf("after resuming: %+v %v", m, err)
	}
	if state().State != dtm.SubscriptionActive {
		t.Error("it rests again at once")
	}
	if err := d.db.Verify(ctx); err != nil {
		t.Error(err)
	}
}

const returned = `From: MAILER-DAEMON@example.org
To: dtm@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not work.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; anna@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such
 user here

--b
Content-Type: message/rfc822

From: dtm@example.org
Message-ID: %s
Subject: x

x
--b--
`

// TestSubscriptionWebhook: signed, tried again, stopped.
func TestSubscriptionWebhook(t *testing.T) {
	t.Parallel()
	d := newTold(t)
	d.on("2023-01-05 10:00")
	var mu sync.Mutex
	var secret string
	var bodies []string
	calls := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls == 1 || err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if err := webhook.Verify(secret, r.Header.Get(webhook.SignatureHeader), b, d.clock(), time.Minute); err != nil {
			t.Errorf("signature: %v", err)
		}
		bodies = append(bodies, string(b))
	}))
	defer receiver.Close()
	s := d.subscribe(dtm.Subscription{Owner: "anna@example.org", Channel: dtm.ChannelWebhook, URL: receiver.URL, Allow: []string{"127.0.0.1"}, Kind: dtm.SubscribeIndicator, Of: "total_movements", Where: map[string][]string{"region": {"DJ01"}}, Rule: dtm.RuleChange, Bound: 20, Pace: dtm.PaceOnce})
	mu.Lock()
	secret = s.Secret
	mu.Unlock()
	d.tell()
	ctx, stop := context.WithCancel(t.Context())
	sender := d.sender(ctx)
	sender.Now, sender.First, sender.Every = d.clock, 20*time.Millisecond, 10*time.Millisecond
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = sender.Run(ctx)
	}()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		mu.Lock()
		n := len(bodies)
		mu.Unlock()
		if n > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
		d.mu.Lock()
		d.at = d.at.Add(time.Second)
		d.mu.Unlock()
	}
	if err := d.db.StopSubscription(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	if queued, err := d.db.QueueMessage(t.Context(), dtm.SubscriptionMessage{Subscription: s.ID, News: []dtm.News{{Key: "more"}}}, ""); queued || err != nil {
		t.Errorf("queued after the stop: %v %v", queued, err)
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	<-done
	mu.Lock()
	defer mu.Unlock()
	if len(bodies) != 1 || calls != 2 {
		t.Fatalf("%d messages in %d calls, want one after a failure", len(bodies), calls)
	}
	var b struct {
		Event, Subscription string
		News                []struct {
			Value, Before float64
			Link, Text    string
		}
	}
	if err := json.Unmarshal([]byte(bodies[0]), &b); err != nil || b.Subscription != s.ID || len(b.News) != 1 || b.News[0].Value != 5000 || b.News[0].Before != 4000 || !strings.Contains(b.News[0].Link, "region=DJ01") {
		t.Errorf("%v %s", err, bodies[0])
	}
	list, err := d.db.SubscriptionMessages(t.Context(), s.ID, 5)
	if err != nil || len(list) != 1 || list[0].Done == nil || list[0].Problem != "" || list[0].Attempts != 2 {
		t.Errorf("history: %+v %v", list, err)
	}
}
