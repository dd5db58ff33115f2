package typst

import (
	"crypto/sha256"
	"encoding/hex"

	"dtm"
)

// The build of the compiler that imports.go is written for. The names of the
// functions it asks for carry hashes of its Rust source, so another build needs
// another imports.go.
const (
	Package = "@myriaddreamin/typst-ts-web-compiler"
	Version = "0.7.0"
	SHA256  = "1fc968438a672366dfec39c96c842c26ed29caff4eb1bcaab19a6c60867de5fd"
)

func pinned(wasm []byte) error {
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); got != SHA256 {
		e := dtm.Errorf(dtm.Unsupported, "this is not the PDF engine that this program was built for: its SHA-256 begins with %s, expected %s (%s %s); run make assets and build again", got[:12], SHA256[:12], Package, Version)
		e.Op = "typst.New"
		return e
	}
	return nil
}
