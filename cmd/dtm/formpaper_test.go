//go:build !race

// Starting the PDF engine under the race detector takes minutes; make test runs
// this file without it.

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
)

// TestFormPaper prints every form of the pack; package paper lays them out in every
// language.
func TestFormPaper(t *testing.T) {
	t.Parallel()
	data := real(t)
	words := func(file string) string {
		out, err := exec.Command("pdftotext", "-layout", "-enc", "UTF-8", file, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext (package poppler-utils): %v", err)
		}
		return strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(string(out))
	}
	c := &call{dir: t.TempDir(), env: testEnv, out: io.Discard, err: io.Discard}
	h, done, err := c.open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	for form, want := range map[string]map[string][]string{
		"fmr":        {"fr": {"Registre de suivi des flux", "Liste A", "obock", "Page 1 sur", "Seulement si la réponse à 17 est"}},
		"fms":        {"fr": {"Seulement si la réponse à 3 est « Oui » et la réponse à 4 est « Non »."}},
		"presence":   {"fr": {"Présence de migrants", "DJ0115"}},
		"assessment": {"fr": {"Évaluation d’un point", "onars"}},
		"event":      {"ar": {"mass_arrival"}},
		"screening":  {"en": {"Proposed: Voluntary Humanitarian Return", "Only if the answer to 3 is “Yes”."}},
	} {
		for lang, list := range want {
			pdf := filepath.Join(t.TempDir(), form+lang+".pdf")
			f, err := h.db.Form(t.Context(), form, "")
			if err != nil {
				t.Fatal(err)
			}
			b, err := h.paper(t.Context(), f, dtm.Lang(lang))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(pdf, b, 0o600); err != nil {
				t.Fatal(err)
			}
			text := words(pdf)
			for _, w := range append(list, form+" · 20") {
				if !strings.Contains(text, w) {
					t.Errorf("%s in %s does not say %q:\n%s", form, lang, w, text[:min(len(text), 1500)])
				}
			}
		}
	}
	done()
	pdf := filepath.Join(t.TempDir(), "file.pdf")
	dtmRun(t, "form", "paper", "-data", data, "-lang", "ar", "-out", pdf, "fmr")
	if text := words(pdf); !strings.Contains(text, "fmr · 20") {
		t.Errorf("the form of a folder: %s", text)
	}
	file, err := filepath.Abs(filepath.Join("..", "..", "operation", "djibouti", "forms", "event.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	dtmRun(t, "form", "paper", "-lang", "fr", "-out", pdf, file)
	if text := words(pdf); !strings.Contains(text, "Événement et urgence") {
		t.Errorf("the form of a file: %s", text)
	}
	if code, _, stderr := dtmTry(t, "form", "paper", "-data", data, "-out", pdf, "unheard"); code != 1 || !strings.Contains(stderr, "unheard") {
		t.Errorf("a form that is not there: exit %d, %s", code, stderr)
	}
	if code, _, _ := dtmTry(t, "form", "paper", "-data", data, "-lang", "xx", "-out", pdf, "fmr"); code != 2 {
		t.Errorf("a language that is not there: exit %d", code)
	}
}
