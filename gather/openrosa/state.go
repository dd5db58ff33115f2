package openrosa

import (
	"context"
	"sync"
	"time"

	"dtm"
)

// states remembers for a second which forms are closed: every submission asks.
type states struct {
	mu   sync.Mutex
	read time.Time
	of   map[string]string
}

const statesFor = time.Second

// state is that of a form; open when nobody closed it.
func (h *Handler) state(ctx context.Context, form string) (string, error) {
	if h.States == nil {
		return dtm.FormOpen, nil
	}
	h.states.mu.Lock()
	defer h.states.mu.Unlock()
	if h.states.of == nil || time.Since(h.states.read) > statesFor {
		of, err := h.States.FormStates(ctx)
		if err != nil {
			return "", err
		}
		h.states.of, h.states.read = of, time.Now()
	}
	if s, ok := h.states.of[form]; ok {
		return s, nil
	}
	return dtm.FormOpen, nil
}

// Admit refuses what is new of a closed form: Conflict. The rest of a submission
// that is here already is taken.
func (h *Handler) Admit(ctx context.Context, s dtm.Submission) error {
	state, err := h.state(ctx, s.Form)
	if err != nil || state != dtm.FormClosed {
		return err
	}
	_, err = h.Submissions.Submission(ctx, s.ID)
	if err != nil && dtm.KindOf(err) == dtm.NotFound {
		return dtm.Errorf(dtm.Conflict, "form %q is closed: no new submissions are taken", s.Form).Coded("form.closed", s.Form)
	}
	return err
}
