package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/gather/webhook"
)

// sender tells webhooks of new submissions.
func (h *house) sender(ctx context.Context) *webhook.Sender {
	return &webhook.Sender{Operation: h.op.Code, Log: h.db, Submissions: h.db, Queue: h.db, Body: h.hookBody,
		Failed: func(err error) {
			slog.ErrorContext(ctx, "telling webhooks failed; it will be tried again", "error", err)
		}}
}

func runWebhookAdd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	address := fs.String("url", "", "`address` that is told, https://...")
	forms := fs.String("forms", "", "ids of the `forms` that it is told of, separated by commas; all when empty")
	events := fs.String("events", dtm.SubmissionReceived, "`events` that it is told of: submission.received, submission.flagged")
	allow := fs.String("allow", "", "`networks` that the address may lie in although they are not public, for example 10.1.0.0/16")
	args, err := c.parse(fs, 0, 1)
	if err != nil {
		return err
	}
	if *address == "" && len(args) == 1 {
		*address = args[0]
	}
	if *address == "" {
		return wrongUse("-url is missing: which address shall be told?")
	}
	w := dtm.Webhook{URL: *address, Forms: listed(*forms), Events: listed(*events), Allow: listed(*allow)}
	for _, e := range w.Events {
		if e != dtm.SubmissionReceived && e != dtm.SubmissionFlagged {
			return wrongUse("there is no event %q; there are %s and %s", e, dtm.SubmissionReceived, dtm.SubmissionFlagged)
		}
	}
	if own := loopback(*address); own != nil && len(w.Allow) == 0 {
		w.Allow = own
	}
	if err := webhook.CheckURL(w.URL, w.Allow); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	known, err := h.db.Forms(ctx)
	if err != nil {
		return err
	}
	for _, id := range w.Forms {
		if !slices.ContainsFunc(known, func(f dtm.Form) bool { return f.ID == id }) {
			fmt.Fprintf(c.err, "note: there is no form %q yet; `dtm form list` shows the forms\n", id)
		}
	}
	if w, err = h.db.AddWebhook(ctx, w); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "webhook %s\nsecret  %s\n", w.ID, w.Secret)
	fmt.Fprintf(c.err, "The secret is shown this once; messages are signed with it. Try it: dtm webhook test -data %s %s\n", *data, w.ID)
	return nil
}

// listed splits a list given to a flag.
func listed(s string) (out []string) {
	for _, x := range strings.Split(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// loopback is what to allow for an address that names this very machine: who adds
// it has the data folder in hand.
func loopback(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsLoopback() {
		return []string{ip.String()}
	}
	if u.Hostname() == "localhost" {
		return []string{"127.0.0.1", "::1"}
	}
	return nil
}

func runWebhookList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	log := fs.String("log", "", "`id` of a webhook whose latest deliveries are shown")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *log != "" {
		return c.printDeliveries(ctx, h, *log)
	}
	list, err := h.db.Webhooks(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no webhook yet: `dtm webhook add -url https://...` adds one")
		return nil
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "id\taddress\tforms\tstate\twaiting\tlatest answer")
	for _, x := range list {
		forms, state, latest := "all", "open", "none"
		if len(x.Forms) > 0 {
			forms = strings.Join(x.Forms, ",")
		}
		if x.Paused != nil {
			state = "paused " + x.Paused.In(h.op.Zone).Format("2006-01-02 15:04") + ": " + x.Cause
		}
		if x.Last != nil {
			latest = attempted(h, *x.Last)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", x.ID, x.URL, forms, state, x.Waiting, latest)
	}
	return w.Flush()
}

func attempted(h *house, d dtm.Delivery) string {
	if d.Tried == nil {
		return "not tried"
	}
	at := d.Tried.In(h.op.Zone).Format("2006-01-02 15:04:05")
	if d.Problem != "" {
		return at + " " + d.Problem
	}
	return fmt.Sprintf("%s %d", at, d.Status)
}

func (c *call) printDeliveries(ctx context.Context, h *house, id string) error {
	list, err := h.db.Deliveries(ctx, id, 100)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "event\tsubmission\tstate\tattempts\tlatest answer")
	for _, d := range list {
		state := "waiting until " + d.Next.In(h.op.Zone).Format("2006-01-02 15:04:05")
		switch {
		case d.Done != nil && d.Problem != "":
			state = "given up"
		case d.Done != nil:
			state = "told"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", d.Name, d.Subject, state, d.Attempts, attempted(h, d))
	}
	return w.Flush()
}

func runWebhookRemove(ctx context.Context, c *call) error {
	return c.eachWebhook(ctx, func(h *house, id string) error {
		if err := h.db.RemoveWebhook(ctx, id); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "removed", id)
		return nil
	})
}

func runWebhookResume(ctx context.Context, c *call) error {
	return c.eachWebhook(ctx, func(h *house, id string) error {
		if err := h.db.ResumeWebhook(ctx, id); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "resumed", id)
		return nil
	})
}

// tryWebhook sends a trial message and returns the status of the answer.
func (h *house) tryWebhook(ctx context.Context, id string) (int, error) {
	list, err := h.db.Senders(ctx)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list, func(w dtm.Webhook) bool { return w.ID == id && w.Paused == nil })
	if i < 0 {
		return 0, dtm.Errorf(dtm.NotFound, "no webhook %q is open; `dtm webhook list` shows them, `dtm webhook resume` ends a pause", id)
	}
	return h.sender(ctx).Ping(ctx, list[i])
}

func runWebhookTest(ctx context.Context, c *call) error {
	return c.eachWebhook(ctx, func(h *house, id string) error {
		start := time.Now()
		status, err := h.tryWebhook(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "told: the answer was %d after %d ms\n", status, time.Since(start).Milliseconds())
		return nil
	})
}

func (c *call) eachWebhook(ctx context.Context, do func(h *house, id string) error) error {
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
	return do(h, args[0])
}
