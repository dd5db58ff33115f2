package xpath

import (
	"fmt"

	"dtm"
)

// fault is an error of an expression at a place, counted in characters from 1.
func fault(src string, at int, code, format string, a ...any) *dtm.Error {
	return dtm.Errorf(dtm.Invalid, format, a...).At(fmt.Sprintf("character %d", len([]rune(src[:min(at, len(src))]))+1)).Coded("xpath." + code)
}
