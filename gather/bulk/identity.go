package bulk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	"dtm"
)

type key [16]byte

// keyOf is the identity of a row but for its ordinal: everything that says which
// people are counted, not how many. point is the resolved code, or the folded
// spelling of a point that is not known.
func keyOf(m *dtm.Movement, point string, buf []byte) (key, []byte) {
	buf = buf[:0]
	buf = binary.AppendVarint(buf, m.Observed.Unix()/86400)
	if m.MonthOnly {
		buf = append(buf, 'm')
	}
	for _, s := range [...]string{point, string(m.Breakdown), m.Direction, m.FlowType, m.Route, m.Subroute, m.Origin, m.Previous, m.Next, m.Final, m.Nationality, m.Sex, m.Age} {
		buf = append(buf, s...)
		buf = append(buf, 0)
	}
	for _, s := range m.Reasons {
		buf = append(buf, s...)
		buf = append(buf, 1)
	}
	for _, s := range m.Transports {
		buf = append(buf, s...)
		buf = append(buf, 2)
	}
	sum := sha256.Sum256(buf)
	return key(sum[:16]), buf
}

// source names a row: its key and which of the file's rows of that key it is.
func source(k key, ordinal uint64) string {
	var text [(len(k)*8 + 5) / 6]byte
	base64.RawURLEncoding.Encode(text[:], k[:])
	s := string(text[:])
	if ordinal > 0 {
		s += "." + strconv.FormatUint(ordinal, 10)
	}
	return s
}

func dayNumber(t time.Time) int64 { return t.Unix() / 86400 }

func dayOf(n int64) time.Time { return time.Unix(n*86400, 0).UTC() }
