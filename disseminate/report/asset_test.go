package report

import (
	"strings"
	"testing"
	"testing/fstest"

	"dtm"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	wasm, fonts, err := load(assets, engineAsset, "*.ttf")
	if err != nil {
		t.Fatal(err)
	}
	if len(wasm) < 1<<20 || len(fonts) != 6 {
		t.Errorf("got %d bytes of engine and %d fonts", len(wasm), len(fonts))
	}
	packed, err := assets.ReadFile(engineAsset)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		kind  dtm.Kind
		msg   string
	}{
		{"nothing fetched", fstest.MapFS{"asset/README.md": {}}, dtm.Unavailable, "make assets"},
		{"no fonts", fstest.MapFS{engineAsset: {Data: packed}}, dtm.Unavailable, "font"},
		{"damaged", fstest.MapFS{engineAsset: {Data: packed[:1<<20]}}, dtm.Internal, "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(c.files, engineAsset, "*.ttf")
			if dtm.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.msg) {
				t.Errorf("got %v", err)
			}
		})
	}
}
