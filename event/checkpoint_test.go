package event

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"dtm"
)

// TestCheckpoint: what a key signed is read back; nothing of it can be changed without
// its being seen; what another key signed is known as such.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	key, other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32))), ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", 32)))
	at := time.Date(2026, 11, 28, 6, 0, 0, 5e6, time.UTC)
	want := Chain{Seq: 42, Hash: strings.Repeat("ab", 32)}
	note, err := SignCheckpoint("djibouti", want, at, key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := LogKey("djibouti", key)
	if err != nil {
		t.Fatal(err)
	}
	if c, when, known, err := ReadCheckpoint("djibouti", note, public); err != nil || c != want || !when.Equal(at) || !known {
		t.Errorf("%+v %v %v, %v", c, when, known, err)
	}
	foreign, err := SignCheckpoint("djibouti", want, at, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, public := range []string{public, ""} {
		if c, _, known, err := ReadCheckpoint("djibouti", foreign, public); err != nil || known || c != want {
			t.Errorf("another key's: %+v %v, %v", c, known, err)
		}
	}
	if _, _, _, err := ReadCheckpoint("niger", note, public); err == nil || dtm.KindOf(err) != dtm.Invalid {
		t.Errorf("another operation's: %v", err)
	}
	for i := range note {
		for _, b := range []byte{note[i] ^ 1, note[i] ^ 2} {
			changed := note[:i] + string(b) + note[i+1:]
			if c, when, known, err := ReadCheckpoint("djibouti", changed, public); err == nil && known && (c != want || !when.Equal(at)) {
				t.Errorf("byte %d changed: %+v is vouched for", i, c)
			}
		}
	}
	list := SplitCheckpoints("djibouti", "\n"+strings.ReplaceAll(note, "\n", "\r\n")+"\n\n"+foreign)
	if len(list) != 2 || list[0] != note || list[1] != foreign {
		t.Errorf("%q", list)
	}
	if _, err := SignCheckpoint("djibouti", want, at, nil); err == nil || dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("without a key: %v", err)
	}
	if s, err := LogKey("djibouti", nil); s != "" || err != nil {
		t.Errorf("%q %v", s, err)
	}
}

func FuzzReadCheckpoint(f *testing.F) {
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32)))
	note, err := SignCheckpoint("djibouti", Chain{Seq: 1, Hash: "a"}, time.Unix(0, 0), key)
	if err != nil {
		f.Fatal(err)
	}
	public, err := LogKey("djibouti", key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(note)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		for _, one := range append(SplitCheckpoints("djibouti", s), s) {
			if c, _, known, err := ReadCheckpoint("djibouti", one, public); err == nil && known && one != note && !strings.HasPrefix(one, "dtm-log/djibouti\n1\na\n") {
				t.Errorf("%q is vouched for: %+v", one, c)
			}
		}
	})
}
