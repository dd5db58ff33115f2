package entry

import (
	"encoding/json"
	"net/http"
	"slices"

	"dtm"
	"dtm/locale"
	"dtm/serve"
)

// spoken are the languages of the page.
var spoken = []dtm.Lang{dtm.English, dtm.French, dtm.Arabic}

const (
	maxRecords = 200 // asked about at once
	maxAsked   = 64 << 10
)

type recordsJSON struct {
	Records []recordJSON `json:"records"`
}

// recordJSON is what became of a record: Remarks are what the checks found, Missing
// the attachments that have not come.
type recordJSON struct {
	ID       string       `json:"id"`
	State    string       `json:"state"`
	Received string       `json:"received"`
	Remarks  []remarkJSON `json:"remarks"`
	Missing  []string     `json:"missing"`
}

type remarkJSON struct {
	Rule  string   `json:"rule"`
	Text  dtm.Text `json:"text"`
	Where string   `json:"where,omitempty"`
	Note  string   `json:"note,omitempty"`
}

// records answers which of the named records of this device are here, and what the
// checks say of them. A record that is not here, or is another device's, is left
// out: the two are not told apart.
func (h *Handler) records(w http.ResponseWriter, r *http.Request) error {
	d, err := h.admitted(r)
	if err != nil {
		return err
	}
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&asked); err != nil {
		if dtm.KindOf(serve.BodyError(err)) == dtm.TooLarge {
			return serve.BodyError(err)
		}
		return dtm.Errorf(dtm.Invalid, `the question cannot be read; it is {"ids": ["uuid:..."]}: %w`, err).Coded("json.malformed")
	}
	if len(asked.IDs) > maxRecords {
		return dtm.Errorf(dtm.Invalid, "%d records are asked about at once, the most is %d", len(asked.IDs), maxRecords).Coded("entry.many", len(asked.IDs), maxRecords)
	}
	out := recordsJSON{Records: []recordJSON{}}
	for _, id := range asked.IDs {
		s, err := h.Submissions.Submission(r.Context(), id)
		if dtm.KindOf(err) == dtm.NotFound && err != nil || err == nil && s.Device != d.ID {
			continue
		}
		if err != nil {
			return err
		}
		out.Records = append(out.Records, record(s))
	}
	return write(w, out)
}

func record(s dtm.Submission) recordJSON {
	out := recordJSON{ID: s.ID, State: s.State, Received: s.Received.UTC().Format(moment), Remarks: []remarkJSON{}, Missing: []string{}}
	for _, f := range s.Flags {
		out.Remarks = append(out.Remarks, remarkJSON{f.Rule, explain(f.Rule), f.Path, f.Note})
	}
	for _, name := range s.Expected {
		if !slices.ContainsFunc(s.Attachments, func(a dtm.Attachment) bool { return a.Name == name }) {
			out.Missing = append(out.Missing, name)
		}
	}
	return out
}

// explain says what a rule found, in every language of the page.
func explain(rule string) dtm.Text {
	t := dtm.Text{}
	for _, l := range spoken {
		t[l] = unexplained[l]
		if key := "rule." + rule; locale.Has(key) {
			t[l] = locale.Say(l, key)
		}
	}
	return t
}

// unexplained is said of rules that have no words yet.
var unexplained = dtm.Text{
	dtm.English: "The office will look at this record",
	dtm.French:  "Le bureau examinera cette fiche",
	dtm.Arabic:  "سينظر المكتب في هذا السجل",
}
