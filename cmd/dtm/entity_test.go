package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm/gather/webhook"
)

const registration = `| survey |
| | type | name | label | save_to |
| | text | site | Site | |
| | text | region | Region | region |
| | integer | people | People | people |
| entities |
| | list_name | label |
| | sites | ${site} |
| settings |
| | form_id | form_title | version |
| | registration | Registration | 1 |
`

const followUp = `| survey |
| | type | name | label | save_to |
| | select_one_from_file sites.csv | site | Site | |
| | integer | people | People | people |
| entities |
| | list_name | entity_id |
| | sites | ${site} |
| settings |
| | form_id | form_title | version |
| | follow_up | Follow-up | 1 |
`

// TestEntitiesEndToEnd: one phone registers sites, another one of the region sees
// them in its list and updates one, a phone of another region does not; a webhook
// is told of every submission, before and after the server is started anew.
func TestEntitiesEndToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	dtmRun(t, "init", "-data", data)
	for name, text := range map[string]string{"registration.md": registration, "follow_up.md": followUp} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		dtmRun(t, "form", "publish", "-data", data, filepath.Join(dir, name))
	}
	var mu sync.Mutex
	var secret string
	told := map[string]int{}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err := webhook.Verify(secret, r.Header.Get(webhook.SignatureHeader), body, time.Now(), time.Minute); err != nil {
			t.Error(err)
		}
		var m webhook.Message
		if err := json.Unmarshal(body, &m); err != nil {
			t.Error(err)
		}
		told[m.Event+" "+m.Form]++
	}))
	defer receiver.Close()
	added := dtmRun(t, "webhook", "add", "-data", data, "-url", receiver.URL)
	hook := regexp.MustCompile(`webhook (\S+)`).FindStringSubmatch(added)[1]
	mu.Lock()
	secret = regexp.MustCompile(`secret +(\S+)`).FindStringSubmatch(added)[1]
	mu.Unlock()

	_, stop := serving(t, data)
	device := func(name, point string) phone {
		out := dtmRun(t, "device", "add", "-data", data, "-name", name, "-point", point)
		return phone{t, regexp.MustCompile(`http://\S+/v1/key/\S+/projects/1`).FindString(out)}
	}
	obock, dikhil := device("Obock-1", "Obock ville"), device("Yoboki-1", "Yoboki")
	register := func(p phone, n int, region string) string {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		xml := fmt.Sprintf(`<data id="registration" version="1"><site>Site %d</site><region>%s</region><people>10</people><meta><instanceID>uuid:r%d</instanceID><entity dataset="sites" id="uuid:%s" create="1"><label>Site %d</label></entity></meta></data>`, n, region, n, id, n)
		if code, body := p.send(xml, nil); code != 201 {
			t.Fatalf("registration: %d %s", code, body)
		}
		return id
	}
	address := func(p phone) string {
		m := regexp.MustCompile(`<manifestUrl>([^<]*follow_up[^<]*)</manifestUrl>`).FindStringSubmatch(p.get(p.base + "/formList"))
		if m == nil {
			return ""
		}
		f := regexp.MustCompile(`<mediaFile type="entityList"><filename>sites.csv</filename>.*?<downloadUrl>(.*?)</downloadUrl>`).FindStringSubmatch(p.get(m[1]))
		if f == nil {
			t.Fatalf("no entity list in %s", p.get(m[1]))
		}
		return f[1]
	}
	wait := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within 10 s", what)
			}
		}
	}
	here, there := register(obock, 1, "DJ01"), register(obock, 2, "DJ03")
	wait("the site on the phone of its region", func() bool {
		a := address(obock)
		return a != "" && strings.Contains(obock.get(a), here+",Site 1,1,")
	})
	if s := obock.get(address(obock)); strings.Contains(s, there) {
		t.Errorf("a site of another region is sent: %s", s)
	}

	update := fmt.Sprintf(`<data id="follow_up" version="1"><site>%[1]s</site><people>25</people><meta><instanceID>uuid:f1</instanceID><entity dataset="sites" id="%[1]s" update="1" baseVersion="1" trunkVersion="1" branchId=""/></meta></data>`, here)
	if code, body := obock.send(update, nil); code != 201 {
		t.Fatalf("follow-up: %d %s", code, body)
	}
	wait("the update", func() bool { return strings.Contains(obock.get(address(obock)), here+",Site 1,2,") })
	if s := obock.get(address(obock)); !strings.Contains(s, "25") {
		t.Errorf("list after the update: %s", s)
	}
	wait("webhook told of three", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return told["submission.received registration"] == 2 && told["submission.received follow_up"] == 1
	})
	if s := dtmRun(t, "webhook", "test", "-data", data, hook); !strings.Contains(s, "200") {
		t.Errorf("webhook test: %s", s)
	}
	if s := dtmRun(t, "webhook", "list", "-data", data); !strings.Contains(s, "open") || strings.Contains(s, secret) {
		t.Errorf("webhook list: %s", s)
	}

	// A form that closes goes from the list, and is told in the answer.
	dtmRun(t, "form", "state", "-data", data, "registration", "closed")
	time.Sleep(1100 * time.Millisecond)
	if s := obock.get(obock.base + "/formList"); strings.Contains(s, "<formID>registration</formID>") {
		t.Error("a closed form is handed out")
	}
	if code, body := obock.send(strings.ReplaceAll(strings.ReplaceAll(update, "follow_up", "registration"), "uuid:f1", "uuid:x"), nil); code != 409 {
		t.Errorf("a closed form takes submissions: %d %s", code, body)
	}

	stop()
	base, _ := serving(t, data)
	again := phone{t, base + dikhil.base[strings.Index(dikhil.base, "/v1/"):]}
	second := strings.NewReplacer(here, there, "uuid:f1", "uuid:f2").Replace(update)
	if code, body := again.send(second, nil); code != 201 {
		t.Fatalf("after the restart: %d %s", code, body)
	}
	wait("after the restart: the update", func() bool { return strings.Contains(again.get(address(again)), there+",Site 2,2,") })
	wait("after the restart: the webhook", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return told["submission.received follow_up"] == 2
	})
	if s := dtmRun(t, "webhook", "list", "-data", data, "-log", hook); strings.Count(s, "told") != 4 {
		t.Errorf("log:\n%s", s)
	}
	if told["submission.received registration"] != 2 || told["webhook.test "] != 1 {
		t.Errorf("told %v", told)
	}
}
