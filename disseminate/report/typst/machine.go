package typst

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"dtm/disseminate/report/bindgen"
)

// machine is one running copy of the compiler. It serves one call at a time. A
// machine on which a call failed with an error is broken and must be closed;
// faults in the document are not errors in this sense.
type machine struct {
	mod      api.Module
	ctx      context.Context // of the call being served: host functions call back with it
	h        *bindgen.Handles
	tasks    []func() // JavaScript's queue of microtasks
	global   *object
	console  string // last line written to the console: the text of a Rust panic
	compiler uint32 // pointer to the TypstCompiler
}

type machineKey struct{}

// host declares the functions that the compiler asks for. One without an answer is a fault
// only when it is called.
func host(ctx context.Context, r wazero.Runtime, compiled wazero.CompiledModule) error {
	return bindgen.Host(ctx, r, compiled, func(name string) (func(context.Context, []uint64), error) {
		f := hostFuncs[name]
		return func(ctx context.Context, s []uint64) {
			if f == nil {
				panic(fmt.Errorf("the PDF engine called %s, which has no answer here", name))
			}
			f(ctx.Value(machineKey{}).(*machine), s)
		}, nil
	})
}

// newMachine starts a copy and gives it the fonts.
func newMachine(ctx context.Context, r wazero.Runtime, compiled wazero.CompiledModule, fonts [][]byte) (*machine, error) {
	m := &machine{h: bindgen.NewHandles(), global: &object{fields: map[string]any{}}}
	err := m.serve(ctx, func() error {
		var err error
		// Without a name any number of copies may live in one runtime.
		if m.mod, err = r.InstantiateModule(m.ctx, compiled, wazero.NewModuleConfig().WithName("")); err != nil {
			return err
		}
		ret, err := m.returning(func(ret uint64) error { _, err := m.call("typstcompilerbuilder_new", ret); return err })
		if err != nil {
			return err
		}
		if err := m.failed(ret[1], ret[2]); err != nil {
			return err
		}
		builder := uint64(ret[0])
		ret, err = m.returning(func(ret uint64) error {
			_, err := m.call("typstcompilerbuilder_set_dummy_access_model", ret, builder)
			return err
		})
		if err != nil {
			return err
		}
		if err := m.failed(ret[0], ret[1]); err != nil {
			return err
		}
		for i, font := range fonts {
			if _, err := m.await("typstcompilerbuilder_add_raw_font", builder, m.h.Add(&bytes{font})); err != nil {
				return fmt.Errorf("font %d: %w", i, err)
			}
		}
		v, err := m.await("typstcompilerbuilder_build", builder)
		if err != nil {
			return err
		}
		c, ok := v.(*instance)
		if !ok {
			return fmt.Errorf("the PDF engine gave no compiler but %s", text(v))
		}
		m.compiler = c.ptr
		return nil
	})
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *machine) close() {
	if m.mod != nil {
		_ = m.mod.Close(context.Background()) // closing memory cannot fail in a way that matters
	}
}

// size is the memory the compiler has taken, in bytes. It never shrinks.
func (m *machine) size() uint32 { return m.mod.Memory().Size() }

// serve runs f with ctx as the context of every call in it. Panics of host code
// that wazero does not see (outside a call) become errors too.
func (m *machine) serve(ctx context.Context, f func() error) (err error) {
	m.ctx, m.console = context.WithValue(ctx, machineKey{}, m), ""
	defer func() {
		m.ctx = nil
		if r := recover(); r != nil {
			e, ok := r.(error)
			if !ok {
				e = fmt.Errorf("%v", r)
			}
			err = e
		}
		if err != nil && m.console != "" {
			err = fmt.Errorf("%s: %w", strings.TrimSpace(m.console), err)
		}
	}()
	return f()
}

// compile gives the compiler the files, compiles main and returns the value of
// its answer: an object with result and diagnostics.
func (m *machine) compile(ctx context.Context, main string, files map[string][]byte) (answer any, err error) {
	err = m.serve(ctx, func() error {
		if _, err := m.call("typstcompiler_reset_shadow", uint64(m.compiler)); err != nil {
			return err
		}
		for name, data := range files {
			p, n := m.pass([]byte(name))
			q, k := m.pass(data)
			if _, err := m.call("typstcompiler_map_shadow", uint64(m.compiler), p, n, q, k); err != nil {
				return err
			}
		}
		const fullDiagnostics = 3
		ret, err := m.returning(func(ret uint64) error {
			p, n := m.pass([]byte(main))
			q, k := m.pass([]byte("pdf"))
			_, err := m.call("typstcompiler_compile", ret, uint64(m.compiler), p, n, 0, 0, q, k, fullDiagnostics)
			return err
		})
		if err != nil {
			return err
		}
		if ret[2] != 0 {
			answer = m.h.Take(uint64(ret[1]))
		} else {
			answer = m.h.Take(uint64(ret[0]))
		}
		// Forgets what was remembered of documents that are not compiled any more.
		ret, err = m.returning(func(ret uint64) error {
			_, err := m.call("typstcompiler_reset", ret, uint64(m.compiler))
			return err
		})
		if err != nil {
			return err
		}
		return m.failed(ret[0], ret[1])
	})
	return answer, err
}

// failed turns a returned (handle, flag) pair into an error when the flag is set.
func (m *machine) failed(handle, flag uint32) error {
	if flag == 0 {
		return nil
	}
	return errors.New(text(m.h.Take(uint64(handle))))
}

func (m *machine) call(name string, args ...uint64) (uint64, error) {
	f := m.mod.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("the PDF engine has no function %s", name)
	}
	out, err := f.Call(m.ctx, args...)
	if err != nil {
		return 0, err
	}
	if len(out) > 0 {
		return out[0], nil
	}
	return 0, nil
}

// mustCall is call for host functions, whose only way to fail is a panic.
func (m *machine) mustCall(name string, args ...uint64) uint64 {
	v, err := m.call(name, args...)
	if err != nil {
		panic(err)
	}
	return v
}

// returning calls f with room for three 32-bit results on the compiler's stack.
func (m *machine) returning(f func(ret uint64) error) (out [3]uint32, err error) {
	const room = 16
	ret, err := m.call("__wbindgen_add_to_stack_pointer", uint64(^uint32(room)+1))
	if err != nil {
		return out, err
	}
	if err := f(ret); err != nil {
		return out, err
	}
	b := m.memory(ret, 12)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	_, err = m.call("__wbindgen_add_to_stack_pointer", room)
	return out, err
}

// await calls a function that returns a promise and runs the queue until it is
// settled.
func (m *machine) await(name string, args ...uint64) (any, error) {
	handle, err := m.call(name, args...)
	if err != nil {
		return nil, err
	}
	p, ok := m.h.Take(handle).(*promise)
	if !ok {
		return nil, fmt.Errorf("%s gave no promise", name)
	}
	for len(m.tasks) > 0 {
		t := m.tasks[0]
		m.tasks = m.tasks[1:]
		t()
	}
	switch {
	case !p.settled:
		return nil, fmt.Errorf("%s never finished", name)
	case p.failed:
		return nil, errors.New(text(p.value))
	}
	return p.value, nil
}

func (m *machine) later(f *function, v any) {
	m.tasks = append(m.tasks, func() { f.call(v) })
}

// promise makes a promise whose executor is the closure (a, b) of the compiler.
func (m *machine) promise(a, b uint64) *promise {
	p := &promise{}
	settle := func(failed bool) *function {
		return &function{call: func(args ...any) any {
			if !p.settled {
				p.settled, p.failed, p.value = true, failed, args[0]
				for _, f := range p.waiting {
					m.later(f, p.value)
				}
				p.waiting = nil
			}
			return undefined{}
		}}
	}
	m.mustCall("__wasm_bindgen_func_elem_37350", a, b, m.h.Add(settle(false)), m.h.Add(settle(true)))
	return p
}

// closure makes a function of the closure (a, b) of the compiler, which is freed
// when neither the compiler nor a call needs it.
func (m *machine) closure(a, b uint64) *function {
	users := 1
	f := &function{}
	f.drop = func() {
		if users--; users == 0 {
			m.mustCall("__wasm_bindgen_func_elem_957", a, b)
		}
	}
	f.call = func(args ...any) any {
		users++
		m.mustCall("__wasm_bindgen_func_elem_944", a, b, m.h.Add(args[0]))
		f.drop()
		return undefined{}
	}
	return f
}

// script stands for the few constant functions that the compiler brings along in
// JavaScript. Those of its file system and its package registry, which it asks
// when a document names a file that it was not given, throw.
func (m *machine) script(body string) *function {
	return &function{call: func(...any) any {
		switch body {
		case "return this":
			return m.global
		case "return 0":
			return 0.0
		case "return true":
			return true
		}
		panic(&jsError{"a document may read only the files it is given"})
	}}
}

// memory is a window on the compiler's memory, valid until its next call.
func (m *machine) memory(p, n uint64) []byte { return bindgen.Window(m.mod, p, n) }

func (m *machine) copy(p, n uint64) []byte { return append([]byte(nil), m.memory(p, n)...) }

func (m *machine) text(p, n uint64) string { return string(m.memory(p, n)) }

func (m *machine) bytesOf(handle uint64) []byte { return want[*bytes](m, handle).b }

func (m *machine) put32(p uint64, v uint32) { binary.LittleEndian.PutUint32(m.memory(p, 4), v) }

// pass copies b into memory that the compiler owns from then on.
func (m *machine) pass(b []byte) (p, n uint64) {
	p = m.mustCall("__wbindgen_export", uint64(len(b)), 1)
	copy(m.memory(p, uint64(len(b))), b)
	return p, uint64(len(b))
}

// putText returns a string to the compiler: its address and length at ret.
func (m *machine) putText(ret uint64, s string) {
	p, n := m.pass([]byte(s))
	m.put32(ret+4, uint32(n))
	m.put32(ret, uint32(p))
}
