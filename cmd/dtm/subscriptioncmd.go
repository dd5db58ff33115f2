package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"dtm"
	"dtm/disseminate/notify"
	"dtm/event"
	"dtm/gather/webhook"
	"dtm/locale"
)

func runMailTest(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	to := fs.String("to", "", "`address` that the message goes to")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *to == "" {
		return wrongUse("-to is missing: who shall get the message?")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	l := dtm.Lang(*lang)
	start := time.Now()
	text := locale.Say(l, "subscription.mail.test", h.op.Title.In(l))
	if err := h.mailer().Send(ctx, notify.Mail{ID: uuid.NewString(), To: *to, Subject: locale.Say(l, "subscription.mail.test.subject", h.op.Title.In(l)), Text: text + "\n" + h.baseURL() + "\n"}); err != nil {
		return dtm.Errorf(dtm.Unavailable, "the message was not taken: %w", err)
	}
	fmt.Fprintf(c.out, "%s took the message after %d ms; look whether it arrives\n", h.config.SMTPHost, time.Since(start).Milliseconds())
	return nil
}

func runSubscriptionAdd(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	owner := fs.String("for", "", "`email` of the account that is told")
	kind := fs.String("kind", dtm.SubscribeIndicator, "indicator, alert or report")
	of := fs.String("of", "", "an indicator; or a report: monthly, weekly, annual, stranded, point-CODE, partner-CODE")
	where := fs.String("where", "", "what it is narrowed to, for example region=DJ01 or point=obock;age=children")
	rule := fs.String("rule", dtm.RuleNew, "when a figure is told: new, above, below, change")
	bound := fs.Float64("bound", 0, "threshold; of change in percent")
	pace := fs.String("pace", dtm.PaceOnce, "once (at once), daily or weekly")
	lang := fs.String("lang", "en", "language: en, fr, ar")
	address := fs.String("webhook", "", "`address` that is told in place of the e-mail address, https://...")
	allow := fs.String("allow", "", "`networks` that the address may lie in although they are not public")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *owner == "" {
		return wrongUse("-for is missing: whose subscription is it?")
	}
	s := dtm.Subscription{Owner: strings.ToLower(*owner), Kind: *kind, Of: *of, Rule: *rule, Bound: *bound, Pace: *pace, Lang: dtm.Lang(*lang), Channel: dtm.ChannelEmail, Where: map[string][]string{}, Allow: listed(*allow)}
	for _, part := range strings.FieldsFunc(*where, func(r rune) bool { return r == ';' }) {
		dim, codes, ok := strings.Cut(part, "=")
		if !ok {
			return wrongUse("-where %q: want dimension=code", part)
		}
		s.Where[strings.TrimSpace(dim)] = listed(codes)
	}
	if *address != "" {
		s.Channel, s.URL = dtm.ChannelWebhook, *address
		if own := loopback(*address); own != nil && len(s.Allow) == 0 {
			s.Allow = own
		}
		if err := webhook.CheckURL(s.URL, s.Allow); err != nil {
			return err
		}
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	u, _, err := h.db.User(ctx, s.Owner)
	if err != nil {
		return err
	}
	reach, err := h.reach(ctx, u)
	if err != nil {
		return err
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	if err := h.checkSubscription(ctx, s, reach); err != nil {
		return err
	}
	if s, err = h.db.AddSubscription(event.WithActor(ctx, "user:"+s.Owner), s); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "subscription %s\n", s.ID)
	if s.Secret != "" {
		fmt.Fprintf(c.out, "secret       %s\n", s.Secret)
		fmt.Fprintln(c.err, "The secret is shown this once; messages are signed with it.")
	}
	return nil
}

func runSubscriptionList(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	log := fs.String("log", "", "`id` of a subscription whose messages are shown")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	if *log != "" {
		list, err := h.db.SubscriptionMessages(ctx, *log, 100)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "message\tmade\tnews\tstate\tattempts\tlatest answer")
		for _, m := range list {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%s\n", m.ID, m.Created.In(h.op.Zone).Format("2006-01-02 15:04"), len(m.News), messageState(h, m), m.Attempts, m.Problem)
		}
		return w.Flush()
	}
	list, err := h.db.Subscriptions(ctx, "")
	if err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(c.err, "no subscription yet: partners and staff make them on the page Subscriptions, or `dtm subscription add` does")
		return nil
	}
	fmt.Fprintln(w, "id\tfor\tby\tto\twhen\tstate")
	for _, s := range list {
		what, when := h.words().What(dtm.English, s)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Owner, s.Channel, what, when, strings.TrimSpace(s.State+" "+s.Cause))
	}
	return w.Flush()
}

func messageState(h *house, m dtm.SubscriptionMessage) string {
	switch {
	case m.Done == nil:
		return "waiting until " + m.Next.In(h.op.Zone).Format("2006-01-02 15:04")
	case m.Bounced:
		return "came back"
	case m.Problem != "":
		return "not sent"
	}
	return "sent " + m.Done.In(h.op.Zone).Format("2006-01-02 15:04")
}

func runSubscriptionStop(ctx context.Context, c *call) error {
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
	if err := h.db.StopSubscription(ctx, args[0]); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "stopped", args[0])
	return nil
}

// runSubscriptionBounce takes a message that a mail system sent back. A system that
// sends them by the thousand is told of each what became of it.
func runSubscriptionBounce(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 1, -1)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	failed := false
	for _, name := range args {
		b, err := readBounce(c.path(name))
		switch {
		case err == nil && !b.ForGood:
			fmt.Fprintf(c.out, "%s: delayed (%s), not counted\n", name, b.Status)
			continue
		case err == nil:
			err = h.db.MessageBounced(event.WithActor(ctx, event.System), b.ID, strings.TrimSpace(b.Status+" "+b.Reason))
		}
		if err != nil {
			fmt.Fprintf(c.err, "%s: %v\n", name, err)
			failed = true
			continue
		}
		fmt.Fprintf(c.out, "%s: counted (%s)\n", name, b.Status)
	}
	if failed {
		return errSaid
	}
	return nil
}

func readBounce(path string) (notify.Bounce, error) {
	f, err := os.Open(path)
	if err != nil {
		return notify.Bounce{}, err
	}
	defer f.Close()
	return notify.ReadBounce(f)
}
