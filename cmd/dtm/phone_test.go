package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm/internal/pgtest"
)

// phone speaks OpenRosa as ODK Collect does.
type phone struct {
	t    *testing.T
	base string
}

func (p phone) do(method, url string, body io.Reader, contentType string) (int, http.Header, string) {
	p.t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("X-OpenRosa-Version", "1.0")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func (p phone) get(url string) string {
	p.t.Helper()
	code, h, body := p.do("GET", url, nil, "")
	if code != http.StatusOK {
		p.t.Fatalf("GET %s: %d %s", url, code, body)
	}
	if h.Get("X-OpenRosa-Version") != "1.0" {
		p.t.Errorf("GET %s: no OpenRosa version", url)
	}
	return body
}

// send posts a submission with a photo.
func (p phone) send(xml string, photo []byte) (int, string) {
	p.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(name, file, typ string, data []byte) {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, name, file))
		h.Set("Content-Type", typ)
		x, err := w.CreatePart(h)
		if err != nil {
			p.t.Fatal(err)
		}
		x.Write(data)
	}
	part("xml_submission_file", "submission.xml", "text/xml", []byte(xml))
	part("place.jpg", "place.jpg", "image/jpeg", photo)
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	code, _, body := p.do("POST", p.base+"/submission?deviceID=collect%3Atest", &b, w.FormDataContentType())
	return code, body
}

// serving starts the program's server in a data folder and returns its address.
func serving(t *testing.T, data string) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var stderr lines
	c := &call{args: []string{"serve", "-data", data, "-listen", "127.0.0.1:0"}, dir: t.TempDir(), env: func(string) string { return "" }, out: io.Discard, err: &stderr}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, c) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the server ended with %d: %s", code, stderr.String())
		}
	})
	t.Cleanup(stop)
	for range 200 {
		if m := regexp.MustCompile(`http://[0-9.:]+`).FindString(stderr.String()); m != "" {
			return m, stop
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server did not start: %s", stderr.String())
	return "", stop
}

// TestPhone: published, listed, downloaded, sent with a photo, in the figures
// within two seconds; sent again nothing new; other content under the same id is
// refused and kept. Commands are carried out by the running server.
func TestPhone(t *testing.T) {
	t.Parallel()
	phoneToPage(t, real(t))
}

// TestPhonePostgres is the same way with the store and the warehouse on PostgreSQL.
func TestPhonePostgres(t *testing.T) {
	pgtest.Start(t)
	url := pgtest.Database(t, "")
	data := filepath.Join(t.TempDir(), "data")
	dtmRun(t, "init", "-data", data, "-store", url, "-warehouse", url)
	for _, name := range []string{storeName, "facts.duckdb"} {
		if _, err := os.Stat(filepath.Join(data, name)); err == nil {
			t.Errorf("%s was made in the data folder", name)
		}
	}
	if code, _, said := dtmTry(t, "device", "list", "-data", data, "-store", "postgres.db"); code != 1 || !strings.Contains(said, "postgres://") {
		t.Errorf("a path for a store: %d %s", code, said)
	}
	phoneToPage(t, data)
	if code, _, said := dtmTry(t, "backup", "-data", data, "-out", filepath.Join(t.TempDir(), "b")); code != 1 || !strings.Contains(said, "pg_dump") {
		t.Errorf("a backup: %d %s", code, said)
	}
	if out := dtmRun(t, "doctor", "-data", data); !strings.Contains(out, "PostgreSQL") {
		t.Errorf("doctor: %s", out)
	}
	if out := dtmRun(t, "warehouse", "rebuild", "-data", data); !strings.Contains(out, "1 submissions") {
		t.Errorf("rebuild: %s", out)
	}
}

func phoneToPage(t *testing.T, data string) {
	base, stop := serving(t, data)
	out := dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "Obock ville")
	m := regexp.MustCompile(`http://\S+/v1/key/\S+/projects/1`).FindString(out)
	if m == "" || !strings.HasPrefix(m, base) {
		t.Fatalf("no address of the server %s in:\n%s", base, out)
	}
	p := phone{t, m}
	list := p.get(m + "/formList")
	if n := strings.Count(list, "<formID>"); n != 6 {
		t.Errorf("%d forms are listed: %s", n, list)
	}
	list = regexp.MustCompile(`<formID>fmr</formID>.*?</xform>`).FindString(strings.ReplaceAll(list, "\n", ""))
	xform := p.get(regexp.MustCompile(`<downloadUrl>(.*?)</downloadUrl>`).FindStringSubmatch(list)[1])
	if !strings.Contains(xform, "نقطة رصد التدفق") {
		t.Error("the form has no Arabic")
	}
	manifest := p.get(regexp.MustCompile(`<manifestUrl>(.*?)</manifestUrl>`).FindStringSubmatch(list)[1])
	points := p.get(regexp.MustCompile(`<downloadUrl>(.*?)</downloadUrl>`).FindStringSubmatch(manifest)[1])
	if !strings.Contains(points, "obock,Obock,1,DJ01") || strings.Contains(points, "orobor") {
		t.Errorf("points.csv is not the points that are open:\n%s", points)
	}
	if code, h, _ := p.do("HEAD", m+"/submission", nil, ""); code != http.StatusNoContent || h.Get("X-OpenRosa-Accept-Content-Length") == "" {
		t.Errorf("HEAD submission: %d", code)
	}

	version := regexp.MustCompile(`<data id="fmr" version="(\w+)"`).FindStringSubmatch(xform)[1]
	day := time.Now().Format(time.DateOnly)
	group := func(id string, men int) string {
		return fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>%s</observed><mode>group_leader</mode><route><direction>outgoing</direction><flow_type>arabian_peninsula</flow_type><previous>ETH</previous><next>YEM</next></route><block><nationality>ETH</nationality><men>%d</men><women>3</women><boys>0</boys><girls>0</girls><not_known>0</not_known></block><total>%d</total><reason>economic conflict</reason><photo>place.jpg</photo><meta><instanceID>%s</instanceID></meta></data>`, version, day, men, men+3, id)
	}
	sent := time.Now()
	if code, body := p.send(group("uuid:1", 21), []byte("a photo")); code != http.StatusCreated {
		t.Fatalf("submission: %d %s", code, body)
	}
	month := day[:7]
	if got := value(t, data, "total_movements", month, month); got != "24" {
		t.Errorf("after %s the indicator says %s", time.Since(sent), got)
	}
	if took := time.Since(sent); took > 2*time.Second {
		t.Errorf("the figure came after %s", took)
	}
	if page := p.page(base + "/en/?from=" + month); !strings.Contains(page, `<span class="value">24</span>`) {
		t.Error("the page does not say 24")
	}
	if got := value(t, data, "total_movements", month, month, "-where", "nationality=ETH", "-where", "sex=male"); got != "21" {
		t.Errorf("men from Ethiopia: %s", got)
	}
	if code, body := p.send(group("uuid:1", 21), []byte("a photo")); code != http.StatusCreated {
		t.Errorf("the same again: %d %s", code, body)
	}
	if code, body := p.send(group("uuid:1", 22), []byte("a photo")); code != http.StatusConflict {
		t.Errorf("other content: %d %s", code, body)
	}
	if got := value(t, data, "total_movements", month, month); got != "24" {
		t.Errorf("after repeats the indicator says %s", got)
	}
	if out := dtmRun(t, "check", "-data", data); !strings.Contains(out, "submissions: 1\nattachments: 1 read back, 0 damaged") {
		t.Errorf("check:\n%s", out)
	}
	for name, c := range map[string]struct {
		xml  string
		want int
	}{
		"not XML":        {"<data", http.StatusBadRequest},
		"entities":       {`<!DOCTYPE d [<!ENTITY a "b">]>` + group("uuid:2", 1), http.StatusBadRequest},
		"unknown form":   {strings.Replace(group("uuid:3", 1), `"fmr"`, `"gone"`, 1), http.StatusNotFound},
		"no instance id": {strings.Replace(group("uuid:4", 1), "<instanceID>uuid:4</instanceID>", "", 1), http.StatusBadRequest},
	} {
		if code, body := p.send(c.xml, nil); code != c.want || !strings.Contains(body, "OpenRosaResponse") {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	dtmRun(t, "device", "revoke", "-data", data, "Obock-1")
	if code, _, _ := p.do("GET", m+"/formList", nil, ""); code != http.StatusForbidden {
		t.Errorf("a revoked phone gets %d", code)
	}
	stop()
	h, done, err := (&call{dir: t.TempDir(), env: func(string) string { return "" }, err: io.Discard}).open(testContext(t), data)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if kept, err := h.db.Conflicts(testContext(t), "uuid:1"); err != nil || len(kept) != 1 || !bytes.Contains(kept[0].XML, []byte("<men>22</men>")) {
		t.Errorf("the refused version is not kept: %v %v", kept, err)
	}
	if first, err := h.db.Submission(testContext(t), "uuid:1"); err != nil || !bytes.Contains(first.XML, []byte("<men>21</men>")) {
		t.Errorf("the first version was changed: %v", err)
	}
}

func (p phone) page(url string) string {
	p.t.Helper()
	code, _, body := p.do("GET", url, nil, "")
	if code != http.StatusOK {
		p.t.Fatalf("GET %s: %d", url, code)
	}
	return body
}

// lines is a writer that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
