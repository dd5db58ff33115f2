package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dtm"
	"dtm/store/backup"
)

// plantedHarm are answers on protection that no list has, so that they can be found.
var plantedHarm = []string{"asylum", "asylquax", "forced", "forcquax", "violence", "violquax", "go_home", "homequax"}

// TestDump: what was planted, names, numbers, answers on protection, words and tokens, is
// searched for in the data folder, in what the program logs, in exports, in backups with
// and without a key, and found nowhere in clear: of a submission, of the same refused with
// other answers, of its edit. A byte flipped in what is sealed is told and never shown.
func TestDump(t *testing.T) { // not in parallel: it listens to what the program logs
	var logged buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	s := newScreened(t)
	ctx := t.Context()
	base := s.server().URL
	id, list := s.send(append(plantedHarm, "health", "soon", "refer", "health", "person_name", plantedName, "person_phone", plantedPhone)...)
	whole, _, err := s.h.db.SealedSubmission(ctx, id, "test")
	if err != nil || !strings.Contains(string(whole.XML), "asylquax") || !list[0].Guarded {
		t.Fatalf("the answers are lost: %v %+v", err, list[0])
	}
	other := dtm.Submission{ID: id, Form: "screening", Version: s.form.Version, Device: s.phone, XML: bytes.Replace(whole.XML, []byte("asylquax"), []byte("otherquax"), 1)}
	if _, err := s.h.db.Receive(ctx, other); dtm.KindOf(err) != dtm.Conflict {
		t.Fatalf("other answers under the same id: %v", err)
	}
	const edited = "uuid:00000000-0000-4000-8000-0000000000ed"
	edit := dtm.Submission{ID: edited, Deprecates: id, Form: "screening", Version: s.form.Version, Device: s.phone, XML: s.instance(edited, append(plantedHarm, "health", "emergency", "refer", "health", "person_name", plantedName)...)}
	if _, err := s.h.db.Receive(ctx, edit); err != nil {
		t.Fatal(err)
	}
	if again := s.of(edited); len(again) != 0 {
		t.Fatalf("an edit opens a second referral: %+v", again)
	}
	if err := s.h.current(ctx); err != nil {
		t.Fatal(err)
	}
	events, err := s.h.db.Events(ctx, 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.h.read(ctx, events); err != nil {
		t.Fatal(err)
	}
	if x, err := s.h.db.Submission(ctx, edited); err != nil || len(x.Flags) != 0 {
		t.Fatalf("flagged for what is sealed: %+v, %v", x.Flags, err)
	}
	if _, err := s.h.correct(ctx, edited, 0, "a slip", []dtm.Change{{Path: "/data/screen/safety/asylum", Now: "unsure"}}); err == nil || !strings.Contains(err.Error(), "sealed") {
		t.Fatalf("a sealed answer is corrected in clear: %v", err)
	}
	if _, err := s.h.correct(ctx, edited, 0, "a slip", []dtm.Change{{Path: "/data/screen/health_page/need", Now: "food"}}); err != nil {
		t.Fatal(err)
	}
	day := dtm.DayOf(s.now.now(), s.h.op.Zone)
	if _, err := s.h.db.AddAgreement(ctx, dtm.Agreement{Partner: "iom", Kind: dtm.AgreementCases, Purpose: "p", Programmes: []string{"health"}, Groups: dtm.FieldGroups, From: day, To: day}); err != nil {
		t.Fatal(err)
	}
	focal := s.visit(base, dtm.User{Email: "f@example.org", Role: dtm.RoleFocal})
	desk := s.visit(base, dtm.User{Email: "d@example.org", Role: dtm.RoleDesk, Partner: "iom", Desk: "mrc-obock-health"})
	manager := s.visit(base, dtm.User{Email: "m@example.org", Role: dtm.RoleManager})
	at := "/en/staff/referrals/" + list[0].ID
	const words = "Zanzibolt limps"
	if status, body := focal.post(at+"/person", url.Values{"do": {"note"}, "group": {"health"}, "words": {words}}); status != http.StatusOK || !strings.Contains(body, words) {
		t.Fatal(status)
	}
	if status, _ := desk.post("/en/staff/glass/", url.Values{"number": {list[0].Number}, "reason": {words + " and bleeds"}}); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	if status, body := desk.post(at+"/person", url.Values{}); status != http.StatusOK || !strings.Contains(body, plantedName) {
		t.Fatal(status)
	}
	for _, path := range []string{"/en/staff/referrals/?number=" + url.QueryEscape(plantedName), "/en/staff/submissions/?q=" + url.QueryEscape(plantedPhone)} {
		focal.get(path)
		manager.get(path)
	}
	_, device, err := s.h.db.AddDevice(ctx, "another", "obock")
	if err != nil {
		t.Fatal(err)
	}
	slip, err := s.h.db.NewSlip(ctx, list[0].ID, s.now.now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	focal.get("/s/" + slip)
	if r, err := http.Get(base + "/v1/key/" + device + "/projects/1/formList"); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("a phone: %v %v", r, err)
	}
	planted := append(wordsPlanted(), words, "Zanzibolt", "asylquax", "forcquax", "violquax", "homequax", "otherquax", device, slip, focal.Jar.(jar)[0].Value, manager.Jar.(jar)[0].Value)

	search := func(where string, b []byte) {
		t.Helper()
		for _, p := range planted {
			if bytes.Contains(b, []byte(p)) {
				t.Errorf("%s holds %q in clear", where, p)
			}
		}
	}
	files := 0
	folder := func(dir string) {
		t.Helper()
		err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(p)
			search(p, b)
			files++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	folder(s.h.dir)
	for _, path := range []string{"/en/staff/submissions/answers.zip?form=screening", "/en/staff/submissions/list.csv", "/en/staff/submissions/" + id, "/en/staff/submissions/" + id + "/xml", "/en/staff/review/" + edited, "/en/staff/submissions/" + edited + "/xml"} {
		r, err := manager.Get(base + path)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", path, r.StatusCode, err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(path, ".zip") {
			z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range z.File {
				in, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				if b, err = io.ReadAll(in); err != nil || len(b) == 0 {
					t.Fatal(err)
				}
				search(path+" "+f.Name, b)
				if strings.Contains(f.Name, "screening") && !bytes.Contains(b, []byte("obock")) {
					t.Errorf("%s holds no answers: the search proves nothing", f.Name)
				}
			}
		}
		search(path, b)
	}
	pair, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	to, err := backup.Recipients(pair.Recipient)
	if err != nil {
		t.Fatal(err)
	}
	src, err := s.h.backupSource(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := backup.WriteFile(ctx, filepath.Join(out, "sealed.age"), src, to); err != nil {
		t.Fatal(err)
	}
	src.Keys = nil
	plain := filepath.Join(out, "plain.tar.gz")
	if _, err := backup.WriteFile(ctx, plain, src, nil); err != nil {
		t.Fatal(err)
	}
	folder(out)
	in, err := os.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for tr := tar.NewReader(z); ; files++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		search("backup "+h.Name, b)
	}
	if log := logged.String(); !strings.Contains(log, "route=") {
		t.Errorf("nothing was logged: %.200s", log)
	}
	search("the program's log", []byte(logged.String()))
	if files < 8 {
		t.Errorf("only %d files were searched", files)
	}

	// A flipped byte: told, and nothing shown.
	behind(t, s.h.dir, `UPDATE person_field SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || char(1) AS BLOB) WHERE field = 'name'`)
	if status, body := desk.post(at+"/person", url.Values{}); status == http.StatusOK || strings.Contains(body, "Xylophena") || strings.Contains(body, plantedPhone) {
		t.Errorf("a changed byte passes: %d", status)
	}
	if _, _, err := s.h.db.SealedSubmission(ctx, id, "test"); err != nil {
		t.Fatal(err)
	}
	behind(t, s.h.dir, `UPDATE submission_sealed SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || char(1) AS BLOB)`)
	for _, id := range []string{id, edited} {
		if x, _, err := s.h.db.SealedSubmission(ctx, id, "test"); err == nil || strings.Contains(string(x.XML), "quax") {
			t.Errorf("a changed byte of an answer passes: %s", x.XML)
		}
	}
}

func wordsPlanted() []string {
	return []string{plantedName, "Xylophena", "Quartzmann", plantedPhone, "77648319"}
}

// buffer is written by several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestSessionClocks: a session ends after half an hour without use, and after twelve hours
// whatever happens; an enumerator's like everybody's.
func TestSessionClocks(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	base := s.server().URL
	for _, role := range []string{dtm.RoleEnumerator, dtm.RoleFocal} {
		began := s.now.now()
		v := s.visit(base, dtm.User{Email: role + "@example.org", Role: role})
		in := func(after time.Duration) bool {
			s.now.to(began.Add(after))
			status, _ := v.get("/en/staff/account/")
			return status == http.StatusOK
		}
		if !in(29*time.Minute) || !in(58*time.Minute) {
			t.Errorf("%s: a session that is used ends", role)
		}
		if in(58*time.Minute + 31*time.Minute) {
			t.Errorf("%s: unused for 31 minutes and still good", role)
		}
		began = s.now.now()
		s.again(v)
		for at := 20 * time.Minute; at < 12*time.Hour; at += 20 * time.Minute {
			if !in(at) {
				t.Fatalf("%s: ended after %v of use", role, at)
			}
		}
		if in(12*time.Hour + time.Second) {
			t.Errorf("%s: more than twelve hours", role)
		}
	}
}
