package overview_test

import (
	"net/url"
	"testing"

	"dtm"
	"dtm/disseminate/overview"
	"dtm/operation"
)

// FuzzParseFilter: an address is a filter that can be written and read back, or
// the reader's mistake; never anything else.
func FuzzParseFilter(f *testing.F) {
	op, err := operation.Pack("djibouti")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "from=2022-12", "to=2022-12", "from=2022-01&to=2022-12&point=obock&region=DJ01&direction=incoming", "from=%00", "from=2022-12&from=2021-01", "point=%3Cscript%3E", "from=0000-01", "from=9999-12&to=9999-12", "direction=%D8%A7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := url.ParseQuery(s)
		if err != nil {
			return
		}
		a, err := overview.ParseFilter(op, q)
		if err != nil {
			if dtm.KindOf(err) != dtm.Invalid {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		b, err := overview.ParseFilter(op, a.Query())
		if err != nil || a != b {
			t.Fatalf("%q: %+v comes back as %+v, %v", s, a, b, err)
		}
		if a.To.Before(a.From) || a.Narrowed() != (len(a.Where()) > 0) {
			t.Fatalf("%q: %+v", s, a)
		}
	})
}
