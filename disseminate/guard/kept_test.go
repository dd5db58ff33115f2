package guard

import (
	"testing"

	"dtm"
)

// TestKeptOfAMonth: a month that changes with every record does not fill the memory, and
// takes nothing from months that stand.
func TestKeptOfAMonth(t *testing.T) {
	t.Parallel()
	k := newKept()
	still, running := slot{month: dtm.Month{Year: 2026, Month: 9}}, slot{month: dtm.Month{Year: 2026, Month: 10}}
	k.add(still, [32]byte{1}, &Pattern{Month: still.month})
	for n := range 1000 {
		id := [32]byte{byte(n), byte(n >> 8)}
		k.add(running, id, &Pattern{Month: running.month})
		if _, ok := k.get(running, id); !ok {
			t.Fatal("the last one is not there")
		}
	}
	of, _ := k.months.Get(running)
	if of.Len() != keptOf {
		t.Errorf("%d patterns of a month, want %d", of.Len(), keptOf)
	}
	if p, ok := k.get(still, [32]byte{1}); !ok || p.Month != still.month {
		t.Error("the month that stands was forgotten")
	}
}
