// Package survey estimates shares of answers from the interviews of a flow monitoring
// survey: interviews come in, shares with intervals and caveats go out, by the methods
// of analyse/stat. The stratum is the point, the cluster the point-day.
//
// Such a survey is no probability sample of those who pass. Its intervals are the
// sampling error there would be if respondents resembled all who passed.
package survey

import (
	"math"
	"slices"

	"dtm"
	"dtm/analyse/stat"
)

// Question is one that interviews answer.
type Question struct {
	ID        string
	Indicator string // of the catalogue, that gives the same shares without intervals
	List      string // code list of the operation
	answers   func(*dtm.Interview) []string
}

func one(code string) []string {
	if code == "" {
		return nil
	}
	return []string{code}
}

// Questions lists what can be estimated.
var Questions = []Question{
	{"sex", "respondent_sex_share_pct", "sex", func(i *dtm.Interview) []string { return one(i.Sex) }},
	{"nationality", "respondent_nationality_share_pct", "country", func(i *dtm.Interview) []string { return one(i.Nationality) }},
	{"marital", "marital_share_pct", "marital", func(i *dtm.Interview) []string { return one(i.Marital) }},
	{"education", "education_share_pct", "education", func(i *dtm.Interview) []string { return one(i.Education) }},
	{"employment", "employment_share_pct", "employment", func(i *dtm.Interview) []string { return one(i.Employment) }},
	{"left_when", "departure_time_share_pct", "left_when", func(i *dtm.Interview) []string { return one(i.LeftWhen) }},
	{"company", "company_share_pct", "company", func(i *dtm.Interview) []string { return one(i.Company) }},
	{"reason", "interview_reason_share_pct", "reason", func(i *dtm.Interview) []string { return i.Reasons }},
	{"transport", "interview_transport_share_pct", "transport", func(i *dtm.Interview) []string { return i.Transports }},
	{"paid_by", "payment_share_pct", "paid_by", func(i *dtm.Interview) []string { return i.PaidBy }},
	{"final", "intended_destination_share_pct", "country", func(i *dtm.Interview) []string { return one(i.Final) }},
	{"why_final", "destination_reason_share_pct", "why_final", func(i *dtm.Interview) []string { return i.WhyFinal }},
	{"stay", "planned_stay_share_pct", "stay", func(i *dtm.Interview) []string { return one(i.Stay) }},
	{"go_back", "return_wish_share_pct", "go_back", func(i *dtm.Interview) []string { return one(i.GoBack) }},
	{"difficulty", "difficulty_share_pct", "difficulty", func(i *dtm.Interview) []string { return i.Difficulties }},
	{"information", "information_need_share_pct", "information", func(i *dtm.Interview) []string { return i.Information }},
	{"knows_help", "help_known_share_pct", "yes_no", func(i *dtm.Interview) []string { return one(i.KnowsHelp) }},
	{"wants_help", "help_wanted_share_pct", "yes_no", func(i *dtm.Interview) []string { return one(i.WantsHelp) }},
	{"counted", "counted_before_share_pct", "yes_no", func(i *dtm.Interview) []string { return one(i.Counted) }},
}

// Find gives a question: NotFound.
func Find(id string) (Question, error) {
	for _, q := range Questions {
		if q.ID == id {
			return q, nil
		}
	}
	return Question{}, dtm.Errorf(dtm.NotFound, "the survey has no question %q", id).Coded("survey.question", id)
}

// Codes of caveats that a figure may carry.
const (
	Few         = "few"        // less than 30 respondents answered
	FewClusters = "clusters"   // less than 10 point-days
	Clustered   = "clustered"  // the days differ much: the error is that of half as many respondents or fewer
	Lonely      = "lonely"     // a point was asked on one day only
	Extreme     = "extreme"    // nobody, or everybody
	Unequal     = "unequal"    // weights cost more than half of the respondents
	NoDesign    = "no_design"  // the design gives no error: only Wilson's interval stands
	Unweighted  = "unweighted" // points with few interviews count for less than their movements
)

// Share is the share of respondents who gave an answer.
type Share struct {
	Code      string
	Yes, N    int           // who gave it, of those who answered the question
	Value     float64       // weighted
	Wilson    stat.Interval // as if respondents had been drawn one by one with equal chances
	Design    stat.Interval // logit, linearised, point-days as clusters; NaN: not known
	Bootstrap stat.Interval // point-days drawn anew; NaN: not known
	SE, Deff  float64
	Caveats   []string
}

// Result is a question's answers.
type Result struct {
	Question  Question
	Shares    []Share // the largest first
	Answered  int
	Points    int
	PointDays int
	Weighted  bool
	Left      int // respondents left out: their point has no movements to weigh by
}

// Level of all intervals, and rounds and seed of the bootstrap.
const (
	Level  = 0.95
	Rounds = 1000
	Seed   = 20170501
)

// Estimate estimates the shares of a question's answers. movements, when not nil, are
// those observed at each point: respondents then stand for the movements of their point,
// so that a point with many interviews and few people does not count for more than it
// has. Who refused, or had answered before, is no respondent; who did not answer the
// question is in no share.
func Estimate(list []dtm.Interview, q Question, movements map[string]float64) (Result, error) {
	out := Result{Question: q, Weighted: movements != nil}
	var d stat.Design
	var given [][]string
	asked := map[string]int{}
	days := map[string]map[string]bool{}
	for i := range list {
		x := &list[i]
		if !x.Complete() {
			continue
		}
		codes := q.answers(x)
		if codes == nil {
			continue
		}
		if movements != nil && !(movements[x.Point] > 0) {
			out.Left++
			continue
		}
		day := x.Point + "|" + x.Observed.Format("2006-01-02")
		d.Strata, d.Clusters = append(d.Strata, x.Point), append(d.Clusters, day)
		given = append(given, codes)
		asked[x.Point]++
		if days[x.Point] == nil {
			days[x.Point] = map[string]bool{}
		}
		days[x.Point][day] = true
	}
	n := len(given)
	out.Answered, out.Points = n, len(asked)
	if n == 0 {
		return out, nil
	}
	d.Lonely = stat.LonelyAdjusts
	lonely := false
	for _, list := range days {
		out.PointDays += len(list)
		lonely = lonely || len(list) == 1
	}
	kish := 1.0
	if movements != nil {
		sum, sum2 := 0.0, 0.0
		for _, point := range d.Strata {
			w := movements[point] / float64(asked[point])
			d.Weights = append(d.Weights, w)
			sum, sum2 = sum+w, sum2+w*w
		}
		kish = float64(n) * sum2 / (sum * sum)
	}
	var codes []string
	for _, g := range given {
		for _, c := range g {
			if !slices.Contains(codes, c) {
				codes = append(codes, c)
			}
		}
	}
	nan := stat.Interval{Estimate: math.NaN(), Low: math.NaN(), High: math.NaN()}
	for _, code := range codes {
		yes := make([]float64, n)
		s := Share{Code: code, N: n, Design: nan, Bootstrap: nan, SE: math.NaN(), Deff: math.NaN()}
		for i, g := range given {
			if slices.Contains(g, code) {
				yes[i] = 1
				s.Yes++
			}
		}
		var err error
		if s.Wilson, err = stat.Wilson(float64(s.Yes), float64(n), Level); err != nil {
			return out, err
		}
		s.Value = s.Wilson.Estimate
		e, err := d.Share(yes)
		if err == nil {
			s.Value, s.SE, s.Deff = e.Value, e.SE, e.Deff
			if iv, err := e.Interval(Level); err == nil {
				s.Design = iv
				if iv, err := d.Bootstrap(yes, Rounds, Seed, Level); err == nil {
					s.Bootstrap = iv
				}
			}
		}
		s.caveats(out, lonely, kish)
		out.Shares = append(out.Shares, s)
	}
	slices.SortStableFunc(out.Shares, func(a, b Share) int {
		switch {
		case a.Value > b.Value:
			return -1
		case a.Value < b.Value:
			return 1
		}
		return 0
	})
	return out, nil
}

func (s *Share) caveats(r Result, lonely bool, kish float64) {
	add := func(code string, when bool) {
		if when {
			s.Caveats = append(s.Caveats, code)
		}
	}
	add(Few, s.N < 30)
	add(FewClusters, r.PointDays < 10)
	add(NoDesign, math.IsNaN(s.Design.Low))
	add(Clustered, s.Deff >= 2)
	add(Lonely, lonely)
	add(Extreme, s.Yes == 0 || s.Yes == s.N)
	add(Unequal, kish >= 2)
	add(Unweighted, !r.Weighted && r.Points > 1)
}
