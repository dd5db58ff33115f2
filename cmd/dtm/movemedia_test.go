package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dtm/internal/s3test"
)

// TestMediaInBucket: an operation's photographs move from its folder to an S3 store;
// phones send more, readers see them, a backup holds them, and after the bucket was lost
// they come back from it. No key is in what is printed, logged or shown.
func TestMediaInBucket(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t, "photos")
	data, shelf, key := shelved(t)
	f, err := os.OpenFile(filepath.Join(data, "config.toml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "s3_endpoint = %q\ns3_access_key = %q\ns3_secret_key = %q\n", server.Endpoint, s3test.Access, s3test.Secret); err != nil {
		t.Fatal(err)
	}
	f.Close()
	out := dtmRun(t, "device", "add", "-data", data, "-name", "Obock-1", "-point", "Obock ville")
	path := regexp.MustCompile(`/v1/key/\S+/projects/1`).FindString(out)
	send := func(base string, n int) (int, string) {
		p := phone{t, base + path}
		version := regexp.MustCompile(`<data id="fmr" version="(\w+)"`).FindStringSubmatch(p.get(p.base + "/forms/fmr.xml"))[1]
		xml := fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>2026-11-0%d</observed><photo>place.jpg</photo><meta><instanceID>uuid:%d</instanceID></meta></data>`, version, n, n)
		return p.send(xml, fmt.Appendf(nil, "photo %d of a phone", n))
	}
	base, stop := serving(t, data)
	if code, body := send(base, 1); code != http.StatusCreated {
		t.Fatal(code, body)
	}
	stop()

	const bucket = "s3://photos/dj"
	moved := dtmRun(t, "move", "media", "-data", data, "-to", bucket)
	if !regexp.MustCompile(`^\d+ attachments`).MatchString(moved) {
		t.Error(moved)
	}
	if err := os.RemoveAll(filepath.Join(data, blobName)); err != nil {
		t.Fatal(err)
	}
	base, stop = serving(t, data)
	if code, body := send(base, 2); code != http.StatusCreated {
		t.Fatal(code, body)
	}
	whole := func(data string, n int) {
		t.Helper()
		if out := dtmRun(t, "check", "-data", data); !strings.Contains(out, fmt.Sprintf("submissions: %d\nattachments: %d read back, 0 damaged", n, n)) {
			t.Error(out)
		}
	}
	whole(data, 2)
	doctor := dtmRun(t, "doctor", "-data", data)
	if !strings.Contains(doctor, bucket+", writes and reads") {
		t.Error(doctor)
	}
	r, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(r.Body)
	r.Body.Close()
	dtmRun(t, "backup", "now", "-data", data)

	// While the store is away a phone keeps its record; so says the doctor.
	server.Stop()
	code, body := send(base, 3)
	if code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	failed, ill, _ := dtmTry(t, "doctor", "-data", data)
	if failed != 1 || !strings.Contains(ill, "FAULT") {
		t.Errorf("%d %s", failed, ill)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if code, body := send(base, 3); code != http.StatusCreated {
		t.Errorf("%d %s", code, body)
	}
	whole(data, 3)
	stop()

	for _, text := range []string{moved, doctor, ill, string(metrics), body} {
		if strings.Contains(text, s3test.Secret) || strings.Contains(text, s3test.Access) {
			t.Errorf("a key is told:\n%s", text)
		}
	}

	// The bucket is lost; the backup is not. The server keeps what it knows of a folder
	// for a moment, hence the stop.
	server.Stop()
	if err := os.RemoveAll(filepath.Join(server.Folder("photos"), "dj")); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(shelf, "dtm-*.age"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	said := dtmRun(t, "restore", "-data", elsewhere, "-key", key, files[len(files)-1])
	if !strings.Contains(said, "dtm move media") {
		t.Error(said)
	}
	dtmRun(t, "move", "media", "-data", elsewhere, "-from", filepath.Join(elsewhere, blobName), "-to", bucket)
	whole(elsewhere, 2)

	// And back into the folder.
	if err := os.RemoveAll(filepath.Join(elsewhere, blobName)); err != nil {
		t.Fatal(err)
	}
	dtmRun(t, "move", "media", "-data", elsewhere, "-to", filepath.Join(elsewhere, blobName))
	server.Stop()
	whole(elsewhere, 2)
	settings, err := os.ReadFile(filepath.Join(elsewhere, "config.toml"))
	if err != nil || strings.Contains(string(settings), "media =") {
		t.Errorf("%s %v", settings, err)
	}
}
