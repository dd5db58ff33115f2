package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// manager is who looks at the pages of the staff.
const manager, sentence = "bench@example.org", "a sentence of five words"

// filled makes a data folder as a large operation has it after years: rows of history,
// submissions of the last 300 days, half of them flagged by the rules on arrival. A
// folder that is there already is taken as it is.
func filled(bin, data string, rows, n int) error {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	making := data + ".making"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	file, password := data+".csv", data+".password"
	defer os.Remove(file)
	defer os.Remove(password)
	if err := registry(file, rows, 3); err != nil {
		return err
	}
	if err := os.WriteFile(password, []byte(sentence+"\n"), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-data", making}, {"user", "add", "-data", making, "-email", manager, "-role", "admin", "-password-file", password}, {"import", "movements", "-data", making, file}} {
		if _, _, err := run(bin, args...); err != nil {
			return err
		}
	}
	s, _, err := start(bin, making)
	if err != nil {
		return err
	}
	defer s.stop()
	p, err := enrol(bin, making, n)
	if err != nil {
		return err
	}
	for i := range p.bodies {
		if i%2 == 0 {
			p.bodies[i] = spoilt(p.bodies[i], i/2)
		}
	}
	if _, _, err = spread(32, p.bodies, p.post); err != nil {
		return err
	}
	if err := follows(s.base, time.Hour); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	return os.Rename(making, data)
}

var (
	place = regexp.MustCompile(`<point>[^<]*</point>`)
	day   = regexp.MustCompile(`<observed>\d{4}`)
	ended = regexp.MustCompile(`<start>([^<]*)</start><end>[^<]*</end>`)
	men   = regexp.MustCompile(`<men>\d*</men>`)
	total = regexp.MustCompile(`<total>(\d+)</total>`)
)

// spoilt is a submission with one of five faults: a point that is none, a day to come,
// a form filled in within no time, a crowd, a total that does not add up.
func spoilt(b []byte, i int) []byte {
	switch i % 5 {
	case 0:
		return place.ReplaceAll(b, fmt.Appendf(nil, "<point>nowhere-%d</point>", i%7))
	case 1:
		return day.ReplaceAll(b, []byte("<observed>2031"))
	case 2:
		return ended.ReplaceAll(b, []byte("<start>$1</start><end>$1</end>"))
	case 3:
		return men.ReplaceAll(b, []byte("<men>431</men>"))
	}
	return total.ReplaceAll(b, []byte("<total>${1}7</total>"))
}

// staff measures every page, public ones too, over a filled folder: one client after
// the other's answer, then four at once.
func staff(bin, data string, rows int) error {
	s, ready, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	out, err := exec.Command(bin, "rule", "list", "-data", data).Output()
	if err != nil {
		return err
	}
	line("", fmt.Sprintf("%d movement rows, %d open flags, %s", rows, openFlags(out), s.memory()), "start "+ms(ready))
	began, worked := time.Now(), s.processor()
	s.rest(10 * time.Minute)
	line("made ahead of readers after the start", fmt.Sprintf("%.0f s, %.0f s of a processor", time.Since(began).Seconds(), (s.processor()-worked).Seconds()), "")
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	resp, err := c.PostForm(s.base+"/en/staff/signin", url.Values{"email": {manager}, "password": {sentence}})
	if err != nil {
		return err
	}
	resp.Body.Close()
	list, err := (&visitor{c, s.base}).paths()
	if err != nil {
		return err
	}
	fmt.Printf("%-74s %-12s %-24s %s\n", "p50 and p95", "first", "one client", "four clients")
	slow, n := 0, 0
	for _, x := range list {
		began := time.Now()
		if _, err := (&visitor{c, s.base}).body("/en" + x.at[0]); err != nil {
			fmt.Println("left out:", err)
			continue
		}
		first := time.Since(began)
		n++
		var took [2]string
		late := false
		for k, clients := range []int{1, 4} {
			d, err := visit(c, s.base, x, clients, 24)
			if err != nil {
				return err
			}
			p95 := percentile(d, .95)
			took[k] = ms(percentile(d, .5)) + "  " + ms(p95)
			late = late || p95 > 150*time.Millisecond
		}
		note := ""
		if late {
			slow++
			note = "  over 150 ms"
		}
		fmt.Printf("%-74s %-12s %-24s %s%s\n", x.name, ms(first), took[0], took[1], note)
	}
	line("pages over 150 ms", fmt.Sprintf("%d of %d", slow, n), "0")
	line("memory of the server after that", s.memory(), "")
	return nil
}

// rest waits until the server has worked next to nothing for some seconds.
func (s *server) rest(most time.Duration) {
	for quiet, began := 0, time.Now(); quiet < 5 && time.Since(began) < most; {
		before := s.processor()
		time.Sleep(time.Second)
		if quiet++; s.processor()-before > 50*time.Millisecond {
			quiet = 0
		}
	}
}

func openFlags(list []byte) (n int) {
	for _, l := range strings.Split(string(list), "\n") {
		var rule, severity, state string
		var flags, open int
		if k, _ := fmt.Sscan(l, &rule, &severity, &state, &flags, &open); k == 5 {
			n += open
		}
	}
	return n
}

// view is a page with the addresses by which it is asked for in turn, so that what an
// earlier request left behind is of little use.
type view struct {
	name string
	at   []string
}

type visitor struct {
	c    *http.Client
	base string
}

func (v *visitor) body(path string) ([]byte, error) {
	resp, err := v.c.Get(v.base + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	return b, err
}

var (
	flagged = regexp.MustCompile(`/en(/staff/review/uuid[^"?]*)"`)
	sent    = regexp.MustCompile(`/en(/staff/submissions/uuid[^"?]*)"`)
	older   = regexp.MustCompile(`/en(/staff/[^"]*(?:before|after)=[^"]*)"`)
	device  = regexp.MustCompile(`/en(/staff/devices/[^"/]+/)"`)
	catalog = regexp.MustCompile(`/en(/indicators/[a-z_]+)"`)
)

// paths are the pages, the addresses of records taken from the lists.
func (v *visitor) paths() ([]view, error) {
	var out []view
	add := func(name string, at ...string) {
		if len(at) > 0 {
			out = append(out, view{name, at})
		}
	}
	found := func(path string, r *regexp.Regexp, most int) []string {
		b, err := v.body("/en" + path)
		var list []string
		if err == nil {
			for _, m := range r.FindAllSubmatch(b, most) {
				list = append(list, string(bytes.ReplaceAll(m[1], []byte("&amp;"), []byte("&"))))
			}
		}
		return list
	}
	one := func(paths ...string) {
		for _, p := range paths {
			add(p, p)
		}
	}
	one("/staff/", "/staff/review/")
	for _, q := range []string{"severity=fault", "severity=doubt", "severity=note", "point=obock", "point=-", "rule=group.large", "rule=date.future", "state=confirmed", "state=dismissed", "state=cleared", "severity=doubt&point=yoboki&rule=interview.fast"} {
		one("/staff/review/?" + q)
	}
	add("/staff/review/?after=", found("/staff/review/", older, 1)...)
	add("/staff/review/RECORD", found("/staff/review/?rule=group.large", flagged, 20)...)
	one("/staff/rules/", "/staff/rules/group.large", "/staff/enumerators/", "/staff/submissions/")
	for _, q := range []string{"form=fmr", "state=flagged", "state=received", "point=obock", "rule=point.unknown", "dates=observed&from=2026-11-01&to=2026-11-20", "dates=observed&from=2026-11-01&to=2026-11-01", "from=2026-11-01",
		"q=obock", "q=obo", "q=o", "q=ethio", "q=ali-sabieh+2026", "q=man", "q=uuid:1", "q=1a2b3c", "q=zzzzzz", "form=fmr&point=obock&state=flagged&q=economic", "rule=group.large&q=obock"} {
		one("/staff/submissions/?" + q)
	}
	add("/staff/submissions/?before=", found("/staff/submissions/", older, 1)...)
	add("/staff/submissions/RECORD", found("/staff/submissions/", sent, 20)...)
	one("/staff/submissions/map", "/staff/submissions/map?point=obock", "/staff/points/", "/staff/points/obock", "/staff/points/yoboki", "/staff/coverage/", "/staff/coverage/?month=2026-06",
		"/staff/releases/", "/staff/forms/", "/staff/forms/fmr/", "/staff/forms/fmr/questions", "/staff/devices/")
	add("/staff/devices/DEVICE", found("/staff/devices/", device, 5)...)
	one("/staff/entities/", "/staff/webhooks/", "/staff/users/", "/staff/log", "/staff/log?what=flag", "/staff/log?what=user", "/staff/account/", "/staff/imports/",
		"/staff/areas/", "/staff/alerts/", "/staff/alerts/backtest", "/staff/planning/", "/staff/survey/", "/staff/workshop/", "/staff/needs/", "/staff/agreements/")
	var months []string
	for i := range 96 {
		months = append(months, fmt.Sprintf("/?from=20%02d-%02d", 18+i%8, 1+i/8))
	}
	add("/?from=MONTH", months...)
	one("/", "/?from=2018-01&to=2025-12", "/?from=2026-10&region=DJ03", "/indicators/")
	add("/indicators/INDICATOR", found("/indicators/", catalog, 30)...)
	one("/releases/", "/warning/", "/warning/?point=obock", "/outlook/", "/outlook/?step=week", "/outlook/archive/", "/methods", "/about")
	return out, nil
}

// visit asks for a page n times from each client.
func visit(c *http.Client, base string, x view, clients, n int) ([]time.Duration, error) {
	var mu sync.Mutex
	var took []time.Duration
	var fault error
	var wg sync.WaitGroup
	for k := range clients {
		wg.Go(func() {
			v := &visitor{c, base}
			for i := range n {
				began := time.Now()
				_, err := v.body("/en" + x.at[(i*clients+k)%len(x.at)])
				d := time.Since(began)
				mu.Lock()
				took = append(took, d)
				if err != nil {
					fault = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return took, fault
}

// large is a large folder: where it is kept, and what it holds.
type large struct {
	folder     string // "": in the benchmark's own
	rows, sent int
	besides    bool // measure indicators and not every page
}

// everyPage fills the folder and measures all pages over it, over a copy of one that is
// kept.
func (l large) everyPage(bin, dir string) error {
	data := filepath.Join(dir, "filled")
	if l.folder == "" {
		if err := filled(bin, data, l.rows, l.sent); err != nil {
			return err
		}
		return staff(bin, data, l.rows)
	}
	// What is kept stays as it was made: a server writes, and migrates.
	if err := filled(bin, l.folder, l.rows, l.sent); err != nil {
		return err
	}
	if err := os.CopyFS(data, os.DirFS(l.folder)); err != nil {
		return err
	}
	return staff(bin, data, l.rows)
}
