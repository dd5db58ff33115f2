package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/event"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/refer"
)

// redact takes out of a submission what its form seals. A form that is not known, or
// has no tags, seals nothing.
func (h *house) redact(ctx context.Context, form, version string, doc []byte) ([]byte, bool, error) {
	s, err := h.forms.sealing(ctx, form, version)
	if err != nil {
		return nil, false, err
	}
	if s == nil {
		return doc, false, nil
	}
	public, private := s.Redacted(doc)
	return public, private, nil
}

// referralBatch is how many entries of the log are followed in one transaction.
const referralBatch = 200

// keepReferrals opens the referrals that screenings ask for, in the order of the log,
// and looks at the clocks of those that are open, until ctx ends.
func (h *house) keepReferrals(ctx context.Context) {
	h.loading.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			if err := did(ctx, "clocks of referrals", h.wakeReferrals); err != nil && ctx.Err() == nil {
				slog.ErrorContext(ctx, "the clocks of referrals could not be looked at; it will be tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	var after int64
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := h.firstDesks(ctx)
		if err == nil {
			after, err = h.db.ReferralsDone(ctx)
		}
		if err == nil {
			break
		}
		slog.ErrorContext(ctx, "opening referrals failed; it will be tried again", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
	_ = event.Follow(ctx, h.db, after, func(ctx context.Context, batch []dtm.Event) error {
		return did(ctx, "referrals", func(ctx context.Context) error { return h.followScreenings(ctx, batch) })
	}, event.Following{Batch: referralBatch, Failed: func(err error, _ int, of event.Span) {
		slog.ErrorContext(ctx, "opening referrals failed; it will be tried again", "first", of.First, "last", of.Last, "error", err)
	}})
}

// catchUpReferrals follows the log to its end, for commands that read referrals.
func (h *house) catchUpReferrals(ctx context.Context) error {
	if err := h.firstDesks(ctx); err != nil {
		return err
	}
	after, err := h.db.ReferralsDone(ctx)
	if err != nil {
		return err
	}
	for {
		batch, err := h.db.Events(ctx, after, referralBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		if err := h.followScreenings(ctx, batch); err != nil {
			return err
		}
		after = batch[len(batch)-1].Seq
	}
}

// followScreenings opens the referrals of a batch and sends those that can be.
func (h *house) followScreenings(ctx context.Context, batch []dtm.Event) error {
	ctx = event.WithActor(ctx, event.System)
	var work []dtm.ScreeningWork
	spots := map[string]*dtm.Whereabouts{}
	for _, e := range batch {
		if e.Name != dtm.SubmissionReceived {
			continue
		}
		asks, err := h.screens(ctx, e)
		if err != nil {
			return err
		}
		if !asks {
			continue
		}
		w, s, ok, err := h.screened(ctx, e.Subject)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		work = append(work, w)
		for _, r := range w.Referrals {
			spots[r.ID] = s.Spot
		}
	}
	done := batch[len(batch)-1].Seq
	if len(work) == 0 && done%1000 >= int64(len(batch)) {
		return nil // what asks for nothing is looked at again after a stop
	}
	if err := h.db.KeepScreenings(ctx, work, done); err != nil {
		return err
	}
	for _, w := range work {
		for _, r := range w.Referrals {
			if err := h.sendReferral(ctx, r.ID, spots[r.ID]); err != nil {
				return err
			}
		}
	}
	return nil
}

// screens tells whether the form of a received submission asks for referrals: the
// entry of the log names it, so that most submissions need not be read.
func (h *house) screens(ctx context.Context, e dtm.Event) (bool, error) {
	var of struct{ Form, Version string }
	if err := json.Unmarshal([]byte(e.Detail), &of); err != nil || of.Form == "" {
		return true, nil //nolint:nilerr // the submission itself says
	}
	return h.formIs(ctx, &h.screening, of.Form, of.Version, xform.Screens)
}

// formIs tells something that follows from a published form and stays so, known from
// then on. It is not of a form that is not there or has no source.
func (h *house) formIs(ctx context.Context, known *sync.Map, form, version string, is func(*xlsform.Form) bool) (bool, error) {
	key := form + "\x00" + version
	if v, ok := known.Load(key); ok {
		return v.(bool), nil
	}
	f, err := h.forms.form(ctx, form, version)
	if dtm.KindOf(err) == dtm.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v := f != nil && is(f)
	known.Store(key, v)
	return v, nil
}

// screened is what a submission leads to; false when its form asks for no referrals, or
// it cannot be read.
func (h *house) screened(ctx context.Context, id string) (dtm.ScreeningWork, dtm.Screening, bool, error) {
	var none dtm.ScreeningWork
	stored, err := h.db.Submission(ctx, id)
	if err != nil {
		return none, dtm.Screening{}, false, err
	}
	f, err := h.forms.form(ctx, stored.Form, stored.Version)
	if err != nil && dtm.KindOf(err) != dtm.NotFound {
		return none, dtm.Screening{}, false, err
	}
	if err != nil || f == nil || !xform.Screens(f) {
		return none, dtm.Screening{}, false, nil
	}
	whole, person, err := h.db.SealedSubmission(ctx, id, "referral")
	if err != nil && dtm.KindOf(err) == dtm.Gone {
		return none, dtm.Screening{}, false, nil // erased since
	}
	if err != nil {
		return none, dtm.Screening{}, false, err
	}
	if person != "" && bytes.Equal(whole.XML, stored.XML) {
		return none, dtm.Screening{}, false, nil // what was sealed is kept no more: without it nobody knows whom the hard rule guards
	}
	in, err := xform.Read(f, whole.XML)
	if err != nil {
		return none, dtm.Screening{}, false, nil //nolint:nilerr // flagged where it was received; there is nobody to refer
	}
	s := in.Screening()
	s.Submission, s.Device, s.Received = id, stored.Device, stored.Received
	if code, ok := h.op.ResolvePoint(s.Point); ok {
		s.Point = code
	}
	root, err := h.firstVersion(ctx, stored)
	if err != nil {
		return none, s, false, err
	}
	w := dtm.ScreeningWork{Submission: id}
	if s.Share {
		if person == "" {
			person = stableID("person", root)
		}
		if s.Nationality != "" {
			s.Fields["nationality"] = s.Nationality
		}
		if s.Lang != "" {
			s.Fields["language"] = s.Lang
		}
		w.Person = &dtm.Person{ID: person, Created: s.Received, Sex: s.Sex, Age: refer.AgeBand(s.Age), Fields: s.Fields}
	} else {
		person = ""
	}
	first := true
	w.Referrals = refer.Open(h.op, s, person, func(programme string) (string, string) {
		number := ""
		if n, ok := refer.ReadNumber(s.Slip); ok && first {
			number = n
		}
		first = false
		return stableID("referral", root, programme), number
	})
	var programmes []string
	for _, r := range w.Referrals {
		programmes = append(programmes, r.Programme)
	}
	if w.Person != nil {
		w.Consents = refer.AtCapture(s, person, stored.Form+" "+stored.Version, programmes, func(programme string) string { return stableID("consent", root, programme) })
	}
	return w, s, true, nil
}

// firstVersion is the id of the first of the versions of a submission.
func (h *house) firstVersion(ctx context.Context, s dtm.Submission) (string, error) {
	for range 100 {
		if s.Deprecates == "" {
			break
		}
		before, err := h.db.Submission(ctx, s.Deprecates)
		if err != nil {
			return "", err
		}
		s = before
	}
	return s.ID, nil
}

// stableID is the same for the same parts: work on a submission may be repeated.
func stableID(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write([]byte(p + "\x00"))
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, sum.Sum(nil)).String()
}

// offers are the desks for a referral, the best first, from where the person is: spot,
// or the point where they were met.
func (h *house) offers(ctx context.Context, r dtm.Referral, spot *dtm.Whereabouts) ([]refer.Offer, error) {
	desks, err := h.db.Desks(ctx)
	if err != nil {
		return nil, err
	}
	area := ""
	if p, ok := h.op.Point(r.Point); ok {
		if area = p.Area; spot == nil && p.Positioned {
			spot = &dtm.Whereabouts{Lat: p.Lat, Lon: p.Lon}
		}
	}
	return refer.Offers(h.op, r, desks, spot, area, h.now()), nil
}

// sendReferral sends a new referral to the nearest desk that can take it, so that
// nobody waits for an office to open. One for which there is no such desk stays with the
// focal point.
func (h *house) sendReferral(ctx context.Context, id string, spot *dtm.Whereabouts) error {
	r, err := h.db.Referral(ctx, id)
	if err != nil || r.State != dtm.ReferralSubmitted || r.Sent != nil {
		return err
	}
	list, err := h.offers(ctx, r, spot)
	if err != nil || len(list) == 0 || list[0].Why != "" {
		return err
	}
	_, _, err = h.db.Act(ctx, id, dtm.DoerSystem, dtm.Do{Action: dtm.ReferralSend, Version: r.Version, Desk: list[0].Desk.Code})
	if k := dtm.KindOf(err); err != nil && (k == dtm.Conflict || k == dtm.Forbidden) {
		return nil // somebody was quicker, or the desk has changed: the focal point's
	}
	return err
}

// wakeReferrals notes escalations that are due and expires what nobody acknowledged.
func (h *house) wakeReferrals(ctx context.Context) error {
	ctx = event.WithActor(ctx, event.System)
	for range 100 {
		now := h.now()
		list, err := h.db.Waking(ctx, now, 500)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, r := range list {
			c := refer.Clocks(r, now)
			if c.Expired {
				_, _, err = h.db.Act(ctx, r.ID, dtm.DoerSystem, dtm.Do{Action: dtm.ReferralExpire, Version: r.Version})
				if err != nil && dtm.KindOf(err) == dtm.Conflict { // answered meanwhile
					err = nil
				}
			} else {
				err = h.db.Escalate(ctx, r.ID, c.Escalation)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// firstDesks lets the service directory begin with the desks of the pack, once: later
// it is kept in the program.
func (h *house) firstDesks(ctx context.Context) error {
	list, err := h.db.Desks(ctx)
	if err != nil || len(list) > 0 {
		return err
	}
	ctx = event.WithActor(ctx, event.System)
	for _, d := range h.op.Desks {
		if _, err := h.db.SetDesk(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// feedbackFor is how long a device is told of its referrals after their last change.
const feedbackFor = 30 * 24 * time.Hour

// feedback is what a device is told of the referrals that its screenings opened.
func (h *house) feedback(ctx context.Context, device string) ([]dtm.ReferralFeedback, error) {
	list, _, err := h.db.Referrals(ctx, dtm.ReferralFilter{Device: &device, Since: h.now().Add(-feedbackFor), Limit: 200})
	if err != nil {
		return nil, err
	}
	var out []dtm.ReferralFeedback
	for _, r := range list {
		// A redirected one goes on under another number, which is in the list too.
		if r.State == dtm.ReferralHeld || r.State == dtm.ReferralRedirected {
			continue
		}
		out = append(out, dtm.ReferralFeedback{Number: r.Number, Programme: r.Programme, Point: r.Point, Day: refer.Clocks(r, h.now()).Start, Outcome: r.State.Told(), At: r.Changed})
	}
	return out, nil
}
