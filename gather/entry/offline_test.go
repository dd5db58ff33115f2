package entry_test

import (
	"image/jpeg"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"dtm/gather/xform"
	"dtm/operation"
)

// TestOffline: a form is opened, the network goes and the server with it, the page
// is reloaded, three records with a photo each are filled in Arabic, the browser is
// closed and opened again, the network comes back: three records are stored once
// each, with their photos and their people.
func TestOffline(t *testing.T) {
	h := setup(t)
	p := newPhone(t, h)
	p.enrol("ar")
	p.click(`[data-key^=start]`)
	p.until("form", `document.querySelector(".question-container")`)

	p.network(false)
	h.stop()
	p.do(chromedp.Reload())
	p.until("right to left", `document.documentElement.dir == "rtl"`)
	for i, men := range []int{3, 14, 5} {
		if i > 0 {
			p.click(`[data-key=another]`)
		}
		p.fill(men, photo(t, "صورة.jpg", uint8(40*i)))
		p.finish()
	}
	p.until("three waiting", `document.querySelectorAll("[data-state=queued]").length == 3`)
	p.shut()

	p.open()
	p.network(false)
	p.do(chromedp.Navigate(h.URL + "/entry/#records"))
	p.until("three waiting", `document.querySelectorAll("[data-state=queued]").length == 3`)
	// The form makes photos smaller: what counts is what the device kept.
	want := p.kept()
	if h.posts != 0 || len(h.stored()) != 0 {
		t.Fatal("something was sent without network: this proves nothing")
	}
	h.restart()
	p.network(true)
	p.until("three received", `document.querySelectorAll("[data-state=received]").length == 3`)

	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	var men []int
	for _, s := range h.stored() {
		if len(s.Attachments) != 1 || !slices.Contains(want, s.Attachments[0].Hash) || !slices.Contains(s.Expected, s.Attachments[0].Name) {
			t.Errorf("%s has the files %v, expected %v", s.ID, s.Attachments, s.Expected)
			continue
		}
		want = slices.DeleteFunc(want, func(hash string) bool { return hash == s.Attachments[0].Hash })
		f, err := h.blobs.Open(t.Context(), s.Attachments[0].Hash)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := jpeg.Decode(f); err != nil || m.Bounds().Dx() < 100 {
			t.Errorf("%s: the photo is none: %v", s.ID, err)
		}
		f.Close()
		in, err := xform.Read(h.form, s.XML)
		if err != nil {
			t.Fatal(err)
		}
		rows, flags := xform.Movements(op, h.form, in)
		n := 0
		for _, m := range rows {
			n += m.People
		}
		men = append(men, n)
		if len(flags)+len(in.Flags) > 0 {
			t.Errorf("%s: %v %v", s.ID, flags, in.Flags)
		}
	}
	slices.Sort(men)
	if !slices.Equal(men, []int{3, 5, 14}) {
		t.Errorf("groups of %v people are stored", men)
	}
	if h.posts != 3 {
		t.Errorf("three records took %d requests", h.posts)
	}
}
