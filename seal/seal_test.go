package seal

import (
	"bytes"
	"crypto/rand"
	"testing"

	"dtm"
)

func newKey(t *testing.T) Key {
	t.Helper()
	text, err := NewFile(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSeal: what was sealed opens at its place with its key, and nowhere else; any byte
// that is changed is noticed.
func TestSeal(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	plain := []byte("the secret of Amina, 77 12 34 56")
	one, err := k.For("factor").Seal("factor|a|1", plain)
	if err != nil {
		t.Fatal(err)
	}
	two, err := k.For("factor").Seal("factor|a|1", plain)
	if err != nil || bytes.Equal(one, two) || bytes.Contains(one, plain[:4]) {
		t.Fatalf("sealed twice alike or in clear: %v", err)
	}
	if got, err := k.For("factor").Open("factor|a|1", one); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("%q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another place": func() ([]byte, error) { return k.For("factor").Open("factor|b|1", one) },
		"another use":   func() ([]byte, error) { return k.For("webhook").Open("factor|a|1", one) },
		"another key":   func() ([]byte, error) { return newKey(t).For("factor").Open("factor|a|1", one) },
		"the file key":  func() ([]byte, error) { return k.Open("factor|a|1", one) },
		"cut":           func() ([]byte, error) { return k.For("factor").Open("factor|a|1", one[:len(one)-1]) },
		"nothing":       func() ([]byte, error) { return k.For("factor").Open("factor|a|1", nil) },
	} {
		if got, err := open(); dtm.KindOf(err) != dtm.Conflict || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for i := range one {
		bad := bytes.Clone(one)
		bad[i] ^= 1
		if _, err := k.For("factor").Open("factor|a|1", bad); dtm.KindOf(err) != dtm.Conflict {
			t.Fatalf("byte %d was changed: %v", i, err)
		}
	}
	if _, err := (Key{}).Seal("x", plain); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("sealed without a key: %v", err)
	}
	if (Key{}).For("x").Signer() != nil || (Key{}).Mark("x") != nil {
		t.Error("no key gives one")
	}
	if bytes.Equal(k.For("a").Mark("x"), k.For("b").Mark("x")) || !bytes.Equal(k.Mark("x"), k.Mark("x")) {
		t.Error("marks")
	}
}

func TestReadFileErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# only words\n", "AAAA\n", "not base64 at all !!!!\n"} {
		if _, err := ReadFile(text); dtm.KindOf(err) != dtm.Invalid || err == nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
