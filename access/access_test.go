package access

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"dtm"
)

// one is a list of users with a single entry, kept in memory: package access
// reads users by contract and stores nothing.
type one struct {
	contract // the methods that sign-in does not call: nil, they would panic
	user     dtm.User
	hash     string
	err      error
}

// contract is dtm.Users by a name that does not hide its method Users.
type contract = dtm.Users

func (o one) User(_ context.Context, email string) (dtm.User, string, error) {
	switch {
	case o.err != nil:
		return dtm.User{}, "", o.err
	case email != o.user.Email:
		return dtm.User{}, "", dtm.Errorf(dtm.NotFound, "no")
	}
	return o.user, o.hash, nil
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	long := strings.Repeat("é", 100) // 200 bytes: no cut at 72 as with bcrypt
	hash, err := HashPassword(ctx, rand.Reader, long)
	if err != nil {
		t.Fatal(err)
	}
	again, err := HashPassword(ctx, rand.Reader, long)
	if err != nil || hash == again {
		t.Fatalf("two hashes of a password are alike: %v", err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %s", hash)
	}
	user := dtm.User{Email: "a@example.org", Role: dtm.RoleManager}
	day := time.Now()
	off := user
	off.Disabled = &day
	broken := errors.New("disk")
	for _, c := range []struct {
		name     string
		users    one
		email    string
		password string
		want     dtm.Kind
		ok       bool
	}{
		{"OK", one{user: user, hash: hash}, user.Email, long, 0, true},
		{"ErrPassword", one{user: user, hash: hash}, user.Email, long + "x", dtm.Unauthenticated, false},
		{"ErrCut", one{user: user, hash: hash}, user.Email, strings.Repeat("é", 36), dtm.Unauthenticated, false},
		{"ErrEmpty", one{user: user, hash: hash}, user.Email, "", dtm.Unauthenticated, false},
		{"ErrHuge", one{user: user, hash: hash}, user.Email, strings.Repeat("x", 1<<20), dtm.Unauthenticated, false},
		{"ErrUnknown", one{user: user, hash: hash}, "b@example.org", long, dtm.Unauthenticated, false},
		{"ErrDisabled", one{user: off, hash: hash}, user.Email, long, dtm.Unauthenticated, false},
		{"ErrHash", one{user: user, hash: "plain"}, user.Email, "plain", dtm.Internal, false},
		{"ErrStore", one{err: broken}, user.Email, long, dtm.Internal, false},
	} {
		got, err := SignIn(ctx, c.users, c.email, c.password)
		if c.ok != (err == nil) || c.ok && got != user || !c.ok && dtm.KindOf(err) != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if dtm.KindOf(err) == dtm.Unauthenticated && !c.ok && err.Error() != "the address or the password is wrong" {
			t.Errorf("%s: the error tells which: %v", c.name, err)
		}
	}
}

// A sign-in with an unknown address does the work of one with a known address.
// Argon2's work is in its memory, which can be measured on a busy machine too.
func TestSignInWork(t *testing.T) {
	ctx := context.Background()
	hash, err := HashPassword(ctx, rand.Reader, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Now()
	users := one{user: dtm.User{Email: "a@example.org", Disabled: &day}, hash: hash}
	for _, email := range []string{"a@example.org", "b@example.org"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := SignIn(ctx, users, email, "wrong password"); err == nil {
			t.Fatal("signed in")
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used < memoryKiB<<10 {
			t.Errorf("%s: %d bytes were used, want those of one hash", email, used)
		}
	}
}

func TestHashPasswordErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, p := range []string{"", "short", "elevenchars", strings.Repeat("x", 129), "not \xff\xfe valid text"} {
		if _, err := HashPassword(ctx, rand.Reader, p); err == nil || dtm.KindOf(err) != dtm.Invalid {
			t.Errorf("%q: %v", p, err)
		}
	}
	if _, err := HashPassword(ctx, iotest.ErrReader(errors.New("no entropy")), "a good long password"); err == nil {
		t.Error("a hash without salt was made")
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(nobody.String())
	f.Add("$argon2id$v=19$m=4294967295,t=9,p=255$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err != nil {
			return
		}
		if h.memory > 1<<20 || h.passes > 10 || h.lanes > 16 {
			t.Errorf("%q would exhaust the server", s)
		}
		if again, err := parseHash(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q does not come back: %v", s, err)
		}
	})
}

// The whole table: who may do what.
func TestDecide(t *testing.T) {
	t.Parallel()
	roles := []string{dtm.RoleAdmin, dtm.RoleManager, dtm.RoleSupervisor, dtm.RoleEnumerator, dtm.RolePartner, "", "king", dtm.RoleFocal, dtm.RoleDesk, dtm.RoleAuditor}
	want := map[Action]string{ // one letter a role, in their order
		ReadSubmissions: "yyynnnnnnn", SendSubmissions: "yyyynnnnnn", ReviewSubmissions: "yyynnnnnnn", PublishForms: "yynnnnnnnn", ImportData: "yynnnnnnnn",
		CreateReleases: "yynnnnnnnn", ExportData: "yynnnnnnnn", ManageDevices: "yyynnnnnnn", ChangePoints: "yynnnnnnnn", ManageUsers: "ynnnnnnnnn", ManageWebhooks: "ynnnnnnnnn", ReadLog: "ynnnnnnnny",
		ReadReferrals: "nnnnnnnyyn", ReadPersons: "nnnnnnnyyn", CarePersons: "nnnnnnnynn", ReadRetention: "ynnnnnnyny", Retain: "nnnnnnnynn", BreakGlass: "nnnnnnnnyn", ReviewGlass: "nnnnnnnyny", ReadAgreements: "yynnnnnyny", ManageAgreements: "ynnnnnnnnn", ReceiveFigures: "yyynynnyyn",
		"nonsense": "nnnnnnnnnn", "": "nnnnnnnnnn",
	}
	for a := range allowed {
		if want[a] == "" {
			t.Errorf("%s is not in this table", a)
		}
	}
	day := time.Now()
	for a, row := range want {
		for i, role := range roles {
			err := Decide(dtm.User{Email: "a@example.org", Role: role}, a)
			if (err == nil) != (row[i] == 'y') || err != nil && dtm.KindOf(err) != dtm.Forbidden {
				t.Errorf("%s, %s: %v", role, a, err)
			}
			for _, u := range []dtm.User{{Role: role}, {Email: "a@example.org", Role: role, Disabled: &day}} {
				if err := Decide(u, a); err == nil || dtm.KindOf(err) != dtm.Unauthenticated {
					t.Errorf("%+v, %s: %v", u, a, err)
				}
			}
		}
	}
}

// TestReach: how far somebody may receive figures, by role and agreement.
func TestReach(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	agreement := func(partner, kind string, from, to int, areas ...string) dtm.Agreement {
		return dtm.Agreement{Partner: partner, Kind: kind, From: day(from), To: day(to), Areas: areas}
	}
	for _, c := range []struct {
		name, role, partner string
		list                []dtm.Agreement
		want                string // areas, "*" everywhere, "" nothing
	}{
		{"staff", dtm.RoleManager, "", nil, "*"},
		{"partner without one", dtm.RolePartner, "wfp", nil, ""},
		{"partner of nobody", dtm.RolePartner, "", []dtm.Agreement{agreement("", dtm.AgreementFigures, 1, 30)}, ""},
		{"everywhere", dtm.RolePartner, "wfp", []dtm.Agreement{agreement("wfp", dtm.AgreementFigures, 1, 30)}, "*"},
		{"two regions", dtm.RolePartner, "wfp", []dtm.Agreement{agreement("wfp", dtm.AgreementFigures, 1, 30, "DJ02", "DJ01"), agreement("wfp", dtm.AgreementFigures, 1, 30, "DJ01")}, "DJ01 DJ02"},
		{"another's", dtm.RolePartner, "wfp", []dtm.Agreement{agreement("drc", dtm.AgreementFigures, 1, 30)}, ""},
		{"over", dtm.RolePartner, "wfp", []dtm.Agreement{agreement("wfp", dtm.AgreementFigures, 1, 10)}, ""},
		{"about cases", dtm.RoleDesk, "wfp", []dtm.Agreement{agreement("wfp", dtm.AgreementCases, 1, 30)}, ""},
		{"a desk's", dtm.RoleDesk, "wfp", []dtm.Agreement{agreement("wfp", dtm.AgreementFigures, 1, 30)}, "*"},
		{"an enumerator", dtm.RoleEnumerator, "", nil, ""},
	} {
		r, err := Reach(dtm.User{Email: "a@example.org", Role: c.role, Partner: c.partner}, c.list, day(15), time.UTC)
		got := strings.Join(r.Areas, " ")
		if r.Everywhere {
			got = "*"
		}
		if got != c.want || (err == nil) != (c.want != "") || err != nil && dtm.KindOf(err) != dtm.Forbidden {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
		if r.Raised != (c.name == "staff") {
			t.Errorf("%s: alerts that nobody judged: %v", c.name, r.Raised)
		}
	}
}
