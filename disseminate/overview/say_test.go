package overview_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/overview"
)

// registry builds a registry file: one row per line "month,fmp,movement,previous,next,sex,age,n".
func registry(lines ...string) []byte {
	return []byte("month,fmp,movement,previous,next,sex,age,n,reason_economic\n" + strings.Join(lines, ",1\n") + ",1\n")
}

func build(t *testing.T, fig dtm.Figures, op *dtm.Operation, f overview.Filter, l dtm.Lang) *overview.Overview {
	t.Helper()
	o, err := overview.Build(context.Background(), fig, op, f, l)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOneChange: over every month of the published history, headline, sentence and
// the trend's title say the same change, on the basis that the operation declares.
func TestOneChange(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "movements", "DJI_dmg_2018_2022.csv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("real material is missing: ", err)
	}
	fig := figures(t, op, b)
	sentence := regexp.MustCompile(`Movements were (?:(\d[\d,]*%) (more|fewer) than|as many as) in \w+ \d+ \((totals|daily averages) compared\)`)
	title := regexp.MustCompile(`^Movements (rose|fell) by (\d[\d,]*%) to|^[\d,]+ movements in \w+ \d+: (\d[\d,]*%) (more|fewer) a day`)
	said := map[string]int{}
	for m := month(t, "2018-01"); m.Before(month(t, "2023-01")); m = m.Add(1) {
		o := build(t, fig, op, overview.Filter{From: m, To: m}, dtm.English)
		p, _ := o.Panel("trend")
		s, ti := sentence.FindStringSubmatch(o.Text()), title.FindStringSubmatch(p.Title)
		if m == month(t, "2018-01") {
			if s != nil || ti != nil {
				t.Errorf("%s: a change on a month without data: %s", m, o.Text())
			}
			continue
		}
		if s == nil {
			t.Errorf("%s: no change is said: %s", m, o.Text())
			continue
		}
		said[s[2]+" "+s[3]]++
		want := dtm.ValueAt(op.ChangeBasis, m.First())
		if (s[3] == "totals") != (want == "total") {
			t.Errorf("%s: %s, the basis is %s", m, s[0], want)
		}
		if s[2] == "" {
			if ti != nil {
				t.Errorf("%s: as much, but %q", m, p.Title)
			}
			continue
		}
		if ti == nil {
			t.Errorf("%s: %q, but the trend says %q", m, s[0], p.Title)
			continue
		}
		up := s[2] == "more"
		if ti[2]+ti[3] != s[1] || (ti[1] == "rose" || ti[4] == "more") != up || (ti[1] != "") != (s[3] == "totals") {
			t.Errorf("%s: %q, but the trend says %q", m, s[0], p.Title)
		}
		sign := map[bool]string{true: "+", false: "−"}[up]
		if n := o.Headlines[0].Notes; len(n) == 0 || !strings.HasPrefix(n[0], sign+s[1]) {
			t.Errorf("%s: %q, but on top %q", m, s[0], n)
		}
	}
	for _, k := range []string{"more totals", "fewer totals", "more daily averages", "fewer daily averages"} {
		if said[k] == 0 {
			t.Errorf("no month of the test is of the kind %q", k)
		}
	}
}

// TestRunningMonth: the total of a month that is not over is not held against that
// of a whole one, and the page says how far the figures go.
func TestRunningMonth(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	rows := registry("2022-11,Obock,outgoing,ETH,SAU,male,adults,3000", "2022-12,Obock,outgoing,ETH,SAU,male,adults,1000")
	whole := build(t, figuresAt(t, op, time.Date(2023, 1, 4, 9, 0, 0, 0, time.UTC), rows), op, overview.Filter{}, dtm.English)
	if s := whole.Text(); !strings.Contains(s, "67% fewer than in November 2022") || !strings.Contains(s, "32, over 31 calendar days") || strings.Contains(s, "not over") {
		t.Errorf("a whole month: %s", s)
	}
	half := build(t, figuresAt(t, op, time.Date(2022, 12, 10, 9, 0, 0, 0, time.UTC), rows), op, overview.Filter{}, dtm.English)
	p, _ := half.Panel("trend")
	if !strings.Contains(strings.Join(p.Notes, " "), "up to 10 December 2022") {
		t.Errorf("the trend does not say that its last month is not over: %v", p.Notes)
	}
	if s := half.Text() + p.Title + fmt.Sprint(half.Headlines); strings.Contains(s, "than in November") || strings.Contains(s, "fell") || strings.Contains(s, "−67%") ||
		!strings.Contains(s, "100, over 10 calendar days") || !strings.Contains(s, "not over: the figures cover the days up to 10 December 2022") {
		t.Errorf("ten days of a month: %s", s)
	}
}

// TestConstantPanel: where a point came, the change at the others is said too.
func TestConstantPanel(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	rows := registry("2022-11,Obock,outgoing,ETH,SAU,male,adults,1000", "2022-12,Obock,outgoing,ETH,SAU,male,adults,900", "2022-12,Yoboki,incoming,ETH,DJI,male,adults,600")
	o := build(t, figures(t, op, rows), op, overview.Filter{}, dtm.English)
	if s := o.Text(); !strings.Contains(s, "50% more than in November 2022 (totals compared). At the points active in both months, there were 10% fewer movements than in November 2022.") {
		t.Error(s)
	}
	same := build(t, figures(t, op, registry("2022-11,Obock,outgoing,ETH,SAU,male,adults,1000", "2022-12,Obock,outgoing,ETH,SAU,male,adults,900")), op, overview.Filter{}, dtm.English)
	if s := same.Text(); strings.Contains(s, "both months") {
		t.Errorf("the same points: %s", s)
	}
}

// TestWithheldChange: a change that would give a small count away is not said.
func TestWithheldChange(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	rows := registry("2022-11,Obock,outgoing,ETH,SAU,male,adults,5", "2022-12,Obock,outgoing,ETH,SAU,male,adults,50")
	o := build(t, figures(t, op, rows), op, overview.Filter{}, dtm.English)
	p, _ := o.Panel("trend")
	if s := o.Text() + p.Title + fmt.Sprint(o.Headlines); strings.Contains(s, "900%") || strings.Contains(s, "November 2022 (") || strings.Contains(s, "rose") {
		t.Error(s)
	}
	if !strings.Contains(string(p.Chart.SVG(p.Options(op, dtm.English, 640))), "withheld to protect small counts") {
		t.Error("the small month is not drawn as withheld")
	}
}

// TestLargeWithheld: "<10" is not said of a count that is withheld to protect
// another.
func TestLargeWithheld(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	o := build(t, figures(t, op, []byte(small)), op, overview.Filter{}, dtm.French)
	p, _ := o.Panel("points") // 4, 500 and 77: the 77 keeps the 4 company
	if !p.Company || !strings.Contains(strings.Join(p.Notes, " "), "certains plus grands") {
		t.Errorf("not said: %v", p.Notes)
	}
	for _, row := range p.Table.Text(p.Options(op, dtm.French, 640)) {
		if row[1] == "<10" || row[1] == "77" || row[1] == "4" {
			t.Errorf("%v", row)
		}
	}
	if svg := string(p.Chart.SVG(p.Options(op, dtm.French, 640))); strings.Contains(svg, "&lt;10") || !strings.Contains(svg, "*") {
		t.Error("the drawing says <10 of both")
	}
}

// TestWithheldShare: of two reasons both are withheld, as one gives the other away.
func TestWithheldShare(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	rows := "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n" +
		"2022-12,Obock,outgoing,ETH,SAU,male,adults,400,1,0\n2022-12,Obock,outgoing,ETH,SAU,male,adults,4,0,1\n"
	o := build(t, figures(t, op, []byte(rows)), op, overview.Filter{}, dtm.English)
	p, _ := o.Panel("reasons")
	found := 0
	for _, row := range p.Table.Text(p.Options(op, dtm.English, 640)) {
		if row[1] == "*" {
			found++
		}
	}
	if svg := string(p.Chart.SVG(p.Options(op, dtm.English, 640))); found != 2 || strings.Contains(svg, "&lt;10") || !strings.Contains(svg, "withheld to protect small counts") {
		t.Errorf("%v %s", p.Table, svg)
	}
}

// TestScope: the first sentence names what the filter chose.
func TestScope(t *testing.T) {
	t.Parallel()
	op := djibouti(t)
	fig := figures(t, op, registry("2022-12,Obock,outgoing,ETH,SAU,male,adults,300", "2022-12,Yoboki,incoming,ETH,DJI,unknown,unknown,700"))
	for _, c := range []struct {
		f    overview.Filter
		l    dtm.Lang
		want string
	}{
		{overview.Filter{}, dtm.English, "In December 2022, 1,000 movements were observed at the flow monitoring points."},
		{overview.Filter{Point: "obock"}, dtm.English, "In December 2022, 300 movements were observed at Obock."},
		{overview.Filter{Region: "DJ01"}, dtm.French, "En décembre 2022, 300 mouvements ont été observés dans la région d’Obock."},
		{overview.Filter{Direction: "incoming"}, dtm.French, "En décembre 2022, 700 mouvements ont été observés aux points de suivi des flux (entrants)."},
		{overview.Filter{}, dtm.English, "By sex and age: men\u00a030%; not known\u00a070%."},
		{overview.Filter{Point: "yoboki"}, dtm.French, "Le sexe et l’âge ne sont pas connus pour 100\u202f% des mouvements."},
		{overview.Filter{}, dtm.English, "Reasons given (several are possible): economic\u00a0100%."},
	} {
		if s := build(t, fig, op, c.f, c.l).Text(); !strings.Contains(s, c.want) {
			t.Errorf("%+v: %q is not in %q", c.f, c.want, s)
		}
	}
	if s := build(t, fig, op, overview.Filter{Point: "obock"}, dtm.English).Text(); strings.Contains(s, "point was active") || strings.Contains(s, "Obock region") {
		t.Errorf("says of one point what goes without saying: %s", s)
	}
}
