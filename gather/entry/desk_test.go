package entry_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"dtm/event"
)

// TestQuestions: what the office asks stands on the device, in its language; the
// answer is kept without network and arrives once there is one; the device's own
// figures stand beside the team's.
func TestQuestions(t *testing.T) {
	t.Parallel()
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("en")
	p.queue("uuid:asked")
	p.again()
	p.stateIs("uuid:asked", "received")
	q, err := h.db.Ask(event.WithActor(t.Context(), "user:amina@example.org"), "uuid:asked", "Four men or <b>forty</b>?")
	if err != nil {
		t.Fatal(err)
	}
	p.again()
	card := fmt.Sprintf(`[data-question="%d"]`, q.Seq)
	p.until("the question", fmt.Sprintf(`document.querySelector('%s')`, card))
	for lang, want := range map[string][]string{"en": {"The office asks", "Your last thirty days", "1.5 min", "People you referred", "Accepted Health", "0000016JD"}, "fr": {"Le bureau demande", "Vos trente derniers jours", "1,5 min", "Personnes que vous avez orientées", "Acceptée Santé"}, "ar": {"سؤال من المكتب", "آخر ثلاثين يومًا لك", "1.5 دقيقة", "أشخاص أحلتهم", "مقبولة الصحة"}} {
		p.speak(lang)
		s := ask[string](p, `document.querySelector("main").innerText`)
		for _, w := range append(want, "Four men or <b>forty</b>?") {
			if !strings.Contains(s, w) {
				t.Errorf("%s: %q is not in %q", lang, w, s)
			}
		}
		if dir := os.Getenv("DTM_PICTURES"); dir != "" {
			p.do(chromedp.EmulateViewport(390, 844))
			b, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "entry-"+lang+"-390.png"), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The network breaks off as the answer leaves.
	h.through(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/entry/answers") || strings.HasPrefix(r.URL.Path, "/entry/desk") {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	p.do(chromedp.SendKeys(card+" textarea", "four, not forty"), chromedp.Click(card+" button"))
	p.until("kept", fmt.Sprintf(`document.querySelector('%s .note')?.innerText.includes("four, not forty")`, card))
	if list, _ := h.db.QuestionsOf(t.Context(), "uuid:asked"); list[0].Answered != nil {
		t.Fatal("it arrived: this proves nothing")
	}
	h.through(nil)
	p.again()
	p.until("sent", fmt.Sprintf(`document.querySelector(".figures") && !document.querySelector('%s')`, card))
	list, err := h.db.QuestionsOf(t.Context(), "uuid:asked")
	if err != nil || list[0].Answer != "four, not forty" || list[0].Seen == nil {
		t.Errorf("the answer: %+v, %v", list, err)
	}
}

// TestDeskOfOthers: a device hears and answers its own questions only.
func TestDeskOfOthers(t *testing.T) {
	t.Parallel()
	h := setup(t)
	_, other, err := h.db.AddDevice(t.Context(), "Obock 2", "obock")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, method, path, body string
		want                      int
	}{
		{"", "GET", "/entry/desk", "", 401},
		{other, "GET", "/entry/desk", "", 200},
		{other, "POST", "/entry/answers", `{"seq": 1, "answer": "x"}`, 404},
		{other, "POST", "/entry/answers", `{`, 400},
		{"", "POST", "/entry/answers", `{"seq": 1, "answer": "x"}`, 401},
	} {
		r, err := http.NewRequest(c.method, h.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, resp.StatusCode, c.want)
		}
	}
}
