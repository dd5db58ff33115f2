package raster

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"dtm/disseminate/report/bindgen"
)

// The few kinds of JavaScript values that the painter holds; a string is itself.
type (
	memory   struct{}                 // its own memory, or an array over the whole of it
	octets   struct{ b []byte }       // Uint8Array
	array    struct{ items []any }    // Array
	iterator struct{ left []any }     // of an array
	step     struct{ value any }      // what an iterator gives; of the end: done
	done     struct{}                 // likewise
	fault    struct{ message string } // Error
)

// module is one running copy of the painter, for one drawing.
type module struct {
	mod api.Module
	ctx context.Context
	h   *bindgen.Handles
}

type moduleKey struct{}

// hostFuncs are the imports of the pinned build, by name without "__wbg_": s holds the
// arguments and takes the result in s[0]. A panic ends the painter's call with an error.
var hostFuncs = map[string]func(m *module, s []uint64){
	"__wbindgen_object_drop_ref":                  func(m *module, s []uint64) { m.h.Take(s[0]) },
	"__wbindgen_memory":                           func(m *module, s []uint64) { s[0] = m.h.Add(memory{}) },
	"__wbindgen_string_new":                       func(m *module, s []uint64) { s[0] = m.h.Add(string(m.read(s[0], s[1]))) },
	"__wbindgen_throw":                            func(m *module, s []uint64) { panic(fmt.Errorf("%s", m.read(s[0], s[1]))) },
	"new_28c511d9baebfa89":                        func(m *module, s []uint64) { s[0] = m.h.Add(fault{string(m.read(s[0], s[1]))}) },
	"buffer_12d079cc21e14bdb":                     func(m *module, s []uint64) { s[0] = m.h.Add(m.h.Get(s[0])) },
	"newwithbyteoffsetandlength_aa4a17c33a06e5cb": func(m *module, s []uint64) { s[0] = m.h.Add(&octets{append([]byte(nil), m.read(s[1], s[2])...)}) },
	"new_63b92bc8671ed464":                        func(m *module, s []uint64) { s[0] = m.h.Add(m.h.Get(s[0])) },
	"values_839f3396d5aac002":                     func(m *module, s []uint64) { s[0] = m.h.Add(&iterator{m.h.Get(s[0]).(*array).items}) },
	"next_196c84450b364254": func(m *module, s []uint64) {
		it := m.h.Get(s[0]).(*iterator)
		if len(it.left) == 0 {
			s[0] = m.h.Add(step{done{}})
			return
		}
		s[0] = m.h.Add(step{it.left[0]})
		it.left = it.left[1:]
	},
	"done_298b57d23c0fc80c": func(m *module, s []uint64) {
		_, end := m.h.Get(s[0]).(step).value.(done)
		s[0] = bit(end)
	},
	"value_d93c65011f51a456": func(m *module, s []uint64) { s[0] = m.h.Add(m.h.Get(s[0]).(step).value) },
	"instanceof_Uint8Array_2b3bbecd033d19f6": func(m *module, s []uint64) {
		_, ok := m.h.Get(s[0]).(*octets)
		s[0] = bit(ok)
	},
	"__wbindgen_string_get": func(m *module, s []uint64) {
		p, n := uint64(0), uint64(0)
		if t, ok := m.h.Get(s[1]).(string); ok {
			p, n = m.pass([]byte(t))
		}
		out := m.read(s[0], 8)
		binary.LittleEndian.PutUint32(out, uint32(p))
		binary.LittleEndian.PutUint32(out[4:], uint32(n))
	},
	"new_16b304a2cfa7ff4a": func(m *module, s []uint64) { s[0] = m.h.Add(&array{}) },
	"push_a5b05aedc7234f9f": func(m *module, s []uint64) {
		a := m.h.Get(s[0]).(*array)
		a.items = append(a.items, m.h.Get(s[1]))
		s[0] = uint64(len(a.items))
	},
	"length_c20a40f15020d68a": func(m *module, s []uint64) { s[0] = uint64(len(m.h.Get(s[0]).(*octets).b)) },
	"set_a47bac70306a19a7": func(m *module, s []uint64) { // bytes into the painter's memory: a font
		b := m.h.Get(s[1]).(*octets).b
		_ = m.h.Get(s[0]).(memory)
		copy(m.read(s[2], uint64(len(b))), b)
	},
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// host declares the functions that the painter asks for.
func host(ctx context.Context, r wazero.Runtime, compiled wazero.CompiledModule) error {
	return bindgen.Host(ctx, r, compiled, func(name string) (func(context.Context, []uint64), error) {
		f := hostFuncs[name]
		if f == nil {
			return nil, fmt.Errorf("the painter asks for %s, which has no answer here", name)
		}
		return func(ctx context.Context, s []uint64) { f(ctx.Value(moduleKey{}).(*module), s) }, nil
	})
}

// read is a window on the painter's memory, valid until its next call.
func (m *module) read(p, n uint64) []byte { return bindgen.Window(m.mod, p, n) }

// pass copies b into memory that the painter owns from then on.
func (m *module) pass(b []byte) (p, n uint64) {
	out, err := m.mod.ExportedFunction("__wbindgen_malloc").Call(m.ctx, uint64(len(b)), 1)
	if err != nil {
		panic(err)
	}
	copy(m.read(out[0], uint64(len(b))), b)
	return out[0], uint64(len(b))
}

// call calls a function that answers (value, error, whether it failed) on its stack, and
// gives the value.
func (m *module) call(name string, args ...uint64) (uint32, error) {
	stack := m.mod.ExportedFunction("__wbindgen_add_to_stack_pointer")
	const room = 16
	at, err := stack.Call(m.ctx, uint64(^uint32(room)+1))
	if err != nil {
		return 0, err
	}
	if _, err := m.mod.ExportedFunction(name).Call(m.ctx, append([]uint64{at[0]}, args...)...); err != nil {
		return 0, err
	}
	b := m.read(at[0], 12)
	v, e, failed := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	if failed != 0 {
		return 0, fmt.Errorf("%v", m.h.Take(uint64(e)))
	}
	_, err = stack.Call(m.ctx, room)
	return v, err
}
