//go:build !race

// Starting the PDF engine under the race detector takes minutes; make test runs
// this file without it.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	if code, _, stderr := dtmTry(t, "report", "-data", data, "-month", "2031-01", "-lang", "fr", "-out", filepath.Join(t.TempDir(), "x.pdf")); code != 1 || !strings.Contains(stderr, "no movements") {
		t.Errorf("a month without data: exit %d, %s", code, stderr)
	}
	if _, err := os.Stat("x.pdf"); err == nil {
		t.Error("a file was written")
	}
}
