package entry

import (
	"encoding/json"
	"net/http"

	"dtm"
	"dtm/serve"
)

// Figures are what a device, or half of the team's devices, did: for support.
type Figures struct {
	Records  int     `json:"records"`
	Complete float64 `json:"complete"` // share of records with every sex, age and country
	Flagged  int     `json:"flagged"`  // records with a remark that stands
	Seconds  float64 `json:"seconds"`  // median for a record; 0: not known
}

type deskJSON struct {
	Questions []questionJSON `json:"questions"`
	Own       *Figures       `json:"own,omitempty"`
	Team      *Figures       `json:"team,omitempty"`
	Referrals []referralJSON `json:"referrals,omitempty"`
}

// referralJSON says how far a referral is, and nothing of why or what was done.
type referralJSON struct {
	Number    string   `json:"number"`
	Programme dtm.Text `json:"programme"`
	Point     dtm.Text `json:"point"`
	Met       string   `json:"met"`
	Outcome   string   `json:"outcome"`
	At        string   `json:"at"`
}

type questionJSON struct {
	Seq    int64  `json:"seq"`
	Record string `json:"record"` // instance id
	Name   string `json:"name"`   // of the record, as it calls itself
	Body   string `json:"body"`
	Asked  string `json:"asked"`
}

// desk answers what the office wants to know of this device, and how the device does.
func (h *Handler) desk(w http.ResponseWriter, r *http.Request) error {
	d, err := h.admitted(r)
	if err != nil {
		return err
	}
	out := deskJSON{Questions: []questionJSON{}}
	if h.Questions != nil {
		list, err := h.Questions.QuestionsTo(r.Context(), d.ID)
		if err != nil {
			return err
		}
		for _, q := range list {
			out.Questions = append(out.Questions, questionJSON{q.Seq, q.Submission, q.Name, q.Body, q.At.UTC().Format(moment)})
		}
	}
	if h.Figures != nil {
		own, team, ok, err := h.Figures(r.Context(), d.ID)
		if err != nil {
			return err
		}
		if ok {
			out.Own, out.Team = &own, &team
		}
	}
	if h.Referrals != nil {
		list, err := h.Referrals(r.Context(), d.ID)
		if err != nil {
			return err
		}
		for _, x := range list {
			out.Referrals = append(out.Referrals, referralJSON{x.Number, h.ProgrammeName(x.Programme), h.PointName(x.Point), x.Day.UTC().Format(moment), x.Outcome, x.At.UTC().Format(moment)})
		}
	}
	return write(w, out)
}

// answer takes what the enumerator says to a question. The same answer again is taken
// too: phones try until they hear that it arrived.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request) error {
	d, err := h.admitted(r)
	if err != nil {
		return err
	}
	var in struct {
		Seq    int64  `json:"seq"`
		Answer string `json:"answer"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&in); err != nil {
		if dtm.KindOf(serve.BodyError(err)) == dtm.TooLarge {
			return serve.BodyError(err)
		}
		return dtm.Errorf(dtm.Invalid, `the answer cannot be read; it is {"seq": 12, "answer": "..."}: %w`, err).Coded("json.malformed")
	}
	if h.Questions == nil {
		return dtm.Errorf(dtm.NotFound, "no question was asked").Coded("question.unknown")
	}
	if err := h.Questions.Answer(r.Context(), d.ID, in.Seq, in.Answer); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
