package warehousetest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dtm"
	"dtm/analyse/indicator"
)

// Equal asks every indicator of two warehouses that were loaded from one log: as it
// is by default, in one figure, by each of its dimensions, by month and each, and
// with a filter on each; for whole months and for a span of days. It returns how many
// tables it compared, and how many of them had figures.
func Equal(t *testing.T, open, other Open, seed uint64) (tables, full int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	log := NewLog()
	for _, step := range randomSteps(r) {
		step(log)
	}
	for i := range 250 {
		id := fmt.Sprintf("record%d", i)
		log.SubmitFacts(id, "", someFacts(r, id))
	}
	var engines []*indicator.Engine
	for _, o := range []Open{open, other} {
		op := Operation()
		w := o(t, op)
		MustCatchUp(t, log.Loader(op, w))
		e, err := indicator.New(op, w)
		if err != nil {
			t.Fatal(err)
		}
		engines = append(engines, e)
	}
	span, err := engines[0].Span(t.Context())
	if err != nil || span.From.IsZero() {
		t.Fatalf("span %v: %v", span, err)
	}
	month := dtm.Month{Year: 2022, Month: time.February}
	days := dtm.Period{From: month.First().AddDate(0, 0, 3), To: month.First().AddDate(0, 0, 20)}
	near := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) })}
	ask := func(q dtm.Query) dtm.Table {
		a, errA := engines[0].Table(context.Background(), q)
		b, errB := engines[1].Table(context.Background(), q)
		tables++
		if dtm.KindOf(errA) == dtm.Internal && errA != nil {
			t.Errorf("%+v: %v", q, errA)
		}
		if fmt.Sprint(errA) != fmt.Sprint(errB) {
			t.Errorf("%+v: %v, and the other says %v", q, errA, errB)
		}
		if d := cmp.Diff(a, b, near); d != "" {
			t.Errorf("%+v:\n%s", q, d)
		}
		if len(a.Figures) > 0 {
			full++
		}
		return a
	}
	for _, i := range engines[0].Catalogue() {
		for _, p := range []dtm.Period{span, dtm.Months(month, month), days} {
			q := dtm.Query{Indicator: i.ID, Period: p}
			ask(q)
			for _, d := range i.By {
				q.By = []string{d}
				got := ask(q)
				if d != "month" && d != "day" {
					if at := slices.Index(got.By, d); at >= 0 && len(got.Figures) > 0 {
						q.Where = map[string][]string{d: {got.Figures[len(got.Figures)-1].Keys[at]}}
						q.By = nil
						ask(q)
						q.Where = nil
					}
					q.By = []string{"month", d}
					ask(q)
				}
			}
			q.By = nil
		}
	}
	return tables, full
}
