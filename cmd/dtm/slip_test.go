//go:build !race

// Printing takes the PDF engine; make test runs this file without the race detector.

package main

import (
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"dtm"
)

// TestFormPaperSlip prints the slip of a child's referral to protection: A6, in two
// languages, where to go and until when; neither who it is nor what for. Its code leads to
// the referral of who may see it, and holds nothing else.
func TestFormPaperSlip(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	_, list := s.send("age", "15", "child_with", "alone", "child_risk", "yes", "refer", "protection", "person_name", plantedName, "person_phone", plantedPhone)
	r := list[0]
	for _, l := range []dtm.Lang{"en", "fr", "ar"} {
		r.Number = map[dtm.Lang]string{"en": r.Number, "fr": "12345678$", "ar": "MKN1WXR1="}[l] // a check sign keeps its side in Arabic
		b, err := s.h.slip(t.Context(), r, l)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "slip.pdf")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("pdftotext", "-layout", "-enc", "UTF-8", file, "-").Output()
		if err != nil {
			t.Fatalf("pdftotext (package poppler-utils): %v", err)
		}
		text := strings.Join(strings.Fields(strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(string(out))), " ")
		want := map[dtm.Lang][]string{"en": {"Bring this slip", "International Organization for Migration", "Obock", "27 January 2027"}, "fr": {"Obock", "27 janvier 2027"}, "ar": {"27 janvier 2027"}}[l]
		for _, w := range append(want, r.Number[:4]+" "+r.Number[4:]) {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the slip does not say %q:\n%s", l, w, text)
			}
		}
		for _, never := range []string{"Xylophena", plantedPhone, "rotection", "Urgent", "urgent", "الحماية", "15", "hild", "nfan"} {
			if strings.Contains(text, never) {
				t.Errorf("%s: the slip says %q:\n%s", l, never, text)
			}
		}
		info, err := exec.Command("pdfinfo", file).Output()
		if err != nil || !regexp.MustCompile(`Pages:\s+1\n`).Match(info) || !regexp.MustCompile(`Page size:\s+297\.\d+ x 419\.\d+ pts`).Match(info) {
			t.Errorf("%s: not one page of A6: %s, %v", l, info, err)
		}
		if out, err := exec.Command("pdftoppm", "-png", "-r", "300", "-singlefile", file, strings.TrimSuffix(file, ".pdf")).CombinedOutput(); err != nil {
			t.Fatalf("pdftoppm: %v %s", err, out)
		}
		if dir := os.Getenv("DTM_PICTURES"); dir != "" {
			if png, err := os.ReadFile(strings.TrimSuffix(file, ".pdf") + ".png"); err == nil {
				_ = os.WriteFile(filepath.Join(dir, "slip-"+string(l)+".png"), png, 0o644)
			}
		}
		f, err := os.Open(strings.TrimSuffix(file, ".pdf") + ".png")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		picture, _, err := image.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		m, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		code, err := qrcode.NewQRCodeReader().Decode(m, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if err != nil {
			t.Fatalf("%s: the code on the slip cannot be read: %v", l, err)
		}
		found := regexp.MustCompile(`^https?://[^/]+/s/([0-9a-f]{32})$`).FindStringSubmatch(code.GetText())
		if found == nil {
			t.Fatalf("%s: the code says %q", l, code.GetText())
		}
		if id, err := s.h.db.SlipReferral(t.Context(), found[1]); err != nil || id != r.ID {
			t.Errorf("%s: the code leads to %s, %v", l, id, err)
		}
	}
	s.searched()
}
