package overview

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dtm"
	"dtm/locale"
)

// Record passes questions on and keeps the answers, which Unbacked may need.
type Record struct {
	dtm.Figures
	mu     sync.Mutex
	tables []dtm.Table
}

// NewRecord records what is asked of f.
func NewRecord(f dtm.Figures) *Record { return &Record{Figures: f} }

// Table asks and keeps.
func (r *Record) Table(ctx context.Context, q dtm.Query) (dtm.Table, error) {
	t, err := r.Figures.Table(ctx, q)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tables = append(r.tables, t)
	}
	return t, err
}

// All returns what was answered.
func (r *Record) All() []dtm.Table {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tables)
}

// Of returns what was answered to questions about one indicator.
func (r *Record) Of(indicator string) []dtm.Table {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.tables), func(t dtm.Table) bool { return t.Indicator.ID != indicator })
}

// numeral is a number as the catalogues' languages write it.
var numeral = regexp.MustCompile(`\d(?:[\d.,\x{202f}\x{a0}]*\d)?`)

// Unbacked reads the numbers in the sentences of an overview of one month back and
// returns the sentences with one that is no figure of the indicators they name, as
// published. tables are the published figures of the month, asked for apart from the
// overview. Years, and digits in names, are no figures.
func Unbacked(o *Overview, op *dtm.Operation, tables []dtm.Table) []Sentence {
	by := map[string][]dtm.Table{}
	for _, t := range tables {
		by[t.Indicator.ID] = append(by[t.Indicator.ID], t)
	}
	names := digitNames(op, o.Lang)
	var out []Sentence
	for _, s := range o.Narrative {
		backed := map[string]bool{}
		allow := func(v float64, digits int) {
			for _, n := range numeral.FindAllString(locale.Number(o.Lang, math.Abs(v), digits), -1) {
				backed[n] = true
			}
		}
		for _, m := range []dtm.Month{o.Filter.From, o.Filter.From.Add(-1), o.Filter.From.Add(-12)} {
			backed[strconv.Itoa(m.Year)] = true
		}
		for _, d := range o.dates() {
			backed[d] = true
		}
		allow(float64(op.Threshold), 0)
		for _, id := range s.Indicators {
			for _, t := range by[id] {
				// That the same number stands somewhere in a split of it proves nothing.
				if id != "panel_movements" && !slices.Equal(t.By, t.Indicator.Default) {
					continue
				}
				for _, f := range t.Figures {
					if f.Value == nil && f.About != nil {
						allow(*f.About, 0)
					}
					if f.Value == nil {
						continue
					}
					allow(t.Indicator.Round(*f.Value), t.Indicator.Digits(*f.Value))
					if t.Indicator.Unit == "percent" {
						allow(dtm.Indicator{}.Round(*f.Value), 0)
					}
					if id == "daily_average" && f.Denominator != nil {
						allow(*f.Denominator, 0)
					}
				}
				if id == "panel_movements" && len(t.Figures) == 2 && t.Figures[0].Value != nil && t.Figures[1].Value != nil && *t.Figures[0].Value > 0 {
					was, is := *t.Figures[0].Value, *t.Figures[1].Value
					allow(dtm.Indicator{}.Round(100*math.Abs(is-was)/was), 0)
				}
			}
		}
		text := s.Text
		for _, n := range names {
			text = strings.ReplaceAll(text, n, "")
		}
		for _, n := range numeral.FindAllString(text, -1) {
			if !backed[n] {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// dates are the numbers of the last day in a sentence about a running month.
func (o *Overview) dates() []string {
	if o.Until.IsZero() {
		return nil
	}
	return numeral.FindAllString(locale.Date(o.Lang, o.Until), -1)
}

// digitNames are names with digits in them, the longest first.
func digitNames(op *dtm.Operation, l dtm.Lang) []string {
	var out []string
	add := func(s string) {
		for _, v := range []string{s, lower(s)} {
			if numeral.MatchString(v) && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	for _, list := range op.Lists {
		for _, c := range list.Codes {
			add(c.Label.In(l))
		}
	}
	for _, p := range op.Network() {
		add(p.Name.In(l))
	}
	for _, d := range op.Indicators {
		add(d.Name.In(l))
	}
	add(op.Baseline.Name.In(l))
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}
