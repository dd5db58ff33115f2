//go:build !race

// Starting the PDF engine under the race detector takes minutes; make test runs
// this file without it.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dtm"
	"dtm/locale"
)

// TestReportReal: the PDFs of December 2022 hold the published figures.
func TestReportReal(t *testing.T) {
	t.Parallel()
	data := real(t, "DJI_dmg_2018_2022.csv", "DJI_nat_2018_2022.csv")
	for lang, want := range map[string][]string{
		"en": {"19,156", "618", "3,557", "13,830", "December 2022", "provisional-"},
		"fr": {"19\u202f156", "618", "3\u202f557", "13\u202f830", "décembre 2022", "provisional-"},
		"ar": {"19,156", "3,557"},
	} {
		pdf := filepath.Join(t.TempDir(), lang+".pdf")
		dtmRun(t, "report", "-data", data, "-month", "2022-12", "-lang", lang, "-out", pdf)
		out, err := exec.Command("pdftotext", "-enc", "UTF-8", pdf, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext (package poppler-utils): %v", err)
		}
		// A PDF reader gives back the narrow no-break space as the blank it looks like.
		plain := strings.NewReplacer("\u202f", " ", "\u00a0", " ")
		text := plain.Replace(string(out))
		for _, w := range want {
			if !strings.Contains(text, plain.Replace(w)) {
				t.Errorf("%s: %q is not in the text", lang, w)
			}
		}
		info, err := exec.Command("pdfinfo", pdf).Output()
		if err != nil || !strings.Contains(string(info), "Tagged:          yes") {
			t.Errorf("%s: not tagged (%v)\n%s", lang, err, info)
		}
	}
	// The other products say the figures that the command gives.
	year := strings.Split(strings.Split(strings.TrimSpace(dtmRun(t, "indicator", "-data", data, "-public", "total_movements", "-from", "2022-01", "-to", "2022-12", "-format", "csv")), "\n")[1], ",")[1]
	for name, x := range map[string]struct {
		args []string
		want []string
	}{
		"annual":  {[]string{"-product", "annual", "-year", "2022", "-lang", "fr"}, []string{"Bilan annuel", "Sommaire", locale.Number(dtm.French, parsed(t, year), 0)}},
		"point":   {[]string{"-product", "point", "-point", "obock", "-month", "2022-12"}, []string{"Obock: profile of the point", "3,557"}},
		"partner": {[]string{"-product", "partner", "-partner", "unhcr", "-month", "2022-12"}, []string{"Brief for UNHCR", "19,156"}},
	} {
		pdf := filepath.Join(t.TempDir(), name+".pdf")
		dtmRun(t, append([]string{"report", "-data", data, "-out", pdf}, x.args...)...)
		out, err := exec.Command("pdftotext", "-enc", "UTF-8", pdf, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer("\u202f", " ", "\u00a0", " ")
		for _, w := range x.want {
			if !strings.Contains(plain.Replace(string(out)), plain.Replace(w)) {
				t.Errorf("%s: %q is not in the text", name, w)
			}
		}
	}
	for want, args := range map[string][]string{
		"nothing recorded":    {"-product", "weekly", "-week", "2022-W48"}, // history knows months only
		"there is no point":   {"-product", "point", "-point", "nowhere", "-month", "2022-12"},
		"there is no partner": {"-product", "partner", "-partner", "nobody", "-month", "2022-12"},
		"-week is needed":     {"-product", "weekly"},
		"-product \"daily\"":  {"-product", "daily", "-month", "2022-12"},
		"is not a week":       {"-product", "weekly", "-week", "2022-W60"},
	} {
		if code, _, stderr := dtmTry(t, append([]string{"report", "-data", data, "-out", filepath.Join(t.TempDir(), "x.pdf")}, args...)...); code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit %d, %s", args, code, stderr)
		}
	}
	if code, _, stderr := dtmTry(t, "report", "-data", data, "-month", "2031-01", "-lang", "fr", "-out", filepath.Join(t.TempDir(), "x.pdf")); code != 1 || !strings.Contains(stderr, "no movements") {
		t.Errorf("a month without data: exit %d, %s", code, stderr)
	}
	if _, err := os.Stat("x.pdf"); err == nil {
		t.Error("a file was written")
	}
}

func parsed(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
