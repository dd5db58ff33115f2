package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dtm"
	"dtm/event"
)

// dtmOn runs a command on a folder that no server has open, and returns its code and
// what it printed.
func dtmOn(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out strings.Builder
	c := &call{args: args, dir: t.TempDir(), env: testEnv, out: &out, err: &out, folders: folders{}}
	code := run(t.Context(), c)
	return code, out.String()
}

// behind runs statements on a store behind the program's back, its protections removed.
func behind(t *testing.T, data string, statements ...string) {
	t.Helper()
	db := unguarded(t, data)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(s, err)
		}
	}
}

// TestSignedLog: an entry changed, the end cut off, or the log written anew as a whole
// chain that fits: each is named by `dtm check`, from the states in the folder or from one
// kept elsewhere. An auditor sees the same on a page.
func TestSignedLog(t *testing.T) {
	t.Parallel()
	s := newScreened(t)
	s.send("health", "soon", "refer", "health", "person_name", plantedName)
	first, err := s.h.checkpoint(t.Context())
	if err != nil || first.Seq == 0 {
		t.Fatal(first, err)
	}
	s.send("health", "soon", "refer", "health")
	second, err := s.h.checkpoint(t.Context())
	if err != nil || second.Seq <= first.Seq {
		t.Fatal(second, err)
	}
	if again, err := s.h.checkpoint(t.Context()); err != nil || again != second {
		t.Errorf("nothing came, and it was signed again: %+v, %v", again, err)
	}
	base := s.server().URL
	auditor := s.visit(base, dtm.User{Email: "a@example.org", Role: dtm.RoleAuditor})
	status, body := auditor.get("/en/staff/log/signed")
	if status != http.StatusOK || !strings.Contains(body, event.Origin("djibouti")) {
		t.Errorf("the page: %d", status)
	}
	forged := strings.Replace(second.Note, "\n"+second.Note[strings.Index(second.Note, "\n")+1:strings.Index(second.Note, "\n")+2], "\n9", 1)
	status, body = auditor.post("/en/staff/log/signed", url.Values{"states": {first.Note + "\n" + second.Note + "\n" + forged}})
	if status != http.StatusOK || strings.Count(body, "the log still contains it unchanged") != 2 || !strings.Contains(body, "its signature does not fit") {
		t.Errorf("held: %d %s", status, body)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	// two of the folder, one more for the page, two kept
	if err := os.WriteFile(kept, []byte(first.Note+second.Note), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.h.close(); err != nil {
		t.Fatal(err)
	}
	s.h.unlock = func() error { return nil }
	if code, out := dtmOn(t, "check", "-data", s.h.dir, "-against", kept); code != 0 || !strings.Contains(out, "5 signed states of it hold") {
		t.Fatalf("whole: %d %s", code, out)
	}
	code, key := dtmOn(t, "log", "checkpoint", "-data", s.h.dir, "-key")
	if code != 0 || !strings.HasPrefix(key, "dtm-log/djibouti+") {
		t.Errorf("the public key: %d %s", code, key)
	}
	for name, c := range map[string]struct {
		spoil func(data string)
		want  string
	}{
		"an entry changed": {func(data string) { behind(t, data, `UPDATE event SET actor = 'user:other' WHERE seq = 3`) }, "at entry 3"},
		"the end cut off": {func(data string) {
			behind(t, data, fmt.Sprintf(`DELETE FROM event WHERE seq >= %d`, second.Seq), `DELETE FROM checkpoint`)
		}, "its end was cut off"},
		"written anew": {func(data string) { writeAnew(t, data) }, "the log was written anew"},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(data, os.DirFS(s.h.dir)); err != nil {
				t.Fatal(err)
			}
			c.spoil(data)
			if code, out := dtmOn(t, "check", "-data", data, "-against", kept); code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("%d %s", code, out)
			}
		})
	}
}

// writeAnew changes an entry and makes every hash after it fit, as somebody would who has
// the data and knows the program.
func writeAnew(t *testing.T, data string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, storeName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	behind(t, data, `UPDATE event SET actor = 'user:other' WHERE seq = 3`)
	rows, err := db.Query(`SELECT seq, at, name, subject, actor, detail FROM event ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	var list []dtm.Event
	for rows.Next() {
		var e dtm.Event
		var at string
		if err := rows.Scan(&e.Seq, &at, &e.Name, &e.Subject, &e.Actor, &e.Detail); err != nil {
			t.Fatal(err)
		}
		if err := e.At.UnmarshalText([]byte(at)); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	rows.Close()
	prev := ""
	for _, e := range list {
		h := event.Hash(prev, e)
		if _, err := db.Exec(`UPDATE event SET prev = $1, hash = $2 WHERE seq = $3`, prev, h, e.Seq); err != nil {
			t.Fatal(err)
		}
		prev = h
	}
}
