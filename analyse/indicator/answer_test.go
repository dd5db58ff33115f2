package indicator

import (
	"fmt"
	"testing"
)

// TestAnswersBounded: a month that changes with every record leaves one answer to a
// question, large answers do not take more than they may, and what is asked for stays.
func TestAnswersBounded(t *testing.T) {
	t.Parallel()
	var a answers
	reads := 0
	ask := func(stands, body string, lines int) {
		t.Helper()
		got, err := a.get(stands, body, nil, func() ([]line, error) {
			reads++
			n := int64(lines)
			list := make([]line, lines)
			for i := range list {
				list[i] = line{keys: []string{stands, body}, numbers: []*int64{&n}}
			}
			return list, nil
		})
		if err != nil || len(got) != lines || lines > 0 && (got[0].keys[0] != stands || got[0].keys[1] != body) {
			t.Fatalf("%s of %s: %d lines, %v, %v", body, stands, len(got), got[:min(1, len(got))], err)
		}
	}
	for n := range 1000 {
		ask(fmt.Sprint("state ", n), "by day", 3)
	}
	ask("state 999", "by day", 3)
	if reads != 1000 || a.known.Len() != 1 {
		t.Errorf("%d read, %d kept; want 1000 and the last", reads, a.known.Len())
	}
	if reads = 0; a.bytes != weigh([]line{{keys: []string{"state 999", "by day"}, numbers: make([]*int64, 1)}})*3 {
		t.Errorf("%d bytes are counted", a.bytes)
	}
	for n := range 500 {
		ask("now", fmt.Sprint("large ", n), 1000)
		ask("now", "often", 1)
	}
	if reads != 501 {
		t.Errorf("%d read, want each once", reads)
	}
	if a.bytes > maxBytes || a.known.Len() > 400 || a.known.Len() < 10 {
		t.Errorf("%d bytes in %d answers are kept", a.bytes, a.known.Len())
	}
}
