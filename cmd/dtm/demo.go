package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"dtm"
	"dtm/access"
	"dtm/config"
	"dtm/demo"
	"dtm/event"
	"dtm/gather/bulk"
	"dtm/gather/entry"
	"dtm/gather/openrosa"
	"dtm/gather/xlsform"
)

const (
	demoSeed   = 20170501 // the month flow monitoring began in Djibouti
	demoMonths = 24
	demoRecent = 60 // days of submissions of the other forms
)

func runDemo(ctx context.Context, c *call) error {
	fs := c.flags()
	apply := config.Flags(fs, "listen", "cache")
	months := fs.Int("months", demoMonths, "`months` of data, up to today")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	quiet := *c
	quiet.out = c.err
	var now clock
	h, err := quiet.makeHouse(ctx, dir+"/data", "djibouti", true, now.now)
	if err != nil {
		return err
	}
	defer h.close()
	if err := apply(&h.config); err != nil {
		return err
	}
	l, err := h.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	if err := c.invent(ctx, h, *months); err != nil {
		return err
	}
	if err := h.inventReferrals(ctx, &now); err != nil {
		return err
	}
	accounts, err := h.demoAccounts(ctx)
	if err != nil {
		return err
	}
	_, token, err := h.db.AddDevice(ctx, "demo-phone", "obock")
	if err != nil {
		return err
	}
	if err := h.demoPlans(ctx, *months); err != nil {
		return err
	}
	last := dtm.MonthOf(h.today()).Add(-1)
	if _, err := h.db.ImportOutside(event.WithActor(ctx, "user:manager@example.org"), "demo.csv", demo.Outside(dtm.Months(last.Add(2-*months), last).Months(), demoSeed)); err != nil {
		return err
	}
	return c.serve(ctx, h, l, func(base string) {
		fmt.Fprintf(c.out, "\nThe demo is at %s/en/ (also /fr/ and /ar/). All its figures are synthetic.\n\nPhone (ODK Collect, server address):\n  %s%s\nBrowser form (works without network after the first visit):\n  %s%s\n\nAccounts, for this run only; sign in at %s/en/staff/\n", base, base, openrosa.Path(token), base, entry.Path(token), base)
		for _, a := range accounts {
			note := ""
			if access.NeedsSecond(a[1]) {
				note = "  (asks for a second factor first)"
			}
			fmt.Fprintf(c.out, "  %-28s %-12s %s%s\n", a[0], a[1], a[2], note)
		}
		fmt.Fprintf(c.out, "\nOther commands work on it meanwhile: %s indicator -data %s total_movements -from %s\nCtrl-C ends it and removes its data.\n", os.Args[0], h.dir, dtm.MonthOf(time.Now()))
	})
}

// invent sends the demo's groups in by the way that phones' submissions take, many
// at once, and loads them; of the latest days also submissions of the other forms.
func (c *call) invent(ctx context.Context, h *house, months int) error {
	form, err := h.forms.form(ctx, "fmr", "")
	if err != nil {
		return err
	}
	others, err := h.demoForms(ctx)
	if err != nil {
		return err
	}
	phones := map[string]string{} // by point: one each, admitted when it first sends
	now := time.Now().In(h.op.Zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	start := dtm.MonthOf(today).Add(1 - months).First()
	days := int(today.Sub(start).Hours()/24) + 1
	began := time.Now()
	show, end := c.progress("inventing groups", int64(days), began)
	type sending struct {
		form   *xlsform.Form
		device string
		demo.Instance
	}
	work := make(chan sending, 1000)
	ctx = event.WithActor(ctx, "system")
	var wg sync.WaitGroup
	errs := make(chan error, 32)
	for range 32 { // as many phones: the store commits them in groups
		wg.Go(func() {
			for x := range work {
				s := dtm.Submission{ID: x.ID, Form: x.form.ID, Version: x.form.Version, Device: x.device, Received: x.Sent(), XML: x.XML}
				if _, err := h.db.Receive(ctx, s); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	sent, groups := 0, 0
	var failed error
feed:
	for n := range days {
		date := start.AddDate(0, 0, n)
		list := []sending{}
		for _, x := range demo.Day(h.op, form, start, date, demoSeed) {
			list = append(list, sending{form, "", x})
		}
		if n >= days-demoRecent {
			for f, d := range others {
				for _, x := range d.Day(date, demoSeed) {
					list = append(list, sending{f, "", x})
				}
			}
		}
		for _, x := range list {
			if x.Sent().After(began) {
				continue // today is not over
			}
			if _, ok := phones[x.Point]; !ok && x.Point != "" {
				d, _, err := h.db.AddDevice(ctx, x.Point+"-1", x.Point)
				if err != nil {
					failed = err
					break feed
				}
				phones[x.Point] = d.ID
			}
			x.device = phones[x.Point]
			select {
			case work <- x:
				sent++
				if x.form == form {
					groups++
				}
			case failed = <-errs:
				break feed
			case <-ctx.Done():
				failed = ctx.Err()
				break feed
			}
		}
		show(bulk.Progress{Read: int64(n + 1), Size: int64(days), Rows: sent})
	}
	close(work)
	wg.Wait()
	end()
	select {
	case err := <-errs:
		return err
	default:
	}
	if failed != nil {
		return failed
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.err, "%d groups of %d days and %d submissions of other forms, in %.1f s\n", groups, days, sent-groups, time.Since(began).Seconds())
	return nil
}

// demoPlans says when the points with a phone are observed and by whom: every day from
// six to six, Loyada not on Fridays.
func (h *house) demoPlans(ctx context.Context, months int) error {
	ctx = event.WithActor(ctx, "user:manager@example.org")
	devices, err := h.db.Devices(ctx)
	if err != nil {
		return err
	}
	from := dtm.MonthOf(h.today()).Add(1 - months).First()
	for _, d := range devices {
		if d.Point == "" || d.Name != d.Point+"-1" {
			continue
		}
		plan := dtm.Plan{Days: dtm.EveryDay, Start: 6 * time.Hour, End: 18 * time.Hour}
		if d.Point == "loyada" {
			plan.Days &^= 1 << time.Friday
		}
		crew := dtm.Crew{Devices: []string{d.ID}}
		if d.Point == "obock" {
			crew.Enumerators = []string{"enumerator@example.org"}
		}
		for _, c := range []dtm.PointChange{{Point: d.Point, Kind: dtm.PointPlanned, From: from, Plan: &plan}, {Point: d.Point, Kind: dtm.PointAssigned, From: from, Crew: &crew}} {
			if _, err := h.ChangePoint(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// demoForms are the other forms of the pack that the demo knows how to fill in.
func (h *house) demoForms(ctx context.Context) (map[*xlsform.Form]*demo.Form, error) {
	list, err := h.db.Forms(ctx)
	if err != nil {
		return nil, err
	}
	out := map[*xlsform.Form]*demo.Form{}
	for _, f := range list {
		form, err := h.forms.form(ctx, f.ID, "")
		if err != nil {
			return nil, err
		}
		d, err := demo.NewForm(h.op, form)
		if err != nil {
			return nil, err
		}
		if d != nil {
			out[form] = d
		}
	}
	return out, nil
}

// demoAccounts makes a user of each role with a password of this run.
func (h *house) demoAccounts(ctx context.Context) ([][3]string, error) {
	var out [][3]string
	for _, role := range dtm.StaffRoles {
		b := make([]byte, 9)
		rand.Read(b)
		password := strings.TrimRight(base64.RawURLEncoding.EncodeToString(b), "=")
		hash, err := access.HashPassword(ctx, rand.Reader, password)
		if err != nil {
			return nil, err
		}
		email := role + "@example.org"
		if err := h.db.AddUser(ctx, demoUser(email, role), hash); err != nil {
			return nil, err
		}
		out = append(out, [3]string{email, role, password})
	}
	return out, nil
}

// demoUser works for a partner or at a desk where the role needs one.
func demoUser(email, role string) dtm.User {
	u := dtm.User{Email: email, Role: role}
	switch role {
	case dtm.RoleDesk:
		u.Partner, u.Desk = "iom", "mrc-obock-health"
	case dtm.RolePartner:
		u.Partner = "insd"
	}
	return u
}
