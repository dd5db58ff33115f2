package warehousetest

import (
	"time"

	"dtm"
)

// Operation is an invented country, Alba (ALB), whose points show every rule: a
// point that becomes an exit point in the middle of a month, one without region,
// areas, a baseline, changes by totals and later by daily averages.
func Operation() *dtm.Operation {
	day := func(s string) time.Time {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	list := func(codes ...string) dtm.CodeList {
		var l dtm.CodeList
		for _, c := range codes {
			l.Codes = append(l.Codes, dtm.Code{Code: c, Label: dtm.Text{dtm.English: c}})
		}
		return l
	}
	ages := list("adults", "children", "unknown", "0_4", "5_17", "18_59")
	for i, to := range map[int]string{3: "children", 4: "children", 5: "adults"} {
		ages.Codes[i].Extra = map[string]string{"rolls_to": to}
	}
	fixed := dtm.Months(dtm.Month{Year: 2021, Month: 1}, dtm.Month{Year: 2021, Month: 2})
	return &dtm.Operation{
		Code:    "alba",
		Country: "ALB",
		Areas:   []dtm.Area{{Code: "AL01", Level: 1}, {Code: "AL02", Level: 1}},
		Points: []dtm.Point{
			{Code: "GATE", Name: dtm.Text{dtm.English: "Gate"}, Aliases: []string{"The Gate"}, Area: "AL01", Role: []dtm.Dated{{Value: dtm.RoleEntry}}},
			{Code: "ROAD", Name: dtm.Text{dtm.English: "Road"}, Area: "AL02", Role: []dtm.Dated{{Value: dtm.RoleTransit}}},
			{Code: "PORT", Name: dtm.Text{dtm.English: "Port"}, Area: "AL02", Role: []dtm.Dated{{Value: dtm.RoleEntry}, {From: day("2022-03-16"), Value: dtm.RoleExit}}},
			{Code: "WELL", Name: dtm.Text{dtm.English: "Well"}, Role: []dtm.Dated{{Value: dtm.RoleTransit}}},
		},
		Lists: map[string]dtm.CodeList{
			"country": list("ALB", "BEL", "CYP", "DNK"),
			"sex":     list("male", "female", "unknown"),
			"age":     ages,
			"reason":  list("economic", "conflict", "buy_goods"),

			"age_group": list("0_13", "14_17", "18_24", "25_34", "35_44", "45_59", "60_plus", "unknown"),
		},
		Baseline:    dtm.Baseline{Period: fixed},
		ChangeBasis: []dtm.Dated{{Value: "total"}, {From: day("2022-01-01"), Value: "daily_average"}},
		Indicators: []dtm.DerivedIndicator{
			{ID: "entries_from_bel", Base: "entries", Where: map[string][]string{"previous": {"BEL"}}},
			{ID: "entries_from_bel_change_pct", Base: "entries_change_pct", Where: map[string][]string{"previous": {"BEL"}}},
			{ID: "returns_from_dnk", Base: "returns", Where: map[string][]string{"previous": {"DNK"}}},
			{ID: "second_region_share_pct", Base: "movement_share_pct", Where: map[string][]string{"region": {"AL02"}}},
			{ID: "baseline_daily_average", Base: "daily_average", Period: &fixed},
		},
	}
}
