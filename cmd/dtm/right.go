package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/event"
	"dtm/refer"
	"dtm/store/backup"
)

// forgotten is when the last backup forgets the key of somebody who was erased at a time;
// the zero time when this installation keeps no shelf of backups. The keys on the shelf
// are kept for a month, and what is too old goes with the next backup.
func (h *house) forgotten(erased time.Time) time.Time {
	if h.config.BackupDir == "" {
		return time.Time{}
	}
	return erased.Add(backup.KeysForgotten + max(time.Minute, time.Duration(h.config.BackupMinutes)*time.Minute))
}

// erase erases a person: their open referrals are withdrawn, so that nobody goes on
// looking for them, then the key is destroyed.
func (h *house) erase(ctx context.Context, person, why string) error {
	if !slices.Contains(dtm.EraseReasons, why) {
		return dtm.Errorf(dtm.Invalid, "say why").Coded("person.why")
	}
	list, _, err := h.db.Referrals(ctx, dtm.ReferralFilter{Person: &person, Open: true, Limit: 1000})
	if err != nil {
		return err
	}
	for _, r := range list {
		if !slices.Contains(refer.Actions(r, dtm.DoerFocal, h.now()), dtm.ReferralWithdraw) {
			continue
		}
		if _, _, err := h.db.Act(ctx, r.ID, dtm.DoerFocal, dtm.Do{Action: dtm.ReferralWithdraw, Version: r.Version, Reason: "person_asked"}); err != nil {
			return err
		}
	}
	return h.db.ErasePerson(ctx, person, why)
}

// referralPerson opens the folder and finds the referral of a number, which must name
// somebody. Whoever owns the machine acts as the program.
func (c *call) referralPerson(ctx context.Context, data, number string) (*house, dtm.Referral, func(), error) {
	h, done, err := c.open(ctx, data)
	if err != nil {
		return nil, dtm.Referral{}, nil, err
	}
	err = h.catchUpReferrals(ctx)
	var r dtm.Referral
	if err == nil {
		r, err = h.db.ReferralByNumber(ctx, number)
	}
	if err == nil && r.Person == "" {
		err = nobody()
	}
	if err != nil {
		done()
		return nil, r, nil, err
	}
	return h, r, done, nil
}

// runPersonExport writes everything about a person into a file that can be read.
func runPersonExport(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	out := fs.String("out", "", "`file` to write, .html")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is missing: which file?")
	}
	h, r, done, err := c.referralPerson(ctx, *data, args[0])
	if err != nil {
		return err
	}
	defer done()
	b, err := h.dossier(event.WithActor(ctx, operatorOf), r, dtm.Lang(*lang))
	if err != nil {
		return err
	}
	if err := writeNew(c.path(*out), string(b)); err != nil {
		return dtm.Errorf(dtm.Invalid, "the file cannot be written: %w", err).At(*out)
	}
	fmt.Fprintf(c.out, "wrote %s: hand it over and remove it here\n", *out)
	return nil
}

// operatorOf is the actor of commands that only who owns the machine can give.
const operatorOf = "operator"

// runPersonRestrict has nobody read on about a person, or ends that.
func runPersonRestrict(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	why := fs.String("why", "", "`reason`: "+strings.Join(dtm.RestrictReasons, ", "))
	end := fs.Bool("end", false, "let them read again")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if !slices.Contains(dtm.RestrictReasons, *why) {
		return wrongUse("-why is one of %s", strings.Join(dtm.RestrictReasons, ", "))
	}
	h, r, done, err := c.referralPerson(ctx, *data, args[0])
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.RestrictPerson(event.WithActor(ctx, operatorOf), r.Person, !*end, *why); err != nil {
		return err
	}
	if *end {
		fmt.Fprintln(c.out, "the restriction is ended: agreements and consents decide again")
		return nil
	}
	fmt.Fprintln(c.out, "restricted: no page shows this person's data, and the schedule does not erase them")
	return nil
}

// runPersonErase destroys the key of a person.
func runPersonErase(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	why := fs.String("why", "", "`reason`: "+strings.Join(dtm.EraseReasons, ", "))
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if !slices.Contains(dtm.EraseReasons, *why) {
		return wrongUse("-why is one of %s", strings.Join(dtm.EraseReasons, ", "))
	}
	h, r, done, err := c.referralPerson(ctx, *data, args[0])
	if err != nil {
		return err
	}
	defer done()
	if err := h.erase(event.WithActor(ctx, operatorOf), r.Person, *why); err != nil {
		return err
	}
	p, err := h.db.Person(ctx, r.Person)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, "erased: the key is destroyed, and nothing of this person can be read here any more")
	if by := h.forgotten(*p.Erased); !by.IsZero() {
		fmt.Fprintf(c.out, "the last backup on the shelf forgets it by %s; backups written by `dtm backup -out` hold the key for as long as they are kept\n", by.In(h.op.Zone).Format("2006-01-02 15:04"))
		return nil
	}
	fmt.Fprintln(c.out, "no shelf of backups is set; backups written by `dtm backup -out` hold the key for as long as they are kept")
	return nil
}
