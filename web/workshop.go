package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/access"
	"dtm/disseminate/chart"
	"dtm/disseminate/maps"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// Workshop is what the analyst's pages need.
type Workshop struct {
	Figures  dtm.Figures // not guarded: for those who may export rows; the others get Options.Figures
	Rows     dtm.Asking  // SQL over rows, for the same
	Releases dtm.Asking  // SQL over published figures, for everybody who has signed in
	Views    dtm.SavedViews
	// Statement is the SQL behind a question.
	Statement func(q dtm.Query) (string, error)
	// Label names a code of a dimension, Word a dimension, Codes those to filter by.
	Label func(dim, code string, l dtm.Lang) string
	Word  func(code string, l dtm.Lang) string
	Codes func(dim string) []string
	// Print writes a table as CSV.
	Print func(w io.Writer, t dtm.Table) error
}

// mostAsked is how many rows a question in SQL shows.
const mostAsked = 500

type workshopView struct {
	page
	Groups        []indicatorGroup
	Indicator     string
	By            [2][]option
	From, To      string
	Where         string
	Asked         bool
	Fault         string
	ID            string // begins those of its drawings, where a page has several
	Name, Says    string
	Unit, Basis   string
	Definition    string
	Columns       []string
	Keys          int // columns that are dimensions
	Rows          [][]string
	Notes         []string
	Narrow, Wide  template.HTML
	NarrowMap     template.HTML
	Map           template.HTML
	SQL           string
	CSV, Question string
	Internal      bool
	Views         []savedRow
	Deleted       int64
	DeletedName   string
	Query         string
	QueryLead     string
	Answer        *answerView
	QueryFault    string
	Askable       []dtm.View
	CodesOf       []codeList
}

type indicatorGroup struct {
	Label string
	Items []option
}

type savedRow struct {
	ID          int64
	Name, Href  string
	Own, Shared bool
	By          string
}

type codeList struct{ Dim, Name, Codes string }

type answerView struct {
	Columns []string
	Rows    [][]string
	More    int
	Took    string
}

// sees tells whether the page's user may see counts of few people, and rows.
func (p *Pages) sees(r *http.Request) bool {
	return access.Decide(member(r.Context()), access.ExportData) == nil
}

func (p *Pages) workshopFigures(r *http.Request) dtm.Figures {
	if p.sees(r) {
		return p.Staff.Workshop.Figures
	}
	return p.Figures
}

// asks reads a question of the workshop's address.
func asks(q url.Values) (dtm.Query, bool, error) {
	a := dtm.Query{Indicator: q.Get("indicator"), Where: map[string][]string{}}
	if a.Indicator == "" {
		return a, false, nil
	}
	for _, d := range q["by"] {
		if d != "" && !slices.Contains(a.By, d) {
			a.By = append(a.By, d)
		}
	}
	for _, line := range strings.FieldsFunc(q.Get("where"), func(r rune) bool { return r == '\n' || r == '\r' || r == ';' }) {
		dim, codes, ok := strings.Cut(line, "=")
		if dim = strings.TrimSpace(dim); !ok {
			if dim == "" {
				continue
			}
			return a, true, dtm.Errorf(dtm.Invalid, "a filter is written dimension=code, not %q", line).Coded("workshop.where", line)
		}
		for c := range strings.SplitSeq(codes, ",") {
			a.Where[dim] = append(a.Where[dim], strings.TrimSpace(c))
		}
	}
	var err error
	a.Period, err = dtm.ParsePeriod(q.Get("from"), q.Get("to"))
	return a, true, err
}

func (p *Pages) workshop(w http.ResponseWriter, r *http.Request) error {
	ctx, l, q := r.Context(), p.guess(r), r.URL.Query()
	k := p.Staff.Workshop
	v := workshopView{page: p.inside(r, "workshop", "workshop.title", "/workshop/"), Indicator: q.Get("indicator"), From: q.Get("from"), To: q.Get("to"),
		Where: q.Get("where"), Internal: p.sees(r), Query: q.Get("sql")}
	f := p.workshopFigures(r)
	catalogue := f.Catalogue()
	if v.Indicator == "" {
		v.Indicator = "total_movements" // a beginning; it is asked when the reader says so
	}
	v.Groups = groups(catalogue, l, v.Indicator)
	if v.From == "" {
		if span, err := f.Span(ctx); err == nil && !span.From.IsZero() {
			v.From = p.latest(span).String()
		}
	}
	if err := p.answerTable(r, f, catalogue, &v); err != nil {
		return err
	}
	asking := k.Releases
	v.QueryLead = locale.Say(l, "workshop.query.figures")
	if v.Internal {
		asking, v.QueryLead = k.Rows, locale.Say(l, "workshop.query.rows")
	}
	v.Askable = asking.Views()
	if err := p.savedRows(ctx, &v); err != nil {
		return err
	}
	v.Deleted, _ = strconv.ParseInt(q.Get("deleted"), 10, 64)
	v.DeletedName = q.Get("name")
	return p.show(w, http.StatusOK, "workshop", v)
}

// answerTable asks the question of the address, if there is one.
func (p *Pages) answerTable(r *http.Request, f dtm.Figures, catalogue []dtm.Indicator, v *workshopView) error {
	l, k, values := v.Lang, p.Staff.Workshop, r.URL.Query()
	i := slices.IndexFunc(catalogue, func(i dtm.Indicator) bool { return i.ID == v.Indicator })
	if i < 0 {
		return nil
	}
	ind := catalogue[i]
	for n := range v.By {
		chosen := ""
		if b := values["by"]; n < len(b) {
			chosen = b[n]
		}
		v.By[n] = []option{{"", "–", chosen == ""}}
		for _, d := range ind.By {
			v.By[n] = append(v.By[n], option{d, k.Word(d, l), d == chosen})
		}
	}
	for _, d := range ind.By {
		if codes := k.Codes(d); len(codes) > 0 {
			v.CodesOf = append(v.CodesOf, codeList{d, k.Word(d, l), strings.Join(codes, " ")})
		}
	}
	v.Name, v.Says, v.Unit, v.Definition = ind.Name.In(l), ind.Definition.In(l), unit(ind, l), v.Link("/indicators/"+ind.ID)
	q, ok, err := asks(values)
	if err == nil && ok {
		var t dtm.Table
		if t, err = f.Table(r.Context(), q); err == nil {
			return p.laid(v, t, values)
		}
	}
	if err != nil && (dtm.KindOf(err) == dtm.Invalid || dtm.KindOf(err) == dtm.NotFound) {
		v.Asked, v.Fault = true, locale.Error(l, err)
		return nil
	}
	return err
}

// laid lays a table out: rows, chart, map, SQL, addresses.
func (p *Pages) laid(v *workshopView, t dtm.Table, values url.Values) error {
	l, k := v.Lang, p.Staff.Workshop
	v.Asked, v.Basis, v.Release = true, t.Basis, t.Release.ID()
	v.Columns, v.Keys, v.Rows = p.tabled(l, t, v.Unit)
	for _, n := range t.Notes {
		v.Notes = append(v.Notes, n.Text.In(l))
	}
	v.Narrow, v.Wide = p.workshopChart(t, v, narrow), p.workshopChart(t, v, broad)
	v.NarrowMap, v.Map = p.workshopMap(t, v, narrow), p.workshopMap(t, v, broad)
	var err error
	v.SQL, err = k.Statement(t.Query)
	if err != nil {
		return err
	}
	question := url.Values{}
	for _, key := range []string{"indicator", "by", "from", "to", "where"} {
		for _, x := range values[key] {
			if x != "" {
				question.Add(key, x)
			}
		}
	}
	v.Question = question.Encode()
	v.CSV = v.Link("/staff/workshop/table.csv?" + v.Question)
	return nil
}

// tabled writes a table for people: its dimensions, then the figure, then n and N of a
// share.
func (p *Pages) tabled(l dtm.Lang, t dtm.Table, unit string) (columns []string, keys int, rows [][]string) {
	k := p.Staff.Workshop
	for _, d := range t.By {
		columns = append(columns, k.Word(d, l))
	}
	columns = append(columns, unit)
	number := func(x float64) string { return locale.Number(l, t.Indicator.Round(x)+0, t.Indicator.Digits(x)) }
	share := t.Indicator.Share || len(t.Figures) > 0 && t.Figures[0].Denominator != nil
	if share {
		columns = append(columns, "n", "N")
	}
	for _, f := range t.Figures {
		var row []string
		for n, d := range t.By {
			row = append(row, k.Label(d, f.Keys[n], l))
		}
		plain := func(x *float64) string {
			if x == nil {
				return ""
			}
			return locale.Number(l, *x, -1)
		}
		switch {
		case f.Suppressed:
			said := "<" + strconv.Itoa(p.Operation.Threshold)
			if f.About != nil {
				said = chart.About + number(*f.About)
			}
			row = append(row, said)
			if share {
				row = append(row, "", "")
			}
		default:
			value := "–"
			if f.Value != nil {
				value = number(*f.Value)
			}
			row = append(row, value)
			if share {
				row = append(row, plain(f.Numerator), plain(f.Denominator))
			}
		}
		rows = append(rows, row)
	}
	return columns, len(t.By), rows
}

// workshopChart draws lines over months or days, bars otherwise.
func (p *Pages) workshopChart(t dtm.Table, v *workshopView, width float64) template.HTML {
	const mostBars, mostLines = 15, 6
	if len(t.Figures) < 2 {
		return ""
	}
	l, k := v.Lang, p.Staff.Workshop
	o := overview.ChartOptions(p.Operation, l, width)
	o.Number = func(x float64) string { return locale.Number(l, t.Indicator.Round(x)+0, -1) } // as the table rounds
	head := chart.Head{ID: v.ID + "ws" + strconv.Itoa(int(width)), Title: v.Name, Subtitle: v.Unit, Alt: v.Name}
	time := slices.IndexFunc(t.By, func(d string) bool { return d == "month" || d == "day" })
	name := func(f dtm.Figure) string {
		var parts []string
		for n, d := range t.By {
			if n != time {
				parts = append(parts, k.Label(d, f.Keys[n], l))
			}
		}
		return together(l, parts)
	}
	var svg []byte
	if time >= 0 {
		var steps, lines []string
		cells := map[string]chart.Cell{}
		for _, f := range t.Figures {
			at, line := f.Keys[time], name(f)
			if !slices.Contains(steps, at) {
				steps = append(steps, at)
			}
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
			cells[at+"\x00"+line] = chart.FromFigure(f)
		}
		if len(steps) < 2 {
			return ""
		}
		slices.Sort(steps)
		c := chart.Trend{Head: head, Axis: k.Word(t.By[time], l)}
		for _, s := range steps {
			step := chart.Step{Label: s[5:], Group: s[:4], Name: s}
			if m, err := dtm.ParseMonth(s); err == nil && len(s) == 7 {
				step = stepOf(l, m)
			}
			c.Steps = append(c.Steps, step)
		}
		for _, x := range lines[:min(len(lines), mostLines)] {
			line := chart.Line{Label: x}
			for _, s := range steps {
				line.Cells = append(line.Cells, cells[s+"\x00"+x])
			}
			c.Lines = append(c.Lines, line)
		}
		svg = c.SVG(o)
	} else {
		figures := slices.Clone(t.Figures)
		slices.SortStableFunc(figures, func(a, b dtm.Figure) int {
			x, y := -1.0, -1.0
			if v := chart.FromFigure(a).Value; v != nil {
				x = *v
			}
			if v := chart.FromFigure(b).Value; v != nil {
				y = *v
			}
			switch {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		c := chart.Bars{Head: head, Axis: locale.List(l, v.Columns[:len(t.By)]...), Measure: v.Unit}
		for _, f := range figures[:min(len(figures), mostBars)] {
			c.Items = append(c.Items, chart.Bar{Label: name(f), Cell: chart.FromFigure(f)})
		}
		svg = c.SVG(o)
	}
	return template.HTML(svg) //nolint:gosec // our own drawing, texts escaped
}

// workshopMap draws figures by point, or by region at the middle of each.
func (p *Pages) workshopMap(t dtm.Table, v *workshopView, width float64) template.HTML {
	base, err := p.bases.Of(p.Operation)
	if err != nil || base == nil || len(t.By) != 1 || t.By[0] != "point" && t.By[0] != "region" || t.Indicator.Share {
		return ""
	}
	l := v.Lang
	m := maps.Spec{ID: "wsmap" + strconv.Itoa(int(width)), Title: v.Name, Alt: v.Name, Country: p.Operation.Country, Lang: l, Width: width, Names: map[string]string{},
		Number: func(x float64) string { return locale.Number(l, x, -1) }, Texts: maps.Texts{Disclaimer: p.Operation.Disclaimer.In(l), Movements: v.Unit, Source: locale.Say(l, "map.source")}}
	for _, f := range t.Figures {
		code := f.Keys[0]
		cell := chart.FromFigure(f)
		pt := maps.Point{Code: code, Label: p.Staff.Workshop.Label(t.By[0], code, l), Value: cell.Value, Suppressed: cell.Suppressed, About: cell.About}
		if t.By[0] == "region" {
			if code == "" {
				continue
			}
			pt.Region = code
		} else if at, ok := p.Operation.Point(code); ok {
			pt.Lon, pt.Lat, pt.Approximate, pt.Region = at.Lon, at.Lat, at.Approximate, at.Area
		} else {
			continue
		}
		m.Points = append(m.Points, pt)
	}
	if len(m.Points) == 0 {
		return ""
	}
	return template.HTML(base.SVG(m)) //nolint:gosec // our own drawing, texts escaped
}

func (p *Pages) savedRows(ctx context.Context, v *workshopView) error {
	list, err := p.Staff.Workshop.Views.Views(ctx, v.User.Email)
	for _, s := range list {
		v.Views = append(v.Views, savedRow{s.ID, s.Name, v.Link("/staff/workshop/?" + s.Query), s.Owner == v.User.Email, s.Shared, s.Owner})
	}
	return err
}

// workshopCSV is the same table for other programs.
func (p *Pages) workshopCSV(w http.ResponseWriter, r *http.Request) error {
	q, ok, err := asks(r.URL.Query())
	if err != nil {
		return err
	}
	if !ok {
		return dtm.Errorf(dtm.Invalid, "the question names no indicator").Coded("workshop.indicator")
	}
	t, err := p.workshopFigures(r).Table(r.Context(), q)
	if err != nil {
		return err
	}
	if p.sees(r) {
		if err := p.Staff.Trail.Exported(r.Context(), member(r.Context()).Email, "indicator:"+t.Indicator.ID, map[string]any{"as": "csv", "options": t.By}); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := p.Staff.Workshop.Print(&b, t); err != nil {
		return err
	}
	return attach(w, t.Indicator.ID+".csv", b.Bytes())
}

func attach(w http.ResponseWriter, name string, data []byte) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "private, no-store")
	_, err := w.Write(data)
	return err
}

// askSQL answers a question in SQL; csv=1 as a file.
func (p *Pages) askSQL(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read").Coded("form.broken")
	}
	l, k := p.guess(r), p.Staff.Workshop
	v := workshopView{page: p.inside(r, "workshop", "workshop.title", "/workshop/"), Query: r.PostFormValue("sql"), Internal: p.sees(r)}
	f := p.workshopFigures(r)
	v.Groups = groups(f.Catalogue(), l, "")
	asking := k.Releases
	v.QueryLead = locale.Say(l, "workshop.query.figures")
	if v.Internal {
		asking, v.QueryLead = k.Rows, locale.Say(l, "workshop.query.rows")
	}
	v.Askable = asking.Views()
	a, err := asking.Ask(r.Context(), v.Query, mostAsked)
	switch kind := dtm.KindOf(err); {
	case err != nil && (kind == dtm.Invalid || kind == dtm.TooLarge):
		v.QueryFault = locale.Error(l, err)
	case err != nil:
		return err
	case r.PostFormValue("csv") != "":
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(append([][]string{a.Columns}, a.Rows...)); err != nil {
			return err
		}
		return attach(w, "answer.csv", b.Bytes())
	default:
		v.Answer = &answerView{Columns: a.Columns, Rows: a.Rows, Took: locale.Say(l, "workshop.query.took", len(a.Rows), int(a.Took.Milliseconds()))}
		if a.More {
			v.Answer.More = mostAsked
		}
	}
	if err := p.savedRows(r.Context(), &v); err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "workshop", v)
}

// keepView saves, renames, deletes and restores views.
func (p *Pages) keepView(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return dtm.Errorf(dtm.Invalid, "the form cannot be read").Coded("form.broken")
	}
	ctx, views, owner := r.Context(), p.Staff.Workshop.Views, member(r.Context()).Email
	back := url.Values{}
	id, _ := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	name, shared := r.PostFormValue("name"), r.PostFormValue("shared") != ""
	var err error
	switch r.PostFormValue("do") {
	case "save":
		q, bad := url.ParseQuery(r.PostFormValue("query"))
		if bad != nil || q.Get("indicator") == "" {
			return dtm.Errorf(dtm.Invalid, "there is no question to keep").Coded("workshop.indicator")
		}
		_, err = views.SaveView(ctx, dtm.SavedView{Owner: owner, Name: name, Query: q.Encode(), Shared: shared})
		back = q
	case "rename":
		err = views.RenameView(ctx, owner, id, name, shared)
	case "delete":
		err = views.DeleteView(ctx, owner, id)
		back.Set("deleted", strconv.FormatInt(id, 10))
		back.Set("name", name)
	case "restore":
		err = views.RestoreView(ctx, owner, id)
	default:
		err = dtm.Errorf(dtm.Invalid, "there is nothing to do").Coded("form.broken")
	}
	if err != nil {
		return err
	}
	to := "/" + string(p.guess(r)) + "/staff/workshop/"
	if e := back.Encode(); e != "" {
		to += "?" + e
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// groups are the indicators by what they count.
func groups(list []dtm.Indicator, l dtm.Lang, chosen string) (out []indicatorGroup) {
	for _, facts := range []string{"movement", "vulnerability", "presence", "site_count", "interview", "need", "incident"} {
		g := indicatorGroup{Label: locale.Say(l, "facts."+facts)}
		for _, i := range list {
			if i.Facts == facts {
				g.Items = append(g.Items, option{i.ID, i.Name.In(l), i.ID == chosen})
			}
		}
		slices.SortFunc(g.Items, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
		if len(g.Items) > 0 {
			out = append(out, g)
		}
	}
	return out
}
