// Package blob keeps the files that come with submissions: content goes in and
// comes out by its address, "sha256:" and the hex SHA-256 of its bytes. Equal
// content is stored once. A folder (Disk) and a bucket of an S3 store (S3) keep it
// under the same names.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"dtm"
)

// hashOf is the hex hash of an address: NotFound for what is no address.
func hashOf(address string) (string, error) {
	hash, ok := strings.CutPrefix(address, "sha256:")
	if !ok || !isHash(hash) {
		return "", missing(address)
	}
	return hash, nil
}

func isHash(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size && s == strings.ToLower(s)
}

// Name is where content of that hex hash lies, below a folder or a prefix.
func Name(hash string) string { return hash[:2] + "/" + hash[2:4] + "/" + hash }

// source tells the reader's errors from those of the disk, and stops when the
// caller has gone.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func missing(address string) error {
	return dtm.Errorf(dtm.NotFound, "there is no stored file %s", address).Coded("blob.unknown", address)
}

func failed(op string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "store.full", Err: err,
			Msg: "the disk of the server is full: nothing was stored; try again when there is room"}
	}
	return &dtm.Error{Kind: dtm.Internal, Op: op, Err: fmt.Errorf("attachment store: %w", err)}
}
