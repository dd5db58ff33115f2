package openrosa

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	server := "https://dtm.example.org" + Path(strings.Repeat("a", 64))
	code, err := Settings(server, "Djibouti — FMR «é»", dtm.French)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]any{
		"general": {"server_url": server, "form_update_mode": "match_exactly", "autosend": "wifi_and_cellular", "app_language": "fr"},
		"project": {"name": "Djibouti — FMR «é»"},
		"admin":   {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "dtm.example.org", "ftp://x", "https://"} {
		if _, err := Settings(bad, "x", ""); dtm.KindOf(err) != dtm.Invalid || err == nil {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
