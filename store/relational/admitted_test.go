package relational_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"dtm"
)

// A device that is withdrawn is not admitted once that is said, whoever asks at the
// same time; nor by its old token once it has a new one.
func TestAdmitted(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := context.Background()
	for round := range 30 {
		name := fmt.Sprint("phone ", round)
		d, token, err := db.AddDevice(ctx, name, "OBK")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = db.DeviceByToken(ctx, token)
					}
				}
			})
		}
		for range 3 {
			if got, err := db.DeviceByToken(ctx, token); err != nil || got.ID != d.ID || got.Point != "OBK" {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if err := db.MoveDevice(ctx, d.ID, "TDJ"); err != nil {
			t.Fatal(err)
		}
		if got, err := db.DeviceByToken(ctx, token); err != nil || got.Point != "TDJ" {
			t.Fatalf("moved: %+v %v", got, err)
		}
		if round%2 == 0 {
			err = db.RevokeDevice(ctx, d.ID)
		} else {
			_, _, err = db.RenewDevice(ctx, d.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, err := db.DeviceByToken(ctx, token); dtm.KindOf(err) != dtm.Forbidden {
				t.Fatalf("round %d: still admitted: %v", round, err)
			}
		}
		close(stop)
		wg.Wait()
	}
}
