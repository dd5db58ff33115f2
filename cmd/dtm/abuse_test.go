//go:build !race

// The server is run as it is shipped, so that its memory is that of the program: the
// race detector would slow down only what attacks it. make test runs this before.

package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// most is how much memory of its own the server may hold at any time: phones'
// submissions come in meanwhile.
const most = 240 << 20

// program is dtm as it is shipped: the race detector would multiply the memory.
func program(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "dtm")
	if out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return exe
}

// spawned runs the program's server as a process of its own.
func spawned(t *testing.T, exe, data string) (base string, pid int) {
	t.Helper()
	cmd := exec.Command(exe, "serve", "-data", data, "-listen", "127.0.0.1:0")
	var stderr lines
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v:\n%.3000s", err, stderr.String())
		}
	})
	for range 400 {
		if m := regexp.MustCompile(`http://[0-9.:]+`).FindString(stderr.String()); m != "" {
			return m, cmd.Process.Pid
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server did not start:\n%s", stderr.String())
	return "", 0
}

// peaks notes the most memory of its own that a process has held: pages of the program's
// file, which the kernel may drop and maps as many of as it has at hand, are not its own.
type peaks struct{ most atomic.Int64 }

// peaksOf looks every few milliseconds until the test ends.
func peaksOf(t *testing.T, pid int) *peaks {
	t.Helper()
	p := &peaks{}
	look := func() {
		list, err := resident(strconv.Itoa(pid))
		if err != nil {
			return // it has ended
		}
		for _, x := range list {
			if x.What == "resident, of no file" && x.Bytes > p.most.Load() {
				p.most.Store(x.Bytes)
			}
		}
	}
	if look(); p.most.Load() == 0 {
		t.Fatal("the process's memory is not told")
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				look()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return p
}

// zeros is a stream that costs its sender nothing.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

// bomb is a workbook of one sheet that unpacks to size bytes.
func bomb(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels":                `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="survey" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
	} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>`)
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, `</t></is></c></row></sheetData></worksheet>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// multi is a submission whose parts are given as streams: name, head, content.
func multi(parts ...any) (io.Reader, string) {
	var rs []io.Reader
	for i := 0; i < len(parts); i += 2 {
		rs = append(rs, strings.NewReader("\r\n--b\r\nContent-Disposition: form-data; "+parts[i].(string)+"\r\nContent-Type: text/xml\r\n\r\n"), parts[i+1].(io.Reader))
	}
	rs = append(rs, strings.NewReader("\r\n--b--\r\n"))
	return io.MultiReader(rs...), "multipart/form-data; boundary=b"
}

// TestAbuse: what is sent to harm is answered clearly, by eight at once, and the
// server stays small; what a phone sends meanwhile and was told is received is
// there afterwards.
func TestAbuse(t *testing.T) {
	exe := program(t)
	data := real(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("a sentence of five words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dtmRun(t, "user", "add", "-data", data, "-email", "admin@example.org", "-role", "admin", "-password-file", password)
	out := dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "obock")
	key := regexp.MustCompile(`/v1/key/\S+/projects/1`).FindString(out)
	base, pid := spawned(t, exe, data)
	held := peaksOf(t, pid)
	start := held.most.Load()
	p := phone{t, base + key}
	version := regexp.MustCompile(`<version>(.*?)</version>`).FindStringSubmatch(p.get(base + key + "/formList?formID=fmr"))[1] // of that form: each has its own
	instance := func(id, inside string) string {
		return `<data id="fmr" version="` + version + `">` + inside + `<meta><instanceID>` + id + `</instanceID></meta></data>`
	}
	xml := func(s string) func() (io.Reader, string) {
		return func() (io.Reader, string) {
			return multi(`name="xml_submission_file"; filename="s.xml"`, strings.NewReader(s))
		}
	}
	large := func(head string, n int64, tail string) io.Reader {
		return io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, n), strings.NewReader(tail))
	}
	var parts []any
	for i := range 20_000 {
		parts = append(parts, fmt.Sprintf(`name="f%d"; filename="f%d"`, i, i), strings.NewReader("x"))
	}
	zipBomb := bomb(t, 1200<<20)
	attrs := strings.Builder{}
	for i := range 1_000_000 {
		fmt.Fprintf(&attrs, ` a%d="1"`, i)
	}
	submit, forms := key+"/submission", "/v1/projects/1/forms?publish=true"
	attacks := []struct {
		name, path string
		body       func() (io.Reader, string)
		want       []int
	}{
		{"entities", submit, xml(`<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + instance("uuid:a", "<n>&b;</n>")), []int{400}},
		{"external entity", submit, xml(`<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + instance("uuid:a", "<n>&x;</n>")), []int{400}},
		{"a million deep", submit, xml(instance("uuid:a", strings.Repeat("<a>", 1_000_000))), []int{400, 413}},
		{"a million attributes", submit, xml(`<data id="fmr" version="` + version + `"` + attrs.String() + `/>`), []int{400, 413}},
		{"an attribute twice", submit, xml(`<data id="fmr" id="fmr" version="` + version + `"/>`), []int{400}},
		{"two roots", submit, xml(instance("uuid:a", "") + instance("uuid:b", "")), []int{400}},
		{"a million elements", submit, xml(instance("uuid:a", strings.Repeat("<a/>", 1_000_000))), []int{400, 413}},
		{"UTF-16 said, UTF-8 sent", submit, xml(`<?xml version="1.0" encoding="UTF-16"?>` + instance("uuid:a", "")), []int{400}},
		{"answers of a gigabyte", submit, func() (io.Reader, string) {
			return multi(`name="xml_submission_file"; filename="s.xml"`, large(`<data id="fmr"><n>`, 1<<30, `</n></data>`))
		}, []int{413}},
		{"a photo of a gigabyte", submit, func() (io.Reader, string) {
			return multi(`name="xml_submission_file"; filename="s.xml"`, strings.NewReader(instance("uuid:photo", "")), `name="p.jpg"; filename="p.jpg"`, large("", 1<<30, ""))
		}, []int{413}},
		{"twenty thousand parts", submit, func() (io.Reader, string) {
			for i := 1; i < len(parts); i += 2 {
				parts[i] = strings.NewReader("x")
			}
			return multi(append([]any{`name="xml_submission_file"; filename="s.xml"`, strings.NewReader(instance("uuid:parts", ""))}, parts...)...)
		}, []int{400}},
		{"a head of a megabyte", submit, func() (io.Reader, string) {
			return multi(`name="`+strings.Repeat("x", 1<<20)+`"`, strings.NewReader("x"))
		}, []int{400, 413}},
		{"a name that climbs", submit, func() (io.Reader, string) {
			return multi(`name="xml_submission_file"; filename="s.xml"`, strings.NewReader(instance("uuid:climb", "<photo>../../../dtm.db</photo>")), `name="../../../dtm.db"; filename="../../../dtm.db"`, strings.NewReader("gone"))
		}, []int{201, 400}},
		{"no multipart", submit, func() (io.Reader, string) { return strings.NewReader("hello"), "application/json" }, []int{400, 415}},
		{"no end", submit, func() (io.Reader, string) {
			return strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"xml_submission_file\"\r\n\r\n<data"), "multipart/form-data; boundary=b"
		}, []int{400}},
		{"a workbook that unpacks to 1.2 GB", forms, func() (io.Reader, string) {
			return bytes.NewReader(zipBomb), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		}, []int{400, 413, 422}},
		{"a workbook of a gigabyte", forms, func() (io.Reader, string) {
			return large("PK\x03\x04", 1<<30, ""), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		}, []int{400, 413, 422}},
		{"an XForm a million deep", forms, func() (io.Reader, string) {
			return strings.NewReader(`<h:html xmlns:h="http://www.w3.org/1999/xhtml">` + strings.Repeat("<a>", 1_000_000)), "application/xml"
		}, []int{400, 413}},
		{"a filter a hundred thousand deep", "/v1/projects/1/forms/fmr.svc/Submissions?%24filter=" + strings.Repeat("(", 100_000), nil, []int{400, 414, 431, 501}},
		{"a filter four hundred deep", "/v1/projects/1/forms/fmr.svc/Submissions?%24filter=" + url.QueryEscape(strings.Repeat("not (", 400)+"true"+strings.Repeat(")", 400)), nil, []int{400, 501}},
	}

	// Phones go on sending.
	stop, sent := make(chan struct{}), 0
	var phones sync.WaitGroup
	phones.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			body, typ := multi(`name="xml_submission_file"; filename="s.xml"`, strings.NewReader(instance(fmt.Sprintf("uuid:real-%d", i), "<note>x</note>")))
			if code, _, answer := p.do("POST", p.base+"/submission", body, typ); code != http.StatusCreated {
				t.Errorf("a phone was answered %d: %s", code, answer)
				return
			}
			sent = i + 1
		}
	})

	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("admin@example.org:a sentence of five words"))
	var most8 sync.WaitGroup
	for _, a := range attacks {
		for range 8 {
			most8.Go(func() {
				var body io.Reader
				method, typ := "GET", ""
				if a.body != nil {
					method = "POST"
					body, typ = a.body()
				}
				r, err := http.NewRequest(method, base+a.path, body)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("X-OpenRosa-Version", "1.0")
				r.Header.Set("Date", "Thu, 26 Nov 2016 03:00:00 GMT") // ten years off
				if typ != "" {
					r.Header.Set("Content-Type", typ)
				}
				if strings.HasPrefix(a.path, "/v1/projects") {
					r.Header.Set("Authorization", basic)
				}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					// The server may close on a sender that goes on after the refusal.
					if !strings.Contains(err.Error(), "reset by peer") && !strings.Contains(err.Error(), "broken pipe") {
						t.Errorf("%s: %v", a.name, err)
					}
					return
				}
				defer resp.Body.Close()
				answer, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
				ok := false
				for _, code := range a.want {
					ok = ok || resp.StatusCode == code
				}
				if !ok || len(answer) < 20 || bytes.Contains(answer, []byte("goroutine")) {
					t.Errorf("%s: %d, want %v: %.400s", a.name, resp.StatusCode, a.want, answer)
				}
			})
			if a.name == "twenty thousand parts" {
				most8.Wait() // their parts are shared
			}
		}
		most8.Wait()
		if m := held.most.Load(); m > most {
			t.Errorf("after %s the server has held %d MB, more than %d", a.name, m>>20, most>>20)
		}
	}
	close(stop)
	phones.Wait()
	t.Logf("memory %d MB at the start, %d MB at most; %d submissions meanwhile", start>>20, held.most.Load()>>20, sent)
	if sent == 0 {
		t.Error("no phone was served meanwhile")
	}

	// Received is stored.
	r, _ := http.NewRequest("GET", base+"/v1/projects/1/forms/fmr/submissions", nil)
	r.Header.Set("Authorization", basic)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	list, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]bool{}
	for _, id := range regexp.MustCompile(`"instanceId":"uuid:real-\d+"`).FindAllString(string(list), -1) {
		stored[id] = true
	}
	if len(stored) != sent {
		t.Errorf("%d submissions are stored, phones were told %d", len(stored), sent)
	}
	for _, gone := range []string{"uuid:a", "uuid:b", "uuid:photo", "uuid:parts"} {
		if bytes.Contains(list, []byte(`"`+gone+`"`)) {
			t.Errorf("%s was refused and is stored", gone)
		}
	}
	if _, err := os.Stat(filepath.Join(data, "dtm.db")); err != nil {
		t.Error(err)
	}
}
