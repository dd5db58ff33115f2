package report_test

import (
	"os"
	"testing"
	"time"

	"dtm"
	"dtm/disseminate/report"
)

const cache = "../../.cache/typst"

func TestLook(t *testing.T) {
	press := report.NewPress(cache)
	defer press.Close()
	if err := press.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []dtm.Lang{"en", "fr", "ar", "en", "fr", "ar"} {
		t0 := time.Now()
		pdf, err := report.Monthly(t.Context(), press, sample(t, lang))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(len(pdf), time.Since(t0))
		os.WriteFile("/tmp/r-"+string(lang)+".pdf", pdf, 0o644)
	}
}
