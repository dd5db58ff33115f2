package bindgen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"dtm"
)

// Build is the one build of a module that its host functions are written for: the names
// of the functions that it asks for carry hashes of its Rust source, so that another build
// needs other host functions.
type Build struct {
	What             string // "PDF engine"
	Package, Version string // of npm
	SHA256           string // of the module's file
}

// Check holds a module against the build: Unsupported for another one.
func (b Build) Check(wasm []byte) error {
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); got != b.SHA256 {
		return dtm.Errorf(dtm.Unsupported, "this is not the %s that this program was built for: its SHA-256 begins with %s, expected %s (%s %s); run make assets and build again", b.What, got[:12], b.SHA256[:12], b.Package, b.Version)
	}
	return nil
}

// Host declares the functions that a module asks for; answer gives that of a name, which
// is without "__wbg_". A function takes its arguments from the stack and leaves its result
// in stack[0]; it finds its copy of the module in the context of the call.
func Host(ctx context.Context, r wazero.Runtime, compiled wazero.CompiledModule, answer func(name string) (func(ctx context.Context, stack []uint64), error)) error {
	b := r.NewHostModuleBuilder("wbg")
	for _, def := range compiled.ImportedFunctions() {
		_, name, _ := def.Import()
		f, err := answer(strings.TrimPrefix(name, "__wbg_"))
		if err != nil {
			return err
		}
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
			f(ctx, stack)
		}), def.ParamTypes(), def.ResultTypes()).Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// Window is a part of a module's memory, valid until its next call. It panics outside of
// it: inside a host function that ends the module's call with an error.
func Window(mod api.Module, p, n uint64) []byte {
	b, ok := mod.Memory().Read(uint32(p), uint32(n))
	if !ok {
		panic(fmt.Errorf("the module points outside its memory: %d bytes at %d", uint32(n), uint32(p)))
	}
	return b
}
