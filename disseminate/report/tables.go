package report

import (
	"slices"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// listings are the tables of one part of the movements, in reading order: what an
// indicator is split by is its rows' names.
var listings = []struct {
	indicator string
	by        []string
}{
	{"total_movements", []string{"point"}},
	{"total_movements", []string{"day"}}, // of the whole operation only
	{"origin_destination", []string{"previous", "next"}},
	{"sex_age_share_pct", []string{"sex", "age"}},
	{"reason_share_pct", []string{"reason"}},
	{"nationality_share_pct", []string{"nationality"}},
	{"transport_share_pct", []string{"transport"}},
	{"vulnerability_share_pct", []string{"vulnerability"}},
}

// tables is the annex of a month: every published figure of movements, of the whole, of
// each direction, region and point, one table for each way in which it is split. It says
// no sentence and draws nothing.
func (w *writer) tables() Document {
	total := w.table("total_movements", w.period, nil)
	if f := one(total); w.err != nil || f.Value == nil && !f.Suppressed {
		return w.none()
	}
	last := w.period.To.AddDate(0, 0, -1)
	d := w.begin(w.say("report.tables.title")+"\u00a0· "+w.when, w.say("report.subtitle", first(w.l, w.period), locale.Date(w.l, last)))
	d.Words.Contents = w.say("report.contents")
	d.Cells = []Cell{{Value: w.number(total, one(total)), Label: w.say("head.total")}}
	d.Sections = w.listings(d.Sections, w.say("report.tables.whole"), nil)
	for _, c := range w.op.Lists["direction"].Codes {
		d.Sections = w.listings(d.Sections, w.say("report.tables.direction", c.Label.In(w.l)), map[string][]string{"direction": {c.Code}})
	}
	for _, dim := range []string{"region", "point"} {
		t := w.table("total_movements", w.period, nil, dim)
		for _, f := range overview.Ranked(t.Figures) {
			if !unknown(f.Keys[0]) {
				d.Sections = w.listings(d.Sections, w.say("report.tables."+dim, w.label(dim, f.Keys[0])), map[string][]string{dim: f.Keys})
			}
		}
	}
	return w.end(d, "method.", "limit.")
}

// listings adds the tables of the movements that where names.
func (w *writer) listings(list []Section, title string, where map[string][]string) []Section {
	var tables []Table
	for _, x := range listings {
		_, one := where[x.by[0]] // of one point there is no table of points
		if one || x.by[0] == "day" && where != nil {
			continue
		}
		tables = append(tables, w.listing(w.table(x.indicator, w.period, where, x.by...))...)
	}
	return part(list, title, nil, nil, tables)
}

// listing is a table with a row for each figure, the largest first, days in their order.
func (w *writer) listing(t dtm.Table) []Table {
	if w.err != nil || len(t.Figures) == 0 {
		return nil
	}
	out := Table{Title: t.Indicator.Name.In(w.l), Subtitle: locale.List(w.l, w.tell().Unit(t), w.when), Caption: w.remarks(t)}
	var dims []string
	for _, d := range t.By {
		dims = append(dims, w.dimension(d))
		out.Columns = append(out.Columns, Column{Title: w.dimension(d)})
	}
	if t.Indicator.ID == "total_movements" { // it is split in more than one way
		out.Title += "\u00a0· " + locale.List(w.l, dims...)
	}
	out.Columns = append(out.Columns, Column{Title: w.tell().Unit(t), Number: true})
	figures := overview.Ranked(t.Figures)
	if slices.Equal(t.By, []string{"day"}) {
		figures = slices.Clone(t.Figures)
		slices.SortFunc(figures, func(a, b dtm.Figure) int { return strings.Compare(a.Keys[0], b.Keys[0]) })
	}
	for _, f := range figures {
		var row []string
		for i, d := range t.By {
			row = append(row, w.named(d, f.Keys[i]))
		}
		out.Rows = append(out.Rows, append(row, w.number(t, f)))
	}
	return []Table{out}
}

// named is a code in words; a day is a date.
func (w *writer) named(dim, code string) string {
	if day, err := time.Parse(time.DateOnly, code); dim == "day" && err == nil {
		return locale.Date(w.l, day)
	}
	return w.label(dim, code)
}
