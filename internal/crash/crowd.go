package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"sync"
	"time"
)

// record is what a phone sends: a group of people, one in four with a photograph, or the
// screening of a person.
type record struct {
	id     string
	people int
	photo  string // its address, "" without one
	name   string // of the person screened, "" of a group
	xml    string
	body   []byte
	typ    string
}

// crowd is the phones, and what they were told.
type crowd struct {
	url, version string
	client       *http.Client
	screening    *screener // nil: groups only

	mu    sync.Mutex
	next  int
	sent  map[string]record    // everything ever sent
	acked map[string]time.Time // and when its phone was told
	done  []record             // some of those acknowledged, to be sent again
}

func newCrowd(url, version string) *crowd {
	return &crowd{url: url, version: version, sent: map[string]record{}, acked: map[string]time.Time{},
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

func (c *crowd) acknowledgedSoFar() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// make invents the next record.
func (c *crowd) make(r *rand.Rand) record {
	c.mu.Lock()
	n := c.next
	c.next++
	c.mu.Unlock()
	rec := record{id: fmt.Sprintf("uuid:crash-%d", n)}
	photo := ""
	var picture []byte
	switch {
	case c.screening != nil && r.IntN(5) == 0:
		rec.name = fmt.Sprintf("Crash %d", n)
		rec.xml = c.screening.write(rec.id, rec.name, time.Now())
	case r.IntN(4) == 0:
		photo = fmt.Sprintf("<photo>%d.jpg</photo>", n)
		picture = make([]byte, 2000+r.IntN(20_000))
		for i := range picture {
			picture[i] = byte(r.Uint32())
		}
		sum := sha256.Sum256(picture)
		rec.photo = "sha256:" + hex.EncodeToString(sum[:])
	}
	if rec.name == "" {
		rec.people = 1 + r.IntN(40)
		rec.xml = fmt.Sprintf(`<data id="fmr" version="%s"><point>obock</point><observed>2026-10-%02d</observed><mode>group_leader</mode><route><direction>outgoing</direction><flow_type>arabian_peninsula</flow_type><previous>ETH</previous><next>YEM</next></route><block><nationality>ETH</nationality><men>%d</men><women>0</women><boys>0</boys><girls>0</girls><not_known>0</not_known></block><total>%d</total><reason>economic</reason>%s<meta><instanceID>%s</instanceID></meta></data>`,
			c.version, 1+n%31, rec.people, rec.people, photo, rec.id)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(name, file, typ string, data []byte) {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, name, file))
		h.Set("Content-Type", typ)
		p, _ := w.CreatePart(h) // into memory: it cannot fail
		_, _ = p.Write(data)
	}
	part("xml_submission_file", "submission.xml", "text/xml", []byte(rec.xml))
	if picture != nil {
		part(fmt.Sprintf("%d.jpg", n), fmt.Sprintf("%d.jpg", n), "image/jpeg", picture)
	}
	_ = w.Close()
	rec.body, rec.typ = b.Bytes(), w.FormDataContentType()
	return rec
}

// phone makes records and sends each until it is acknowledged.
func (c *crowd) phone(ctx context.Context, r *rand.Rand, rate float64) {
	for ctx.Err() == nil {
		rec := c.make(r)
		c.mu.Lock()
		kept := rec
		kept.body = nil
		c.sent[rec.id] = kept
		c.mu.Unlock()
		if r.IntN(10) == 0 {
			c.dropped(ctx, rec) // it was received, or not: the phone will not know
		}
		for ctx.Err() == nil && !c.send(ctx, rec) {
			sleep(ctx, 20*time.Millisecond)
		}
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		c.acked[rec.id] = time.Now()
		var again *record
		if len(c.done) < 1000 {
			c.done = append(c.done, rec)
		} else {
			c.done[r.IntN(len(c.done))] = rec
		}
		if r.IntN(20) == 0 {
			again = &c.done[r.IntN(len(c.done))]
		}
		var old record
		if again != nil {
			old = *again
		}
		c.mu.Unlock()
		if again != nil {
			c.send(ctx, old)
		}
		if rate > 0 {
			sleep(ctx, time.Duration(r.ExpFloat64()/rate*float64(time.Second)))
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// send is true when the server said 201.
func (c *crowd) send(ctx context.Context, rec record) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(rec.body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", rec.typ)
	res, err := c.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return false
	}
	return res.StatusCode == http.StatusCreated
}

// dropped sends everything and hangs up before the answer.
func (c *crowd) dropped(ctx context.Context, rec record) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(rec.body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", rec.typ)
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = req.Write(conn)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
