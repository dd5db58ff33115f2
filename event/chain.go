package event

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"dtm"
)

// TimeLayout is how the time of an event is written in the log and in its hash:
// UTC, milliseconds, always the same length.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Hash returns the hash that entry e has when it follows the entry whose hash is
// prev ("" for the first one): hex SHA-256 over prev, the sequence number and the
// fields of e, each preceded by its length as 64-bit big-endian number, so that
// no two different entries are written as the same bytes. e.Prev and e.Hash are
// not looked at.
func Hash(prev string, e dtm.Event) string {
	b := make([]byte, 0, 512)
	field := func(s string) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	field(prev)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	field(e.At.UTC().Truncate(time.Millisecond).Format(TimeLayout))
	field(e.Name)
	field(e.Subject)
	field(e.Actor)
	field(e.Detail)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Chain is how far a walk over the log has come. A walk starts with the zero Chain.
type Chain struct {
	Seq  int64
	Hash string
}

// Next returns the chain with e at its end, or an error of kind Conflict that
// names the entry when e does not follow.
func (c Chain) Next(e dtm.Event) (Chain, error) {
	broken := func(code, what string) (Chain, error) {
		return c, dtm.Errorf(dtm.Conflict,
			"the audit log is broken at entry %d: %s; compare it with a backup", e.Seq, what).
			Coded("event.broken."+code, e.Seq)
	}
	switch {
	case e.Seq != c.Seq+1:
		return broken("gap", "the entry before it is missing")
	case e.Prev != c.Hash:
		return broken("link", "it does not follow the entry before it")
	case e.Hash != Hash(c.Hash, e):
		return broken("content", "its content was changed")
	}
	return Chain{Seq: e.Seq, Hash: e.Hash}, nil
}
