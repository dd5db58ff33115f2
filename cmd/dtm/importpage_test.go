package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"dtm"
)

// registryFile writes an invented history of 30 months: a point misspelt, a row that
// cannot be read, and one month that is another than was published.
func registryFile(t *testing.T, dir string) (history, published string) {
	t.Helper()
	b := strings.Builder{}
	b.WriteString("month,fmp,fmp_country,route,subroute,movement,origin,previous,next,final,sex,age,n,uac,reason_economic\n")
	for k := range 30 {
		m := dtm.Month{Year: 2020, Month: 1}.Add(k)
		for i, point := range []string{"Obock", "Yoboki", "Ali Sabieh"} {
			if k == 7 && i == 1 {
				point = "Yobokki"
			}
			for j, who := range []string{"male,adults", "female,adults"} {
				fmt.Fprintf(&b, "%s,%s,DJI,Eastern Corridor,Outgoing to Eastern Corridor,outgoing,OOO,ETH,SAU,OOO,%s,%d,,1\n", m, point, who, 300+10*i+j+k)
			}
		}
	}
	b.WriteString("2022-13,Obock,DJI,Eastern Corridor,Outgoing to Eastern Corridor,outgoing,OOO,ETH,SAU,OOO,male,adults,1,,1\n")
	history, published = filepath.Join(dir, "history.csv"), filepath.Join(dir, "published.csv")
	for name, text := range map[string]string{history: b.String(), published: "month,indicator,value,source\n2020-03,total_movements,1875,monthly report\n2020-04,total_movements,1900,monthly report\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return history, published
}

// TestImportPages: a data manager imports a file in the browser, sees what became of
// it, compares published figures, tries a rule and uses it with another limit, and takes
// the import back.
func TestImportPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, password := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("a sentence of five words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dtmRun(t, "init", "-data", data)
	dtmRun(t, "user", "add", "-data", data, "-email", "amina@example.org", "-role", dtm.RoleManager, "-password-file", password)
	history, published := registryFile(t, dir)
	base, stop := serving(t, data)
	s := seated(t, base, "amina@example.org")
	s.looks("imports-empty", "/staff/imports/")
	s.do(chromedp.Navigate(base+"/en/staff/imports/"), chromedp.SetUploadFiles("input[type=file]", []string{history}), chromedp.Click("form.fields button"), chromedp.WaitVisible("#found"))
	seen := s.text("main")
	for _, want := range []string{"history.csv", "January 2020 to June 2022", "181", "the rows with the reasons", "“2022-13” is not a month", "2022-13 · Obock · DJI", "A point written otherwise"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the page of the import does not say %q:\n%s", want, seen)
		}
	}
	rejected := ask[string](s, `fetch(document.querySelector('a[href$="rejects.csv"]').href).then(r => r.text())`)
	if !strings.Contains(rejected, "182,") || !strings.Contains(rejected, "2022-13") {
		t.Errorf("rejected rows: %s", rejected)
	}
	at := strings.TrimPrefix(ask[string](s, `location.pathname`), "/en")
	s.looks("import", at)
	// The misspelt point stands in the queue with what it was taken for.
	s.do(chromedp.Navigate(base+"/en/staff/review/?rule=point.spelling"), chromedp.WaitVisible("#queue"))
	if got := s.text("#queue"); !strings.Contains(got, "Yobokki → Yoboki") {
		t.Errorf("the queue: %s", got)
	}
	// And each of its rows under what was written.
	s.do(chromedp.Navigate(base+"/en/staff/review/?rule=point.unknown"), chromedp.WaitVisible("#queue"))
	if got := s.text("#queue"); !strings.Contains(got, "register Yobokki · ETH > SAU") {
		t.Errorf("the queue: %s", got)
	}
	// Published figures: one month differs.
	s.do(chromedp.Navigate(base+"/en/staff/imports/"), chromedp.SetValue("select[name=kind]", "published"), chromedp.SetUploadFiles("input[type=file]", []string{published}), chromedp.Click("form.fields button"), chromedp.WaitVisible("table"))
	if got := s.text("main"); !strings.Contains(got, "2 published figures can be compared; 1 differ") || !strings.Contains(got, "1,900") {
		t.Errorf("published figures: %s", got)
	}
	s.looks("published", "/staff/imports/published")
	// A rule tried on history, then used with the limit that was tried.
	s.do(chromedp.Navigate(base+"/en/staff/rules/month.small"), chromedp.SetValue(`#try ~ form input[name="limit.share"]`, "0.5"), chromedp.Click("button[name=try]"), chromedp.WaitVisible(".done[role=status]"))
	if got := s.text(".done"); !strings.Contains(got, "0 findings; records looked at: 180") {
		t.Errorf("tried: %s", got)
	}
	s.do(chromedp.SetValue(`#use ~ form input[name="limit.share"]`, "0.5"), chromedp.SetValue("#use ~ form input[name=why]", "only where it is half the month"), chromedp.Click("button[value=on]"), chromedp.WaitVisible("#story"))
	if got := s.text("main"); !strings.Contains(got, "%: 0.5") || !strings.Contains(got, "only where it is half the month") || !strings.Contains(got, "amina@example.org") {
		t.Errorf("used: %s", got)
	}
	s.looks("rule", "/staff/rules/month.small")
	// Taken back: the figures are empty, the flags gone.
	s.do(chromedp.Navigate(base+"/en"+at), chromedp.SetValue("#undo ~ form input[name=why]", "the wrong file"), chromedp.Click("#undo ~ form button"), chromedp.WaitVisible("h1 .state"))
	if got := s.text("main"); !strings.Contains(got, "the wrong file") {
		t.Errorf("taken back: %s", got)
	}
	s.do(chromedp.Navigate(base + "/en/staff/review/?rule=point.spelling&state=open"))
	if got := s.text("main"); strings.Contains(got, "Yobokki") {
		t.Errorf("the flag of what was taken back stands: %s", got)
	}
	stop()
	dtmRun(t, "check", "-data", data)
	if _, out, _ := dtmTry(t, "indicator", "-data", data, "total_movements", "-from", "2020-03", "-format", "csv"); strings.Contains(out, "1875") {
		t.Errorf("what was taken back is counted: %s", out)
	}
	dtmRun(t, "import", "movements", "-data", data, "-rejects", filepath.Join(dir, "bad.csv"), history)
	if got := value(t, data, "total_movements", "2020-03", "2020-03"); got != "1875" {
		t.Errorf("imported again: %s, want 1875", got)
	}
}
