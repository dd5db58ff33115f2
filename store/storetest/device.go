package storetest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"dtm"
)

func devices(t *testing.T, d Dialect) {
	s, place := d.open(t)
	a, token, err := s.AddDevice(ctx, "Obock 1", "OBK")
	must(t, err)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{64}$`).MatchString(token) {
		t.Errorf("token %q is not 64 URL-safe characters", token)
	}
	b, token2, err := s.AddDevice(ctx, "Obock 2", "")
	must(t, err)
	if token == token2 || a.ID == b.ID {
		t.Error("two devices share a token or an id")
	}
	_, _, err = s.AddDevice(ctx, "Obock 1", "")
	wantKind(t, err, dtm.Conflict)
	_, _, err = s.AddDevice(ctx, "  ", "")
	wantKind(t, err, dtm.Invalid)

	got, err := s.DeviceByToken(ctx, token)
	must(t, err)
	if got.ID != a.ID || got.Name != "Obock 1" || got.Point != "OBK" || got.Created.IsZero() {
		t.Errorf("device = %+v", got)
	}
	for _, bad := range []string{"", "x", token[:63], token + "x", strings.ToUpper(token), "' OR 1=1 --"} {
		_, err := s.DeviceByToken(ctx, bad)
		wantKind(t, err, dtm.Forbidden)
	}
	seen := func() bool {
		list, err := s.Devices(ctx)
		must(t, err)
		for _, x := range list {
			if x.ID == a.ID {
				return x.LastSeen != nil
			}
		}
		t.Fatal("the device is not listed")
		return false
	}
	for deadline := time.Now().Add(5 * time.Second); !seen(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("last seen was never noted")
		}
	}

	must(t, s.RevokeDevice(ctx, "Obock 1"))
	_, err = s.DeviceByToken(ctx, token)
	wantKind(t, err, dtm.Forbidden)
	wantKind(t, s.RevokeDevice(ctx, "Obock 1"), dtm.NotFound)
	must(t, s.RevokeDevice(ctx, b.ID))
	wantKind(t, s.RevokeDevice(ctx, "nobody"), dtm.NotFound)
	_, again, err := s.AddDevice(ctx, "Obock 1", "") // the name is free now
	must(t, err)
	list, err := s.Devices(ctx)
	must(t, err)
	if len(list) != 3 || list[0].Revoked != nil || list[1].Revoked == nil || list[2].Revoked == nil {
		t.Errorf("list = %+v", list)
	}

	must(t, s.Close())
	for _, secret := range []string{token, token2, again} {
		if d.Query(t, place, `SELECT count(*) FROM device WHERE token_hash = $1 OR name = $1 OR id = $1`, secret)[0] != "0" {
			t.Error("a token is stored as it is")
		}
	}
}
