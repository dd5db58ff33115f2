package overview

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"dtm"
	"dtm/disseminate/chart"
	dtmmaps "dtm/disseminate/maps"
	"dtm/locale"
)

const (
	trendMonths = 13 // the same month a year before is the first
	mostBars    = 12
	mostHeat    = 7
)

func (b *building) add(p Panel, tables ...dtm.Table) {
	if b.err != nil {
		return
	}
	if p.Alt == "" {
		p.Alt = p.Title + ". " + p.Subtitle + "."
	}
	p.Source = b.op.Source.In(b.l) + " · " + b.o.Release.ID()
	for _, t := range tables {
		if !slices.Contains(p.Indicators, t.Indicator.ID) {
			p.Indicators = append(p.Indicators, t.Indicator.ID)
		}
		p.Company = p.Company || company(t)
	}
	for _, s := range b.tell().Remarks(tables...) {
		if !slices.Contains(p.Notes, s) {
			p.Notes = append(p.Notes, s)
		}
	}
	if p.Chart != nil {
		p.Table = p.Chart.Table()
	} else if p.Map != nil {
		p.Table = p.Map.Table()
	}
	b.o.Panels = append(b.o.Panels, p)
}

func company(t dtm.Table) bool {
	return slices.ContainsFunc(t.Notes, func(n dtm.Note) bool { return n.Code == dtm.NoteCompany })
}

func (b *building) head(id, title, sub string) chart.Head {
	return chart.Head{ID: id, Title: title, Subtitle: sub, Alt: title + ". " + sub + ".", Source: b.op.Source.In(b.l) + " · " + b.o.Release.ID()}
}

func (b *building) label(list, code string) string {
	if code == "" {
		return b.say("word.unknown")
	}
	return b.op.Lists[list].Label(code, b.l)
}

func (b *building) pointName(code string) string {
	if p, ok := b.op.Point(code); ok {
		return p.Name.In(b.l)
	}
	return b.say("word.unknown_point")
}

// near writes a figure, or the round neighbour of a withheld one.
func (b *building) near(t dtm.Table, f dtm.Figure) (string, bool) {
	switch {
	case f.Value != nil:
		return b.number(t, *f.Value), true
	case f.About != nil:
		return chart.About + b.number(t, *f.About), true
	}
	return "", false
}

// Ranked sorts figures, the largest first, then withheld, then missing.
func Ranked(f []dtm.Figure) []dtm.Figure {
	f = slices.Clone(f)
	rank := func(x dtm.Figure) float64 {
		switch {
		case x.Value != nil:
			return -*x.Value
		case x.About != nil:
			return -*x.About
		case x.Suppressed:
			return 0.25
		}
		return 0.5
	}
	slices.SortStableFunc(f, func(a, c dtm.Figure) int {
		if d := rank(a) - rank(c); d != 0 {
			return int(math.Copysign(1, d))
		}
		return strings.Compare(strings.Join(a.Keys, "\x00"), strings.Join(c.Keys, "\x00"))
	})
	return f
}

// trend is thirteen months up to the last one chosen, with the active points.
func (b *building) trend() {
	last := b.o.Filter.To
	p := dtm.Months(last.Add(1-trendMonths), last)
	if first := dtm.MonthOf(b.o.Span.From); p.From.Before(b.o.Span.From) {
		p = dtm.Months(first, last)
	}
	totals := b.table("total_movements", p, nil, "month")
	active := b.table("active_points", p, nil, "month")
	if b.err != nil {
		return
	}
	tm, am := byMonth(totals), byMonth(active)
	c := chart.Trend{Axis: b.say("word.month"), Lines: []chart.Line{{Label: b.say("word.movements")}}, Strip: &chart.Strip{Label: b.say("word.active_points")}}
	for _, m := range p.Months() {
		c.Steps = append(c.Steps, chart.Step{Label: locale.ShortMonth(b.l, m), Group: strconv.Itoa(m.Year), Name: locale.Month(b.l, m)})
		c.Lines[0].Cells = append(c.Lines[0].Cells, cell(tm, m))
		c.Strip.Cells = append(c.Strip.Cells, cell(am, m))
	}
	title := b.say("panel.trend.plain", locale.Month(b.l, last))
	if now := at(totals, last); now != nil && b.o.Change != nil {
		if d := direction(*b.o.Change); d != "same" {
			title = b.say("panel.trend."+d+"."+b.o.ChangeBasis, b.whole(math.Abs(*b.o.Change)), b.number(totals, *now), locale.Month(b.l, last), locale.Month(b.l, last.Add(-1)))
		}
	}
	c.Head = b.head("trend", title, b.say("panel.trend.sub"))
	var notes []string
	if !b.o.Until.IsZero() {
		notes = append(notes, b.say("say.running", locale.Date(b.l, b.o.Until)))
	}
	b.add(Panel{ID: "trend", Title: title, Subtitle: c.Subtitle, Chart: c, Notes: notes}, totals, active)
}

func cell(m map[string]dtm.Figure, month dtm.Month) chart.Cell {
	f, ok := m[month.String()]
	if !ok {
		return chart.Cell{}
	}
	return chart.FromFigure(f)
}

// points ranks the flow monitoring points.
func (b *building) points() {
	t := b.table("total_movements", b.o.Period, nil, "point")
	if b.err != nil || len(t.Figures) == 0 {
		return
	}
	sum := 0.0
	if f, ok := single(b.table("total_movements", b.o.Period, nil)); ok {
		sum = *f.Value
	}
	c := chart.Bars{Axis: b.say("word.point"), Measure: b.say("word.movements")}
	title := b.say("panel.points.plain")
	for i, f := range Ranked(t.Figures) {
		bar := chart.Bar{Label: b.pointName(f.Keys[0]), Cell: chart.FromFigure(f), Unknown: f.Keys[0] == ""}
		if f.Value != nil && sum > 0 {
			bar.Note = b.whole(*f.Value / sum * 100)
			if i == 0 && f.Keys[0] != "" && len(t.Figures) > 1 {
				bar.Tone = chart.Accented
				title = b.say("panel.points", bar.Label, b.number(t, *f.Value), bar.Note)
			}
		}
		c.Items = append(c.Items, bar)
	}
	c.Head = b.head("points", title, b.say("panel.points.sub", b.o.When))
	b.add(Panel{ID: "points", Title: title, Subtitle: c.Subtitle, Chart: c}, t)
}

// flows are the map and the origin-destination table, of one answer.
func (b *building) flows() {
	if od, sorted := b.mapped(); b.err == nil {
		b.originDestination(od, sorted)
	}
}

// mapped draws the map; it gives back what its flows are.
func (b *building) mapped() (dtm.Table, []dtm.Figure) {
	od := b.table("origin_destination", b.o.Period, nil, "previous", "next")
	points := b.table("total_movements", b.o.Period, nil, "point")
	if b.err != nil {
		return od, nil
	}
	m := dtmmaps.Spec{ID: "map", Country: b.op.Country, Lang: b.l, Names: map[string]string{}, Number: func(v float64) string { return locale.Number(b.l, v, -1) },
		Texts: dtmmaps.Texts{Disclaimer: b.op.Disclaimer.In(b.l), Source: b.say("map.source"), Movements: b.say("map.movements"), Flow: b.say("map.flow"),
			Approximate: b.say("map.approximate"), Somewhere: b.say("map.somewhere"), Withheld: b.say("chart.withheld", b.op.Threshold), Suppressed: Suppressed(b.op),
			Missing: b.say("chart.missing"), Unplaced: b.say("word.unplaced"), From: b.say("word.from"), To: b.say("word.to")}}
	for _, c := range b.op.Lists["country"].Codes {
		m.Names[c.Code] = c.Label.In(b.l)
	}
	for _, f := range points.Figures {
		p, ok := b.op.Point(f.Keys[0])
		point := dtmmaps.Point{Code: f.Keys[0], Label: b.pointName(f.Keys[0])}
		cell := chart.FromFigure(f)
		point.Value, point.Suppressed, point.About = cell.Value, cell.Suppressed, cell.About
		if ok {
			point.Region, point.Approximate = p.Area, p.Approximate
			if p.Positioned {
				point.Lon, point.Lat = p.Lon, p.Lat
			}
		}
		m.Points = append(m.Points, point)
	}
	title := b.say("panel.map.plain")
	sorted := Ranked(od.Figures)
	for _, f := range sorted {
		from, to := f.Keys[0], f.Keys[1]
		if from == to || from == "" || to == "" {
			continue // no way on the map: the table has it
		}
		cell := chart.FromFigure(f)
		flow := dtmmaps.Flow{From: from, To: to, Value: cell.Value, Suppressed: cell.Suppressed, About: cell.About}
		m.Flows = append(m.Flows, flow)
		if n, ok := b.near(od, f); ok && len(m.Flows) == 1 {
			title = b.say("panel.map", b.label("country", from), b.label("country", to), n)
		}
	}
	sub := b.say("panel.map.sub", b.o.When)
	if company(od) || company(points) {
		m.Texts.Suppressed, m.Texts.Withheld = b.say("chart.kept"), b.say("chart.kept_legend")
	}
	m.Title, m.Alt = title, title+". "+sub+"."
	b.add(Panel{ID: "map", Title: title, Subtitle: sub, Alt: m.Alt, Map: &m}, od, points)
	return od, sorted
}

// tell writes figures of the period.
func (b *building) tell() Teller { return Teller{Op: b.op, Lang: b.l, When: b.o.When} }

func (b *building) originDestination(od dtm.Table, sorted []dtm.Figure) {
	if len(od.Figures) == 0 {
		return
	}
	weight := [2]map[string]float64{{}, {}}
	cells := map[[2]string]dtm.Figure{}
	for _, f := range od.Figures {
		cells[[2]string{f.Keys[0], f.Keys[1]}] = f
		for side := range weight {
			w := 0.5 // withheld comes after what is known
			if f.Value != nil {
				w = *f.Value
			} else if f.About != nil {
				w = *f.About
			}
			weight[side][f.Keys[side]] += w
		}
	}
	rank := func(w map[string]float64) []string {
		var keys []string
		for k := range w {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(x, y string) int {
			if d := w[y] - w[x]; d != 0 {
				return int(math.Copysign(1, d))
			}
			return strings.Compare(x, y)
		})
		return keys
	}
	rows, cols := rank(weight[0]), rank(weight[1])
	c := chart.Heat{Axis: b.say("word.from"), Across: b.say("word.to"), Measure: b.say("word.movements")}
	for _, r := range rows[:min(mostHeat, len(rows))] {
		c.Rows = append(c.Rows, b.label("country", r))
		var line []chart.Cell
		for _, k := range cols[:min(mostHeat, len(cols))] {
			f, ok := cells[[2]string{r, k}]
			if ok {
				line = append(line, chart.FromFigure(f))
			} else {
				line = append(line, chart.Cell{})
			}
		}
		c.Cells = append(c.Cells, line)
	}
	for _, k := range cols[:min(mostHeat, len(cols))] {
		c.Columns = append(c.Columns, b.label("country", k))
	}
	title := b.say("panel.od.plain")
	if n, ok := b.near(od, sorted[0]); ok {
		title = b.say("panel.od", b.label("country", sorted[0].Keys[0]), b.label("country", sorted[0].Keys[1]), n)
	}
	c.Head = b.head("od", title, b.say("panel.od.sub", b.o.When))
	b.add(Panel{ID: "od", Title: title, Subtitle: c.Subtitle, Chart: c}, od)
	dest := b.table("destination_share_pct", b.o.Period, nil)
	b.list(Where, "say.destinations", dest, "country", 4)
}

// list says the largest shares of a table in one sentence.
func (b *building) list(topic Topic, key string, t dtm.Table, list string, most int) {
	if b.err != nil {
		return
	}
	var parts []string
	unknown := ""
	for _, f := range Ranked(t.Figures) {
		v, near := f.Value, ""
		if v == nil && f.About != nil {
			v, near = f.About, chart.About
		}
		if v == nil || (dtm.Indicator{}).Round(*v) < 1 {
			break
		}
		label := b.label(list, f.Keys[0])
		if list != "country" {
			label = lower(label)
		}
		said := label + "\u00a0" + near + b.whole(*v)
		if isUnknown(f.Keys[0]) {
			unknown = b.say("say.unknown_apart", near+b.whole(*v))
		} else if len(parts) < most {
			parts = append(parts, said)
		}
	}
	if unknown != "" && len(parts) > 0 {
		parts[len(parts)-1] += unknown
	}
	if len(parts) > 0 {
		b.sentence(topic, b.say(key, strings.Join(parts, b.comma())), t.Indicator.ID)
	}
}

// isUnknown tells the codes that mean no particular value.
func isUnknown(code string) bool {
	return code == "" || code == dtm.Unknown || code == dtm.UnknownCountry
}

// lower writes a label as it stands within a sentence; an abbreviation stays.
func lower(s string) string {
	r := []rune(s)
	if len(r) > 1 && unicode.IsUpper(r[0]) && !unicode.IsUpper(r[1]) {
		r[0] = unicode.ToLower(r[0])
	}
	return string(r)
}

// sexAge shows shares by sex and age, with what is not known apart.
func (b *building) sexAge() {
	t := b.table("sex_age_share_pct", b.o.Period, nil)
	if b.err != nil || len(t.Figures) == 0 {
		return
	}
	name := func(keys []string) (string, bool) {
		switch strings.Join(keys, " ") {
		case "male adults":
			return b.say("word.men"), true
		case "female adults":
			return b.say("word.women"), true
		case "male children":
			return b.say("word.boys"), true
		case "female children":
			return b.say("word.girls"), true
		}
		if keys[0] == dtm.Unknown && keys[1] == dtm.Unknown || keys[0] == "" {
			return b.say("word.unknown"), false
		}
		return locale.List(b.l, b.label("sex", keys[0]), b.label("age", keys[1])), keys[0] != dtm.Unknown && keys[1] != dtm.Unknown
	}
	c := chart.Bars{Axis: b.say("word.sex_age"), Measure: b.say("word.share") + " (%)"}
	title := b.say("panel.sexage.plain")
	var parts []string
	unknown := ""
	for _, f := range Ranked(t.Figures) {
		label, known := name(f.Keys)
		cell := chart.FromFigure(f)
		if f.Value != nil {
			v := t.Indicator.Round(*f.Value)
			cell = chart.Of(v)
			if len(parts) == 0 && known {
				title = b.say("panel.sexage", label, b.whole(*f.Value))
			}
			switch rounded := (dtm.Indicator{}).Round(*f.Value); {
			case rounded < 1:
			case isUnknown(f.Keys[0]) && isUnknown(f.Keys[1]):
				unknown = b.whole(*f.Value)
			default:
				parts = append(parts, lower(label)+"\u00a0"+b.whole(*f.Value))
			}
		}
		c.Items = append(c.Items, chart.Bar{Label: label, Cell: cell, Unknown: !known})
	}
	slices.SortStableFunc(c.Items, func(x, y chart.Bar) int {
		switch {
		case x.Unknown == y.Unknown:
			return 0
		case x.Unknown:
			return 1
		}
		return -1
	})
	switch said := strings.Join(parts, b.comma()); {
	case len(parts) > 0:
		if unknown != "" {
			said += b.say("say.unknown_apart", unknown)
		}
		b.sentence(Who, b.say("say.sex_age", said), t.Indicator.ID)
	case unknown != "":
		b.sentence(Who, b.say("say.sex_age_unknown", unknown), t.Indicator.ID)
	}
	c.Head = b.head("sexage", title, b.say("panel.sexage.sub", b.o.When))
	b.add(Panel{ID: "sexage", Title: title, Subtitle: c.Subtitle, Chart: c}, t)
}

func (b *building) reasons() {
	t := b.table("reason_share_pct", b.o.Period, nil)
	b.shares("reasons", t, "reason", "panel.reasons")
	b.list(Why, "say.reasons", t, "reason", 4)
}

func (b *building) nationality() {
	t := b.table("nationality_share_pct", b.o.Period, nil)
	b.shares("nationality", t, "country", "panel.nationality")
}

// shares ranks the cells of a table of percentages.
func (b *building) shares(id string, t dtm.Table, list, key string) {
	if b.err != nil || len(t.Figures) == 0 {
		return
	}
	c := chart.Bars{Axis: b.say("word." + strings.TrimSuffix(id, "s")), Measure: b.say("word.share") + " (%)"}
	title := ""
	for i, f := range Ranked(t.Figures) {
		if i == mostBars {
			break
		}
		cell := chart.FromFigure(f)
		if f.Value != nil {
			cell = chart.Of(t.Indicator.Round(*f.Value))
			if title == "" && !isUnknown(f.Keys[0]) && f.Keys[0] != dtm.OtherCountry {
				title = b.say(key, b.label(list, f.Keys[0]), b.whole(*f.Value))
			}
		}
		unknown := f.Keys[0] == "" || f.Keys[0] == dtm.OtherCountry || f.Keys[0] == dtm.UnknownCountry
		c.Items = append(c.Items, chart.Bar{Label: b.label(list, f.Keys[0]), Cell: cell, Unknown: unknown})
	}
	if title == "" {
		title = b.say(key + ".plain")
	}
	c.Head = b.head(id, title, b.say(key+".sub", b.o.When))
	b.add(Panel{ID: id, Title: title, Subtitle: c.Subtitle, Chart: c}, t)
}

// SVG draws the panel with the given id, which must be its own on a page. base is
// the operation's map; a map panel without one has no drawing.
func (p Panel) SVG(base *dtmmaps.Base, o chart.Options, id string) []byte {
	head := chart.Head{ID: id, Title: p.Title, Subtitle: p.Subtitle, Alt: p.Alt, Source: p.Source, Notes: p.Notes}
	if p.Map != nil {
		if base == nil {
			return nil
		}
		m := *p.Map
		m.ID, m.Width = id, o.Width
		if o.Titled {
			m.ID = id + "-drawn"
			return chart.Framed(head, o, base.SVG(m))
		}
		return base.SVG(m)
	}
	if p.Chart == nil {
		return nil
	}
	return chart.Headed(p.Chart, head).SVG(o)
}
