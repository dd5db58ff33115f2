package entry_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/gather/entry"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
	"dtm/operation"
	"dtm/serve"
	"dtm/store/blob"
	"dtm/store/sqlite"
)

// house is the real server of phones and pages, with a real store. It can be
// stopped and started again at the same address, and its answers cut.
type house struct {
	t     *testing.T
	db    *sqlite.DB
	blobs *blob.Disk
	form  *xlsform.Form
	URL   string
	token string

	handler http.Handler
	stop    func()

	mu     sync.Mutex
	tamper func(w http.ResponseWriter, r *http.Request, next http.Handler) // nil: nothing
	posts  int                                                             // submissions that came in
}

func setup(t *testing.T) *house {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	h := &house{t: t}
	var err error
	if h.db, err = sqlite.Open(ctx, filepath.Join(dir, "dtm.db"), sqlite.Options{Operation: "djibouti"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.db.Close() })
	if h.blobs, err = blob.NewDisk(filepath.Join(dir, "blob")); err != nil {
		t.Fatal(err)
	}
	op, err := operation.Pack("djibouti")
	if err != nil {
		t.Fatal(err)
	}
	h.publish(op, filepath.Join("..", "..", "operation", "djibouti", "forms", "fmr.xlsx"))
	if _, h.token, err = h.db.AddDevice(ctx, "Obock 1", "obock"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	(&openrosa.Handler{Forms: h.db, Devices: h.db, Submissions: h.db, Blobs: h.blobs,
		Head: func(b []byte) (openrosa.Head, error) {
			i, err := xform.Head(b)
			return openrosa.Head{FormID: i.FormID, Version: i.Version, InstanceID: i.InstanceID, DeprecatedID: i.DeprecatedID, Encrypted: i.Encrypted}, err
		},
		Expected: func(_ dtm.Form, b []byte) []string { return xform.Files(h.form, b) },
	}).Register(mux)
	(&entry.Handler{Devices: h.db, Submissions: h.db, Questions: h.db, Figures: func(context.Context, string) (own, team entry.Figures, ok bool, err error) {
		return entry.Figures{Records: 42, Complete: 0.9, Flagged: 3, Seconds: 90}, entry.Figures{Records: 40, Complete: 0.95, Flagged: 2, Seconds: 110}, true, nil
	}, Title: op.Title, Lang: op.Languages[0], PointName: func(code string) dtm.Text {
		p, _ := op.Point(code)
		return p.Name
	}, Referrals: func(_ context.Context, device string) ([]dtm.ReferralFeedback, error) {
		return []dtm.ReferralFeedback{{Number: "0000016JD", Programme: "health", Point: "obock", Day: time.Now().Add(-48 * time.Hour), Outcome: "accepted", At: time.Now()}}, nil
	}, ProgrammeName: func(code string) dtm.Text {
		return dtm.Text{"en": "Health", "fr": "Santé", "ar": "الصحة"}
	}}).Register(mux)
	h.handler = serve.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		tamper := h.tamper
		if r.Method == http.MethodPost && r.URL.Path == openrosa.Path(h.token)+"/submission" {
			h.posts++
		}
		h.mu.Unlock()
		if tamper != nil {
			tamper(w, r, mux)
			return
		}
		mux.ServeHTTP(w, r)
	}), serve.Compress())
	h.start("127.0.0.1:0")
	t.Cleanup(func() { h.stop() })
	return h
}

// publish makes the form of the operation, with its list of points.
func (h *house) publish(op *dtm.Operation, file string) {
	h.t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.form, _, err = xlsform.Read(file, source); err != nil {
		h.t.Fatal(err)
	}
	xml, err := xform.Write(h.form)
	if err != nil {
		h.t.Fatal(err)
	}
	var b bytes.Buffer
	rows := [][]string{{"name", "label", "region"}}
	for _, p := range op.Points {
		rows = append(rows, []string{p.Code, p.Name.In(dtm.English), p.Area})
	}
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		h.t.Fatal(err)
	}
	sum := md5.Sum(b.Bytes())
	f := dtm.Form{ID: "fmr", Version: h.form.Version, Title: h.form.Title, Titles: h.form.TitleText(), XForm: xml, Source: source, SourceName: "fmr.xlsx", Published: time.Now(),
		Media: []dtm.Media{{Name: "points.csv", Type: "text/csv", Hash: "md5:" + hex.EncodeToString(sum[:]), Data: b.Bytes()}}}
	if err := h.db.Publish(context.Background(), f); err != nil {
		h.t.Fatal(err)
	}
}

// start listens; stop closes the listener and every connection.
func (h *house) start(address string) {
	h.t.Helper()
	var l net.Listener
	var err error
	for range 50 { // the port of a server that has just stopped
		if l, err = net.Listen("tcp", address); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	s := &http.Server{Handler: h.handler}
	go s.Serve(l)
	h.URL = "http://" + l.Addr().String()
	h.stop = func() { s.Close() }
}

func (h *house) restart() { h.start(h.URL[len("http://"):]) }

func (h *house) through(fn func(http.ResponseWriter, *http.Request, http.Handler)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tamper = fn
}

func (h *house) stored() []dtm.Submission {
	h.t.Helper()
	list, _, err := h.db.Submissions(context.Background(), dtm.SubmissionFilter{})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}
