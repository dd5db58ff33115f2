package dtm_test

import (
	"testing"
	"time"

	"dtm"
)

func TestReportNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]dtm.Report{
		"2022-12":                  {Product: dtm.ReportMonthly, Month: dtm.Month{Year: 2022, Month: 12}},
		"weekly-2022-W48":          {Product: dtm.ReportWeekly, Week: time.Date(2022, 11, 28, 0, 0, 0, 0, time.UTC)},
		"weekly-2020-W53":          {Product: dtm.ReportWeekly, Week: time.Date(2020, 12, 28, 0, 0, 0, 0, time.UTC)},
		"point-ali-sabieh-2022-01": {Product: dtm.ReportPoint, Of: "ali-sabieh", Month: dtm.Month{Year: 2022, Month: 1}},
		"annual-2022":              {Product: dtm.ReportAnnual, Year: 2022},
		"partner-unicef-2022-12":   {Product: dtm.ReportPartner, Of: "unicef", Month: dtm.Month{Year: 2022, Month: 12}},
		"stranded-2022-12":         {Product: dtm.ReportStranded, Month: dtm.Month{Year: 2022, Month: 12}},
		"tables-2022-12":           {Product: dtm.ReportTables, Month: dtm.Month{Year: 2022, Month: 12}},
	} {
		r, err := dtm.ParseReport(name)
		if err != nil || r != want {
			t.Errorf("%s: %+v, %v; want %+v", name, r, err, want)
		}
		if r.Name() != name {
			t.Errorf("%s is written %s", name, r.Name())
		}
	}
	for _, name := range []string{"", "2022", "2022-13", "2022-1", "weekly-2022-W00", "weekly-2022-W53", "weekly-2022-48", "annual-22", "annual-+022", "point-2022-12", "point--2022-12", "partner-unicef", "stranded-", "x-2022-12", "monthly-2022-12"} {
		if r, err := dtm.ParseReport(name); dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%q is read as %+v, %v", name, r, err)
		}
	}
}

func TestReportPeriod(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][3]string{
		"2022-02":         {"2022-02-01", "2022-03-01", "2022-02"},
		"weekly-2022-W52": {"2022-12-26", "2023-01-02", "2023-01"},
		"annual-2022":     {"2022-01-01", "2023-01-01", "2022-12"},
	} {
		r, err := dtm.ParseReport(name)
		if err != nil {
			t.Fatal(err)
		}
		p := r.Period()
		if got := [3]string{p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), r.Last().String()}; got != want {
			t.Errorf("%s is of %v, want %v", name, got, want)
		}
	}
}

func FuzzReportNames(f *testing.F) {
	for _, s := range []string{"2022-12", "weekly-2022-W48", "point-a-2022-12", "annual-2022", "partner-b-c-2022-12", "stranded-2022-12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := dtm.ParseReport(s)
		if err == nil && r.Name() != s {
			t.Errorf("%q is written back as %q", s, r.Name())
		}
	})
}
