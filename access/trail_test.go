package access

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"dtm"
)

// noted keeps what a Trail records; it fails once when told to.
type noted struct {
	dtm.Audit
	list []string
	fail error
}

func (n *noted) Record(_ context.Context, name, subject, detail string) error {
	if err := n.fail; err != nil {
		n.fail = nil
		return err
	}
	n.list = append(n.list, name+" "+subject+" "+detail)
	return nil
}

func TestTrail(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	n := &noted{}
	tr := &Trail{Audit: n, Now: func() time.Time { return now }}
	export := func(who, what string) error {
		return tr.Exported(t.Context(), who, what, map[string]any{"as": "csv"})
	}
	n.fail = errors.New("the disk")
	if err := export("a", "form:f"); err == nil {
		t.Error("an export that could not be noted goes on")
	}
	for range 3 { // what failed is noted by the next
		if err := export("a", "form:f"); err != nil {
			t.Fatal(err)
		}
	}
	_ = export("b", "form:f")
	_ = export("a", "form:g")
	now = now.Add(sameAct)
	_ = export("a", "form:f")
	if len(n.list) != 4 || n.list[0] != `data.exported form:f {"as":"csv"}` {
		t.Errorf("noted %q", n.list)
	}
	for i := range 25_000 { // memory stays bounded
		now = now.Add(time.Second)
		_ = export("a", fmt.Sprint(i))
	}
	if len(tr.last) > 11_000 {
		t.Errorf("%d acts are remembered", len(tr.last))
	}
	if err := (*Trail)(nil).Refused(t.Context(), dtm.User{}, ManageUsers, ""); err != nil {
		t.Error(err)
	}
}
