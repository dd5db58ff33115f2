package notify

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"dtm"
	"dtm/locale"
)

// Words says news in a language. Base is the address that the pages are open at.
type Words struct {
	Operation *dtm.Operation
	Base      string
	Indicator func(id string) (dtm.Indicator, error)
	// Label names a code of a dimension.
	Label func(dim, code string, l dtm.Lang) string
}

// Line is one news as it is read.
type Line struct {
	Text string // what it says
	More string // what it is compared with; "" when nothing
	Link string
}

// Lines says news one by one.
func (w Words) Lines(l dtm.Lang, list []dtm.News) (out []Line) {
	for _, n := range list {
		out = append(out, w.line(l, n))
	}
	return out
}

func (w Words) line(l dtm.Lang, n dtm.News) Line {
	switch n.Kind {
	case dtm.SubscribeIndicator:
		return w.figure(l, n)
	case dtm.SubscribeAlert:
		return w.alert(l, n)
	}
	return w.report(l, n)
}

func (w Words) at(l dtm.Lang, path string, q url.Values) string {
	if e := q.Encode(); e != "" {
		path += "?" + e
	}
	return w.Base + "/" + string(l) + path
}

// Number writes a figure as its indicator is published.
func (w Words) Number(l dtm.Lang, of string, v float64) string {
	i, err := w.Indicator(of)
	if err != nil {
		return locale.Number(l, v, -1)
	}
	if i.Unit == "percent" {
		return locale.Percent(l, i.Round(v), i.Digits(v))
	}
	return locale.Number(l, i.Round(v), i.Digits(v))
}

// Name names what a figure is of: the indicator and what it is narrowed to.
func (w Words) Name(l dtm.Lang, of string, where map[string][]string) string {
	name := of
	if i, err := w.Indicator(of); err == nil {
		name = i.Name.In(l)
	}
	for _, d := range slices.Sorted(maps.Keys(where)) {
		for _, code := range where[d] {
			name += " · " + w.Label(d, code, l)
		}
	}
	return name
}

func (w Words) figure(l dtm.Lang, n dtm.News) Line {
	m := dtm.MonthOf(n.Day)
	value := locale.Say(l, "subscription.withheld")
	if n.Value != nil {
		value = w.Number(l, n.Of, *n.Value)
	}
	out := Line{Text: locale.Say(l, "subscription.news.figure", w.Name(l, n.Of, n.Where), locale.Month(l, m), value)}
	if n.Before != nil {
		out.More = locale.Say(l, "subscription.news.before", locale.Month(l, m.Add(-1)), w.Number(l, n.Of, *n.Before))
	}
	q := url.Values{"from": {m.String()}, "to": {m.String()}}
	for d, codes := range n.Where {
		if d != "region" && d != "point" {
			return w.defined(l, out, n)
		}
		q.Set(d, codes[0])
	}
	if _, _, err := dtm.ParseReleaseNumber(n.Release); err == nil {
		q.Set("release", n.Release)
	}
	out.Link = w.at(l, "/", q)
	return out
}

// defined leads to the figure's definition: the overview is not narrowed like it.
func (w Words) defined(l dtm.Lang, out Line, n dtm.News) Line {
	out.Link = w.at(l, "/indicators/"+url.PathEscape(n.Of), nil)
	return out
}

func (w Words) alert(l dtm.Lang, n dtm.News) Line {
	place := locale.Say(l, "filter.all.point")
	if n.By != "" {
		place = w.Label(n.By, n.Place, l)
	}
	when := locale.Date(l, n.Day)
	switch n.Step {
	case "month":
		when = locale.Month(l, dtm.MonthOf(n.Day))
	case "week":
		when = locale.Say(l, "alert.week", when)
	}
	out := Line{Link: w.at(l, "/staff/alerts/"+strings.ReplaceAll(url.PathEscape(n.Of), "%2F", "/"), nil)}
	switch {
	case n.Step == dtm.AlertSilent:
		out.Text = locale.Say(l, "subscription.news.silent", place, when)
	case n.State != dtm.FlagConfirmed:
		out.Text = locale.Say(l, "subscription.news.raised", place, when)
	default:
		out.Text, out.Link = locale.Say(l, "subscription.news.alert", place, when), w.at(l, "/warning/", nil)
		if n.Value != nil {
			out.More = locale.Say(l, "subscription.news.observed", locale.Number(l, *n.Value, 0))
		}
		if n.By == "point" {
			out.Link = w.at(l, "/warning/", url.Values{"point": {n.Place}})
		}
	}
	return out
}

func (w Words) report(l dtm.Lang, n dtm.News) Line {
	q := url.Values{}
	if n.Release != "" {
		q.Set("release", n.Release)
	}
	r, err := dtm.ParseReport(n.Of)
	if err != nil {
		return Line{Text: n.Of}
	}
	out := Line{Text: locale.Say(l, "subscription.news.report", w.Report(l, r.Product, r.Of), locale.Period(l, r.Period())), Link: w.at(l, "/report/"+n.Of+".pdf", q)}
	if n.Value != nil {
		out.More = locale.Say(l, "subscription.news.observed", locale.Number(l, *n.Value, 0))
	}
	return out
}

// Report names a kind of report.
func (w Words) Report(l dtm.Lang, product, of string) string {
	name := locale.Say(l, "report.title")
	switch product {
	case dtm.ReportWeekly, dtm.ReportAnnual, dtm.ReportStranded:
		name = locale.Say(l, "report."+product+".title")
	case dtm.ReportPoint:
		name = locale.Say(l, "subscription.report.point")
		if p, ok := w.Operation.Point(of); ok {
			name += " · " + p.Name.In(l)
		}
	case dtm.ReportPartner:
		for _, p := range w.Operation.Partners {
			if p.Code == of {
				name = locale.Say(l, "report.partner.title", p.Name.In(l))
			}
		}
	}
	return name
}

// What says what a subscription is to, and when it tells.
func (w Words) What(l dtm.Lang, s dtm.Subscription) (what, when string) {
	switch s.Kind {
	case dtm.SubscribeIndicator:
		what = w.Name(l, s.Of, s.Where)
		when = locale.Say(l, "subscription.rule."+s.Rule)
		switch s.Rule {
		case dtm.RuleAbove, dtm.RuleBelow:
			when = locale.Say(l, "subscription.says."+s.Rule, w.Number(l, s.Of, s.Bound))
		case dtm.RuleChange:
			when = locale.Say(l, "subscription.says.change", locale.Percent(l, s.Bound, -1))
		}
	case dtm.SubscribeAlert:
		what = w.Name(l, "", s.Where)
		what = locale.Say(l, "subscription.alerts") + what
	default:
		product, of, _ := strings.Cut(s.Of, "-")
		what = w.Report(l, product, of)
	}
	pace := locale.Say(l, "subscription.pace."+s.Pace)
	if when == "" {
		return what, pace
	}
	return what, when + " · " + pace
}
