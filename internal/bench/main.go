// Command bench measures the program against the budget of its design: it makes
// synthetic registry rows and submissions, runs bin/dtm as a user would, and prints
// one line a measure with what was seen and what is allowed. Everything runs on
// this machine, one thing after the other.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
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
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"dtm/demo"
	"dtm/gather/xlsform"
	"dtm/operation"
)

func main() {
	rows := flag.Int("rows", 10_000_000, "movement rows behind the page; 0 leaves the page out")
	bin := flag.String("bin", "bin/dtm", "the program")
	receive := flag.Bool("receive", false, "measure receiving alone; with -folder, into that one")
	records := flag.Int("records", 30_000, "submissions to measure receiving with")
	store := flag.String("store", "", "an empty `database`, postgres://..., to measure receiving into, with -receive")
	public := flag.String("public", "", "measure the public page and the report alone, over the data `folder` given, which keeps the records sent meanwhile")
	only := flag.Bool("staff", false, "measure the pages of staff and public alone, over a large folder with many open flags")
	keep := flag.String("folder", "", "where that large folder is, or is made and kept, and the facts that -facts generates; left out: made and removed")
	sent := flag.Int("submissions", 200_000, "submissions in that folder; half of them are flagged")
	warehouse := flag.Bool("facts", false, "measure the warehouse alone: indicators against bare texts at -compare facts, the questions of a dashboard at -most, loading, and how soon a submission is seen")
	compare := flag.Int("compare", 10_000_000, "facts behind the comparison with bare texts")
	most := flag.Int("most", 100_000_000, "facts behind the questions of a dashboard; some 8 GB on disk a billion")
	desks := flag.Bool("desk", false, "measure the pages about people alone: inboxes, referrals, the register's search; -folder keeps what it fills")
	persons := flag.Int("persons", 100_000, "persons in that folder")
	referrals := flag.Int("referrals", 200_000, "referrals in that folder")
	moving := flag.Int("move", 0, "take a folder with so many `submissions` to a PostgreSQL server of its own and back, and nothing else; -folder keeps what it fills")
	beside := flag.Bool("beside", false, "measure the budget on SQLite and DuckDB and on a PostgreSQL server of its own, and print both side by side; -rows and -records apply")
	points := flag.String("points", "", "measure operations of so `many` points each, for example 10,100,1000, from the repository's root, and print one table; nothing else")
	operations := flag.Int("operations", 0, "put so many operations into one PostgreSQL database of its own, from the repository's root, and measure the first alone and among them; nothing else")
	var soaking soak
	flag.DurationVar(&soaking.over, "soak", 0, "pour the load of -hours at -times the real rate into this much time, and tell whether memory, goroutines, descriptors or logs grow; nothing else")
	flag.StringVar(&soaking.keep, "profiles", "", "a `folder` for heap and goroutine profiles of the server after each part of -soak")
	flag.IntVar(&soaking.hours, "hours", 72, "simulated hours of -soak")
	flag.Float64Var(&soaking.times, "times", 10, "how many times Djibouti's real rate, of -soak")
	flag.Parse()
	if *beside {
		if err := benchBeside(*bin, *records, *rows); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *operations > 0 {
		if err := benchOperations(*bin, *operations); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *points != "" {
		if err := benchPoints(*bin, *points); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if soaking.over > 0 {
		if err := soaking.run(*bin); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *moving > 0 {
		if err := benchMove(*bin, *keep, *moving); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *desks {
		if err := benchDesk(*bin, deskBench{folder: *keep, persons: *persons, referrals: *referrals}); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *warehouse {
		if err := measureFacts(*bin, *keep, *compare, *most); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *public != "" {
		if err := pages(*bin, *public, *rows); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if *store != "" {
		os.Setenv("DTM_STORE", *store)
	}
	large := large{folder: *keep, rows: *rows, sent: *sent}
	if err := bench(*bin, *receive, *only, *records, large); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(bin string, receive, pagesOnly bool, records int, l large) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "dtm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	line("measure", "seen", "allowed")
	if pagesOnly {
		return l.everyPage(bin, dir)
	}
	small := filepath.Join(dir, "small")
	if receive && l.folder != "" {
		return submissions(bin, l.folder, records)
	}
	if err := made(bin, small); err != nil {
		return err
	}
	if receive {
		if err := submissions(bin, small, records); err != nil {
			return err
		}
		return central(bin, dir, false)
	}
	million := filepath.Join(dir, "million.csv")
	if err := registry(million, 1_000_000, 1); err != nil {
		return err
	}
	took, rss, err := run(bin, "import", "movements", "-data", small, million)
	if err != nil {
		return err
	}
	line("import of 1 million rows", fmt.Sprintf("%.1f s, %.0f rows/s, %d MB", took.Seconds(), 1e6/took.Seconds(), rss>>20), "5 s")
	if err := submissions(bin, small, records); err != nil {
		return err
	}
	if err := central(bin, dir, true); err != nil {
		return err
	}
	rows := l.rows
	if rows == 0 {
		return nil
	}
	large, file := filepath.Join(dir, "large"), filepath.Join(dir, "large.csv")
	if err := registry(file, rows, 2); err != nil {
		return err
	}
	if err := made(bin, large); err != nil {
		return err
	}
	if took, rss, err = run(bin, "import", "movements", "-data", large, file); err != nil {
		return err
	}
	line(fmt.Sprintf("import of %d rows", rows), fmt.Sprintf("%.1f s, %.0f rows/s, %d MB", took.Seconds(), float64(rows)/took.Seconds(), rss>>20), "")
	if err := pages(bin, large, rows); err != nil {
		return err
	}
	if l.besides {
		return asked(large, rows)
	}
	return l.everyPage(bin, dir)
}

// run runs the program and returns its wall time and peak memory.
func run(bin string, args ...string) (time.Duration, int64, error) {
	_, took, rss, err := said(bin, args...)
	return took, rss, err
}

// said is run with what the program wrote.
func said(bin string, args ...string) (string, time.Duration, int64, error) {
	cmd := exec.Command(bin, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	if err != nil {
		return "", 0, 0, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), time.Since(start), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10, nil
}

// registry writes invented registry rows with days.
func registry(file string, rows int, seed uint64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 9))
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "date,fmp,fmp_country,route,subroute,movement,origin,previous,next,final,sex,age,n,uac,reason_economic,reason_conflict,reason_food")
	points := []string{"Obock", "Yoboki", "Galafi (DJI)", "Tadjourah", "Dikhil", "Holl Holl", "Ali-Sabieh (Ancienne Gare)", "Balho", "Loyada"}
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	for range rows {
		fmt.Fprintf(w, "20%02d-%02d-%02d,%s,DJI,HoA Corridor,Horn of Africa Corridor,%s,OOO,%s,%s,OOO,%s,%s,%d,,%d,%d,%d\n", 18+r.IntN(8), 1+r.IntN(12), 1+r.IntN(28), pick(points...),
			pick("incoming", "outgoing"), pick("ETH", "ETH", "ETH", "YEM", "SOM"), pick("DJI", "SAU", "YEM", "ETH"), pick("male", "female"), pick("adults", "children"), 1+r.IntN(40), r.IntN(2), r.IntN(2), r.IntN(2))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// server is a running `dtm serve`.
type server struct {
	cmd  *exec.Cmd
	base string
}

var address = regexp.MustCompile(`http://[0-9.:]+`)

func start(bin, data string) (*server, time.Duration, error) {
	s := &server{cmd: exec.Command(bin, "serve", "-data", data, "-listen", "127.0.0.1:0")}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, 0, err
	}
	in := bufio.NewScanner(pipe)
	for in.Scan() {
		if s.base = address.FindString(in.Text()); s.base != "" {
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, pipe) }()
	if s.base == "" {
		return nil, 0, fmt.Errorf("the server did not start")
	}
	for {
		if _, code, err := get(s.base + "/readyz"); err == nil && code == http.StatusOK {
			return s, time.Since(began), nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// memory is the resident set of the server.
func (s *server) memory() string { return memoryOf(s.cmd.Process.Pid, "VmRSS") }

// memoryOf is a figure of a process's memory: VmRSS now, VmHWM the most there was.
func memoryOf(pid int, what string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := regexp.MustCompile(what + `:\s+(\d+)`).FindSubmatch(b)
	if err != nil || m == nil {
		return "not measured"
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return fmt.Sprintf("%d MB", kb>>10)
}

// processor is the time that the server has worked, over all processors.
func (s *server) processor() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if err != nil || !ok || len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * (time.Second / 100) // the kernel counts hundredths
}

func get(url string) ([]byte, int, error) {
	resp, err := http.Get(url)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return b, resp.StatusCode, err
}

func percentile(d []time.Duration, p float64) time.Duration {
	slices.Sort(d)
	return d[min(len(d)-1, int(p*float64(len(d))))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func pages(bin, data string, rows int) error {
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	s, ready, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	line("start to ready, warm", ms(ready), "1,000 ms")
	page := func(i int) (time.Duration, error) {
		month := fmt.Sprintf("20%02d-%02d", 18+i%8, 1+i/8)
		began := time.Now()
		_, code, err := get(s.base + "/" + []string{"en", "fr"}[i%2] + "/?from=" + month)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("page %s: %d", month, code)
		}
		return time.Since(began), err
	}
	measure := func(what string, n int, before func(i int) error) error {
		var took []time.Duration
		for i := range n {
			if err := before(i); err != nil {
				return err
			}
			d, err := page(i)
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		line(fmt.Sprintf("%s, %d rows", what, rows), fmt.Sprintf("p50 %s, p95 %s", ms(percentile(took, .5)), ms(percentile(took, .95))), "p95 150 ms")
		return nil
	}
	if err := measure("dashboard, uncached", 96, func(int) error { return nil }); err != nil {
		return err
	}
	p, err := enrol(bin, data, 48)
	if err != nil {
		return err
	}
	// Nothing that an earlier page found out is of use.
	if err := measure("dashboard, each after new data", 48, func(i int) error {
		if err := p.post(p.bodies[i]); err != nil {
			return err
		}
		return caughtUp(s.base)
	}); err != nil {
		return err
	}
	if err := readers(s.base); err != nil {
		return err
	}
	for i, month := range []string{"2025-10", "2025-11", "2025-12"} {
		began := time.Now()
		var both errgroup.Group
		for _, l := range []string{"en", "fr", "ar"} {
			both.Go(func() error {
				_, code, err := get(s.base + "/" + l + "/report/" + month + ".pdf")
				if err == nil && code != http.StatusOK {
					err = fmt.Errorf("report: %d", code)
				}
				return err
			})
		}
		if err := both.Wait(); err != nil {
			return err
		}
		what := "monthly report, EN, FR and AR, engine warm"
		if i == 0 {
			what = "monthly report, EN, FR and AR, engine starting"
		}
		if i != 1 {
			line(what, ms(time.Since(began)), map[bool]string{true: "", false: "1,000 ms"}[i == 0])
		}
	}
	line("memory of the server after that", s.memory(), "")
	return nil
}

// readers measures a page that was asked for before, by one reader, and 500 at once who
// look at four pages each; a page that is not given whole is an error.
func readers(base string) error {
	paths := []string{"/en/", "/fr/", "/en/flows/", "/fr/points/"}
	ask := func(i int) error {
		_, code, err := get(base + paths[i%len(paths)])
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("%s: %d", paths[i%len(paths)], code)
		}
		return err
	}
	for i := range paths {
		if err := ask(i); err != nil {
			return err
		}
	}
	var took []time.Duration
	for range 200 {
		began := time.Now()
		if err := ask(0); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	line("dashboard, cached", fmt.Sprintf("p50 %s, p95 %s", ms(percentile(took, .5)), ms(percentile(took, .95))), "p95 5 ms")
	const many = 500
	all, failed := make([]time.Duration, many*len(paths)), atomic.Int64{}
	var wg sync.WaitGroup
	began := time.Now()
	for r := range many {
		wg.Go(func() {
			for i := range paths {
				started := time.Now()
				if err := ask(r + i); err != nil {
					failed.Add(1)
				}
				all[r*len(paths)+i] = time.Since(started)
			}
		})
	}
	wg.Wait()
	line("500 readers at once, four pages each", fmt.Sprintf("%d failed, %.0f pages/s, p50 %s, p95 %s", failed.Load(), float64(len(all))/time.Since(began).Seconds(), ms(percentile(all, .5)), ms(percentile(all, .95))), "0 failed")
	return nil
}

var token = regexp.MustCompile(`http://\S+/v1/key/\S+/projects/1`)

func submissions(bin, data string, records int) error {
	s, _, err := start(bin, data)
	if err != nil {
		return err
	}
	defer s.stop()
	p, err := enrol(bin, data, records+records/6)
	if err != nil {
		return err
	}
	bodies, post := p.bodies, p.post
	fast := bodies[:records]
	before := s.processor()
	took, all, err := spread(32, fast, post)
	if err != nil {
		return err
	}
	acked := s.processor() - before
	line("durable submissions, 32 clients, loading too", fmt.Sprintf("%.0f/s, p99 %s", float64(len(fast))/all.Seconds(), ms(percentile(took, .99))), "5,000/s, p99 30 ms")
	if err := caughtUp(s.base); err != nil {
		return err
	}
	each := func(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()/int64(len(fast))) }
	line("  the server's processor time for each", each(acked)+", "+each(s.processor()-before)+" when loaded", "")
	return delay(s.base, bodies[records:], post)
}

// phone sends submissions of the operation's form.
type phone struct {
	url, contentType string
	bodies           [][]byte
	client           *http.Client
}

// enrol adds a device to the running server, with n submissions to send.
func enrol(bin, data string, n int) (*phone, error) { return enrolled(bin, data, n, 300) }

// enrolled is enrol with submissions of so many days.
func enrolled(bin, data string, n, days int) (*phone, error) {
	seed := uint64(time.Now().UnixNano()) // a kept folder may have had the same records
	out, err := exec.Command(bin, "device", "add", "-data", data, "-name", fmt.Sprint("bench ", seed)).Output()
	if err != nil {
		return nil, err
	}
	p := &phone{url: token.FindString(string(out)) + "/submission", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	op, err := operation.Pack("djibouti")
	if err != nil {
		return nil, err
	}
	registry, _ := op.Form("fmr")
	form, _, err := xlsform.Read(registry.File, registry.Data)
	if err != nil {
		return nil, err
	}
	first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	for i := 0; len(p.bodies) < n; i++ {
		for _, x := range demo.Day(op, form, first, first.AddDate(0, 0, i%days), seed+uint64(i)) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			_ = w.SetBoundary("dtm-bench-0123456789") // a valid boundary
			part, err := w.CreateFormFile("xml_submission_file", "submission.xml")
			if err != nil {
				return nil, err
			}
			part.Write(x.XML)
			if err := w.Close(); err != nil {
				return nil, err
			}
			p.contentType = w.FormDataContentType()
			p.bodies = append(p.bodies, b.Bytes())
		}
	}
	return p, nil
}

func (p *phone) post(b []byte) error { return p.postAs(p.contentType, b) }

func (p *phone) postAs(contentType string, b []byte) error {
	r, err := http.NewRequest("POST", p.url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-OpenRosa-Version", "1.0")
	resp, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("submission: %s", resp.Status)
	}
	return err
}

// spread sends bodies from as many clients and returns the time of each and of all.
func spread(clients int, bodies [][]byte, post func([]byte) error) ([]time.Duration, time.Duration, error) {
	took := make([]time.Duration, len(bodies))
	work := make(chan int, len(bodies))
	for i := range bodies {
		work <- i
	}
	close(work)
	var wg sync.WaitGroup
	errs := make(chan error, clients)
	began := time.Now()
	for range clients {
		wg.Go(func() {
			for i := range work {
				at := time.Now()
				if err := post(bodies[i]); err != nil {
					errs <- err
					return
				}
				took[i] = time.Since(at)
			}
		})
	}
	wg.Wait()
	all := time.Since(began)
	select {
	case err := <-errs:
		return nil, 0, err
	default:
		return took, all, nil
	}
}

var gauge = regexp.MustCompile(`(?m)^dtm_events_(last|loaded) (\S+)$`)

// positions reads where the log and the warehouse stand.
func positions(base string) (last, loaded float64, err error) {
	b, _, err := get(base + "/metrics")
	for _, m := range gauge.FindAllStringSubmatch(string(b), -1) {
		v, _ := strconv.ParseFloat(m[2], 64)
		if m[1] == "last" {
			last = v
		} else {
			loaded = v
		}
	}
	return last, loaded, err
}

func caughtUp(base string) error { return follows(base, 2*time.Minute) }

// follows waits until the warehouse stands where the log does.
func follows(base string, most time.Duration) error {
	for began := time.Now(); time.Since(began) < most; {
		last, loaded, err := positions(base)
		if err != nil {
			return err
		}
		if loaded >= last {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the warehouse does not catch up")
}

// delay sends 500 submissions a second and watches how long the newest event takes
// into the warehouse, where the pages read it.
func delay(base string, bodies [][]byte, post func([]byte) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var seen []time.Duration
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			last, _, err := positions(base)
			at := time.Now()
			for err == nil && ctx.Err() == nil {
				var loaded float64
				if _, loaded, err = positions(base); loaded >= last {
					seen = append(seen, time.Since(at))
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := 0; i+10 <= len(bodies); i += 10 {
		<-tick.C
		for _, b := range bodies[i : i+10] {
			wg.Go(func() { _ = post(b) }) // a lost one shows in the count of the first measure
		}
	}
	cancel()
	wg.Wait()
	line("phone to warehouse at 500 submissions/s", fmt.Sprintf("p50 %s, p95 %s", ms(percentile(seen, .5)), ms(percentile(seen, .95))), "page: p95 1,000 ms")
	return nil
}
