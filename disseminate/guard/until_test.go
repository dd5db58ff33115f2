package guard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"dtm"
)

// TestChoiceEnds: the choice of a month that would take many minutes ends when the program
// is told to.
func TestChoiceEnds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	l := lines{by: []string{"direction", "next", "point", "previous", "region"}}
	for range 1500 {
		point := r.IntN(12)
		l.list = append(l.list, line{codes: []string{fmt.Sprint(r.IntN(2)), fmt.Sprint(r.IntN(12)), fmt.Sprint(point), fmt.Sprint(r.IntN(12)), fmt.Sprint(point % 4)}, n: 1 + int64(r.IntN(30))})
	}
	c := newCounts("")
	c.add("total", cubes[0], &l)
	ctx, end := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer end()
	p, err := c.choose(ctx, dtm.Month{Year: 2022, Month: 12}, 10, nil)
	if !errors.Is(err, context.DeadlineExceeded) || p != nil {
		t.Fatalf("the choice went on to its end: %v", err)
	}
}
