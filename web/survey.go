package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"strings"

	"dtm"
	"dtm/analyse/survey"
	"dtm/locale"
)

// Surveying is what the page about interviews needs.
type Surveying struct {
	Interviews dtm.Interviews
	// Figures are the staff's: not guarded.
	Figures dtm.Figures
}

// surveyMonths is how many months are taken together when nobody says which.
const surveyMonths = 3

type surveyView struct {
	page
	Questions, Weights []option
	From, To           string
	Empty              string
	Period             string
	Heads              []backtestHead
	Rows               []surveyRow
	Left               string
}

type surveyRow struct{ Answer, Share, Design, Bootstrap, Wilson, N, Deff, Caveats string }

// movementsBy are the movements of a period at each point, to weigh respondents by.
func movementsBy(ctx context.Context, f dtm.Figures, p dtm.Period) (map[string]float64, error) {
	t, err := f.Table(ctx, dtm.Query{Indicator: "total_movements", Period: p, By: []string{"point"}})
	out := map[string]float64{}
	for _, x := range t.Figures {
		if x.Value != nil {
			out[x.Keys[0]] += *x.Value
		}
	}
	return out, err
}

// survey shows shares of answers with their sampling error and what to be careful of.
func (p *Pages) survey(w http.ResponseWriter, r *http.Request) error {
	ctx, query := r.Context(), r.URL.Query()
	v := surveyView{page: p.inside(r, "survey", "survey.title", "/survey/")}
	l := v.Lang
	to := dtm.MonthOf(p.civilToday())
	from := to.Add(1 - surveyMonths)
	for _, x := range []struct {
		name string
		at   *dtm.Month
	}{{"from", &from}, {"to", &to}} {
		if s := query.Get(x.name); s != "" {
			m, err := dtm.ParseMonth(s)
			if err != nil {
				return err
			}
			*x.at = m
		}
	}
	if to.Before(from) {
		from, to = to, from
	}
	v.From, v.To = from.String(), to.String()
	q, err := survey.Find(cmp.Or(query.Get("question"), "difficulty"))
	if err != nil {
		return err
	}
	for _, x := range survey.Questions {
		v.Questions = append(v.Questions, option{x.ID, p.questionName(x, l), x.ID == q.ID})
	}
	weighted := query.Get("weights") != "none"
	v.Weights = []option{{"movements", v.T("survey.weights.movements"), weighted}, {"none", v.T("survey.weights.none"), !weighted}}
	period := dtm.Months(from, to)
	v.Period = locale.Period(l, period)
	var list []dtm.Interview
	refused := 0
	if err := p.Staff.Surveying.Interviews.Interviews(ctx, period, func(i dtm.Interview) error {
		list = append(list, i)
		if i.Consent == "no" {
			refused++
		}
		return nil
	}); err != nil {
		return err
	}
	var movements map[string]float64
	if weighted {
		if movements, err = movementsBy(ctx, p.Staff.Surveying.Figures, period); err != nil {
			return err
		}
	}
	x, err := survey.Estimate(list, q, movements)
	if err != nil {
		return err
	}
	if x.Answered == 0 {
		v.Empty = v.T("survey.empty")
		if x.Left > 0 {
			v.Empty = v.T("survey.empty.left", x.Left)
		}
		return p.show(w, http.StatusOK, "survey", v)
	}
	v.Heads = []backtestHead{
		{v.T("survey.answered"), v.Number(x.Answered), v.T("survey.refused", refused)},
		{v.T("survey.days"), v.Number(x.PointDays), v.T("survey.points", x.Points)},
	}
	if x.Left > 0 {
		v.Left = v.T("survey.left", x.Left)
	}
	for _, s := range x.Shares {
		row := surveyRow{Answer: p.Operation.Lists[q.List].Label(s.Code, l), Share: locale.Percent(l, 100*s.Value, 0), Design: ends(l, s.Design.Low, s.Design.High), Bootstrap: ends(l, s.Bootstrap.Low, s.Bootstrap.High),
			Wilson: ends(l, s.Wilson.Low, s.Wilson.High), N: v.T("survey.of", s.Yes, s.N), Deff: "–"}
		if !math.IsNaN(s.Deff) {
			row.Deff = locale.Number(l, s.Deff, 1)
		}
		for _, c := range s.Caveats {
			row.Caveats += v.T("survey.caveat."+c) + " "
		}
		row.Caveats = cmp.Or(strings.TrimSpace(row.Caveats), "–")
		v.Rows = append(v.Rows, row)
	}
	return p.show(w, http.StatusOK, "survey", v)
}

func (p *Pages) questionName(q survey.Question, l dtm.Lang) string {
	if i, err := p.Staff.Surveying.Figures.Indicator(q.Indicator); err == nil {
		return i.Name.In(l)
	}
	return q.ID
}

// ends writes an interval of shares.
func ends(l dtm.Lang, lo, hi float64) string {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return "–"
	}
	return locale.Percent(l, 100*lo, 0) + "\u00a0–\u00a0" + locale.Percent(l, 100*hi, 0)
}
