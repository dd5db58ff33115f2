package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// Test is the name of the event of a trial message.
const Test = "webhook.test"

// Message is the body of a request. It holds no answers and no names.
type Message struct {
	ID         string   `json:"id"` // of the delivery, the same in every attempt
	Event      string   `json:"event"`
	Operation  string   `json:"operation"`
	At         string   `json:"at,omitempty"` // when the submission was received, RFC 3339, UTC
	Form       string   `json:"form,omitempty"`
	Version    string   `json:"version,omitempty"`
	Submission string   `json:"submission,omitempty"`
	Replaces   string   `json:"replaces,omitempty"` // of an edit: the submission that it replaces
	State      string   `json:"state,omitempty"`
	Flags      []string `json:"flags"` // rules, as they stand when the message is sent
}

func message(op string, d dtm.Delivery, s dtm.Submission) ([]byte, error) {
	m := Message{ID: d.ID, Event: d.Name, Operation: op, Form: s.Form, Version: s.Version, Submission: s.ID,
		Replaces: s.Deprecates, State: s.State, Flags: []string{}}
	if !s.Received.IsZero() {
		m.At = s.Received.UTC().Format(time.RFC3339Nano)
	}
	for _, f := range s.Flags {
		if !slices.Contains(m.Flags, f.Rule) {
			m.Flags = append(m.Flags, f.Rule)
		}
	}
	return json.Marshal(m)
}

// SignatureHeader carries "t=UNIX,v1=HEX": the time of the attempt in seconds and
// the hexadecimal HMAC-SHA-256, under the webhook's secret, of that time, a full
// stop and the body.
const SignatureHeader = "DTM-Signature"

// Sign returns what SignatureHeader says of a body sent at a time.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t))
	h.Write([]byte("."))
	h.Write(body)
	return h.Sum(nil)
}

// Verify tells whether a signature is of the body and not older or newer than
// tolerance, so that a recorded request cannot be sent again later: Forbidden.
func Verify(secret, signature string, body []byte, now time.Time, tolerance time.Duration) error {
	bad := dtm.Errorf(dtm.Forbidden, "the signature is not of this body and secret").Coded("webhook.signature")
	var t string
	var sums [][]byte
	for part := range strings.SplitSeq(signature, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch k {
		case "t":
			t = v
		case "v1":
			sum, err := hex.DecodeString(v)
			if err != nil {
				return bad
			}
			sums = append(sums, sum)
		}
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		return bad
	}
	want := mac(secret, t, body)
	if !slices.ContainsFunc(sums, func(sum []byte) bool { return hmac.Equal(sum, want) }) {
		return bad
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return dtm.Errorf(dtm.Forbidden, "the message was signed at %s, too far from now", time.Unix(seconds, 0).UTC().Format(time.RFC3339)).
			Coded("webhook.stale", time.Unix(seconds, 0).UTC().Format(time.RFC3339))
	}
	return nil
}
