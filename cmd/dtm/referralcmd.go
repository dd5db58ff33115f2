package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/refer"
)

func runReferralList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	desk := fs.String("desk", "", "those addressed to the desk with this `code`")
	state := fs.String("state", "", "those in this `state`: submitted, sent, accepted ...")
	all := fs.Bool("all", false, "those that are over too")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.catchUpReferrals(ctx); err != nil {
		return err
	}
	f := dtm.ReferralFilter{Open: !*all && *state == "", Limit: 1000}
	if *desk != "" {
		f.Desks = []string{*desk}
	}
	if *state != "" {
		f.States = []dtm.ReferralState{dtm.ReferralState(*state)}
	}
	list, total, err := h.db.Referrals(ctx, f)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no referral is open; screenings open them, and -all shows those that are over")
		return nil
	}
	now := h.now()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "number\tpriority\tstate\tprogramme\tdesk\tpoint\twaits since\tdue")
	for _, r := range list {
		clock := refer.Clocks(r, now)
		due := "-"
		if !r.State.Terminal() && clock.Left != 0 {
			due = brief(clock.Left)
			if clock.Left < 0 {
				due = "late by " + brief(-clock.Left)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, r.Priority, r.State, r.Programme, orDash(r.Desk), orDash(r.Point), clock.Start.In(h.op.Zone).Format("2006-01-02 15:04"), due)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if total > len(list) {
		fmt.Fprintf(c.err, "%d of %d\n", len(list), total)
	}
	return nil
}

func runReferralShow(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.catchUpReferrals(ctx); err != nil {
		return err
	}
	r, err := h.db.ReferralByNumber(ctx, args[0])
	if err != nil {
		return err
	}
	history, err := h.db.ReferralHistory(ctx, r.ID)
	if err != nil {
		return err
	}
	clock := refer.Clocks(r, h.now())
	when := func(t time.Time) string { return t.In(h.op.Zone).Format("2006-01-02 15:04") }
	fmt.Fprintf(c.out, "%s  %s, %s, for %s\n", r.Number, r.State, r.Priority, r.Programme)
	fmt.Fprintf(c.out, "desk      %s\npoint     %s\nperson    %s, %s\nneeds     %s\n", orDash(r.Desk), orDash(r.Point), orDash(r.Sex), orDash(r.Age), orDash(strings.Join(r.Needs, ", ")))
	fmt.Fprintf(c.out, "captured  %s\nreceived  %s\n", when(clock.Start), when(r.Received))
	if r.Guarded {
		fmt.Fprintln(c.out, "guarded   no return programme and no consulate")
	}
	if !clock.Believed {
		fmt.Fprintln(c.out, "          the phone's clock is not believed: the time of receipt counts")
	}
	fmt.Fprintf(c.out, "due       %s\n", when(clock.AckDue))
	for _, e := range history {
		fmt.Fprintf(c.out, "%s  %-12s %s  %s  %s %s\n", when(e.At), e.Action, e.To, orDash(e.Desk), e.Actor, e.Reason)
	}
	return nil
}

func runDeskList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	lang := fs.String("lang", "en", "language: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.firstDesks(ctx); err != nil {
		return err
	}
	list, err := h.db.Desks(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "there is no desk yet: dtm desk set -data DIR CODE -programme health -partner iom -en NAME -fr NAME")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "code\tprogramme\tpartner\tname\tplaces\ttaken\topen\tverified\tstate")
	now := h.now()
	for _, d := range list {
		places, verified, state := "no limit", "never", ""
		if d.Capacity != dtm.NoLimit {
			places = strconv.Itoa(d.Capacity)
		}
		if !d.Verified.IsZero() {
			verified = d.Verified.In(h.op.Zone).Format(time.DateOnly)
		}
		switch {
		case d.Closed:
			state = "closed"
		case d.PausedAt(now):
			state = "paused: " + d.Paused
		case now.Sub(d.Verified) > dtm.Stale:
			state = "to be verified"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", d.Code, d.Programme, d.Partner, d.Name.In(dtm.Lang(*lang)), places, d.Taken, d.Open, verified, state)
	}
	return w.Flush()
}

func runDeskSet(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	programme := fs.String("programme", "", "`code` of the programme that it answers for")
	partner := fs.String("partner", "", "`code` of the agency")
	names := dtm.Text{}
	for _, l := range []dtm.Lang{dtm.English, dtm.French, dtm.Arabic} {
		fs.Func(string(l), "`name` in this language", func(s string) error { names[l] = s; return nil })
	}
	area := fs.String("area", "", "`P-code` of the region that it serves; - for the whole country")
	capacity := fs.String("capacity", "", "how many persons it takes on at a time; none: without limit")
	pause := fs.String("pause", "", "`why` it takes nobody on now; - ends the pause")
	lat := fs.String("lat", "", "latitude in `degrees`")
	lon := fs.String("lon", "", "longitude in `degrees`")
	services := fs.String("services", "", "`needs` that it serves, separated by commas")
	languages := fs.String("languages", "", "`languages` that it speaks: om,am,so")
	days := fs.String("days", "", "`days` on which it is open: daily, mon-fri")
	hours := fs.String("hours", "08:00-16:00", "`hours` in which it is open")
	phone := fs.String("phone", "", "telephone `number` of the team")
	consulate := fs.Bool("consulate", false, "it is a consulate, or tells one")
	closed := fs.Bool("closed", false, "it does not exist any more; -closed=false opens it again")
	args, err := c.parse(fs, 1, 1)
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.firstDesks(ctx); err != nil {
		return err
	}
	d, err := h.db.Desk(ctx, args[0])
	known := err == nil
	if err != nil && dtm.KindOf(err) != dtm.NotFound {
		return err
	}
	if !known {
		if *programme == "" || *partner == "" || len(names) == 0 {
			return wrongUse("there is no desk %s yet: a new one needs -programme, -partner and -en", args[0])
		}
		d = dtm.Desk{Code: args[0], Name: dtm.Text{}, Capacity: dtm.NoLimit}
	}
	if *programme != "" {
		if !h.hasProgramme(*programme) {
			return wrongUse("there is no programme %q", *programme)
		}
		d.Programme = *programme
	}
	if *partner != "" {
		if !h.hasPartner(*partner) {
			return wrongUse("there is no partner %q", *partner)
		}
		d.Partner = *partner
	}
	for l, s := range names {
		d.Name[l] = s
	}
	if *area != "" {
		if d.Area = strings.TrimPrefix(*area, "-"); d.Area != "" {
			if _, ok := h.op.Area(d.Area); !ok {
				return wrongUse("there is no area %q", d.Area)
			}
		}
	}
	if *lat != "" || *lon != "" {
		var e1, e2 error
		d.Lat, e1 = strconv.ParseFloat(*lat, 64)
		d.Lon, e2 = strconv.ParseFloat(*lon, 64)
		if d.Located = e1 == nil && e2 == nil; !d.Located {
			return wrongUse("-lat and -lon are degrees, both")
		}
	}
	if *services != "" {
		d.Services = listed(*services)
	}
	if *languages != "" {
		d.Languages = listed(*languages)
	}
	if *days != "" {
		from, to, _ := strings.Cut(*hours, "-")
		if d.Open, err = dtm.NewPlan(*days, from, to); err != nil {
			return err
		}
	}
	if *phone != "" {
		d.Phone = *phone
	}
	if given["consulate"] {
		d.Consulate = *consulate
	}
	if given["closed"] {
		d.Closed = *closed
	}
	if d, err = h.db.SetDesk(ctx, d); err != nil {
		return err
	}
	if *capacity != "" || *pause != "" {
		n, paused := d.Capacity, d.Paused
		switch *capacity {
		case "":
		case "none":
			n = dtm.NoLimit
		default:
			if n, err = strconv.Atoi(*capacity); err != nil || n < 0 {
				return wrongUse("-capacity is a number, or none")
			}
		}
		if *pause != "" {
			paused = strings.TrimPrefix(*pause, "-")
		}
		if d, err = h.db.SetCapacity(ctx, d.Code, n, paused, d.Until); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.out, "desk %s, version %d\n", d.Code, d.Version)
	return nil
}

func (h *house) hasProgramme(code string) bool {
	for _, p := range h.op.Programmes {
		if p.Code == code {
			return true
		}
	}
	return false
}

func (h *house) hasPartner(code string) bool {
	for _, p := range h.op.Partners {
		if p.Code == code {
			return true
		}
	}
	return false
}
