package raster

import (
	"crypto/sha256"
	"encoding/hex"

	"dtm"
)

// The build of the painter that host.go is written for: the names of the functions it
// asks for carry hashes of its Rust source.
const (
	Package = "@resvg/resvg-wasm"
	Version = "2.6.2"
	SHA256  = "22bf6e9f9a100d972da0411a69c5ba504367fc1fa87b3b64e3f35e53926d2d70"
)

func pinned(wasm []byte) error {
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); got != SHA256 {
		e := dtm.Errorf(dtm.Unsupported, "this is not the painter that this program was built for: its SHA-256 begins with %s, expected %s (%s %s); run make assets and build again", got[:12], SHA256[:12], Package, Version)
		e.Op = "raster.New"
		return e
	}
	return nil
}
