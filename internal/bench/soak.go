package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dtm"
	"dtm/demo"
	"dtm/gather/xlsform"
	"dtm/operation"
)

// soak is days of an operation's load in minutes: the same number of requests as so many
// hours would bring, by phones, staff, readers, programs that take tables, the hourly
// backup and what is done every night; only the pauses between are shorter.
type soak struct {
	over  time.Duration // how long it takes, at least
	hours int           // of simulated load
	times float64       // of Djibouti's real rate
	keep  string        // a folder for profiles of the server after each part; "": none
}

// daily is what comes in a day in Djibouti. Forms: at most 22,000 movements a month were
// registered in 2022, in groups of 12, one in fourteen of which is interviewed; four
// sites of stranded migrants are counted each morning; three in a hundred of those who
// pass are screened. Who reads the pages is nobody's published figure: ten of the staff
// who open twenty pages each, two hundred public pages, and twenty tables are assumed.
var daily = struct {
	forms         map[string]float64
	staff, public float64
	tables        float64
}{
	forms: map[string]float64{"fmr": 22_000.0 / 30 / 12, "fms": 22_000.0 / 30 / 12 / 14, "presence": 4, "screening": 22_000.0 / 30 * .03, "event": .1, "assessment": .1},
	staff: 200, public: 200, tables: 20,
}

func (k soak) of(aDay float64) int { return max(1, int(aDay*k.times*float64(k.hours)/24)) }

// tables are what other programs take: open data, and exports by somebody of the staff.
var tables = []string{"/api/v1/flows.csv", "/api/v1/flows.json", "/api/v1/flows.xlsx", "/api/v1/flows.parquet", "/api/v1/presence.csv", "/api/v1/points.geojson", "/api/v1/indicators", "/api/v1/openapi.json",
	"/en/staff/submissions/list.csv", "/fr/staff/submissions/list.csv?form=fmr", "/en/staff/submissions/answers.zip?form=fmr", "/api/v1/areas.xlsx", "/api/v1/odata/flows?%24top=1000"}

// run soaks a server with the load and tells whether anything grows.
func (k soak) run(bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	if err := k.settled(bin, data); err != nil {
		return err
	}
	if err := k.shelve(bin, dir, data); err != nil {
		return err
	}
	clients, err := signedIn(data, []dtm.User{{Email: "soak@bench.example", Role: dtm.RoleAdmin}})
	if err != nil {
		return err
	}
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	s.rest(time.Minute)
	w := &watcher{s: s, bin: bin, data: data, keep: k.keep}
	before, err := w.look()
	if err != nil {
		return err
	}
	streams, err := k.streams(bin, dir, data, s, clients[0])
	if err != nil {
		return err
	}
	load := newLoad(k.over, streams)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, k.over/300) })
	watching.Go(func() { // it takes long: somebody waits
		for minute := time.NewTicker(time.Minute); ; {
			select {
			case <-ctx.Done():
				return
			case <-minute.C:
			}
			for _, x := range streams {
				fmt.Fprintf(os.Stderr, "%s %d of %d; ", x.name, x.done.Load(), x.n)
			}
			fmt.Fprintln(os.Stderr, s.memory())
		}
	})
	for _, x := range streams {
		load.pour(x)
	}
	var ends []held
	for load.part() {
		http.DefaultClient.CloseIdleConnections() // what clients keep open is not the server's
		clients[0].CloseIdleConnections()
		s.rest(mostRest)
		h, err := w.look()
		if err != nil {
			return err
		}
		ends = append(ends, h)
		load.on()
	}
	stop()
	watching.Wait()
	took := time.Since(load.began) // without the looks
	line("measure", "seen", "allowed")
	line(fmt.Sprintf("%d hours at %g times the real rate", k.hours, k.times), "in "+took.Round(time.Second).String(), "")
	for _, x := range streams {
		line("  "+x.name, fmt.Sprintf("%d, %d failed", x.done.Load(), x.failed.Load()), x.told())
	}
	if streams[0].failed.Load() > 0 {
		return fmt.Errorf("%d submissions were refused: this is no load", streams[0].failed.Load())
	}
	verdict := tell(before, ends, k.hours)
	w.busy()
	began := time.Now()
	if err := s.stop(); err != nil {
		return err
	}
	line("stopped in", time.Since(began).Round(time.Millisecond).String(), "10 s")
	return verdict
}

// mostRest is how long a server may work on before it is looked at.
const mostRest = 20 * time.Second

// settled makes a folder with the groups of some three hundred days in it, as many as
// pass in Djibouti.
func (k soak) settled(bin, data string) error {
	if _, _, err := run(bin, "init", "-data", data); err != nil {
		return err
	}
	if err := received(data, 10_000); err != nil {
		return err
	}
	s, _, err := start(bin, data) // makes the keys
	if err != nil {
		return err
	}
	return errors.Join(follows(s.base, time.Hour), s.stop())
}

// shelve has the folder keep backups.
func (k soak) shelve(bin, dir, data string) error {
	out, err := exec.Command(bin, "backup", "key", "-out", filepath.Join(dir, "secret")).Output()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(data, "config.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "\nbackup_dir = %q\nbackup_recipient = %q\n", filepath.Join(dir, "shelf"), strings.TrimSpace(string(out)))
	return err
}

// stream is things to do, evenly over the time, by so many at once; in so many steps, 0:
// one by one.
type stream struct {
	name         string
	n, by, steps int
	do           func(i int) error
	done, failed atomic.Int64
	faults       sync.Map // what failed, each once
}

// told is what failed.
func (x *stream) told() string {
	var list []string
	x.faults.Range(func(k, _ any) bool { list = append(list, k.(string)); return true })
	slices.Sort(list)
	return strings.Join(list[:min(len(list), 5)], "; ")
}

// parts are the equal parts of a load, after each of which the server is looked at while
// nothing is asked of it. The first warmUp of them fill caches and start what is started
// when it is first needed: what they bring is no growth.
const (
	parts  = 12
	warmUp = 4
)

// load pours streams, part after part. One that cannot keep up is done to its end all the
// same.
type load struct {
	over    time.Duration
	streams []*stream

	mu    sync.Mutex
	moves *sync.Cond
	began time.Time // the time between two parts taken out
	open  int       // of the parts, those that may be done
	done  [parts]int
	stood time.Time
}

func newLoad(over time.Duration, streams []*stream) *load {
	l := &load{over: over, streams: streams, began: time.Now(), open: 1}
	l.moves = sync.NewCond(&l.mu)
	return l
}

// partOf is the part in which the i-th thing of a stream is done.
func (x *stream) partOf(i int) int { return i * parts / x.n }

// part waits until a part is done: false when all were.
func (l *load) part() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open > parts {
		return false
	}
	all := 0
	for _, x := range l.streams {
		for i := range x.n {
			if x.partOf(i) == l.open-1 {
				all++
			}
		}
	}
	for l.done[l.open-1] < all {
		l.moves.Wait()
	}
	l.stood = time.Now()
	return true
}

// on begins the next part.
func (l *load) on() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = l.began.Add(time.Since(l.stood))
	l.open++
	l.moves.Broadcast()
}

// begin waits for the part of a thing, and gives when its time is.
func (l *load) begin(part int, at float64) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open <= part {
		l.moves.Wait()
	}
	return l.began.Add(time.Duration(at * float64(l.over)))
}

func (l *load) end(part int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[part]++
	l.moves.Broadcast()
}

func (l *load) pour(x *stream) {
	var next atomic.Int64
	for range x.by {
		go func() {
			for i := int(next.Add(1)) - 1; i < x.n; i = int(next.Add(1)) - 1 {
				at := float64(i) / float64(x.n)
				if x.steps > 0 {
					at = math.Floor(at*float64(x.steps)) / float64(x.steps)
				}
				time.Sleep(time.Until(l.begin(x.partOf(i), at)))
				if err := x.do(i); err != nil {
					x.failed.Add(1)
					x.faults.Store(err.Error(), true)
				}
				x.done.Add(1)
				l.end(x.partOf(i))
			}
		}()
	}
}

func (k soak) streams(bin, dir, data string, s *server, staff *http.Client) ([]*stream, error) {
	bodies, err := k.forms()
	if err != nil {
		return nil, err
	}
	added, err := exec.Command(bin, "device", "add", "-data", data, "-name", "soak").Output()
	if err != nil {
		return nil, err
	}
	base := token.FindString(string(added))
	p := &phone{url: base + "/submission", client: http.DefaultClient}
	v := &visitor{staff, s.base}
	views, err := v.paths()
	if err != nil {
		return nil, err
	}
	var inside, outside []string
	for i := range 10 { // the months that have records
		outside = append(outside, "/?from="+dtm.MonthOf(time.Now()).Add(-i).String())
	}
	for _, x := range views {
		if strings.Contains(x.name, "MONTH") {
			continue
		}
		for _, at := range x.at {
			if strings.HasPrefix(at, "/staff/") {
				inside = append(inside, at)
			} else {
				outside = append(outside, at)
			}
		}
	}
	open := &http.Client{}
	see := func(c *http.Client, path string) error {
		resp, err := c.Get(s.base + path)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		// What is being made ahead of readers, or a bound on requests, is an answer too.
		if err == nil && resp.StatusCode >= 400 && resp.StatusCode != http.StatusTooManyRequests {
			err = fmt.Errorf("%s: %s", path, resp.Status)
		}
		return err
	}
	office := func(list ...[]string) func(int) error {
		return func(int) error {
			for _, args := range list {
				if out, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
					return fmt.Errorf("dtm %s: %w: %s", strings.Join(args, " "), err, out)
				}
			}
			return nil
		}
	}
	langs := []string{"/en", "/fr", "/ar"}
	return []*stream{
		// Phones send when they find a network: what an hour brought comes together, and so the
		// state of the data is as often another as the hour is, not with each page.
		{name: "submissions, one in ten with a photograph", n: len(bodies), by: 8, steps: k.hours, do: func(i int) error { return p.postAs(bodies[i].typ, bodies[i].body) }},
		{name: "phones that ask for their forms", n: len(bodies) / 10, by: 2, do: func(i int) error {
			return see(p.client, strings.TrimPrefix(base, s.base)+[]string{"/formList", "/forms/fmr.xml"}[i%2])
		}},
		{name: "pages of the staff", n: k.of(daily.staff), by: 8, do: func(i int) error { return see(staff, langs[i%3]+inside[i*7919%len(inside)]) }},
		{name: "public pages", n: k.of(daily.public), by: 8, do: func(i int) error { return see(open, langs[i%3]+outside[i*7919%len(outside)]) }},
		{name: "tables", n: k.of(daily.tables), by: 2, do: func(i int) error { return see(staff, tables[i%len(tables)]) }},
		{name: "hourly backups", n: k.hours, by: 1, do: office([]string{"backup", "now", "-data", data})},
		{name: "nights: rules, warning, forecasts, retention", n: max(1, k.hours/24), by: 1, do: office([]string{"retention", "-data", data, "-do"}, []string{"quality", "-data", data, "-raise"}, []string{"alert", "list", "-data", data}, []string{"outlook", "archive", "-data", data})},
		{name: "days: report and a frozen month", n: max(1, k.hours/24), by: 1, do: func(i int) error {
			month := dtm.MonthOf(time.Now()).Add(-1 - i%9).String() // one that is proposed already is not proposed again
			return office([]string{"report", "-data", data, "-month", month, "-lang", "fr", "-out", filepath.Join(dir, "report.pdf")}, []string{"release", "create", "-data", data, "-month", month})(i)
		}},
	}, nil
}

// body is a submission as it is sent.
type body struct {
	typ  string
	body []byte
}

// forms are all submissions of the simulated hours, mixed.
func (k soak) forms() ([]body, error) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(72, 10))
	today := time.Now().UTC().Truncate(24 * time.Hour)
	seed := uint64(today.Unix())
	var out []body
	for _, id := range slices.Sorted(maps.Keys(daily.forms)) {
		aDay := daily.forms[id]
		file, ok := op.Form(id)
		if !ok {
			continue
		}
		form, _, err := xlsform.Read(file.File, file.Data)
		if err != nil {
			return nil, err
		}
		invent := func(day time.Time, seed uint64) []demo.Instance {
			return demo.Day(op, form, today.AddDate(0, 0, -300), day, seed)
		}
		if id != "fmr" {
			f, err := demo.NewForm(op, form)
			if err != nil || f == nil {
				return nil, fmt.Errorf("the demo invents no %s: %w", id, err)
			}
			invent = f.Day
		}
		for n, i := 0, 0; n < k.of(aDay) && i < 100_000; i++ {
			for _, x := range invent(today.AddDate(0, 0, -1-i%3), seed+uint64(i)) {
				if n == k.of(aDay) {
					break
				}
				n++
				b, err := packed(x.XML, id == "fmr" && n%10 == 0, r)
				if err != nil {
					return nil, err
				}
				out = append(out, b)
			}
		}
	}
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

// packed is a submission as a phone packs it, with a photograph that it names.
func packed(xml []byte, photo bool, r *rand.Rand) (body, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if photo {
		xml = bytes.Replace(xml, []byte("<meta>"), []byte("<photo>group.jpg</photo><meta>"), 1)
	}
	part, err := w.CreateFormFile("xml_submission_file", "submission.xml")
	if err != nil {
		return body{}, err
	}
	part.Write(xml)
	if photo {
		if part, err = w.CreateFormFile("group.jpg", "group.jpg"); err != nil {
			return body{}, err
		}
		picture := make([]byte, 100_000+r.IntN(200_000))
		for i := range picture {
			picture[i] = byte(r.Uint32())
		}
		part.Write(picture)
	}
	err = w.Close() // writes the end
	return body{w.FormDataContentType(), b.Bytes()}, err
}
