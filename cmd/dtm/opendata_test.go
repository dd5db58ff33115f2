package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"dtm/serve"
)

// TestOpenDataExamples: what the page tells to copy and run runs, its links lead to
// files, and its description of the datasets can be read.
func TestOpenDataExamples(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data)
	registry := filepath.Join(t.TempDir(), "f.csv")
	write(t, registry, "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n2022-12,Obock,outgoing,ETH,SAU,male,adults,400,1,0\n2022-12,Obock,outgoing,ETH,YEM,male,adults,4,1,0\n")
	dtmRun(t, "import", "movements", "-data", data, registry)
	inside(t, data, func(ctx context.Context, h *house) {
		pages, err := h.pages()
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(h.mux(serve.NewMetrics(), guarded(pages)))
		defer s.Close()
		resp, err := s.Client().Get(s.URL + "/fr/data/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		doc, err := goquery.NewDocumentFromReader(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s %v", resp.Status, err)
		}
		said := map[string]string{}
		doc.Find("pre.example").Each(func(_ int, e *goquery.Selection) {
			args := map[string][]string{"sh": {"bash", "-o", "pipefail", "-c"}, "python": {"python3", "-c"}}[e.AttrOr("data-run", "")]
			out, err := exec.CommandContext(ctx, args[0], append(args[1:], e.Text())...).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", e.Text(), err, out)
			}
			said[e.AttrOr("data-run", "")] += string(out)
		})
		for run, want := range map[string]string{"sh": "2022-12,ETH,SAU,,true,390,410", "python": "2022-12 ETH YEM withheld"} {
			if !strings.Contains(said[run], want) {
				t.Errorf("the examples in %s said no %q:\n%s", run, want, said[run])
			}
		}
		links := 0
		doc.Find(`main a[href^="/api/"]`).Each(func(_ int, a *goquery.Selection) {
			links++
			resp, err := s.Client().Get(s.URL + a.AttrOr("href", ""))
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: %v %v", a.AttrOr("href", ""), resp, err)
				return
			}
			resp.Body.Close() //nolint:errcheck // read only
		})
		if links < 20 {
			t.Errorf("only %d links", links)
		}
		var catalog struct {
			Dataset []struct {
				Name         string
				Distribution []struct{ ContentURL string }
			}
		}
		if err := json.Unmarshal([]byte(doc.Find(`script[type="application/ld+json"]`).Text()), &catalog); err != nil || len(catalog.Dataset) != 5 || len(catalog.Dataset[0].Distribution) != 4 {
			t.Errorf("the catalogue in the page: %v, %+v", err, catalog)
		}
	})
}
