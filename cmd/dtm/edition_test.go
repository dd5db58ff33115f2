//go:build !race

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"dtm"
	"dtm/analyse/release"
)

// wordsOf reads what a PDF says, every run of space as one.
func wordsOf(t *testing.T, pdf string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.pdf")
	write(t, file, pdf)
	text, err := exec.CommandContext(t.Context(), "pdftotext", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// TestEditions: a writer puts sentences of a release's reports into other words on the
// page, is told of numbers that are no figures, and a second person publishes them. What is
// published has its address, is what everybody is given, and is made again byte for byte
// from the release; what was tampered with is named.
func TestEditions(t *testing.T) {
	t.Parallel()
	data := publishedMonth(t)
	const at = "/en/staff/releases/2022-12/1/texts/"
	inside(t, data, func(_ context.Context, h *house) {
		mux, err := h.routes()
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(mux)
		defer s.Close()
		person := func(email string) *http.Client {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			c := &http.Client{Jar: jar}
			fetched(t, c, s.URL+"/en/staff/signin", url.Values{"email": {email}, "password": {passwordOfAll}}, 200)
			return c
		}
		a, b, anybody := person("a@example.org"), person("b@example.org"), &http.Client{}
		get := func(c *http.Client, path string, status int) string { return fetched(t, c, s.URL+path, nil, status) }
		post := func(c *http.Client, path string, status int, form ...string) string {
			t.Helper()
			v := url.Values{}
			for i := 0; i < len(form); i += 2 {
				v.Set(form[i], form[i+1])
			}
			return fetched(t, c, s.URL+path, v, status)
		}
		has := func(body string, want ...string) {
			t.Helper()
			for _, w := range want {
				if !strings.Contains(body, w) {
					t.Errorf("%q is not in %.2000s", w, body)
				}
			}
		}
		lacks := func(body, not string) {
			t.Helper()
			if strings.Contains(body, not) {
				t.Errorf("%q is in it", not)
			}
		}
		get(anybody, at, 200) // the page to sign in
		has(get(a, at, 200), "Reports of release 2022-12/1", "/texts/2022-12/fr/", "/texts/point-obock-2022-12/ar/", "/texts/annual-2022/en/", "as generated")
		get(a, at+"weekly-2022-W48/en/", 404)
		get(a, at+"2022-11/en/", 404)
		get(a, at+"point-nowhere-2022-12/en/", 404)
		get(a, at+"2022-12/de/", 404)

		// Every sentence has its field, filled with the sentence and marks for its figures.
		for _, of := range []string{"2022-12/en/", "2022-12/fr/", "2022-12/ar/", "point-obock-2022-12/fr/", "annual-2022/en/", "partner-unicef-2022-12/en/"} {
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(get(a, at+of, 200)))
			if err != nil {
				t.Fatal(err)
			}
			fields, marks := doc.Find("textarea[name^=w]"), doc.Find(".marks li")
			if fields.Length() < 4 || marks.Length() < 3 || doc.Find(".said .fault").Length() > 0 {
				t.Errorf("%s: %d fields, %d figures, found at fault: %s", of, fields.Length(), marks.Length(), doc.Find(".said .fault").Text())
			}
			fields.Each(func(_ int, f *goquery.Selection) {
				if f.Text() == "" {
					t.Errorf("%s: %s is empty", of, f.AttrOr("name", ""))
				}
			})
		}

		const fr, first = at + "2022-12/fr/", "w.how_many/1"
		generated := get(anybody, "/fr/report/2022-12.pdf", 200)
		// Told while it is written: nothing is kept.
		has(post(a, fr+"check?sentence=how_many/1", 200, first, "On a compté {1} mouvements, {7} de plus."), "{7} stands for no figure", "On a compté 5\u202f856 mouvements")
		has(post(a, fr+"check?sentence=how_many/1", 200, first, "5 866 mouvements."), "5\u202f866 is not the figure", "is 5\u202f856")
		lacks(post(a, fr+"check?sentence=how_many/1", 200, first, "5 856 mouvements, 3 779 à Obock."), "fault")
		has(post(a, fr+"check?sentence=how_many/1", 200, first, "{1}, dont 12 à Ali-Sabieh."), "12 ")
		has(get(a, fr, 200), "Every sentence is as generated")
		post(a, fr+"propose", 409)

		// Saved, without a script: what differs is told, and wants a note.
		typed := "On a observé {1} mouvements : 41 de plus que prévu."
		page := post(a, fr, 200, first, typed, "w.caveat/1", "Les mouvements ne sont pas des personnes.")
		has(page, "41 is no", "written by a@example.org", "2 sentences are in other words", "Say where it comes from")
		has(wordsOf(t, get(a, fr+"preview.pdf", 200)), "On a observé 5 856 mouvements : 41 de plus que prévu.", "Les mouvements ne sont pas des personnes.")
		lacks(wordsOf(t, get(anybody, "/fr/report/2022-12.pdf", 200)), "plus que prévu")
		has(post(a, fr+"propose", 409), "41 is no figure of its sentence")
		page = post(a, fr, 200, first, typed, "w.caveat/1", "Rien.", "undo", "w.caveat/1")
		has(page, "2 sentences are in other words") // undo names a sentence, not a field
		page = post(a, fr, 200, first, typed, "w.caveat/1", "Rien.", "undo", "caveat/1")
		has(page, "1 sentence is in other words", "put back by a@example.org")
		has(post(a, fr, 409, first, strings.Repeat("x", dtm.MaxWording+1)), "at most")
		has(post(a, fr+"propose", 200, "note", "41: the outlook of November"), "Edition 1 waits for approval", "You wrote or proposed this text", "readonly")
		has(post(a, fr, 409, first, "Autre."), "waits for approval", "Autre.")
		has(post(a, fr+"1/publish", 409), `role="alert"`)
		has(post(b, fr+"1/return", 200, "reason", "41 is not ours"), "returned by b@example.org", "41 is not ours")
		has(post(b, fr+"1/publish", 409), "returned")
		post(a, fr, 200, first, "On a observé {1} mouvements aux points.")
		get(anybody, "/fr/releases/2022-12/1/2022-12-fr-edition-1.pdf", 404)
		has(post(a, fr+"propose", 200), "Edition 2 waits")
		proposed := get(b, fr+"2/report.pdf", 200)
		get(anybody, "/fr/releases/2022-12/1/2022-12-fr-edition-2.pdf", 404) // what is proposed is not public
		has(post(b, fr+"2/publish", 200), "published by b@example.org")

		published := get(anybody, "/fr/report/2022-12.pdf", 200)
		if published != proposed || published != get(anybody, "/fr/releases/2022-12/1/2022-12-fr-edition-2.pdf", 200) || published != get(anybody, "/en/releases/2022-12/1/2022-12-fr-edition-2.pdf", 200) {
			t.Error("what was read is not what was published")
		}
		has(wordsOf(t, published), "On a observé 5 856 mouvements aux points.")
		if part := get(anybody, "/fr/releases/2022-12/1/report-fr.pdf", 200); part != generated || part == published {
			t.Error("the report that was frozen with the release is another")
		}
		lacks(get(anybody, "/en/report/2022-12.pdf", 200), "rédacteur")
		public := get(anybody, "/fr/releases/2022-12/1", 200)
		has(public, "Rapports rédigés", "2022-12-fr-edition-2.pdf", "édition 2")
		lacks(public, "edition-1.pdf")
		lacks(public, "example.org\"")

		// Another product, in Arabic; a figure that guard withholds is not to be said.
		const ar = at + "point-obock-2022-12/ar/"
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(get(a, ar, 200)))
		if err != nil {
			t.Fatal(err)
		}
		base := doc.Find(`textarea[name="w.how_many/1"]`).Text()
		post(a, ar, 200, first, "لوحظ ما يلي: "+base)
		post(a, ar+"propose", 200)
		post(b, ar+"1/publish", 200)
		has(wordsOf(t, get(anybody, "/ar/report/point-obock-2022-12.pdf", 200)), "لوحظ")
		post(a, at+"2022-12/en/", 200, first, "{1} movements, 6 of them bound for Somalia.", "w.where/1", "{99}")
		has(post(a, at+"2022-12/en/propose", 409, "note", "n"), "cannot be published")
	})
	if out := dtmRun(t, "release", "verify", "-data", data, "2022-12/1"); !strings.Contains(out, "2 texts of reports printed again, equal byte for byte") {
		t.Error(out)
	}
	carriedOver(t, data)
	spoil(t, data, `UPDATE edition SET words = replace(words, 'aux points', 'ailleurs') WHERE report = '2022-12' AND edition = 2`)
	code, _, stderr := dtmTry(t, "release", "verify", "-data", data, "2022-12/1")
	if code != 1 || !strings.Contains(stderr, "2022-12-fr-edition-2.pdf") || strings.Contains(stderr, "point-obock") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	// A PDF that was changed on the disk is not given out.
	inside(t, data, func(ctx context.Context, h *house) {
		e, err := h.db.Edition(ctx, dtm.ReportText{Month: dtm.Month{Year: 2022, Month: 12}, N: 1, Report: "point-obock-2022-12", Lang: dtm.Arabic}, 1)
		if err != nil {
			t.Fatal(err)
		}
		hash := strings.TrimPrefix(e.PDF, "sha256:")
		file := filepath.Join(data, "blob", hash[:2], hash[2:4], hash)
		pdf, err := os.ReadFile(file)
		if err != nil || release.Hash(pdf) != e.PDFHash {
			t.Fatalf("the stored PDF: %v", err)
		}
		write(t, file, "%PDF-1.7 other")
		if _, err := h.editor.PDF(ctx, e); dtm.KindOf(err) != dtm.Conflict {
			t.Errorf("a changed PDF: %v", err)
		}
	})
}

// carriedOver: the month is corrected and released again. Its report begins with the words
// of the last published edition around the new figures, said to be carried over; they
// count once they are saved, and what is put back stays so.
func carriedOver(t *testing.T, data string) {
	t.Helper()
	password, more := filepath.Join(t.TempDir(), "password"), filepath.Join(t.TempDir(), "more.csv")
	write(t, password, passwordOfAll+"\n")
	write(t, more, "month,fmp,movement,previous,next,sex,age,n,reason_economic,reason_conflict\n2022-12,Obock,outgoing,ETH,SAU,male,adults,144,1,0\n")
	dtmRun(t, "import", "movements", "-data", data, more)
	dtmRun(t, "release", "create", "-data", data, "-month", "2022-12", "-as", "a@example.org", "-password-file", password)
	inside(t, data, func(_ context.Context, h *house) {
		mux, err := h.routes()
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(mux)
		defer s.Close()
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		b := &http.Client{Jar: jar}
		fetched(t, b, s.URL+"/en/staff/signin", url.Values{"email": {"b@example.org"}, "password": {passwordOfAll}}, 200)
		const fr, first = "/en/staff/releases/2022-12/2/texts/2022-12/fr/", "w.how_many/1"
		at := func(form url.Values) (words, beside string) {
			t.Helper()
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(fetched(t, b, s.URL+fr, form, 200)))
			if err != nil {
				t.Fatal(err)
			}
			x := doc.Find("#s-how_many-1")
			return x.Find("textarea").Text(), x.Text()
		}
		const carried = "On a observé {1} mouvements aux points."
		words, beside := at(nil)
		if words != carried || !strings.Contains(beside, "Carried over") || !strings.Contains(beside, "On a observé 3\u202f590 mouvements aux points.") || !strings.Contains(beside, "written by a@example.org") {
			t.Errorf("the second release begins with %q: %s", words, beside)
		}
		fetched(t, b, s.URL+fr+"propose", url.Values{}, 409) // nobody has read it yet
		writer := seatedBy(t, s.URL, "a@example.org", passwordOfAll)
		writer.looks("texts", "/staff/releases/2022-12/2/texts/")
		writer.looks("text", "/staff/releases/2022-12/2/texts/2022-12/fr/")
		writer.do(chromedp.Navigate(s.URL + "/en/staff/releases/2022-12/2/texts/point-obock-2022-12/ar/"))
		writer.sound("a text in Arabic")
		words, beside = at(url.Values{first: {carried}, "undo": {"how_many/1"}})
		if words == carried || !strings.Contains(beside, "put back by b@example.org") || strings.Contains(beside, "Carried over") {
			t.Errorf("put back it is %q: %s", words, beside)
		}
		if again, _ := at(nil); again != words {
			t.Errorf("put back, it is carried over again: %q", again)
		}
		words, beside = at(url.Values{first: {carried}})
		if words != carried || strings.Contains(beside, "Carried over") || !strings.Contains(beside, "written by b@example.org") {
			t.Errorf("saved it is %q: %s", words, beside)
		}
		if text := wordsOf(t, fetched(t, b, s.URL+fr+"preview.pdf", nil, 200)); !strings.Contains(text, "On a observé 3 590 mouvements aux points.") {
			t.Errorf("the preview: %.600s", text)
		}
		writer.byKeyboard(fr)
	})
}

// byKeyboard writes, saves and proposes a text without a pointer.
func (s seat) byKeyboard(at string) {
	s.t.Helper()
	to := func(selector string) {
		s.t.Helper()
		for range 90 {
			s.do(chromedp.KeyEvent(kb.Tab))
			if ask[bool](s, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
				if ask[string](s, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
					s.t.Errorf("%s has no mark of the focus", selector)
				}
				return
			}
		}
		s.t.Fatalf("the Tab key does not lead to %s", selector)
	}
	s.do(chromedp.Navigate(s.base + at))
	to("#w-how_many-1")
	s.do(chromedp.KeyEvent("41 "), chromedp.WaitVisible("#said-how_many-1 .fault")) // told while it is written
	to(".writing .go button")
	s.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".done"))
	to("textarea[name=note]")
	s.do(chromedp.KeyEvent("41: the outlook of November"))
	to("form[action$=propose] button")
	s.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#decide"))
	to("details.act summary")
	s.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("input[name=reason]"))
}
