package typst

import (
	"fmt"
	"strconv"

	"dtm/disseminate/report/bindgen"
)

// The compiler was built for a browser: it holds JavaScript values by number
// (a handle) and asks its host to make, read and drop them. These are the few
// kinds of values it uses; string, float64, int64 (a bigint), bool and nil
// (null) are themselves.
type (
	undefined = bindgen.Undefined
	object    struct {
		keys   []string // in the order of their first setting, as JavaScript has it
		fields map[string]any
	}
	array    struct{ items []any }
	bytes    struct{ b []byte } // Uint8Array, Uint32Array
	jsError  struct{ message string }
	instance struct { // of a class of the compiler: a pointer into its memory
		class string
		ptr   uint32
	}
	function struct {
		call func(args ...any) any
		drop func() // releases the closure's environment; nil when it has none
	}
	promise struct {
		settled bool
		failed  bool
		value   any
		waiting []*function // called with the value
	}
	date struct{}
)

func (o *object) set(key string, v any) {
	if _, old := o.fields[key]; !old {
		o.keys = append(o.keys, key)
	}
	o.fields[key] = v
}

// property reads v[key] as JavaScript would, for the kinds that have properties.
func property(v, key any) any {
	switch v := v.(type) {
	case *object:
		if x, ok := v.fields[text(key)]; ok {
			return x
		}
	case *array:
		if key == "length" {
			return float64(len(v.items))
		}
		if i, ok := key.(float64); ok && i >= 0 && int(i) < len(v.items) {
			return v.items[int(i)]
		}
	case *bytes:
		if key == "length" {
			return float64(len(v.b))
		}
	case *jsError:
		if key == "message" || key == "stack" {
			return v.message
		}
	}
	return undefined{}
}

// text is String(v), for keys and messages.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case *jsError:
		return v.message
	case undefined:
		return "undefined"
	case nil:
		return "null"
	case *object:
		s := "{"
		for i, k := range v.keys {
			if i > 0 {
				s += ", "
			}
			s += k + ": " + text(v.fields[k])
		}
		return s + "}"
	case *array:
		s := "["
		for i, x := range v.items {
			if i > 0 {
				s += ", "
			}
			s += text(x)
		}
		return s + "]"
	default:
		return fmt.Sprint(v)
	}
}
