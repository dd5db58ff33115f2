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
	"regexp"
	"slices"
	"strconv"
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
	clients, err := deskBench{}.signedIn(data, []dtm.User{{Email: "soak@bench.example", Role: dtm.RoleAdmin}})
	if err != nil {
		return err
	}
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	s.rest(time.Minute)
	w := &watcher{s: s, data: data}
	before := w.look()
	load := &load{began: time.Now(), over: k.over}
	streams, err := k.streams(bin, dir, data, s, clients[0])
	if err != nil {
		return err
	}
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
	load.wg.Wait()
	stop()
	watching.Wait()
	took := time.Since(load.began)
	line("measure", "seen", "allowed")
	line(fmt.Sprintf("%d hours at %g times the real rate", k.hours, k.times), "in "+took.Round(time.Second).String(), "")
	for _, x := range streams {
		line("  "+x.name, fmt.Sprintf("%d, %d failed", x.done.Load(), x.failed.Load()), x.told())
	}
	keptAlive.CloseIdleConnections() // what clients keep open is not the server's
	http.DefaultClient.CloseIdleConnections()
	s.rest(time.Minute)
	if streams[0].failed.Load() > 0 {
		return fmt.Errorf("%d submissions were refused: this is no load", streams[0].failed.Load())
	}
	return w.tell(before, w.look(), k.hours)
}

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

// load pours streams. One that cannot keep up is done to its end all the same.
type load struct {
	began time.Time
	over  time.Duration
	wg    sync.WaitGroup
}

func (l *load) pour(x *stream) {
	var next atomic.Int64
	for range x.by {
		l.wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < x.n; i = int(next.Add(1)) - 1 {
				at := float64(i) / float64(x.n)
				if x.steps > 0 {
					at = math.Floor(at*float64(x.steps)) / float64(x.steps)
				}
				time.Sleep(time.Until(l.began.Add(time.Duration(at * float64(l.over)))))
				if err := x.do(i); err != nil {
					x.failed.Add(1)
					x.faults.Store(err.Error(), true)
				}
				x.done.Add(1)
			}
		})
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
	p := &phone{url: base + "/submission", client: &http.Client{Transport: keptAlive}}
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

// seenNow is what a server holds at a moment.
type seenNow struct {
	at     time.Duration // since the load began
	values [len(watched)]float64
}

// watched is what must not grow. slack is what may be more in the last third than in the
// first without being growth: a few connections, a garbage collection that is due.
var watched = [...]struct {
	name, unit, metric string
	scale, slack       float64
}{
	{"resident memory", "MB", "process_resident_memory_bytes", 1 << 20, 48},
	{"heap in use", "MB", "go_memstats_heap_inuse_bytes", 1 << 20, 32},
	{"goroutines", "", "go_goroutines", 1, 12},
	{"descriptors", "", "process_open_fds", 1, 12},
	{"WAL of the store", "MB", "dtm.db-wal", 1 << 20, 4},
	{"WAL of the warehouse", "MB", "facts.duckdb.wal", 1 << 20, 16},
}

// watcher looks at a server while it works.
type watcher struct {
	s    *server
	data string

	list []seenNow
}

func (w *watcher) look() (n seenNow) {
	b, _, err := get(w.s.base + "/metrics")
	for i, x := range watched {
		switch {
		case strings.HasSuffix(x.metric, "wal"):
			if st, err := os.Stat(filepath.Join(w.data, x.metric)); err == nil {
				n.values[i] = float64(st.Size()) / x.scale
			}
		case err == nil:
			if m := regexp.MustCompile(`(?m)^` + x.metric + ` (\S+)$`).FindSubmatch(b); m != nil {
				v, _ := strconv.ParseFloat(string(m[1]), 64)
				n.values[i] = v / x.scale
			}
		}
	}
	return n
}

func (w *watcher) watch(ctx context.Context, every time.Duration) {
	began := time.Now()
	tick := time.NewTicker(max(every, 200*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := w.look()
		if n.at = time.Since(began); n.values[0] > 0 {
			w.list = append(w.list, n)
		}
	}
}

var errGrows = errors.New("something grows")

// tell prints the middle values of the thirds and the slope of the last two, and gives
// errGrows when one grows: the last third has more than the first and than the second
// by more than the slack, or what is left when all is quiet again is more than that.
func (w *watcher) tell(before, after seenNow, hours int) error {
	n := len(w.list)
	if n < 9 {
		return fmt.Errorf("only %d looks at the server", n)
	}
	fmt.Printf("%-26s %10s %10s %10s %10s %10s %14s  %s\n", "", "before", "1st third", "2nd third", "3rd third", "after", "slope a day", "verdict")
	var bad error
	for i, x := range watched {
		values := func(list []seenNow) []float64 {
			var v []float64
			for _, l := range list {
				v = append(v, l.values[i])
			}
			return v
		}
		all := values(w.list)
		first, second, third := middle(all[:n/3]), middle(all[n/3:n-n/3]), middle(all[n-n/3:])
		aDay := slope(w.list[n/3:], i) * float64(w.list[n-1].at) / float64(hours) * 24
		verdict := "does not grow"
		if third > first+x.slack && third > second+x.slack/2 && aDay > 0 || x.unit == "" && after.values[i] > before.values[i]+x.slack {
			verdict, bad = "GROWS", errGrows
		}
		fmt.Printf("%-26s %10.1f %10.1f %10.1f %10.1f %10.1f %+14.2f  %s\n", strings.TrimSpace(x.name+" "+x.unit), before.values[i], first, second, third, after.values[i], aDay, verdict)
	}
	return bad
}

func middle(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// slope is the line through the values by least squares, per nanosecond of the load.
func slope(list []seenNow, i int) float64 {
	var mt, mv float64
	for _, l := range list {
		mt, mv = mt+float64(l.at)/float64(len(list)), mv+l.values[i]/float64(len(list))
	}
	var above, below float64
	for _, l := range list {
		d := float64(l.at) - mt
		above, below = above+d*(l.values[i]-mv), below+d*d
	}
	return above / below
}
