package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/event"
)

// runAgreementAdd records an agreement with a partner.
func runAgreementAdd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	partner := fs.String("partner", "", "`code` of the partner")
	kind := fs.String("kind", dtm.AgreementCases, "cases: its desks see the referrals addressed to them; figures: it receives figures and no row")
	purpose := fs.String("purpose", "", "what the data are for, in `words`")
	basis := fs.String("basis", "", "legal basis, in `words`")
	programmes := fs.String("programmes", "", "`codes` with commas; of cases")
	groups := fs.String("groups", "", "`groups` of fields with commas, of cases: "+strings.Join(dtm.FieldGroups, ", "))
	areas := fs.String("areas", "", "P-`codes` of regions with commas; the whole country when empty")
	from := fs.String("from", "", "first `day`, 2026-01-01")
	to := fs.String("to", "", "last `day`")
	onward := fs.Bool("onward", false, "the partner may pass on what it receives")
	contact := fs.String("contact", "", "`office` that answers for it")
	document := fs.String("document", "", "signed paper, a `file` whose SHA-256 is kept")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	a := dtm.Agreement{Partner: *partner, Kind: *kind, Purpose: *purpose, Basis: *basis, Programmes: listed(*programmes), Groups: listed(*groups), Areas: listed(*areas), Onward: *onward, Contact: *contact}
	for _, d := range []struct {
		name, text string
		into       *time.Time
	}{{"from", *from, &a.From}, {"to", *to, &a.To}} {
		var err error
		if *d.into, err = time.Parse(time.DateOnly, d.text); err != nil {
			return wrongUse("-%s %q: want a day, 2026-01-31", d.name, d.text)
		}
	}
	if *document != "" {
		b, err := os.ReadFile(c.path(*document))
		if err != nil {
			return dtm.Errorf(dtm.Invalid, "the signed paper cannot be read: %w", err)
		}
		sum := sha256.Sum256(b)
		a.Document = hex.EncodeToString(sum[:])
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := a.Check(h.op); err != nil {
		return err
	}
	if a, err = h.db.AddAgreement(event.WithActor(ctx, event.System), a); err != nil {
		return err
	}
	fmt.Fprintln(c.out, a.ID)
	return nil
}

// runAgreementList lists agreements, newest first.
func runAgreementList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	list, err := h.db.Agreements(ctx, "")
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no agreement yet: `dtm agreement add` records one")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "id\tpartner\tkind\tfrom\tto\tstate\tprogrammes\tgroups\tregions")
	for _, a := range list {
		state, where := "not in force", "all"
		switch {
		case a.Ended != nil:
			state = "ended " + a.Ended.In(h.op.Zone).Format("2006-01-02 15:04")
		case a.Stands(h.now(), h.op.Zone):
			state = "in force"
		}
		if len(a.Areas) > 0 {
			where = strings.Join(a.Areas, ",")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Partner, a.Kind, a.From.Format(time.DateOnly), a.To.Format(time.DateOnly), state, strings.Join(a.Programmes, ","), strings.Join(a.Groups, ","), where)
	}
	return w.Flush()
}

// runAgreementEnd ends an agreement now.
func runAgreementEnd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	why := fs.String("reason", "", "`why` it ends")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	if *why == "" {
		return wrongUse("-reason is missing: why does it end?")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.EndAgreement(event.WithActor(ctx, event.System), args[0], *why); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "ended %s\n", args[0])
	return nil
}
