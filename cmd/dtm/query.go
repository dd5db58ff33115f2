package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"dtm"
	"dtm/analyse/release"
	"dtm/analyse/warehouse/duckdb"
)

// askable are the figures of published releases, to be asked in SQL.
type askable struct {
	mu      sync.Mutex
	of      string // the releases that are in it
	figures *duckdb.Figures
}

func (p *askable) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.figures == nil {
		return nil
	}
	return p.figures.Close()
}

// askRows answers over rows, askFigures over published figures; every question is an
// entry of the log before it is answered.
type askRows struct{ h *house }

func (a askRows) Views() []dtm.View { return a.h.facts.Questions().Views() }

func (a askRows) Ask(ctx context.Context, text string, limit int) (dtm.Answer, error) {
	if err := a.h.noteQuestion(ctx, "rows", text); err != nil {
		return dtm.Answer{}, err
	}
	return a.h.facts.Questions().Ask(ctx, text, limit)
}

type askFigures struct{ h *house }

func (a askFigures) Views() []dtm.View { return duckdb.FigureViews() }

func (a askFigures) Ask(ctx context.Context, text string, limit int) (dtm.Answer, error) {
	if err := a.h.noteQuestion(ctx, "figures", text); err != nil {
		return dtm.Answer{}, err
	}
	p := &a.h.asked
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := a.h.fillFigures(ctx, p); err != nil {
		return dtm.Answer{}, err
	}
	return p.figures.Ask(ctx, text, limit)
}

// noteQuestion writes a question into the log.
func (h *house) noteQuestion(ctx context.Context, of, text string) error {
	if len(text) > 4000 {
		text = text[:4000]
	}
	detail, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return err
	}
	return h.db.Record(ctx, dtm.WarehouseAsked, of, string(detail))
}

// fillFigures reads the figures of the releases that are published now.
func (h *house) fillFigures(ctx context.Context, p *askable) error {
	list, err := h.db.FrozenReleases(ctx)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(r dtm.FrozenRelease) bool { return r.State != dtm.StatePublished })
	var of strings.Builder
	for _, r := range list {
		fmt.Fprintln(&of, r.Number, r.ManifestHash)
	}
	if p.figures != nil && p.of == of.String() {
		return nil
	}
	var rows [][]string
	for _, r := range list {
		lines, err := h.frozenRows(ctx, r, release.PartFigures)
		if err != nil {
			return err
		}
		for _, l := range lines[min(1, len(lines)):] {
			// indicator, period, by, keys, value, numerator, denominator, unit, basis, table
			rows = append(rows, append([]string{r.Number, r.Month.String()}, l[:9]...))
		}
	}
	figures, err := duckdb.NewFigures(ctx, h.op, rows)
	if err != nil {
		return err
	}
	if p.figures != nil {
		if err := p.figures.Close(); err != nil {
			return err
		}
	}
	p.figures, p.of = figures, of.String()
	return nil
}

func runQuery(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	public := fs.Bool("public", false, "ask published figures alone, not rows")
	limit := fs.Int("limit", 1000, "most `rows` to give")
	format := fs.String("format", "table", "table, csv or json")
	lang := fs.String("lang", "en", "language of what the views hold")
	args, err := c.parse(fs, 0, 1)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"table", "csv", "json"}, *format) {
		return wrongUse("-format %q: want table, csv or json", *format)
	}
	if *limit < 1 {
		return wrongUse("-limit %d: want at least one row", *limit)
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	asking := dtm.Asking(askRows{h})
	if *public {
		asking = askFigures{h}
	}
	if len(args) == 0 {
		for _, v := range asking.Views() {
			fmt.Fprintf(c.out, "%s\n  %s\n  %s\n", v.Name, v.Says.In(dtm.Lang(*lang)), strings.Join(v.Columns, ", "))
		}
		return nil
	}
	if err := h.current(ctx); err != nil {
		return err
	}
	a, err := asking.Ask(ctx, args[0], *limit)
	if err != nil {
		return err
	}
	if err := printAnswer(c.out, a, *format); err != nil {
		return err
	}
	if a.More {
		fmt.Fprintf(c.err, "only the first %d rows; -limit gives more\n", *limit)
	}
	if !*public {
		fmt.Fprintln(c.err, "internal: rows and small counts are shown; use -public before passing figures on")
	}
	return nil
}

func printAnswer(out io.Writer, a dtm.Answer, format string) error {
	switch format {
	case "csv":
		w := csv.NewWriter(out)
		if err := w.WriteAll(append([][]string{a.Columns}, a.Rows...)); err != nil {
			return err
		}
		w.Flush()
		return w.Error()
	case "json":
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Columns []string   `json:"columns"`
			Rows    [][]string `json:"rows"`
			More    bool       `json:"more,omitempty"`
		}{a.Columns, append([][]string{}, a.Rows...), a.More})
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, r := range append([][]string{a.Columns}, a.Rows...) {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}
