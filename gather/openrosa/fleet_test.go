package openrosa_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// lossy is a link between phones and the server that loses what it can lose. Every
// connection has a fate, drawn when it is made.
type lossy struct {
	net.Listener
	to string

	mu  sync.Mutex
	rng *rand.Rand

	fates [5]atomic.Int64
}

const (
	whole       = iota // nothing is lost
	neverMade          // cut before the request
	cutRequest         // cut while the request is sent
	lostReceipt        // the request arrives, the answer is lost
	stalled            // the answer comes too late
)

func newLossy(t testing.TB, to string, seed uint64) *lossy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &lossy{Listener: l, to: to, rng: rand.New(rand.NewPCG(seed, 3))}
	go func() {
		for {
			c, err := p.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil { // too many at once: the next may find room
				time.Sleep(10 * time.Millisecond)
				continue
			}
			go p.carry(c)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return p
}

// draw returns a fate and after how many bytes it strikes.
func (p *lossy) draw() (fate int, after int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := p.rng.IntN(100); {
	case n < 60:
		fate = whole
	case n < 70:
		fate = neverMade
	case n < 82:
		fate = cutRequest
	case n < 95:
		fate = lostReceipt
	default:
		fate = stalled
	}
	p.fates[fate].Add(1)
	return fate, p.rng.Int64N(12_000)
}

func (p *lossy) carry(phone net.Conn) {
	defer phone.Close()
	fate, after := p.draw()
	if fate == neverMade {
		phone.(*net.TCPConn).SetLinger(0) // reset, as a network that vanishes
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	gone := make(chan struct{}) // closed when the phone waits no longer
	var wg sync.WaitGroup
	wg.Go(func() {
		if fate == cutRequest {
			io.CopyN(server, phone, after)
			phone.(*net.TCPConn).SetLinger(0)
			phone.Close()
			server.Close()
			return
		}
		io.Copy(server, phone)
		server.(*net.TCPConn).CloseWrite()
		close(gone)
	})
	switch fate {
	case lostReceipt:
		one := make([]byte, 1)
		server.Read(one) // the answer begins: what it acknowledges is stored
		phone.(*net.TCPConn).SetLinger(0)
		phone.Close()
	case stalled:
		one := make([]byte, 1)
		n, _ := server.Read(one)
		<-gone
		phone.Write(one[:n])
		io.Copy(phone, server)
	default:
		io.Copy(phone, server)
	}
	phone.Close()
	wg.Wait()
}

// A phone waits at least hasty for an answer, which is short, lest the test be long,
// and at most patient, which is what Collect waits. It waits longer after two
// answers in a row that did not come, less after each record that is sent: on a machine
// that has much else to do, phones that all gave up early would ask so often that none
// is answered.
const (
	hasty   = 1200 * time.Millisecond
	patient = 30 * time.Second
)

// record is a filled form on a phone.
type record struct {
	form, id string
	xml      []byte
	photos   []photoFile
	people   int
}

type photoFile struct {
	name string
	body []byte
}

// fleetPhone sends its records as Collect does: HEAD first, the answers with every
// request, files split over several, the whole thing anew from the first request
// after a failure.
type fleetPhone struct {
	n       int
	base    string
	rng     *rand.Rand
	client  *http.Client
	records []record
	tries   *atomic.Int64
	waits   atomic.Int64 // nanoseconds
	late    atomic.Int64 // answers to records that did not come, one after the other
}

var errAgain = errors.New("to be sent again")

func (p *fleetPhone) request(method, path, typ string, body []byte, chunked bool) (int, error) {
	p.tries.Add(1)
	var b io.Reader = bytes.NewReader(body)
	if body == nil {
		b = nil
	} else if chunked {
		b = io.MultiReader(b)
	}
	r, err := http.NewRequest(method, p.base+path+"?deviceID=collect%3A"+fmt.Sprint(p.n), b)
	if err != nil {
		return 0, err
	}
	r.Header.Set("X-OpenRosa-Version", "1.0")
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	waits := time.Duration(p.waits.Load())
	ctx, done := context.WithTimeout(context.Background(), waits)
	defer done()
	res, err := p.client.Do(r.WithContext(ctx))
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	switch {
	case method == "POST" && ctx.Err() == nil:
		p.late.Store(0)
	case method == "POST" && p.late.Add(1) > 1:
		p.waits.Store(int64(min(waits*3/2, patient)))
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errAgain, err)
	}
	return res.StatusCode, nil
}

// upload sends one record once; errAgain when the link failed.
func (p *fleetPhone) upload(r record) error {
	code, err := p.request("HEAD", "/submission", "", nil, false)
	if err != nil {
		return err
	}
	if code != 204 {
		return fmt.Errorf("HEAD: %d", code)
	}
	const each = 2 // files a request
	for from := 0; from == 0 || from < len(r.photos); from += each {
		to := min(from+each, len(r.photos))
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part := func(field, typ string, content []byte) {
			h := textproto.MIMEHeader{}
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, field, field))
			h.Set("Content-Type", typ)
			x, _ := w.CreatePart(h)
			x.Write(content)
		}
		part("xml_submission_file", "text/xml", r.xml)
		for _, f := range r.photos[from:to] {
			part(f.name, "image/jpeg", f.body)
		}
		if to < len(r.photos) {
			w.WriteField("*isIncomplete*", "yes")
		}
		w.Close()
		code, err := p.request("POST", "/submission", w.FormDataContentType(), b.Bytes(), p.rng.IntN(4) == 0)
		if err != nil {
			return err
		}
		if code == 503 || code == 400 { // the server heard half of it
			return errAgain
		}
		if code != 201 && code != 202 {
			return fmt.Errorf("%s: POST: %d", r.id, code)
		}
	}
	p.waits.Store(max(p.waits.Load()*2/3, int64(hasty)))
	return nil
}

// work sends everything, in rounds with growing pauses; a phone now and then sends
// a record again although it was acknowledged, and from two threads at once.
func (p *fleetPhone) work() error {
	left := p.records
	for round := 0; len(left) > 0; round++ {
		if round > 200 {
			return fmt.Errorf("phone %d: %d records are not sent after %d rounds", p.n, len(left), round)
		}
		var failed []record
		for _, r := range left {
			copies := 1
			if p.rng.IntN(10) == 0 {
				copies = 2
			}
			errs := make(chan error, copies)
			if copies == 2 {
				twin := &fleetPhone{n: p.n, base: p.base, rng: rand.New(rand.NewPCG(p.rng.Uint64(), 5)), client: p.client, tries: p.tries}
				twin.waits.Store(p.waits.Load())
				go func() { errs <- twin.upload(r) }()
			}
			errs <- p.upload(r)
			sent := false
			for range copies {
				err := <-errs
				if err != nil && !errors.Is(err, errAgain) {
					return err
				}
				sent = sent || err == nil
			}
			if !sent {
				failed = append(failed, r)
			}
		}
		left = failed
		if len(left) > 0 {
			pause := min(20*time.Millisecond<<min(round, 5), 500*time.Millisecond)
			time.Sleep(pause/2 + time.Duration(p.rng.Int64N(int64(pause/2))))
		}
	}
	return nil
}

// Five hundred phones, a bad link, one server: at the end every record is stored
// once, with its photos as they were taken, and the sum of people is right.
func TestFleet(t *testing.T) {
	t.Parallel()
	const phones, seed = 500, 20261124
	ctx := context.Background()
	dir := t.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.NewDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	h := &openrosa.Handler{Forms: db, Devices: db, Submissions: db, Blobs: blobs, Head: head, Expected: photos}
	mux := http.NewServeMux()
	h.Register(mux)
	srv := httptest.NewServer(serve.Chain(mux, serve.Patient(5*time.Second), serve.Identify, serve.Observe(nil, nil), serve.Recover(serve.Problem), serve.Compress()))
	defer srv.Close()
	link := newLossy(t, srv.Listener.Addr().String(), seed)

	forms := []string{"fmr", "fms", "presence"}
	for _, f := range forms {
		if err := db.Publish(ctx, dtm.Form{ID: f, Version: "1", Title: f, XForm: []byte("<x/>")}); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	var tries atomic.Int64
	all := map[string]record{}
	fleet := make([]*fleetPhone, phones)
	people, files := map[string]int{}, 0
	for i := range fleet {
		_, token, err := db.AddDevice(ctx, fmt.Sprint("phone ", i), "")
		if err != nil {
			t.Fatal(err)
		}
		p := &fleetPhone{n: i, base: "http://" + link.Addr().String() + openrosa.Path(token), rng: rand.New(rand.NewPCG(seed, uint64(i)+10)), tries: &tries,
			client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		p.waits.Store(int64(hasty))
		for n := range 1 + rng.IntN(4) {
			r := record{form: forms[rng.IntN(len(forms))], id: fmt.Sprintf("uuid:%03d-%d", i, n), people: rng.IntN(50)}
			for k := range rng.IntN(6) {
				body := make([]byte, 200+rng.IntN(8000))
				for j := range body {
					body[j] = byte(rng.Uint32())
				}
				r.photos = append(r.photos, photoFile{fmt.Sprintf("%d.jpg", k), body})
			}
			r.xml = instance(r.form, "1", r.id, "", fmt.Sprintf("people:%d", r.people))
			p.records = append(p.records, r)
			all[r.id] = r
			people[r.form] += r.people
			files += len(r.photos)
		}
		fleet[i] = p
	}

	start := time.Now()
	errs := make(chan error, phones)
	for _, p := range fleet {
		go func() { errs <- p.work() }()
	}
	for range fleet {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	took := time.Since(start)

	got, gotFiles := map[string]int{}, 0
	seen := map[string]bool{}
	for offset := 0; ; offset += 500 {
		list, total, err := db.Submissions(ctx, dtm.SubmissionFilter{Limit: 500, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		if total != len(all) {
			t.Fatalf("%d records are stored, %d were made", total, len(all))
		}
		for _, s := range list {
			r, ok := all[s.ID]
			if !ok || seen[s.ID] || !bytes.Equal(s.XML, r.xml) || s.Form != r.form {
				t.Errorf("%s: stored twice, or not as it was sent", s.ID)
			}
			seen[s.ID] = true
			var n int
			_, after, _ := strings.Cut(string(s.XML), "people:")
			fmt.Sscan(after[:strings.IndexByte(after, '<')], &n)
			got[s.Form] += n
			have := map[string]string{}
			for _, a := range s.Attachments {
				have[a.Name] = a.Hash
			}
			gotFiles += len(have)
			for _, f := range r.photos {
				sum := sha256.Sum256(f.body)
				if have[f.name] != "sha256:"+hex.EncodeToString(sum[:]) {
					t.Errorf("%s: %s is missing or damaged", s.ID, f.name)
				}
			}
			if kept, err := db.Conflicts(ctx, s.ID); err != nil || len(kept) > 0 {
				t.Errorf("%s: %d conflicts, %v", s.ID, len(kept), err)
			}
		}
		if len(list) < 500 {
			break
		}
	}
	if len(seen) != len(all) || gotFiles != files || fmt.Sprint(got) != fmt.Sprint(people) {
		t.Errorf("records %d of %d, photos %d of %d, people %v of %v", len(seen), len(all), gotFiles, files, got, people)
	}
	received, attached := 0, 0
	for after := int64(0); ; {
		batch, err := db.Events(ctx, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, e := range batch {
			switch e.Name {
			case dtm.SubmissionReceived:
				received++
			case dtm.AttachmentReceived:
				attached++
			}
			after = e.Seq
		}
	}
	if received != len(all) || attached != files {
		t.Errorf("the log has %d submissions and %d attachments, want %d and %d", received, attached, len(all), files)
	}
	if err := db.Verify(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("seed %d: %d phones, %d records, %d photos, %d people, %.1f s; %d requests for %d needed; connections: %d whole, %d not made, %d cut in the request, %d answers lost, %d late",
		seed, phones, len(all), files, people["fmr"]+people["fms"]+people["presence"], took.Seconds(), tries.Load(), needed(fleet),
		link.fates[whole].Load(), link.fates[neverMade].Load(), link.fates[cutRequest].Load(), link.fates[lostReceipt].Load(), link.fates[stalled].Load())
	for fate := range link.fates {
		if link.fates[fate].Load() == 0 {
			t.Errorf("fate %d never struck: the link was too good", fate)
		}
	}
}

// needed is the number of requests on a good link.
func needed(fleet []*fleetPhone) (n int) {
	for _, p := range fleet {
		for _, r := range p.records {
			n += 1 + max(1, (len(r.photos)+1)/2)
		}
	}
	return n
}
