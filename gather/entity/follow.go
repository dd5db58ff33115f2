package entity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"dtm"
	"dtm/event"
)

// Submissions is the part of dtm.Submissions that following needs.
type Submissions interface {
	Submission(ctx context.Context, id string) (dtm.Submission, error)
}

// Follower does to entity lists what submissions and forms say, in the order of
// the log. Every submission's work and its mark in the log are one transaction,
// so it is done once, wherever the program is stopped.
type Follower struct {
	Log         dtm.Events
	Submissions Submissions
	Entities    dtm.Entities
	Progress    dtm.EntityProgress
	// Lists gives the lists that a version of a form declares, with the
	// properties it saves to.
	Lists func(ctx context.Context, form, version string) ([]dtm.EntityList, error)
	// Declared gives what a submission asks for, in document order.
	Declared func(ctx context.Context, s dtm.Submission) ([]Declared, error)
	Now      func() time.Time
	// Failed is told of failures, which are tried again; nil to ignore.
	Failed func(err error)

	mu sync.Mutex // one piece of work at a time
}

// lookEvery is how often updates that have waited too long are looked for.
const lookEvery = 10 * time.Minute

// Run follows the log until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			if err := f.Overdue(ctx); err != nil && ctx.Err() == nil {
				f.failed(err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	after, err := f.Progress.EntitiesDone(ctx)
	for pause := time.Second; err != nil; pause = min(2*pause, time.Minute) {
		f.failed(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		after, err = f.Progress.EntitiesDone(ctx)
	}
	return event.Follow(ctx, f.Log, after, f.Handle, event.Following{Failed: func(err error, _ int, of event.Span) {
		f.failed(fmt.Errorf("entities of events %d to %d: %w", of.First, of.Last, err))
	}})
}

func (f *Follower) failed(err error) {
	if f.Failed != nil {
		f.Failed(err)
	}
}

// CatchUp does what there is to do and returns.
func (f *Follower) CatchUp(ctx context.Context) error {
	after, err := f.Progress.EntitiesDone(ctx)
	if err != nil {
		return err
	}
	for {
		batch, err := f.Log.Events(ctx, after, 500)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := f.Handle(ctx, batch); err != nil {
			return err
		}
		after = batch[len(batch)-1].Seq
	}
}

// markEvery is after how many entries without work the position is written.
const markEvery = 1000

// Handle does the work of entries of the log, oldest first. Entries that were done
// before are passed over.
func (f *Follower) Handle(ctx context.Context, batch []dtm.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	done, err := f.Progress.EntitiesDone(ctx)
	if err != nil {
		return err
	}
	marked := done
	for _, e := range batch {
		if e.Seq <= done {
			continue
		}
		wrote, err := f.entry(ctx, e)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if wrote {
			marked = e.Seq
		}
	}
	// Entries without work are marked now and then: looking at them again after a
	// restart changes nothing, and a write for each would compete with phones.
	if last := batch[len(batch)-1].Seq; last >= max(done, marked)+markEvery {
		return f.Entities.ChangeEntities(ctx, dtm.EntityWork{Done: last})
	}
	return nil
}

// entry does one entry's work and tells whether it marked the entry as done.
func (f *Follower) entry(ctx context.Context, e dtm.Event) (bool, error) {
	switch e.Name {
	case dtm.FormPublished:
		var d struct{ Version string }
		if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
			return false, err
		}
		lists, err := f.Lists(ctx, e.Subject, d.Version)
		if err != nil {
			return false, unlessNever(err)
		}
		for _, l := range lists {
			if err := f.Entities.DeclareEntityList(ctx, l); unlessNever(err) != nil {
				return false, err
			}
		}
	case dtm.SubmissionReceived:
		return f.submission(ctx, e, false)
	case dtm.SubmissionReviewed:
		var d struct{ To string }
		if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
			return false, err
		}
		if d.To == dtm.StateConfirmed {
			return f.submission(ctx, e, true)
		}
	}
	return false, nil
}

// unlessNever is err, nil when trying again cannot help: the form is not one of
// ours, the submission cannot be read.
func unlessNever(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch dtm.KindOf(err) {
	case dtm.Invalid, dtm.NotFound, dtm.Unsupported, dtm.TooLarge:
		return nil
	}
	return err
}

// attempts bounds how often work is done anew because somebody changed the same
// entity meanwhile; after that the log's follower waits and comes back.
const attempts = 5

// submission follows what a submission declares; approved: what waited for its
// review.
func (f *Follower) submission(ctx context.Context, e dtm.Event, approved bool) (bool, error) {
	var of struct{ Form, Version string }
	if err := json.Unmarshal([]byte(e.Detail), &of); err == nil && of.Form != "" {
		// Most forms declare no entities: their submissions need not be read.
		if lists, err := f.Lists(ctx, of.Form, of.Version); err != nil || len(lists) == 0 {
			return false, unlessNever(err)
		}
	}
	s, err := f.Submissions.Submission(ctx, e.Subject)
	if err != nil {
		return false, unlessNever(err)
	}
	all, err := f.Declared(ctx, s)
	if err != nil || len(all) == 0 {
		return false, unlessNever(err)
	}
	from := From{Submission: s.ID, At: s.Received, Actor: e.Actor}
	for n := 1; ; n++ {
		w := &work{f: f, ctx: ctx, states: map[[2]string]State{}, held: map[[2]string][]dtm.HeldEntity{}}
		w.Done = e.Seq
		for _, d := range all {
			wanted, err := f.wanted(ctx, s, d, approved)
			if err != nil {
				return false, err
			}
			if !wanted {
				continue
			}
			if err := w.declare(d, from, false); err != nil {
				return false, err
			}
		}
		err := f.Entities.ChangeEntities(event.WithActor(ctx, e.Actor), w.EntityWork)
		if err == nil || n == attempts || !stale(err) {
			return err == nil, err
		}
	}
}

func stale(err error) bool {
	var e *dtm.Error
	return errors.As(err, &e) && e.Code == "entity.stale"
}

// wanted tells whether a declaration is to be followed: not without an approval
// that its list asks for, and once, although the submission is edited later. Once
// approved, only what waited for it is.
func (f *Follower) wanted(ctx context.Context, s dtm.Submission, d Declared, approved bool) (bool, error) {
	waits := false
	if d.Create {
		l, err := f.Entities.EntityList(ctx, d.List)
		if err != nil && dtm.KindOf(err) != dtm.NotFound {
			return false, err
		}
		waits = err == nil && l.Approval
	}
	switch {
	case waits && s.State != dtm.StateConfirmed, !waits && approved:
		return false, nil
	case approved:
		made, err := f.Progress.FromSubmission(ctx, d.List, s.ID)
		if err != nil || made {
			return false, err
		}
	}
	seen := map[string]bool{}
	id := s.Deprecates // its own work is marked in the log
	for id != "" && !seen[id] {
		seen[id] = true
		made, err := f.Progress.FromSubmission(ctx, d.List, id)
		if err != nil || made {
			return false, err
		}
		before, err := f.Submissions.Submission(ctx, id)
		if dtm.KindOf(err) == dtm.NotFound && err != nil {
			break
		}
		if err != nil {
			return false, err
		}
		id = before.Deprecates
	}
	return true, nil
}

// Overdue applies the updates that have waited for their predecessor longer than
// Patience.
func (f *Follower) Overdue(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		held, err := f.Progress.HeldEntities(ctx, "", "")
		if err != nil {
			return err
		}
		if len(held) == 0 || f.Now().Sub(held[0].Since) < Patience {
			return nil
		}
		// Of the same entity and branch the earliest one goes first, even if it
		// came last: the others may then follow it in order.
		h := held[0]
		for _, o := range held {
			if o.List == h.List && o.ID == h.ID && o.Branch == h.Branch && o.Base < h.Base {
				h = o
			}
		}
		w := &work{f: f, ctx: ctx, states: map[[2]string]State{}, held: map[[2]string][]dtm.HeldEntity{}}
		if err := w.release(h, true); err != nil {
			return err
		}
		if err := f.Entities.ChangeEntities(ctx, w.EntityWork); err != nil && !stale(err) {
			return err
		}
	}
}

// work gathers what is written together, and knows the entities as they will be
// after it.
type work struct {
	f   *Follower
	ctx context.Context
	dtm.EntityWork
	states map[[2]string]State
	held   map[[2]string][]dtm.HeldEntity // not released yet
}

func (w *work) state(list, id string) (State, error) {
	key := [2]string{list, id}
	if s, ok := w.states[key]; ok {
		return s, nil
	}
	var s State
	e, err := w.f.Entities.Entity(w.ctx, list, id)
	switch {
	case err == nil:
		s.Entity = e
		if s.Versions, err = w.f.Entities.EntityVersions(w.ctx, list, id); err != nil {
			return s, err
		}
	case dtm.KindOf(err) != dtm.NotFound:
		return s, err
	}
	if w.held[key], err = w.f.Progress.HeldEntities(w.ctx, list, id); err != nil {
		return s, err
	}
	w.states[key] = s
	return s, nil
}

// declare follows one declaration, then what was waiting for it.
func (w *work) declare(d Declared, from From, force bool) error {
	s, err := w.state(d.List, d.ID)
	if err != nil {
		return err
	}
	v := Apply(s, d, from, force)
	key := [2]string{d.List, d.ID}
	switch {
	case v.Refuse != "":
		w.Refuse = append(w.Refuse, dtm.EntityRefusal{Submission: from.Submission, List: d.List, ID: d.ID, Code: v.Refuse})
		return nil
	case v.Hold != nil:
		w.Hold = append(w.Hold, *v.Hold)
		return nil
	case v.Change == nil:
		return nil
	}
	w.Changes = append(w.Changes, *v.Change)
	w.states[key] = s.with(*v.Change)
	if h, ok := next(w.held[key], w.states[key]); ok {
		return w.release(h, false)
	}
	return nil
}

// release follows a declaration that was held.
func (w *work) release(h dtm.HeldEntity, force bool) error {
	if _, err := w.state(h.List, h.ID); err != nil {
		return err
	}
	key := [2]string{h.List, h.ID}
	var rest []dtm.HeldEntity
	for _, o := range w.held[key] {
		if o.Submission != h.Submission {
			rest = append(rest, o)
		}
	}
	w.held[key] = rest
	w.Release = append(w.Release, h)
	s, err := w.f.Submissions.Submission(w.ctx, h.Submission)
	if err != nil {
		return err
	}
	actor := event.System
	if s.Device != "" {
		actor = "device:" + s.Device
	}
	return w.declare(declared(h), From{Submission: h.Submission, At: w.f.Now(), Actor: actor}, force)
}
