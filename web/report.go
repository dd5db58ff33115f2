package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/locale"
)

// report serves a report: /fr/report/2022-12.pdf, /fr/report/weekly-2022-W48.pdf.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	name, ok := strings.CutSuffix(r.PathValue("file"), ".pdf")
	if !ok || p.Options.Report == nil {
		return dtm.Errorf(dtm.NotFound, "there is no such file").Coded("notfound")
	}
	asked, err := dtm.ParseReport(name)
	if err != nil {
		return err
	}
	b, err := p.Options.Report(r.Context(), r.URL.Query().Get("release"), asked, l)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Disposition", `inline; filename="`+p.Operation.Code+"-"+name+"-"+string(l)+`.pdf"`)
	_, err = w.Write(b)
	return err
}

// reportLink is a report on the page of reports.
type reportLink struct {
	Label, Href, Note string
}

type reportsView struct {
	page
	Empty    bool
	Month    string
	Months   []option
	Of       []reportLink // the month's own
	Weeks    []reportLink
	Points   []reportLink
	Partners []reportLink
	Years    []reportLink
	Archive  []reportYear
}

type reportYear struct {
	Year   string
	Months []reportLink
}

// reports lists what there is of a month, and the months there are.
func (p *Pages) reports(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	f, err := overview.ParseFilter(p.Operation, r.URL.Query())
	if err != nil {
		return err
	}
	span, err := p.Figures.Span(r.Context())
	if err != nil {
		return err
	}
	v := reportsView{page: p.page(l, "reports", locale.Say(l, "reports.title"), "/reports/", f.Query()), Empty: span.From.IsZero() || p.Options.Report == nil}
	if v.Empty {
		return p.show(w, http.StatusOK, "reports", v)
	}
	released := map[dtm.Month]string{}
	if p.Releases != nil {
		list, err := p.Releases.FrozenReleases(r.Context())
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.State == dtm.StatePublished && released[x.Month] == "" {
				released[x.Month] = x.Number
			}
		}
	}
	byMonth, err := p.Figures.Table(r.Context(), dtm.Query{Indicator: "total_movements", Period: span, By: []string{"month"}})
	if err != nil {
		return err
	}
	var months []dtm.Month // those with movements, the last first
	for _, x := range byMonth.Figures {
		m, err := dtm.ParseMonth(x.Keys[0])
		if err != nil {
			return err
		}
		if !m.First().After(p.Now()) { // a date that was mistyped is no month to report of
			months = append(months, m)
		}
	}
	slices.SortFunc(months, func(a, b dtm.Month) int { return b.First().Compare(a.First()) })
	if len(months) == 0 {
		v.Empty = true
		return p.show(w, http.StatusOK, "reports", v)
	}
	m := months[0]
	if slices.Contains(months, f.To) {
		m = f.To
	}
	byPoint, err := p.Figures.Table(r.Context(), dtm.Query{Indicator: "total_movements", Period: dtm.Months(m, m), By: []string{"point"}})
	if err != nil {
		return err
	}
	v.Month = locale.Month(l, m)
	now := p.Now().In(p.Operation.Zone)
	// state says which figures a report is of.
	state := func(of dtm.Month, over time.Time) string {
		switch {
		case released[of] != "":
			return v.T("reports.released", released[of])
		case now.Before(over):
			return v.T("reports.running")
		}
		return ""
	}
	link := func(x dtm.Report, label, note string) reportLink {
		return reportLink{label, v.Link("/report/" + x.Name() + ".pdf"), note}
	}
	end := m.Add(1).First()
	v.Of = []reportLink{link(dtm.Report{Product: dtm.ReportMonthly, Month: m}, v.T("report.title"), state(m, end)), link(dtm.Report{Product: dtm.ReportStranded, Month: m}, v.T("report.stranded.title"), state(m, end)),
		link(dtm.Report{Product: dtm.ReportTables, Month: m}, v.T("report.tables.title"), state(m, end))}
	for monday := dtm.Monday(m.First()); monday.Before(end); monday = monday.AddDate(0, 0, 7) {
		week := dtm.Period{From: monday, To: monday.AddDate(0, 0, 7)}
		if !week.From.Before(span.To) || !span.From.Before(week.To) || now.Before(week.From) {
			continue
		}
		y, n := monday.ISOWeek()
		note := locale.Period(l, week)
		if now.Before(week.To) {
			note += " · " + v.T("reports.running")
		}
		v.Weeks = append(v.Weeks, link(dtm.Report{Product: dtm.ReportWeekly, Week: monday}, v.T("report.week", strconv.Itoa(n), strconv.Itoa(y)), note))
	}
	for _, pt := range p.Operation.Network() {
		if !slices.ContainsFunc(byPoint.Figures, func(f dtm.Figure) bool { return f.Keys[0] == pt.Code }) {
			continue // nothing passed there
		}
		note := ""
		if a, ok := p.Operation.Area(pt.Area); ok {
			note = a.Name.In(l)
		}
		v.Points = append(v.Points, link(dtm.Report{Product: dtm.ReportPoint, Month: m, Of: pt.Code}, pt.Name.In(l), note))
	}
	for _, x := range p.Operation.Partners {
		if len(x.Brief) == 0 {
			continue
		}
		var parts []string
		for _, part := range x.Brief {
			parts = append(parts, v.T("report.brief."+part))
		}
		v.Partners = append(v.Partners, link(dtm.Report{Product: dtm.ReportPartner, Month: m, Of: x.Code}, x.Name.In(l), together(v.Lang, parts)))
	}
	for _, x := range months {
		v.Months = append(v.Months, option{x.String(), locale.Month(l, x), x == m})
		year := strconv.Itoa(x.Year)
		if len(v.Archive) == 0 || v.Archive[len(v.Archive)-1].Year != year {
			v.Archive = append(v.Archive, reportYear{Year: year})
			review := dtm.Report{Product: dtm.ReportAnnual, Year: x.Year}
			v.Years = append(v.Years, link(review, v.T("report.annual.title")+" "+year, state(review.Last(), review.Period().To)))
		}
		at := &v.Archive[len(v.Archive)-1]
		at.Months = append(at.Months, link(dtm.Report{Product: dtm.ReportMonthly, Month: x}, locale.Month(l, x), state(x, x.Add(1).First())))
	}
	w.Header().Set("Cache-Control", "no-cache")
	return p.show(w, http.StatusOK, "reports", v)
}
