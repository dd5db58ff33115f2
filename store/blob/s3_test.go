package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"dtm"
	"dtm/internal/s3test"
	"dtm/store/blob"
)

func TestS3Place(t *testing.T) {
	t.Parallel()
	for place, want := range map[string][2]string{
		"s3://photos":              {"photos", ""},
		"s3://photos/":             {"photos", ""},
		"s3://photos/dj/one":       {"photos", "dj/one"},
		"s3://photos//dj/../../x/": {"photos", "x"},
		"s3://":                    {"", ""},
	} {
		if b, p, ok := blob.S3Place(place); !ok || b != want[0] || p != want[1] {
			t.Errorf("%s: %q %q %v", place, b, p, ok)
		}
	}
	if _, _, ok := blob.S3Place("/srv/media"); ok {
		t.Error("a folder is taken for a bucket")
	}
}

// all is an error with its causes, as a log may have it.
func all(err error) (s string) {
	for ; err != nil; err = errors.Unwrap(err) {
		s += fmt.Sprintf("%v\n%+v\n", err, err)
	}
	return s
}

// Who has no right, or names what is not there, is told at the start, and no secret is
// in what is said.
func TestS3Refused(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t, bucket)
	good := at(server, "", t.TempDir())
	if _, err := blob.NewS3(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*blob.Bucket)
		kind   dtm.Kind
	}{
		"wrong secret":      {func(b *blob.Bucket) { b.Secret = "planted-secret" }, dtm.Unavailable},
		"unknown key":       {func(b *blob.Bucket) { b.Access = "planted-access" }, dtm.Unavailable},
		"no such bucket":    {func(b *blob.Bucket) { b.Name = "absent" }, dtm.NotFound},
		"no bucket":         {func(b *blob.Bucket) { b.Name = "" }, dtm.Invalid},
		"no address":        {func(b *blob.Bucket) { b.Endpoint = "s3.example.org" }, dtm.Invalid},
		"password in there": {func(b *blob.Bucket) { b.Endpoint = "https://me:planted@s3.example.org" }, dtm.Invalid},
		"nobody there":      {func(b *blob.Bucket) { b.Endpoint = "http://127.0.0.1:1" }, dtm.Unavailable},
	} {
		b := good
		c.change(&b)
		_, err := blob.NewS3(t.Context(), b)
		if dtm.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if says := all(err); strings.Contains(says, "planted") || strings.Contains(says, s3test.Secret) || strings.Contains(says, s3test.Access) {
			t.Errorf("%s: a secret is told: %s", name, says)
		}
	}
}

// While the store is away nothing is acknowledged; afterwards the same is taken, and what
// was acknowledged before is there.
func TestS3Away(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t, bucket)
	spool := t.TempDir()
	s, err := blob.NewS3(t.Context(), at(server, "p", spool))
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := s.Put(t.Context(), strings.NewReader("before"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	_, _, err = s.Put(t.Context(), strings.NewReader("meanwhile"))
	var told *dtm.Error
	if !errors.As(err, &told) || told.Kind != dtm.Unavailable || told.Code != "blob.away" {
		t.Errorf("%v", err)
	}
	if _, err := s.Open(t.Context(), before); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("%v", err)
	}
	for _, err := range s.Each(t.Context()) {
		if dtm.KindOf(err) != dtm.Unavailable {
			t.Errorf("%v", err)
		}
	}
	if err := s.Try(t.Context()); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("%v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Open(gone, before); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("meanwhile")); err != nil {
		t.Error(err)
	}
	f, err := s.Open(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "before" {
		t.Errorf("%q %v", b, err)
	}
}
