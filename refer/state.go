package refer

import (
	"slices"
	"time"

	"dtm"
)

// step is a row of the table: in the states of From an action leads to To, when one of
// Who does it.
type step struct {
	Action dtm.ReferralAction
	From   []dtm.ReferralState
	To     dtm.ReferralState
	Who    []dtm.Doer
}

var (
	enumerator = []dtm.Doer{dtm.DoerEnumerator}
	focal      = []dtm.Doer{dtm.DoerFocal}
	onTheWord  = []dtm.Doer{dtm.DoerFocal, dtm.DoerEnumerator} // of the person
	desk       = []dtm.Doer{dtm.DoerDesk}
	system     = []dtm.Doer{dtm.DoerSystem}
	sender     = []dtm.Doer{dtm.DoerFocal, dtm.DoerSystem}

	// waiting are the states in which somebody still owes the person an answer.
	waiting = []dtm.ReferralState{
		dtm.ReferralSubmitted, dtm.ReferralHeld, dtm.ReferralSent, dtm.ReferralAcknowledged, dtm.ReferralAccepted, dtm.ReferralInService, dtm.ReferralCompleted,
		dtm.ReferralRejected, dtm.ReferralExpired, dtm.ReferralNoShow, dtm.ReferralNotCompleted,
	}
	// stuck are those that the focal point has to find another way for.
	stuck = []dtm.ReferralState{dtm.ReferralRejected, dtm.ReferralExpired, dtm.ReferralNoShow, dtm.ReferralNotCompleted}
)

// steps is the whole state machine. What is not in it is refused.
var steps = []step{
	{dtm.ReferralSubmit, states(dtm.ReferralCaptured), dtm.ReferralSubmitted, append(enumerator, dtm.DoerSystem)},
	{dtm.ReferralHold, states(dtm.ReferralCaptured, dtm.ReferralSubmitted), dtm.ReferralHeld, system},
	{dtm.ReferralConsent, states(dtm.ReferralHeld), dtm.ReferralSubmitted, focal},
	{dtm.ReferralSend, append(states(dtm.ReferralSubmitted), stuck...), dtm.ReferralSent, sender},
	{dtm.ReferralAcknowledge, states(dtm.ReferralSent), dtm.ReferralAcknowledged, desk},
	{dtm.ReferralAccept, states(dtm.ReferralSent, dtm.ReferralAcknowledged), dtm.ReferralAccepted, desk},
	{dtm.ReferralReject, states(dtm.ReferralSent, dtm.ReferralAcknowledged), dtm.ReferralRejected, desk},
	{dtm.ReferralStart, states(dtm.ReferralAccepted), dtm.ReferralInService, desk},
	{dtm.ReferralComplete, states(dtm.ReferralAccepted, dtm.ReferralInService), dtm.ReferralCompleted, desk},
	{dtm.ReferralMiss, states(dtm.ReferralAcknowledged, dtm.ReferralAccepted), dtm.ReferralNoShow, desk},
	{dtm.ReferralFail, states(dtm.ReferralAccepted, dtm.ReferralInService), dtm.ReferralNotCompleted, desk},
	{dtm.ReferralExpire, states(dtm.ReferralSent), dtm.ReferralExpired, system},
	{dtm.ReferralRedirect, stuck, dtm.ReferralRedirected, focal},
	{dtm.ReferralCloseUnmet, append(states(dtm.ReferralSubmitted, dtm.ReferralHeld), stuck...), dtm.ReferralUnmet, focal},
	{dtm.ReferralClose, states(dtm.ReferralCompleted), dtm.ReferralClosed, focal},
	{dtm.ReferralReopen, states(dtm.ReferralClosed, dtm.ReferralUnmet), dtm.ReferralSubmitted, focal},
	{dtm.ReferralWithdraw, append(states(dtm.ReferralCaptured), waiting...), dtm.ReferralWithdrawn, onTheWord},
	{dtm.ReferralCancel, states(dtm.ReferralCaptured), dtm.ReferralCancelled, enumerator},
	{dtm.ReferralCancel, states(dtm.ReferralSubmitted, dtm.ReferralHeld, dtm.ReferralSent, dtm.ReferralAcknowledged), dtm.ReferralCancelled, focal},
	{dtm.ReferralMistake, append(states(dtm.ReferralCaptured), waiting...), dtm.ReferralInError, focal},
}

func states(s ...dtm.ReferralState) []dtm.ReferralState { return s }

// ReopenWithin is how long after its end a closed referral may be opened again.
const ReopenWithin = 30 * 24 * time.Hour

// Leads gives where an action leads from a state and who may do it; false when the
// state does not have the action.
func Leads(from dtm.ReferralState, a dtm.ReferralAction) (to dtm.ReferralState, who []dtm.Doer, ok bool) {
	for _, s := range steps {
		if s.Action == a && slices.Contains(s.From, from) {
			return s.To, s.Who, true
		}
	}
	return "", nil, false
}

// Actions lists what the doer may do with a referral now, in the order of the table.
func Actions(r dtm.Referral, as dtm.Doer, now time.Time) (out []dtm.ReferralAction) {
	for _, a := range dtm.ReferralActions {
		if _, who, ok := Leads(r.State, a); ok && slices.Contains(who, as) && (a != dtm.ReferralReopen || reopens(r, now)) {
			out = append(out, a)
		}
	}
	return out
}

func reopens(r dtm.Referral, now time.Time) bool {
	return r.Ended == nil || now.Sub(*r.Ended) <= ReopenWithin
}

// Next is the referral after an action. Its error is Conflict when the state does not
// have the action, or the actor saw another version; Forbidden when it is somebody
// else's to do, or the hard rule stands against it; Invalid when the reason is missing
// or unknown. to is the desk of send and redirect. What takes a place at the desk is
// the store's to count.
func Next(programmes []dtm.Programme, r dtm.Referral, as dtm.Doer, do dtm.Do, to dtm.Desk, now time.Time) (dtm.Referral, error) {
	state, who, ok := Leads(r.State, do.Action)
	if !ok {
		return r, dtm.Errorf(dtm.Conflict, "a referral that is %q cannot be given the action %q; look at it again, somebody may have answered meanwhile", r.State, do.Action).
			Coded("referral.state")
	}
	if do.Version != r.Version {
		return r, dtm.Errorf(dtm.Conflict, "somebody changed this referral meanwhile; look at it again before you decide").Coded("referral.stale")
	}
	if !slices.Contains(who, as) {
		return r, dtm.Errorf(dtm.Forbidden, "the action %q is for somebody else to do (%v)", do.Action, who).Coded("referral.who")
	}
	if do.Action == dtm.ReferralReopen && !reopens(r, now) {
		return r, dtm.Errorf(dtm.Conflict, "it was closed more than 30 days ago; open a new referral").Coded("referral.old")
	}
	if known := Reasons(do.Action); len(known) > 0 {
		if !slices.Contains(known, do.Reason) {
			return r, dtm.Errorf(dtm.Invalid, "the action %q needs one of these reasons: %v", do.Action, known).Coded("referral.reason")
		}
		if do.Reason == "other" && do.Words == "" {
			return r, dtm.Errorf(dtm.Invalid, "say in words what the other reason is").Coded("referral.words")
		}
	}
	switch do.Action {
	case dtm.ReferralSend, dtm.ReferralRedirect:
		if to.Code == "" || do.Desk != to.Code {
			return r, dtm.Errorf(dtm.Invalid, "say to which desk").Coded("referral.desk")
		}
		if err := Barred(programmes, r.Guarded, to); err != nil {
			return r, err
		}
		programme := r.Programme
		if do.Action == dtm.ReferralRedirect && do.Programme != "" {
			programme = do.Programme
		}
		if to.Programme != programme {
			return r, dtm.Errorf(dtm.Invalid, "the desk %s answers for %s, not for %s", to.Code, to.Programme, programme).Coded("referral.programme")
		}
		if to.Closed || to.PausedAt(now) {
			return r, dtm.Errorf(dtm.Conflict, "the desk %s takes nobody on now; choose another one", to.Code).Coded("referral.paused")
		}
	case dtm.ReferralAccept:
		// A desk may have become one that must not see the person after it was sent.
		if err := Barred(programmes, r.Guarded, to); err != nil {
			return r, err
		}
	case dtm.ReferralConsent:
		if do.Reason == "vital_interest" && do.Second == "" {
			return r, dtm.Errorf(dtm.Invalid, "passing on without consent needs a second person; name who decides with you").Coded("referral.second")
		}
	}
	at := now
	r.State, r.Version, r.Changed = state, r.Version+1, now
	if do.Reason != "" {
		r.Reason = do.Reason
	}
	switch do.Action {
	case dtm.ReferralSend:
		r.Desk, r.Sent, r.Acknowledged, r.Answered, r.Started, r.Ended, r.Reason, r.Escalation = to.Code, &at, nil, nil, nil, nil, "", 0
	case dtm.ReferralAcknowledge:
		r.Acknowledged = &at
	case dtm.ReferralAccept, dtm.ReferralReject:
		if r.Acknowledged == nil {
			r.Acknowledged = &at
		}
		r.Answered = &at
	case dtm.ReferralStart:
		r.Started = &at
	case dtm.ReferralComplete:
		if r.Started == nil {
			r.Started = &at
		}
		r.Ended = &at
	case dtm.ReferralReopen:
		r.Desk, r.Sent, r.Acknowledged, r.Answered, r.Started, r.Ended, r.Reason, r.Escalation = "", nil, nil, nil, nil, nil, "", 0
	case dtm.ReferralClose: // the service ended it; that stays
	default:
		if state.Terminal() || slices.Contains(stuck, state) {
			r.Ended = &at
		}
	}
	if do.Action == dtm.ReferralClose && r.Ended == nil {
		r.Ended = &at
	}
	return r, nil
}

// Replacing is the referral that takes the place of one that was redirected: sent to
// the other desk, with the clocks of the first, because the person has waited since.
func Replacing(old dtm.Referral, id, number string, do dtm.Do, now time.Time) dtm.Referral {
	at := now
	n := old
	n.ID, n.Number, n.Desk, n.State, n.Version = id, number, do.Desk, dtm.ReferralSent, 1
	n.Sent, n.Acknowledged, n.Answered, n.Started, n.Ended, n.Changed = &at, nil, nil, nil, nil, now
	n.Reason, n.Escalation, n.Replaces, n.ReplacedBy = "", 0, old.ID, ""
	if do.Programme != "" {
		n.Programme = do.Programme
	}
	return n
}
