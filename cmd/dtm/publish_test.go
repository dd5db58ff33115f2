//go:build !race

// The copy of the site holds reports; starting the PDF engine under the race detector
// takes minutes.

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

// publishedMonth is a folder with one released month, December 2022.
func publishedMonth(t *testing.T) string {
	t.Helper()
	data, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "registry.csv")
	dtmRun(t, "init", "-data", data)
	password := filepath.Join(t.TempDir(), "password")
	write(t, password, passwordOfAll+"\n")
	for _, who := range []string{"a", "b"} {
		dtmRun(t, "user", "add", "-data", data, "-email", who+"@example.org", "-role", "manager", "-password-file", password)
	}
	text := "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n"
	for _, row := range []string{
		"Obock,outgoing,ETH,SAU,male,adults,2410,1,0", "Obock,outgoing,ETH,YEM,male,adults,315,0,1", "Obock,outgoing,ETH,SAU,female,adults,288,1,0", "Obock,incoming,YEM,DJI,male,adults,122,1,0",
		"Obock,incoming,YEM,ETH,male,adults,640,1,0", "Obock,outgoing,SOM,YEM,female,children,4,0,1", "Galafi (DJI),incoming,ETH,DJI,female,adults,530,1,0", "Galafi (DJI),incoming,ETH,DJI,male,children,118,0,1",
		"Dikhil,incoming,ETH,DJI,male,children,305,1,0", "Dikhil,outgoing,DJI,ETH,male,adults,97,1,0", "Yoboki,incoming,ETH,DJI,male,adults,771,1,0", "Ali Sabieh,incoming,SOM,DJI,female,adults,46,1,0",
		"Ali Sabieh,incoming,ETH,DJI,male,adults,6,0,1", "Loyada,incoming,SOM,DJI,male,adults,204,0,1",
	} {
		text += "2022-12," + row + "\n"
	}
	text += "2022-11,Obock,outgoing,ETH,SAU,male,adults,1900,1,0\n2022-11,Galafi (DJI),incoming,ETH,DJI,female,adults,410,1,0\n"
	write(t, file, text)
	dtmRun(t, "import", "movements", "-data", data, file)
	dtmRun(t, "release", "create", "-data", data, "-month", "2022-12", "-as", "a@example.org", "-password-file", password)
	dtmRun(t, "release", "approve", "-data", data, "2022-12", "-as", "b@example.org", "-password-file", password)
	return data
}

// TestPublishSite: the copy opens from the disk in a browser without a script. Every
// link of every page leads to a file of the copy, and every file opens.
func TestPublishSite(t *testing.T) {
	t.Parallel()
	data, out := publishedMonth(t), filepath.Join(t.TempDir(), "site")
	said := dtmRun(t, "publish", "site", "-data", data, "-release", "2022-12", "-lang", "fr", "-out", out)
	if !strings.Contains(said, "open index.html") {
		t.Error(said)
	}
	if code, _, stderr := dtmTry(t, "publish", "site", "-data", data, "-out", out); code != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("written over: %d %s", code, stderr)
	}
	ctx, cancel := chromedp.NewContext(browser(t))
	defer cancel()
	type seen struct {
		Links           []string
		Title           string
		Scripts, Styles int
		Charts, Empty   int
		Asks, Wide      int
	}
	door, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || !bytes.Contains(door, []byte(`content="0; url=fr/index.html"`)) || !bytes.Contains(door, []byte(`href="fr/index.html"`)) {
		t.Errorf("the door: %v\n%s", err, door)
	}
	start := "file://" + out + "/fr/index.html"
	queue, met := []string{start}, map[string]bool{start: true}
	pages, charts, definitions, files := 0, 0, 0, map[string]int{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(u.Path)
		if err != nil {
			t.Errorf("a link leads nowhere: %v", err)
			continue
		}
		ext := filepath.Ext(u.Path)
		files[ext]++
		if ext != ".html" {
			opens(t, u.Path, b)
			continue
		}
		if strings.Contains(at, "/indicators/") {
			if definitions++; definitions > 5 { // all of one make: their links are read without the browser
				b, err := goquery.NewDocumentFromReader(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				b.Find("a[href], link[href]").Each(func(_ int, a *goquery.Selection) {
					if l, err := u.Parse(a.AttrOr("href", "")); err != nil {
						t.Errorf("%s: %v", at, err)
					} else if l.Scheme == "file" {
						s := l.Scheme + "://" + l.Path
						if !met[s] {
							met[s] = true
							queue = append(queue, s)
						}
					}
				})
				continue
			}
		}
		if err := chromedp.Do(ctx, chromedp.Navigate(at)); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		s, err := chromedp.Run(ctx, chromedp.Evaluate[seen](`(() => ({
			Links: [...document.querySelectorAll("a[href], link[href]")].map(a => a.href).filter(h => !h.startsWith("mailto:")),
			Title: document.title, Scripts: document.scripts.length, Styles: document.styleSheets.length, Asks: document.forms.length,
			Charts: document.querySelectorAll("main svg").length, Empty: [...document.querySelectorAll("main .draw.wide svg")].filter(s => s.getBoundingClientRect().height < 10).length,
			Wide: document.documentElement.scrollWidth - document.documentElement.clientWidth}))()`))
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		pages++
		charts += s.Charts
		if s.Title == "" || s.Scripts > 0 || s.Asks > 0 || s.Styles == 0 || s.Empty > 0 || s.Wide > 0 {
			t.Errorf("%s: %d scripts, %d forms, %d style sheets, %d empty charts, %d px too wide, title %q", at, s.Scripts, s.Asks, s.Styles, s.Empty, s.Wide, s.Title)
		}
		for _, l := range s.Links {
			l, _, _ = strings.Cut(l, "#")
			if !strings.HasPrefix(l, "file://"+out+"/") {
				t.Errorf("%s leads out to %s", at, l)
			} else if !met[l] {
				met[l] = true
				queue = append(queue, l)
			}
		}
	}
	for _, ext := range []string{".csv", ".xlsx", ".pdf", ".svg", ".json", ".geojson", ".parquet", ".css"} {
		if files[ext] == 0 {
			t.Errorf("no file %s was linked to", ext)
		}
	}
	t.Logf("%d pages with %d charts, files %v", pages, charts, files)
	if pages < 50 || charts < 100 {
		t.Errorf("only %d pages with %d charts", pages, charts)
	}
	if _, err := os.Stat(filepath.Join(out, "fr/index-2.html")); err == nil {
		t.Error("the first page is there twice")
	}
	for _, name := range []string{"fr/index-region-DJ06.html", "fr/index-from-2022-11.html", "fr/report/2022-12.pdf"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(out, "fr/index.html"))
	if err != nil || !bytes.Contains(b, []byte("2022-12/1")) {
		t.Errorf("the first page does not name its release (%v)", err)
	}
}

// opens fails when a file cannot be read as what its name says.
func opens(t *testing.T, name string, b []byte) {
	t.Helper()
	var err error
	switch filepath.Ext(name) {
	case ".csv":
		_, err = csv.NewReader(bytes.NewReader(b)).ReadAll()
	case ".xlsx":
		_, err = excelize.OpenReader(bytes.NewReader(b))
	case ".parquet":
		_, err = parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	case ".json", ".geojson", ".jsonld":
		var v any
		err = json.Unmarshal(b, &v)
	case ".pdf":
		err = exec.CommandContext(t.Context(), "pdftotext", name, "-").Run()
	case ".svg":
		for d := xml.NewDecoder(bytes.NewReader(b)); err == nil; {
			_, err = d.Token()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil || len(b) == 0 {
		t.Errorf("%s (%d bytes) does not open: %v", name, len(b), err)
	}
}
