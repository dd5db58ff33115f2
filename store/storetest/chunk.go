package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dtm"
)

func chunk(data string) dtm.Chunk {
	sum := sha256.Sum256([]byte(data))
	return dtm.Chunk{Hash: hex.EncodeToString(sum[:]), File: "f é.csv", FileHash: "abc", Rows: 5, Data: []byte(data)}
}

func chunks(t *testing.T, d Dialect) {
	s, _ := d.open(t)
	b, a := chunk("b"), chunk("a")
	for _, c := range []dtm.Chunk{b, a} {
		if added, err := s.AddChunk(ctx, c); err != nil || !added {
			t.Fatalf("added = %v, %v", added, err)
		}
	}
	renamed := b
	renamed.File = "other.csv"
	if added, err := s.AddChunk(ctx, renamed); err != nil || added {
		t.Errorf("the same content again: added = %v, %v", added, err)
	}
	wrong := b
	wrong.Data = []byte("x")
	_, err := s.AddChunk(ctx, wrong)
	wantKind(t, err, dtm.Invalid)

	got, err := s.Chunk(ctx, b.Hash)
	must(t, err)
	if got.Imported.IsZero() {
		t.Error("no time of import")
	}
	b.Imported = got.Imported
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("came back changed (-sent +got):\n%s", diff)
	}
	_, err = s.Chunk(ctx, "none")
	wantKind(t, err, dtm.NotFound)
	list, err := s.Chunks(ctx)
	must(t, err)
	if len(list) != 2 || list[0].Hash != b.Hash || list[1].Hash != a.Hash || list[0].Data != nil || list[0].File != "f é.csv" {
		t.Errorf("list = %+v", list)
	}
	if e := allEvents(t, s); !cmp.Equal(names(e), []string{dtm.ChunkImported, dtm.ChunkImported}) || e[0].Subject != b.Hash {
		t.Errorf("events = %+v", e)
	}
}
