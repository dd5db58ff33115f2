package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestTraces: a collector hears of requests by their routes, of groups of the store, of
// questions to the warehouse and of work in the background; what was planted in
// addresses, headers, forms and records it does not hear.
func TestTraces(t *testing.T) {
	var mu sync.Mutex
	spans := map[string]int{}
	var said strings.Builder
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(b, &m)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		said.WriteString(m.String())
		for _, of := range m.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					spans[s.Name]++
				}
			}
		}
	}))
	defer receiver.Close()
	defer otel.SetTracerProvider(noop.NewTracerProvider())

	data := real(t)
	f, err := os.OpenFile(filepath.Join(data, "config.toml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "otlp_endpoint = %q\n", receiver.URL); err != nil {
		t.Fatal(err)
	}
	f.Close()
	base, stop := serving(t, data)
	out := dtmRun(t, "device", "add", "-data", data, "-name", "plantedphone", "-point", "Obock ville")
	p := phone{t, regexp.MustCompile(`http://\S+/v1/key/\S+/projects/1`).FindString(out)}
	token := regexp.MustCompile(`/v1/key/([^/]+)/`).FindStringSubmatch(p.base)[1]
	version := regexp.MustCompile(`<data id="fmr" version="(\w+)"`).FindStringSubmatch(p.get(p.base + "/forms/fmr.xml"))[1]
	if code, body := p.send(fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>2026-11-01</observed><note>plantednote</note><meta><instanceID>uuid:plantedid</instanceID></meta></data>`, version), nil); code != http.StatusCreated {
		t.Fatal(code, body)
	}
	ask := func(method, path string, form url.Values) {
		t.Helper()
		r, err := http.NewRequest(method, base+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("User-Agent", "plantedagent")
		r.Header.Set("X-Forwarded-For", "203.0.113.77")
		r.Header.Set("Traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	ask("GET", "/en/?q=plantedquery", nil)
	ask("GET", "/plantedpath", nil)
	ask("PLANTEDMETHOD", "/en/", nil)
	ask("GET", "/api/v1/flows?month=plantedmonth", nil)
	ask("POST", "/v1/sessions", url.Values{"email": {"planted@example.org"}, "password": {"plantedpassword"}})
	stop()

	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"POST /v1/key/{token}/projects/{project}/submission", "store group", "warehouse question", "warehouse load", "readings", "watch"} {
		if spans[want] == 0 {
			t.Errorf("no span %q among %v", want, spans)
		}
	}
	all := said.String()
	for _, never := range []string{"planted", "PLANTED", token, "203.0.113.77", "127.0.0.1", "0123456789abcdef", data} {
		if strings.Contains(all, never) {
			at := strings.Index(all, never)
			t.Errorf("%q is told: %s", never, all[max(0, at-200):min(len(all), at+100)])
		}
	}
}
