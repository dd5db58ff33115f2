package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"dtm"
)

// raced is one call of a race: somebody does something to one of two referrals at a desk
// with a single place.
type raced struct {
	referral int
	action   dtm.ReferralAction
}

// world is what the race is about, as a reader of the rules would keep it.
type world struct {
	state [2]dtm.ReferralState
	taken int
}

// raceModel says which answers are right one after another: an accept wins when the
// referral is sent and the place is free, a reject when it is sent, a withdrawal unless
// it is over; a withdrawal of what was accepted frees the place.
var raceModel = porcupine.Model{
	Init: func() any {
		return world{state: [2]dtm.ReferralState{dtm.ReferralSent, dtm.ReferralSent}}
	},
	Step: func(state, input, output any) (bool, any) {
		w, in, won := state.(world), input.(raced), output.(bool)
		s := w.state[in.referral]
		can := false
		switch in.action {
		case dtm.ReferralAccept:
			can = s == dtm.ReferralSent && w.taken == 0
		case dtm.ReferralReject:
			can = s == dtm.ReferralSent
		case dtm.ReferralWithdraw:
			can = s != dtm.ReferralWithdrawn
		}
		if can != won {
			return false, state
		}
		if !can {
			return true, state
		}
		switch in.action {
		case dtm.ReferralAccept:
			w.state[in.referral], w.taken = dtm.ReferralAccepted, 1
		case dtm.ReferralReject:
			w.state[in.referral] = dtm.ReferralRejected
		case dtm.ReferralWithdraw:
			if s == dtm.ReferralAccepted {
				w.taken = 0
			}
			w.state[in.referral] = dtm.ReferralWithdrawn
		}
		return true, w
	},
}

// Histories races n times: two referrals, one place, six calls at once, each told the
// version that it saw or the one that it hopes for. Every history must be explained by
// some order of its calls.
func Histories(t *testing.T, d Dialect, n int, seed uint64) {
	s, _ := d.open(t)
	r := rand.New(rand.NewPCG(seed, 0))
	const perStore = 8 // races at once: they meet in the writer's groups
	var wg sync.WaitGroup
	var next sync.Mutex
	done := 0
	for range perStore {
		wg.Go(func() {
			for {
				next.Lock()
				if done >= n || t.Failed() {
					next.Unlock()
					return
				}
				at := done
				done++
				calls := make([]raced, 6)
				for i := range calls {
					calls[i] = raced{r.IntN(2), []dtm.ReferralAction{dtm.ReferralAccept, dtm.ReferralAccept, dtm.ReferralReject, dtm.ReferralWithdraw}[r.IntN(4)]}
				}
				next.Unlock()
				if h := race(t, s, at, calls); !porcupine.CheckOperations(raceModel, h) {
					t.Errorf("seed %d, history %d cannot be explained: %+v", seed, at, h)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d histories of 6 calls", done)
}

func race(t *testing.T, s Store, n int, calls []raced) []porcupine.Operation {
	desk := fmt.Sprint("race-", n)
	_, err := s.SetDesk(ctx, dtm.Desk{Code: desk, Programme: "health", Partner: "iom", Capacity: 1})
	if err != nil {
		t.Error(err)
		return nil
	}
	sent := time.Now()
	var list []dtm.Referral
	for i := range 2 {
		x := referral(fmt.Sprint("race-", n, "-", i), "health")
		x.State, x.Desk, x.Sent = dtm.ReferralSent, desk, &sent
		list = append(list, x)
	}
	if _, err := s.OpenReferrals(ctx, list); err != nil {
		t.Error(err)
		return nil
	}
	start := time.Now()
	var wg sync.WaitGroup
	out := make([]porcupine.Operation, len(calls))
	for i, c := range calls {
		wg.Go(func() {
			id := list[c.referral].ID
			begun := time.Since(start)
			won := attempt(t, s, id, c.action)
			out[i] = porcupine.Operation{ClientId: i, Input: c, Call: int64(begun), Output: won, Return: int64(time.Since(start))}
		})
	}
	wg.Wait()
	return out
}

// attempt does the action on the version that is current; when somebody is quicker it
// looks again, as a person at a desk would. false: the rules or the places refuse it.
func attempt(t *testing.T, s Store, id string, a dtm.ReferralAction) bool {
	do := dtm.Do{Action: a}
	as := dtm.DoerDesk
	switch a {
	case dtm.ReferralReject:
		do.Reason = "no_capacity"
	case dtm.ReferralWithdraw:
		do.Reason, as = "person_asked", dtm.DoerFocal
	}
	for {
		r, err := s.Referral(context.Background(), id)
		if err != nil {
			t.Error(err)
			return false
		}
		do.Version = r.Version
		_, _, err = s.Act(context.Background(), id, as, do)
		var known *dtm.Error
		switch {
		case err == nil:
			return true
		case errors.As(err, &known) && known.Code == "referral.stale":
			continue
		case errors.As(err, &known) && (known.Code == "referral.state" || known.Code == "referral.full"):
			return false
		}
		t.Errorf("%s: %v", a, err)
		return false
	}
}
