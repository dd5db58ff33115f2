package boundary

import (
	"cmp"
	"fmt"
	"slices"

	"dtm"
)

// most is how many faults of a kind are named; a file in another projection has as many
// as features.
const most = 20

// faults gathers what is wrong, by kind no more than most.
type faults struct {
	list  []*dtm.Error
	count map[string]int
}

// add notes a fault at a place; code is the key of its message, args its arguments.
func (f *faults) add(where, code string, args []any, format string) {
	f.put(dtm.Errorf(dtm.Invalid, format, args...).At(where).Coded("boundary."+code, args...))
}

// put notes a fault.
func (f *faults) put(e *dtm.Error) {
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[e.Code]++; f.count[e.Code] > most {
		return
	}
	f.list = append(f.list, e)
}

// all gives the faults, and of those kinds that were cut short how many there are.
func (f *faults) all() []*dtm.Error {
	var kinds []string
	for k, n := range f.count {
		if n > most {
			kinds = append(kinds, k)
		}
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		last := slices.IndexFunc(f.list, func(e *dtm.Error) bool { return e.Code == k })
		f.list = append(f.list, dtm.Errorf(dtm.Invalid, "%d more features like %s", f.count[k]-most, f.list[last].Where).Coded("boundary.more", f.count[k]-most, dtm.At(f.list[last].Where)))
		f.count[k] = most
	}
	return f.list
}

// at names a feature, and a property of it: "adm1.geojson: feature 3, ADM1_PCODE".
func at(file string, feature int, property string) string {
	s := file
	if feature > 0 {
		s = cmp.Or(file, "GeoJSON") + fmt.Sprintf(": feature %d", feature)
	}
	if property != "" {
		s += ", " + property
	}
	return s
}
