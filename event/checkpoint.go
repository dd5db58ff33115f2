package event

import (
	"crypto/ed25519"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"dtm"
)

// A checkpoint says how far the log has come: a signed note (golang.org/x/mod/sumdb/note,
// as the Go checksum database and transparency logs write them) of four lines: the log's
// origin, the number of its newest entry, that entry's hash, and the time. Whoever keeps
// one elsewhere can prove that the log was cut or written anew.

// Origin is the first line of the checkpoints of an operation, and the name of the key
// that signs them.
func Origin(operation string) string { return "dtm-log/" + operation }

// signer signs notes with a key that follows from the key file.
type signer struct {
	name string
	key  ed25519.PrivateKey
	id   uint32
}

func (s signer) Name() string                    { return s.name }
func (s signer) KeyHash() uint32                 { return s.id }
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// LogKey is the public key of checkpoints in its usual form, to be given to those who
// check them. "" without a key.
func LogKey(operation string, key ed25519.PrivateKey) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	return note.NewEd25519VerifierKey(Origin(operation), key.Public().(ed25519.PublicKey))
}

// SignCheckpoint writes the checkpoint of a log that has come as far as c.
func SignCheckpoint(operation string, c Chain, at time.Time, key ed25519.PrivateKey) (string, error) {
	public, err := LogKey(operation, key)
	if err != nil || public == "" {
		return "", errors.Join(err, dtm.Errorf(dtm.Unavailable, "the key file is missing; put it back and start the server again").Coded("seal.no_key"))
	}
	// the form is NAME+ID+KEY; the id is that of the public key
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return "", err
	}
	text := Origin(operation) + "\n" + strconv.FormatInt(c.Seq, 10) + "\n" + c.Hash + "\n" + at.UTC().Format(TimeLayout) + "\n"
	b, err := note.Sign(&note.Note{Text: text}, signer{Origin(operation), key, verifier.KeyHash()})
	return string(b), err
}

// ReadCheckpoint reads a checkpoint and holds its signature against a public key
// (LogKey). known is false when another key has signed it: then nobody vouches for what
// it says. Invalid when it is none; Conflict when the key's own signature does not fit.
func ReadCheckpoint(operation, text, public string) (c Chain, at time.Time, known bool, err error) {
	var list []note.Verifier
	if public != "" {
		v, err := note.NewVerifier(public)
		if err != nil {
			return c, at, false, dtm.Errorf(dtm.Invalid, "this is no public key of a log: %w", err)
		}
		list = append(list, v)
	}
	n, err := note.Open([]byte(text), note.VerifierList(list...))
	var unverified *note.UnverifiedNoteError
	var wrong *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		n = unverified.Note
	case errors.As(err, &wrong):
		return c, at, false, dtm.Errorf(dtm.Conflict, "a checkpoint was changed: its signature does not fit").Coded("checkpoint.signature")
	case err != nil:
		return c, at, false, dtm.Errorf(dtm.Invalid, "this is no checkpoint: %w", err).Coded("checkpoint.form")
	default:
		known = true
	}
	bad := dtm.Errorf(dtm.Invalid, "this is no checkpoint of the log of %s", operation).Coded("checkpoint.form")
	lines := strings.Split(strings.TrimSuffix(n.Text, "\n"), "\n")
	if len(lines) != 4 || lines[0] != Origin(operation) {
		return c, at, known, bad
	}
	if c.Seq, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return c, at, known, bad
	}
	c.Hash = lines[2]
	if at, err = time.Parse(TimeLayout, lines[3]); err != nil {
		return c, at, known, bad
	}
	return c, at, known, nil
}

// SplitCheckpoints takes apart a text of several, as somebody may have kept them.
func SplitCheckpoints(operation, text string) (list []string) {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		if strings.TrimSuffix(line, "\n") == Origin(operation) && b.Len() > 0 {
			list = append(list, b.String())
			b.Reset()
		}
		if b.Len() == 0 && strings.TrimSpace(line) == "" {
			continue
		}
		b.WriteString(line)
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	for i, s := range list {
		list[i] = strings.TrimRight(s, "\n") + "\n"
	}
	return list
}
