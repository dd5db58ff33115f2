package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm/internal/pgtest"
)

// TestTwoServers: two servers on one store. What a phone sends to one is on the pages of
// the other; who signed in at one is signed in at the other, and stays so when the first
// has gone; a phone that is shut out at one is shut out at the other.
func TestTwoServers(t *testing.T) {
	pgtest.Start(t)
	url := pgtest.Database(t, "")
	dir := t.TempDir()
	data := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	dtmRun(t, "init", "-data", data[0], "-store", url)
	settings, err := os.ReadFile(filepath.Join(data[0], "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	settings = fmt.Appendf(settings, "media = %q\nkeys = %q\n", filepath.Join(dir, "media"), pgtest.Database(t, ""))
	key, err := os.ReadFile(filepath.Join(data[0], "key"))
	if err != nil {
		t.Fatal(err)
	}
	base, stop := make([]string, 2), make([]func(), 2)
	for i, d := range data {
		for _, err := range []error{os.MkdirAll(d, 0o700), os.WriteFile(filepath.Join(d, "config.toml"), settings, 0o600), os.WriteFile(filepath.Join(d, "key"), key, 0o600)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		base[i], stop[i] = serving(t, d)
	}
	out := dtmRun(t, "device", "add", "-data", data[0], "-name", "Obock-1", "-point", "obock")
	token := regexp.MustCompile(`/v1/key/\S+/projects/1`).FindString(out)
	words := filepath.Join(dir, "password")
	if err := os.WriteFile(words, []byte("correct horse battery staple 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dtmRun(t, "user", "add", "-data", data[1], "-email", "e@example.org", "-role", "enumerator", "-password-file", words)

	form := phone{t, base[0]}.get(base[0] + token + "/forms/fmr.xml")
	version := regexp.MustCompile(`<data id="fmr" version="(\w+)"`).FindStringSubmatch(form)[1]
	day := time.Now().Format(time.DateOnly)
	group := func(id string) string {
		return fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>%s</observed><mode>group_leader</mode><route><direction>outgoing</direction><flow_type>arabian_peninsula</flow_type><previous>ETH</previous><next>YEM</next></route><block><nationality>ETH</nationality><men>21</men><women>3</women><boys>0</boys><girls>0</girls><not_known>0</not_known></block><total>24</total><reason>economic conflict</reason><photo>place.jpg</photo><meta><instanceID>%s</instanceID></meta></data>`, version, day, id)
	}
	for i := range base {
		for _, id := range []string{"uuid:1", "uuid:2"} { // each is sent to both
			if code, body := (phone{t, base[i] + token}).send(group(id), []byte("a photo")); code != http.StatusCreated {
				t.Fatalf("%s to server %d: %d %s", id, i, code, body)
			}
		}
	}
	for i := range base {
		page := ""
		for range 100 {
			if page = (phone{t, base[i]}).page(base[i] + "/en/?from=" + day[:7]); strings.Contains(page, `<span class="value">48</span>`) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if !strings.Contains(page, `<span class="value">48</span>`) {
			t.Errorf("the page of server %d does not say 48", i)
		}
	}
	if out := dtmRun(t, "check", "-data", data[1]); !strings.Contains(out, "submissions: 2\nattachments: 2 read back, 0 damaged") {
		t.Errorf("check:\n%s", out)
	}

	resp, err := http.Post(base[0]+"/v1/sessions", "application/json", strings.NewReader(`{"email":"e@example.org","password":"correct horse battery staple 7"}`))
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&session); err != nil || session.Token == "" {
		t.Fatalf("signing in: %s %v", resp.Status, err)
	}
	resp.Body.Close()
	current := func(base string) int {
		r, _ := http.NewRequest("GET", base+"/v1/users/current", nil)
		r.Header.Set("Authorization", "Bearer "+session.Token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	stop[0]()
	if code := current(base[1]); code != http.StatusOK {
		t.Errorf("signed in at a server that has gone: %d", code)
	}
	dtmRun(t, "device", "revoke", "-data", data[0], "Obock-1") // by itself, as its server is down
	if code, _, _ := (phone{t, base[1]}).do("GET", base[1]+token+"/formList", nil, ""); code != http.StatusForbidden {
		t.Errorf("a phone that was shut out elsewhere gets %d", code)
	}
}
