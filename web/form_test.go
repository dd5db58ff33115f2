package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dtm"
)

// upload sends a form's page a workbook and files: name, content, ...
func upload(t *testing.T, c *http.Client, to, file string, media ...string) (int, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	add := func(field, name, content string) {
		part, err := w.CreateFormFile(field, name)
		if err != nil {
			t.Fatal(err)
		}
		part.Write([]byte(content))
	}
	if file != "" {
		add("form", `C:\forms\f.xlsx`, file)
	}
	for i := 0; i+1 < len(media); i += 2 {
		add("media", media[i], media[i+1])
	}
	w.Close()
	resp, err := c.Post(to, w.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestForms: a workbook becomes a draft, is tried, published as it was shown, compared,
// closed; nothing is published without being asked to.
func TestForms(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	c := visitor(t, s, dtm.RoleManager)
	at := s.URL + "/en/staff/forms/"
	one := at + "f/"
	if status, body := send(t, c, at, nil); status != http.StatusOK || !strings.Contains(body, "No form yet") {
		t.Errorf("empty: %d", status)
	}
	if status, body := upload(t, c, at, "bad"); status != http.StatusUnprocessableEntity || !strings.Contains(body, "survey!A1") || !strings.Contains(body, "no &lt;form&gt;") {
		t.Errorf("a bad form: %d", status)
	}
	if status, body := upload(t, c, at+"check", "bad"); status != http.StatusOK || !strings.Contains(body, "survey!A1") || strings.Contains(body, "<html") {
		t.Errorf("a bad form, while it is chosen: %d %.100s", status, body)
	}
	if status, body := upload(t, c, at+"check", "form 1"); status != http.StatusOK || !strings.Contains(body, "No fault found") {
		t.Errorf("a good form, while it is chosen: %d", status)
	}
	if _, err := db.Draft(ctx, "f"); dtm.KindOf(err) != dtm.NotFound {
		t.Error("checking saved it")
	}
	if status, _ := upload(t, c, at, ""); status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", status)
	}

	status, body := upload(t, c, at, "form 1", "towns.csv", "name,label")
	if status != http.StatusOK || !strings.Contains(body, "data:image/png;base64,") || !strings.Contains(body, "/entry/try#") || !strings.Contains(body, "not published") {
		t.Fatalf("a good form: %d", status)
	}
	if list, _ := db.Forms(ctx); len(list) != 0 {
		t.Error("published without being asked to")
	}
	if _, body := send(t, c, at, nil); !strings.Contains(body, "Not published yet") {
		t.Error("the list does not name the draft")
	}
	d, err := db.Draft(ctx, "f")
	if err != nil || len(d.Media) != 1 || d.Media[0].Hash == "" || d.SourceName != "f.xlsx" {
		t.Fatalf("%+v %v", d.Form, err)
	}
	if status, body := upload(t, c, at+"g/draft", "form 1"); status == http.StatusOK || !strings.Contains(body, "form_id") && status != http.StatusNotFound {
		t.Errorf("the workbook of another form: %d", status)
	}

	// Test records are shown with the draft, and go with it.
	photo := dtm.Media{Name: "place.png", Type: "image/png", Hash: "sha256:p", Data: []byte("\x89PNG trial")}
	if _, err := db.ReceiveTrial(ctx, "f", dtm.Submission{ID: "uuid:t", Form: "f", Version: "1", XML: []byte("<data>trial</data>"), Attachments: []dtm.Attachment{
		{Name: photo.Name, Type: photo.Type, Size: int64(len(photo.Data)), Hash: photo.Hash}, {Name: "long.mp4", Type: "video/mp4", Size: dtm.MaxTrialMedia + 1, Hash: "sha256:l"},
	}}, []dtm.Media{photo}); err != nil {
		t.Fatal(err)
	}
	if _, body := send(t, c, one, nil); !strings.Contains(body, "Test records: 1") || !strings.Contains(body, "&lt;data&gt;trial") || !strings.Contains(body, "remarks: 1") || !strings.Contains(body, "not kept") || strings.Contains(body, `trials/uuid:t/long.mp4`) {
		t.Error("the test record is not shown")
	}
	if status, body := send(t, c, one+"draft/trials/uuid:t/place.png", nil); status != http.StatusOK || body != string(photo.Data) {
		t.Errorf("its photo: %d %q", status, body)
	}
	if status, body := send(t, c, one+"draft/publish", url.Values{"hash": {"md5:another"}}); status != http.StatusConflict || !strings.Contains(body, "changed meanwhile") {
		t.Errorf("published unseen: %d", status)
	}
	if status, body := send(t, c, one+"draft/publish", url.Values{"hash": {d.Hash}}); status != http.StatusOK || !strings.Contains(body, "The form is published") || strings.Contains(body, "data:image") {
		t.Errorf("published: %d", status)
	}
	if f, err := db.Form(ctx, "f", ""); err != nil || string(f.Source) != "form 1" || len(f.Media) != 1 {
		t.Errorf("published %+v: %v", f, err)
	}
	if _, err := db.Draft(ctx, "f"); dtm.KindOf(err) != dtm.NotFound {
		t.Error("the draft is still there")
	}
	versions, err := db.FormVersions(ctx, "f")
	if err != nil || versions[0].By != "user:manager@example.org" {
		t.Errorf("%+v %v", versions, err)
	}

	// The same version with other content is said before anybody publishes it.
	if status, body := upload(t, c, one+"draft", "form 1 x"); status != http.StatusOK || !strings.Contains(body, "published already with other content") || strings.Contains(body, `value="md5:form 1 x"`) {
		t.Errorf("a version that is taken: %d", status)
	}
	if status, _ := send(t, c, one+"draft/publish", url.Values{"hash": {"md5:form 1 x"}}); status != http.StatusConflict {
		t.Errorf("published under a version that is taken: %d", status)
	}
	// A next version takes over the files that it still asks for.
	if status, _ := send(t, c, one+"draft/discard", url.Values{}); status != http.StatusOK {
		t.Errorf("discarded: %d", status)
	}
	if status, body := upload(t, c, one+"draft", "form 2"); status != http.StatusOK || !strings.Contains(body, "Changes: 2") {
		t.Errorf("the next version: %d", status)
	}
	if d, err = db.Draft(ctx, "f"); err != nil || len(d.Media) != 1 || d.Media[0].Name != "towns.csv" {
		t.Errorf("its files: %+v %v", d.Media, err)
	}
	if status, body := upload(t, c, one+"draft/files", "", "flag.png", "png"); status != http.StatusOK || !strings.Contains(body, "added to the draft") {
		t.Errorf("a file more: %d", status)
	}
	if _, body := send(t, c, one+"diff?from=1&to=(draft)", nil); !strings.Contains(body, "How &lt;many&gt;?") || !strings.Contains(body, "English (en)") || !strings.Contains(body, "2 (draft)") {
		t.Error("the comparison with the draft lacks something")
	}
	if _, body := send(t, c, one+"questions?draft=yes", nil); !strings.Contains(body, "How &lt;many&gt;?") || !strings.Contains(body, "whole number") {
		t.Error("the questions lack something")
	}

	// The code for trying ends when asked, and a new one is another.
	if status, body := send(t, c, one+"draft/code", url.Values{"end": {"yes"}}); status != http.StatusOK || strings.Contains(body, "data:image") || !strings.Contains(body, "The code has ended") {
		t.Errorf("withdrawn: %d", status)
	}
	if _, err := db.DraftByToken(ctx, d.Token); dtm.KindOf(err) != dtm.Forbidden {
		t.Error("the withdrawn code works")
	}
	if status, body := send(t, c, one+"draft/code", url.Values{}); status != http.StatusOK || !strings.Contains(body, "data:image") || strings.Contains(body, d.Token) {
		t.Errorf("renewed: %d", status)
	}
	if status, _ := send(t, c, one+"draft/publish", url.Values{"hash": {d.Hash}}); status != http.StatusOK {
		t.Errorf("published 2: %d", status)
	}
	if _, body := send(t, c, one+"diff?from=1&to=2", nil); !strings.Contains(body, "form 1") || !strings.Contains(body, "form 2") {
		t.Error("the comparison of two versions lacks something")
	}
	for _, state := range []string{dtm.FormClosing, dtm.FormClosed, dtm.FormOpen} {
		if status, body := send(t, c, one+"state", url.Values{"state": {state}}); status != http.StatusOK || !strings.Contains(body, `class="state `+state+`"`) {
			t.Errorf("%s: %d", state, status)
		}
	}
	if status, _ := send(t, c, one+"state", url.Values{"state": {"ajar"}}); status < 400 || status >= 500 {
		t.Errorf("no such state: %d", status)
	}
	for path, want := range map[string]string{"source": "form 2", "source?version=1": "form 1", "xform": "form 2", "media/towns.csv": "name,label"} {
		if status, body := send(t, c, one+path, nil); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	for _, path := range []string{"", "diff", "questions", "source", "media/x"} {
		if status, _ := send(t, c, at+"none/"+path, nil); status != http.StatusNotFound {
			t.Errorf("%s of no form: %d", path, status)
		}
	}
}

// TestFormTitles: the pages of the staff call a form what its reader would; where it
// says nothing in that language, what it calls itself. A draft whose titles alone are
// others cannot be published under the same version.
func TestFormTitles(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	f := dtm.Form{ID: "f", Version: "1", Title: "Site visit", Titles: dtm.Text{dtm.English: "Site visit", dtm.French: "Visite de site"}, Hash: "md5:1", XForm: []byte("<x/>"), Source: []byte("form 1"), SourceName: "f.xlsx"}
	if err := db.Publish(ctx, f); err != nil {
		t.Fatal(err)
	}
	d, _, err := db.NewDevice(ctx, dtm.Device{Name: "Obock 1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Receive(ctx, dtm.Submission{ID: "uuid:1", Form: "f", Version: "1", Device: d.ID, XML: []byte("<data/>")}); err != nil {
		t.Fatal(err)
	}
	c := visitor(t, s, dtm.RoleManager)
	for _, at := range []string{"", "forms/", "forms/f/", "forms/f/questions", "forms/f/diff?from=1&to=1", "submissions/", "submissions/uuid:1", "devices/" + d.ID + "/"} {
		if status, body := send(t, c, s.URL+"/fr/staff/"+at, nil); status != http.StatusOK || !strings.Contains(body, "Visite de site") || strings.Contains(body, "Site visit") {
			t.Errorf("%s in French: %d", at, status)
		}
		if status, body := send(t, c, s.URL+"/en/staff/"+at, nil); status != http.StatusOK || !strings.Contains(body, "Site visit") || strings.Contains(body, "Visite de site") {
			t.Errorf("%s in English: %d", at, status)
		}
	}
	for _, at := range []string{"forms/", "forms/f/"} { // from the forms to where they are filled
		if _, body := send(t, c, s.URL+"/fr/staff/"+at, nil); !strings.Contains(body, `href="/entry/"`) {
			t.Errorf("%s does not lead to the form in the browser", at)
		}
	}
	f.Titles = dtm.Text{dtm.English: "Site visit", dtm.French: "Autre titre"}
	if _, err := db.SaveDraft(ctx, f); err != nil {
		t.Fatal(err)
	}
	if _, body := send(t, c, s.URL+"/en/staff/forms/f/", nil); !strings.Contains(body, "published already with other content") {
		t.Error("other titles under the same version are not said")
	}
}

// TestFormsRefused: who may read forms and not publish them is offered no change, and
// refused one.
func TestFormsRefused(t *testing.T) {
	t.Parallel()
	s, db := office(t)
	ctx := t.Context()
	f := dtm.Form{ID: "f", Version: "1", Title: "F", Hash: "md5:1", XForm: []byte("<a/>"), Source: []byte("form 1"), SourceName: "f.xlsx"}
	if err := db.Publish(ctx, f); err != nil {
		t.Fatal(err)
	}
	f.Version, f.Hash = "2", "md5:2"
	if _, err := db.SaveDraft(ctx, f); err != nil {
		t.Fatal(err)
	}
	dev, _, err := db.AddDevice(ctx, "d", "")
	if err != nil {
		t.Fatal(err)
	}
	before, err := db.Last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := visitor(t, s, dtm.RoleSupervisor)
	if status, body := send(t, seen, s.URL+"/en/staff/forms/f/", nil); status != http.StatusOK || strings.Contains(body, "/draft/publish") || strings.Contains(body, `type="file"`) || strings.Contains(body, `name="state"`) || !strings.Contains(body, "data:image/png") {
		t.Errorf("a supervisor sees: %d", status)
	}
	for role, paths := range map[string][]string{
		dtm.RoleSupervisor: {"forms/f/state", "forms/f/draft/publish", "forms/f/draft/discard", "forms/f/draft/code"},
		dtm.RoleEnumerator: {"forms/f/state", "forms/f/draft/publish", "devices/", "devices/" + dev.ID + "/move", "devices/" + dev.ID + "/code", "devices/" + dev.ID + "/revoke"},
		dtm.RolePartner:    {"forms/f/state", "forms/f/draft/publish", "devices/", "devices/" + dev.ID + "/revoke"},
	} {
		c := visitor(t, s, role)
		for _, path := range paths {
			if status, _ := send(t, c, s.URL+"/en/staff/"+path, url.Values{"hash": {"md5:2"}, "state": {"closed"}, "name": {"x"}}); status != http.StatusForbidden {
				t.Errorf("%s may %s: %d", role, path, status)
			}
		}
		for _, path := range []string{"forms/", "forms/check", "forms/f/check", "forms/f/draft", "forms/f/draft/files"} {
			if status, _ := upload(t, c, s.URL+"/en/staff/"+path, "form 3"); status != http.StatusForbidden {
				t.Errorf("%s may send to %s: %d", role, path, status)
			}
		}
	}
	for _, role := range []string{dtm.RoleEnumerator, dtm.RolePartner} {
		for _, path := range []string{"forms/f/", "forms/f/diff", "forms/f/questions", "forms/f/source", "devices/" + dev.ID + "/"} {
			if status, _ := send(t, visitor(t, s, role), s.URL+"/en/staff/"+path, nil); status != http.StatusForbidden {
				t.Errorf("%s reads %s: %d", role, path, status)
			}
		}
	}
	events, err := db.Events(ctx, before, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if !strings.HasPrefix(e.Name, "user.") && e.Name != dtm.AccessRefused {
			t.Errorf("something happened all the same: %s by %s", e.Name, e.Actor)
		}
	}
}
