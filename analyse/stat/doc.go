// Package stat holds the statistical methods of the programme: numbers come in as
// slices, numbers go out. It reads nothing, knows no point and no month, and is
// given every choice and every seed. Formulas, sources and what each method was
// held against are in doc/statistics.md.
//
// A missing observation is NaN everywhere. Input that a method cannot answer for
// (a history too short, counts that are negative) is an error of kind Invalid that
// says so in words and carries a code under "stat." for the reader's language.
package stat

import (
	"math"

	"dtm"
)

// Missing is an observation that was not made.
var Missing = math.NaN()

func invalid(code, format string, args ...any) error {
	return dtm.Errorf(dtm.Invalid, format, args...).Coded("stat."+code, args...)
}

// counts checks that every value of y is a count or missing.
func counts(y []float64) error {
	for i, v := range y {
		if math.IsInf(v, 0) || v < 0 {
			return invalid("negative", "value %d is %v: want a count of 0 or more, or missing", i+1, v)
		}
	}
	return nil
}

func nans(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// known returns the values that are not missing.
func known(y []float64) []float64 {
	out := make([]float64, 0, len(y))
	for _, v := range y {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}
