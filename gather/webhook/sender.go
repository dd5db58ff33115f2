package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"dtm"
	"dtm/event"
)

// Submissions is the part of dtm.Submissions that sending needs.
type Submissions interface {
	Submission(ctx context.Context, id string) (dtm.Submission, error)
}

// Sender follows the log and tells webhooks. The fields above the line are
// required.
type Sender struct {
	Operation   string // code
	Log         dtm.Events
	Submissions Submissions
	Queue       dtm.WebhookQueue
	// Body writes a delivery that is not about a submission; nil: there are none.
	Body func(ctx context.Context, d dtm.Delivery) ([]byte, error)

	// -----

	Now     func() time.Time
	Jitter  func() float64  // in [0, 1)
	Timeout time.Duration   // of one attempt, 15 s
	First   time.Duration   // pause after the first failure, 5 s; doubles with each more
	Longest time.Duration   // longest pause, 1 h
	GiveUp  time.Duration   // failing this long pauses the webhook, 72 h
	Every   time.Duration   // how often what is due is looked for, 1 s
	Failed  func(err error) // told of failures of ours; nil to ignore

	marked int64 // position that was written last

	wake    chan struct{}
	mu      sync.Mutex
	clients map[string]*http.Client
	rest    map[string]resting // by webhook
	busy    map[string]bool
}

// resting is how a webhook that failed is spared: all that waits for it is asked
// of it once a pause, not each on its own.
type resting struct {
	until    time.Time
	failures int
	well     time.Time // latest success
}

const (
	keepLog = 30 * 24 * time.Hour // deliveries that went well
	atOnce  = 100                 // most deliveries read at a time

	// markEvery is after how many entries that concern nobody the position is written.
	markEvery = 1000
)

func (s *Sender) init() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients != nil {
		return
	}
	s.clients, s.rest, s.busy, s.wake = map[string]*http.Client{}, map[string]resting{}, map[string]bool{}, make(chan struct{}, 1)
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Jitter == nil {
		s.Jitter = rand.Float64
	}
	for _, d := range []struct {
		into      *time.Duration
		otherwise time.Duration
	}{{&s.Timeout, 15 * time.Second}, {&s.First, 5 * time.Second}, {&s.Longest, time.Hour}, {&s.GiveUp, 72 * time.Hour}, {&s.Every, time.Second}} {
		if *d.into == 0 {
			*d.into = d.otherwise
		}
	}
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	s.init()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.dispatch(ctx, &wg) })
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		after, err := s.start(ctx)
		if err == nil {
			return event.Follow(ctx, s.Log, after, s.queue, event.Following{Failed: func(err error, _ int, _ event.Span) { s.failed(err) }})
		}
		s.failed(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (s *Sender) failed(err error) {
	if s.Failed != nil && !errors.Is(err, context.Canceled) {
		s.Failed(fmt.Errorf("webhooks: %w", err))
	}
}

// start is where following begins: what came before the first webhook concerns
// nobody.
func (s *Sender) start(ctx context.Context) (int64, error) {
	done, err := s.Queue.WebhooksDone(ctx)
	if err != nil {
		return 0, err
	}
	hooks, err := s.Queue.Senders(ctx)
	if err != nil {
		return 0, err
	}
	if len(hooks) == 0 {
		last, err := s.Log.Last(ctx)
		return max(done, last), err
	}
	first := hooks[0].Since
	for _, h := range hooks {
		first = min(first, h.Since)
	}
	return max(done, first), nil
}

// queue notes who is to be told of a batch of entries.
func (s *Sender) queue(ctx context.Context, batch []dtm.Event) error {
	hooks, err := s.Queue.Senders(ctx)
	if err != nil || len(hooks) == 0 {
		return err
	}
	var list []dtm.Delivery
	now := s.Now()
	for _, e := range batch {
		if e.Name != dtm.SubmissionReceived && e.Name != dtm.SubmissionFlagged {
			continue
		}
		var d struct{ Form string }
		if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
			d.Form = ""
		}
		for _, h := range hooks {
			// What came before a pause waits with the rest for its end.
			if e.Seq <= h.Since || !slices.Contains(h.Events, e.Name) || h.Paused != nil && !e.At.Before(*h.Paused) {
				continue
			}
			if len(h.Forms) > 0 {
				if d.Form == "" {
					sub, err := s.Submissions.Submission(ctx, e.Subject)
					if err != nil {
						return err
					}
					d.Form = sub.Form
				}
				if !slices.Contains(h.Forms, d.Form) {
					continue
				}
			}
			list = append(list, dtm.Delivery{ID: fmt.Sprintf("%s-%d", h.ID, e.Seq), Webhook: h.ID, Event: e.Seq, Name: e.Name,
				Subject: e.Subject, Created: now, Next: now})
		}
	}
	last := batch[len(batch)-1].Seq
	if len(list) == 0 && last < s.marked+markEvery {
		return nil // looked at again after a restart, with the same result
	}
	if err := s.Queue.QueueDeliveries(ctx, list, last); err != nil {
		return err
	}
	s.marked = last
	if len(list) > 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// dispatch sets a worker to every webhook that something is due for.
func (s *Sender) dispatch(ctx context.Context, wg *sync.WaitGroup) {
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	var forgotten time.Time
	for {
		hooks, err := s.Queue.Senders(ctx)
		if err != nil {
			s.failed(err)
		}
		for _, h := range hooks {
			s.mu.Lock()
			free := h.Paused == nil && !s.busy[h.ID] && h.Waiting > 0 && !s.Now().Before(s.rest[h.ID].until)
			if free {
				s.busy[h.ID] = true
			}
			s.mu.Unlock()
			if free {
				wg.Go(func() {
					if err := s.serve(ctx, h); err != nil && ctx.Err() == nil {
						s.failed(err)
					}
					s.mu.Lock()
					delete(s.busy, h.ID)
					s.mu.Unlock()
				})
			}
		}
		if now := s.Now(); now.Sub(forgotten) > time.Hour {
			if err := s.Queue.ForgetDeliveries(ctx, now.Add(-keepLog)); err != nil {
				s.failed(err)
			}
			forgotten = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// serve tells one webhook what is due, oldest first, until something fails.
func (s *Sender) serve(ctx context.Context, h dtm.Webhook) error {
	for {
		due, err := s.Queue.DueDeliveries(ctx, h.ID, s.Now(), atOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, d := range due {
			ok, err := s.attempt(ctx, h, d)
			if err != nil || !ok || ctx.Err() != nil {
				return err
			}
		}
	}
}

func (s *Sender) body(ctx context.Context, d dtm.Delivery) ([]byte, error) {
	if d.Name != dtm.SubmissionReceived && d.Name != dtm.SubmissionFlagged && s.Body != nil {
		return s.Body(ctx, d)
	}
	sub, err := s.Submissions.Submission(ctx, d.Subject)
	if err != nil {
		return nil, err
	}
	return message(s.Operation, d, sub)
}

// attempt tries one delivery and records how it went.
func (s *Sender) attempt(ctx context.Context, h dtm.Webhook, d dtm.Delivery) (ok bool, err error) {
	body, err := s.body(ctx, d)
	if err != nil {
		return false, err
	}
	status, retryAfter, problem := s.post(ctx, h, d.ID, d.Name, body)
	if ctx.Err() != nil {
		return false, ctx.Err() // we are stopping: it is tried again after the start
	}
	now := s.Now()
	d.Attempts++
	d.Tried, d.Status, d.Problem = &now, status, ""
	pause := ""
	s.mu.Lock()
	r := s.rest[h.ID]
	if problem == nil {
		r = resting{well: now}
		d.Done = &now
	} else {
		d.Problem = problem.Error()
		d.Next = now.Add(max(s.backoff(d.Attempts), retryAfter))
		r.failures++
		r.until = now.Add(s.backoff(r.failures))
		switch {
		case status == http.StatusGone:
			pause = "the address answered that it is gone (410)"
		case now.Sub(d.Created) >= s.GiveUp && r.well.After(d.Created):
			// The address works, this message alone does not: it is given up, and
			// stays in the log with its problem.
			d.Done = &now
		case now.Sub(d.Created) >= s.GiveUp:
			pause = fmt.Sprintf("it failed for %d hours; the latest reason: %s", int(s.GiveUp.Hours()), d.Problem)
		}
	}
	s.rest[h.ID] = r
	s.mu.Unlock()
	return problem == nil, s.Queue.Delivered(ctx, d, pause)
}

// backoff is the pause after n failures: exponential, a random half of it added
// or not, so that not all come at once when a server is back.
func (s *Sender) backoff(n int) time.Duration {
	pause := s.Longest
	if n < 32 {
		if p := s.First << (n - 1); p > 0 && p < pause {
			pause = p
		}
	}
	return pause/2 + time.Duration(s.Jitter()*float64(pause)/2)
}

// Ping sends a signed trial message and returns the status of the answer. Its
// error says what is wrong with the address or the answer.
func (s *Sender) Ping(ctx context.Context, h dtm.Webhook) (int, error) {
	s.init()
	now := s.Now()
	d := dtm.Delivery{ID: fmt.Sprintf("%s-test-%d", h.ID, now.UnixMilli()), Name: Test}
	body, err := message(s.Operation, d, dtm.Submission{Received: now})
	if err != nil {
		return 0, err
	}
	status, _, problem := s.post(ctx, h, d.ID, Test, body)
	if problem != nil {
		return status, dtm.Errorf(dtm.Unavailable, "%w", problem)
	}
	return status, nil
}

// post sends a body once. A status from 200 to 299 is success.
func (s *Sender) post(ctx context.Context, h dtm.Webhook, id, name string, body []byte) (status int, retryAfter time.Duration, problem error) {
	if err := CheckURL(h.URL, h.Allow); err != nil {
		return 0, 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "dtm-webhook/1")
	r.Header.Set("DTM-Event", name)
	r.Header.Set("DTM-Delivery", id)
	r.Header.Set(SignatureHeader, Sign(h.Secret, s.Now(), body))
	c, err := s.client(h)
	if err != nil {
		return 0, 0, err
	}
	res, err := c.Do(r)
	if err != nil {
		var own *dtm.Error
		var wrapped *url.Error
		switch {
		case errors.As(err, &own):
			return 0, 0, own
		case errors.As(err, &wrapped) && wrapped.Timeout():
			return 0, 0, fmt.Errorf("no answer within %s", s.Timeout)
		case errors.As(err, &wrapped):
			return 0, 0, wrapped.Err // without the address, which may hold a secret
		}
		return 0, 0, err
	}
	defer res.Body.Close()
	// A little of the answer is read, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 16<<10)
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return res.StatusCode, 0, nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		where := "elsewhere"
		if to, err := res.Location(); err == nil {
			where = "to " + to.Host
		}
		return res.StatusCode, 0, fmt.Errorf("the answer was %d, which leads %s: redirections are not followed, add the final address", res.StatusCode, where)
	}
	if seconds, err := time.ParseDuration(strings.TrimSpace(res.Header.Get("Retry-After")) + "s"); err == nil {
		retryAfter = min(max(seconds, 0), s.Longest)
	}
	return res.StatusCode, retryAfter, fmt.Errorf("the answer was %d %s", res.StatusCode, http.StatusText(res.StatusCode))
}

func (s *Sender) client(h dtm.Webhook) (*http.Client, error) {
	nets, err := prefixes(h.Allow)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[h.ID]
	if !ok {
		c = client(strings.HasPrefix(strings.ToLower(h.URL), "https:"), nets, s.Timeout)
		s.clients[h.ID] = c
	}
	return c, nil
}
