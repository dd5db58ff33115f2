package typst

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero/api"
)

// hostFunc answers one import of the compiler: s holds its arguments and takes
// its result in s[0]. A panic in it ends the call that the compiler is in, with
// an error (wazero sees to it).
type hostFunc func(m *machine, s []uint64)

// hostFuncs are the imports of the pinned build, by name without "__wbg_". The
// part after the last underscore is a hash that binds a name to the build. What
// a name does is what JavaScript does under that name, for the values of
// value.go. Those not listed are never called with the inputs this package
// gives; calling one is an error (see host).
var hostFuncs = map[string]hostFunc{
	// handles
	"__wbindgen_object_clone_ref": func(m *machine, s []uint64) { s[0] = m.h.Add(m.h.Get(s[0])) },
	"__wbindgen_object_drop_ref":  func(m *machine, s []uint64) { m.h.Take(s[0]) },
	"_wbg_cb_unref_87dfb5aaa0cbcea7": func(m *machine, s []uint64) {
		if f, ok := m.h.Get(s[0]).(*function); ok && f.drop != nil {
			f.drop()
		}
	},

	// values made by the compiler
	"__wbindgen_cast_2241b6af4c4b2941": func(m *machine, s []uint64) { s[0] = m.h.Add(m.text(s[0], s[1])) },
	"__wbindgen_cast_4625c577ab2ec9ee": func(m *machine, s []uint64) { s[0] = m.h.Add(int64(s[0])) },
	"__wbindgen_cast_9ae0607507abb057": func(m *machine, s []uint64) { s[0] = m.h.Add(int64(s[0])) },
	"__wbindgen_cast_d6cd19b81560fd6e": func(m *machine, s []uint64) { s[0] = m.h.Add(api.DecodeF64(s[0])) },
	"__wbindgen_cast_3334ea73b4b28ba3": func(m *machine, s []uint64) { s[0] = m.h.Add(m.closure(s[0], s[1])) },
	"Error_52673b7de5a0ca89":           func(m *machine, s []uint64) { s[0] = m.h.Add(&jsError{m.text(s[0], s[1])}) },
	"new_df1173567d5ff028":             func(m *machine, s []uint64) { s[0] = m.h.Add(&jsError{m.text(s[0], s[1])}) },
	"new_8a6f238a6ece86ea":             func(m *machine, s []uint64) { s[0] = m.h.Add(&jsError{}) },
	"new_1ba21ce319a06297":             func(m *machine, s []uint64) { s[0] = m.h.Add(&object{fields: map[string]any{}}) },
	"new_25f239778d6112b9":             func(m *machine, s []uint64) { s[0] = m.h.Add(&array{}) },
	"new_6421f6084cc5bc5a":             func(m *machine, s []uint64) { s[0] = m.h.Add(&bytes{m.bytesOf(s[0])}) },
	"new_from_slice_f9c22b9153b26992":  func(m *machine, s []uint64) { s[0] = m.h.Add(&bytes{m.copy(s[0], s[1])}) },
	"new_from_slice_db0691b69e9d3891":  func(m *machine, s []uint64) { s[0] = m.h.Add(&bytes{m.copy(s[0], s[1]*4)}) },
	"new_no_args_cb138f77cf6151ee":     func(m *machine, s []uint64) { s[0] = m.h.Add(m.script(m.text(s[0], s[1]))) },
	"new_with_args_df9e7125ffe55248":   func(m *machine, s []uint64) { s[0] = m.h.Add(m.script(m.text(s[2], s[3]))) },
	"typstcompiler_new":                func(m *machine, s []uint64) { s[0] = m.h.Add(&instance{"TypstCompiler", uint32(s[0])}) },
	"typstfontresolver_new":            func(m *machine, s []uint64) { s[0] = m.h.Add(&instance{"TypstFontResolver", uint32(s[0])}) },
	"proxycontext_new":                 func(m *machine, s []uint64) { s[0] = m.h.Add(&instance{"ProxyContext", uint32(s[0])}) },

	// reading and changing them
	"get_with_ref_key_1dc361bd10053bfe": func(m *machine, s []uint64) { s[0] = m.h.Add(property(m.h.Get(s[0]), m.h.Get(s[1]))) },
	"get_af9dab7e9603ea93":              func(m *machine, s []uint64) { s[0] = m.h.Add(property(m.h.Get(s[0]), m.h.Get(s[1]))) },
	"get_6b7bd52aca3f9671": func(m *machine, s []uint64) {
		s[0] = m.h.Add(property(m.h.Get(s[0]), float64(uint32(s[1]))))
	},
	"set_3f1d0b984ed272ed": func(m *machine, s []uint64) {
		key, v := m.h.Take(s[1]), m.h.Take(s[2])
		want[*object](m, s[0]).set(text(key), v)
	},
	"set_781438a03c0c3c81": func(m *machine, s []uint64) {
		want[*object](m, s[0]).set(text(m.h.Get(s[1])), m.h.Get(s[2]))
		s[0] = 1
	},
	"set_7df433eea03a5c14": func(m *machine, s []uint64) {
		a, i, v := want[*array](m, s[0]), int(uint32(s[1])), m.h.Take(s[2])
		for len(a.items) <= i {
			a.items = append(a.items, undefined{})
		}
		a.items[i] = v
	},
	"push_7d9be8f38fc13975": func(m *machine, s []uint64) {
		a := want[*array](m, s[0])
		a.items = append(a.items, m.h.Get(s[1]))
		s[0] = uint64(len(a.items))
	},
	"length_22ac23eaec9d8053": length,
	"length_d45040a40c570362": length,
	"entries_83c79938054e065f": func(m *machine, s []uint64) {
		o, out := want[*object](m, s[0]), &array{}
		for _, k := range o.keys {
			out.items = append(out.items, &array{items: []any{k, o.fields[k]}})
		}
		s[0] = m.h.Add(out)
	},
	"prototypesetcall_dfe9b766cdc1f1fd": func(m *machine, s []uint64) { copy(m.memory(s[0], s[1]), m.bytesOf(s[2])) },
	"stack_0ed75d68575b0f3c": func(m *machine, s []uint64) {
		m.putText(s[0], text(property(m.h.Get(s[1]), "stack")))
	},

	// asking what they are
	"__wbindgen_boolean_get_dea25b33882b895b": func(m *machine, s []uint64) {
		if v, ok := m.h.Get(s[0]).(bool); ok {
			s[0] = bit(v)
		} else {
			s[0] = 0xFFFFFF
		}
	},
	"__wbindgen_number_get_9619185a74197f95": func(m *machine, s []uint64) {
		v, ok := m.h.Get(s[1]).(float64)
		binary.LittleEndian.PutUint64(m.memory(s[0]+8, 8), math.Float64bits(v))
		m.put32(s[0], uint32(bit(ok)))
	},
	"__wbindgen_bigint_get_as_i64_6e32f5e6aff02e1d": func(m *machine, s []uint64) {
		v, ok := m.h.Get(s[1]).(int64)
		binary.LittleEndian.PutUint64(m.memory(s[0]+8, 8), uint64(v))
		m.put32(s[0], uint32(bit(ok)))
	},
	"__wbindgen_string_get_a2a31e16edf96e42": func(m *machine, s []uint64) {
		if v, ok := m.h.Get(s[1]).(string); ok {
			m.putText(s[0], v)
			return
		}
		m.put32(s[0]+4, 0)
		m.put32(s[0], 0)
	},
	"__wbindgen_debug_string_adfb662ae34724b6":   func(m *machine, s []uint64) { m.putText(s[0], text(m.h.Get(s[1]))) },
	"__wbindgen_is_undefined_f6b95eab589e0269":   is(func(v any) bool { _, ok := v.(undefined); return ok }),
	"__wbindgen_is_function_8d400b8b1af978cd":    is(func(v any) bool { _, ok := v.(*function); return ok }),
	"__wbindgen_is_string_704ef9c8fc131030":      is(func(v any) bool { _, ok := v.(string); return ok }),
	"__wbindgen_is_bigint_0e1a2e3f55cfae27":      is(func(v any) bool { _, ok := v.(int64); return ok }),
	"isArray_51fd9e6422c0a395":                   is(func(v any) bool { _, ok := v.(*array); return ok }),
	"instanceof_Uint8Array_da54ccc9d3e09434":     is(func(v any) bool { _, ok := v.(*bytes); return ok }),
	"instanceof_ArrayBuffer_f3320d2419cd0355":    is(func(any) bool { return false }),
	"instanceof_Map_084be8da74364158":            is(func(any) bool { return false }),
	"__wbindgen_jsval_eq_b6101cc9cef1fe36":       func(m *machine, s []uint64) { s[0] = bit(m.h.Get(s[0]) == m.h.Get(s[1])) },
	"__wbindgen_jsval_loose_eq_766057600fdd1b0d": func(m *machine, s []uint64) { s[0] = bit(m.h.Get(s[0]) == m.h.Get(s[1])) },
	"isSafeInteger_ae7d3f054d55fa16": is(func(v any) bool {
		f, ok := v.(float64)
		return ok && f == math.Trunc(f) && math.Abs(f) < 1<<53
	}),
	"__wbindgen_is_object_ce774f3490692386": is(func(v any) bool {
		switch v.(type) {
		case *object, *array, *bytes, *instance, *promise, *jsError, date:
			return true
		}
		return false
	}),

	// calls and promises
	"call_abb4ff46ce38be40": calling(0),
	"call_3020136f7a2d6e44": calling(1),
	"call_78f94eb02ec7f9b2": calling(3),
	"queueMicrotask_9b549dfce8865860": func(m *machine, s []uint64) {
		s[0] = m.h.Add(&function{call: func(a ...any) any {
			m.later(a[0].(*function), undefined{})
			return undefined{}
		}})
	},
	"queueMicrotask_fca69f5bfad613a5": func(m *machine, s []uint64) { m.later(want[*function](m, s[0]), undefined{}) },
	"new_ff12d2b041fb48f1":            func(m *machine, s []uint64) { s[0] = m.h.Add(m.promise(s[0], s[1])) },
	"resolve_fd5bfbaa4ce36e1e": func(m *machine, s []uint64) {
		v := m.h.Get(s[0])
		if _, ok := v.(*promise); !ok {
			v = &promise{settled: true, value: v}
		}
		s[0] = m.h.Add(v)
	},
	"then_4f95312d68691235": func(m *machine, s []uint64) {
		p, f := want[*promise](m, s[0]), want[*function](m, s[1])
		if p.settled {
			m.later(f, p.value)
		} else {
			p.waiting = append(p.waiting, f)
		}
		s[0] = m.h.Add(&promise{})
	},

	// the world outside: a global object without anything in it, a clock that
	// stands still, a console whose last line explains a trap
	"static_accessor_GLOBAL_THIS_60cf02db4de8e1c1": func(m *machine, s []uint64) { s[0] = m.h.Add(m.global) },
	"static_accessor_SELF_08f5a74c69739274":        func(_ *machine, s []uint64) { s[0] = 0 },
	"static_accessor_WINDOW_a8924b26aa92d024":      func(_ *machine, s []uint64) { s[0] = 0 },
	"static_accessor_GLOBAL_769e6b65d6557335":      func(_ *machine, s []uint64) { s[0] = 0 },
	"now_69d776cd24f5215b":                         func(_ *machine, s []uint64) { s[0] = api.EncodeF64(0) },
	"new_b2db8aa2650f793a":                         func(m *machine, s []uint64) { s[0] = m.h.Add(date{}) },
	"getTimezoneOffset_45389e26d6f46823":           func(_ *machine, s []uint64) { s[0] = api.EncodeF64(0) },
	"info_ce6bcc489c22f6f0":                        func(*machine, []uint64) {},
	"error_85faeb8919b11cc6":                       func(m *machine, s []uint64) { m.console = text(m.h.Get(s[0])) },
	"error_7534b8e9a36f1ab4": func(m *machine, s []uint64) {
		m.console = m.text(s[0], s[1])
		m.mustCall("__wbindgen_export4", s[0], s[1], 1)
	},
	"__wbindgen_throw_dd24417ed36fc46e": func(m *machine, s []uint64) { panic(fmt.Errorf("%s", m.text(s[0], s[1]))) },
}

func length(m *machine, s []uint64) {
	n, _ := property(m.h.Get(s[0]), "length").(float64)
	s[0] = uint64(n)
}

func is(f func(any) bool) hostFunc {
	return func(m *machine, s []uint64) { s[0] = bit(f(m.h.Get(s[0]))) }
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// calling calls a function with n arguments, after the function and its this. An
// exception it throws is handed to the compiler, which reports it as a fault of
// the document.
func calling(n uint64) hostFunc {
	return func(m *machine, s []uint64) {
		defer func() {
			r := recover()
			if thrown, ok := r.(*jsError); ok {
				m.mustCall("__wbindgen_export3", m.h.Add(thrown))
				s[0] = 0
			} else if r != nil {
				panic(r)
			}
		}()
		var args []any
		for i := uint64(0); i < n; i++ {
			args = append(args, m.h.Get(s[2+i]))
		}
		s[0] = m.h.Add(want[*function](m, s[0]).call(args...))
	}
}

// want reads a handle that must hold a T.
func want[T any](m *machine, handle uint64) T {
	v, ok := m.h.Get(handle).(T)
	if !ok {
		panic(fmt.Errorf("the PDF engine expected a %T and got %s", *new(T), text(m.h.Get(handle))))
	}
	return v
}
