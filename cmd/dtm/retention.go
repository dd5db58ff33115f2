package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"dtm"
	"dtm/event"
	"dtm/web"
)

// retained is one line of the schedule: for how many days a kind of data is kept, from
// what on, and what happens then. 0 days: it is kept.
type retained struct {
	Kind string
	Days int64
	// due counts what lies before a time, with how much is held back; do erases it.
	due func(ctx context.Context, before time.Time) (n, held int, err error)
	do  func(ctx context.Context, before time.Time) (n int, err error)
}

// schedule is the retention schedule of the settings.
func (h *house) schedule() []retained {
	simple := func(f func(context.Context, time.Time, bool) (int, error)) (func(context.Context, time.Time) (int, int, error), func(context.Context, time.Time) (int, error)) {
		return func(ctx context.Context, t time.Time) (int, int, error) {
				n, err := f(ctx, t, false)
				return n, 0, err
			}, func(ctx context.Context, t time.Time) (int, error) {
				return f(ctx, t, true)
			}
	}
	persons := retained{Kind: "persons", Days: h.config.RetainPersons,
		due: func(ctx context.Context, t time.Time) (int, int, error) {
			_, n, held, err := h.db.PersonsDue(ctx, t, 0)
			return n, held, err
		},
		do: h.eraseDue,
	}
	originals := retained{Kind: "originals", Days: h.config.RetainOriginals}
	originals.due, originals.do = simple(h.db.OriginalsDue)
	slips := retained{Kind: "slips", Days: h.config.RetainSlips}
	slips.due, slips.do = simple(h.db.SlipsDue)
	return []retained{persons, originals, slips}
}

// eraseDue erases the persons who are due, some at a time.
func (h *house) eraseDue(ctx context.Context, before time.Time) (n int, err error) {
	for {
		list, _, _, err := h.db.PersonsDue(ctx, before, 200)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, id := range list {
			if err := h.db.ErasePerson(ctx, id, dtm.EraseRetention); err != nil {
				return n, err
			}
			n++
		}
	}
}

// retention says what has been kept long enough, and with do erases it and records how
// much of each kind went.
func (h *house) retention(ctx context.Context, do bool) ([]web.Retained, error) {
	var list []web.Retained
	gone := map[string]int{}
	for _, r := range h.schedule() {
		line := web.Retained{Kind: r.Kind, Days: int(r.Days)}
		if r.Days > 0 {
			line.Before = h.now().AddDate(0, 0, -int(r.Days))
			var err error
			if line.Due, line.Held, err = r.due(ctx, line.Before); err != nil {
				return list, err
			}
			if do && line.Due > 0 {
				if line.Gone, err = r.do(ctx, line.Before); err != nil {
					return list, err
				}
				gone[r.Kind] = line.Gone
			}
		}
		list = append(list, line)
	}
	if len(gone) == 0 {
		return list, nil
	}
	b, err := json.Marshal(gone)
	if err != nil {
		return list, err
	}
	return list, h.db.Record(ctx, dtm.RetentionDone, "schedule", string(b))
}

// retain carries the schedule out when the settings say so; nightly calls it.
func (h *house) retain(ctx context.Context) {
	if !h.config.RetainNightly {
		return
	}
	if _, err := h.retention(event.WithActor(ctx, event.System), true); err != nil && ctx.Err() == nil {
		slog.ErrorContext(ctx, "the retention schedule failed; it runs again tomorrow", "error", err)
	}
}

// runRetention shows what is due, and with -do erases it.
func runRetention(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	do := fs.Bool("do", false, "erase what is due; without it nothing is changed")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	list, err := h.retention(event.WithActor(ctx, operatorOf), *do)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "kind\tkept for\tdue now\theld back\terased\twhat it is")
	says := map[string]string{"persons": "names, contacts, notes: the key of whoever nothing has happened to since their last referral is destroyed", "originals": "submissions as phones sent them, with the sealed answers; the register keeps what it took from them", "slips": "codes on slips, from the day they expire"}
	for _, r := range list {
		days := "for good"
		if r.Days > 0 {
			days = fmt.Sprintf("%d days", r.Days)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\n", r.Kind, days, r.Due, r.Held, r.Gone, says[r.Kind])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !*do {
		fmt.Fprintln(c.err, "nothing was changed; -do erases what is due. What is held back has an open referral or is restricted.")
	}
	return nil
}
