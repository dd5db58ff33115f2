package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// generator is the load generator that lies beside the project: its form of 39
// questions and a repeat was used to measure ODK Central too.
const generator = "../shared/bench/fmbench"

// central measures what the generator measured of ODK Central v2026.2 on two cores
// (README beside it), and prints both; read: what is read too.
func central(bin, dir string, read bool) error {
	if _, err := os.Stat(generator); err != nil {
		line("the load generator's form", "not measured", generator+" is not there")
		return nil
	}
	fm := filepath.Join(dir, "fmbench")
	build := exec.Command("go", "build", "-o", fm, ".")
	build.Dir = generator
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("fmbench: %w\n%s", err, out)
	}
	form, err := exec.Command(fm, "form", "-id", "fm", "-version", "1").Output()
	if err != nil {
		return err
	}
	data, password := filepath.Join(dir, "fm"), filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("a sentence of five words\n"), 0o600); err != nil {
		return err
	}
	if err := made(bin, data); err != nil {
		return err
	}
	for _, args := range [][]string{{"user", "add", "-data", data, "-email", "bench@example.org", "-role", "manager", "-password-file", password}} {
		if _, _, err := run(bin, args...); err != nil {
			return err
		}
	}
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	session, err := post(s.base+"/v1/sessions", "application/json", []byte(`{"email":"bench@example.org","password":"a sentence of five words"}`), "")
	if err != nil {
		return err
	}
	var signed struct{ Token string }
	if err := json.Unmarshal(session, &signed); err != nil {
		return err
	}
	if _, err := post(s.base+"/v1/projects/1/forms?publish=true", "application/xml", form, signed.Token); err != nil {
		return err
	}
	added, err := exec.Command(bin, "device", "add", "-data", data, "-name", "bench").Output()
	if err != nil {
		return err
	}
	path := token.FindString(string(added))[len(s.base):] + "/submission"
	measured := func(args ...string) (m struct {
		PerS   float64 `json:"ok_per_s"`
		P99    float64 `json:"p99_ms"`
		Median float64 `json:"median_ms"`
		Errors int     `json:"errors"`
		Procs  map[string]struct {
			Start float64 `json:"start_pss_mib"`
			Peak  float64 `json:"peak_pss_mib"`
		}
	}, err error) {
		args = append(args, "-base", s.base, "-watch", "ours="+strconv.Itoa(s.cmd.Process.Pid))
		out, err := exec.Command(fm, args...).Output()
		if err == nil {
			err = json.Unmarshal(out, &m)
		}
		if err == nil && m.Errors > 0 {
			err = fmt.Errorf("%d requests failed: %s", m.Errors, out)
		}
		return m, err
	}
	before := s.processor()
	m, err := measured("submit", "-path", path, "-form", "fm", "-version", "1", "-seed", "1", "-n", "50000", "-c", "32")
	if err != nil {
		return err
	}
	acked := s.processor() - before
	line("generator: submissions, 32 clients", fmt.Sprintf("%.0f/s, p99 %.1f ms", m.PerS, m.P99), "5,000/s, p99 30 ms; ODK Central 227/s, 301 ms")
	if err := caughtUp(s.base); err != nil {
		return err
	}
	line("  the server's processor time for each", fmt.Sprintf("%d µs, %d µs when loaded", acked.Microseconds()/50000, (s.processor()-before).Microseconds()/50000), "")
	if !read {
		return nil
	}
	for what, x := range map[string][3]string{
		"generator: OData, 50,000 submissions":   {"/v1/projects/1/forms/fm.svc/Submissions", "odata", "600 ms; ODK Central 9,400 ms"},
		"generator: CSV zip, 50,000 submissions": {"/v1/projects/1/forms/fm/submissions.csv.zip", "csvzip", "600 ms, 64 MB more; ODK Central 12,700 ms"},
	} {
		if m, err = measured("read", "-path", x[0], "-count", x[1], "-runs", "7", "-H", "Authorization: Bearer "+signed.Token); err != nil {
			return err
		}
		p := m.Procs["ours"]
		line(what, fmt.Sprintf("median %.0f ms, memory +%.0f MB", m.Median, p.Peak-p.Start), x[2])
	}
	return nil
}

func post(url, contentType string, body []byte, bearer string) ([]byte, error) {
	r, err := http.NewRequest("POST", url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", contentType)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s %s", url, resp.Status, b.String())
	}
	return b.Bytes(), nil
}
