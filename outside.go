package dtm

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Events of counts that others made.
const (
	OutsideImported  = "outside.imported"
	OutsideWithdrawn = "outside.withdrawn"
)

// Outside is a count of people of one month that others made and published where this
// operation does not count: arrivals on the far shore. It is shown beside our own
// counts and never added to them.
type Outside struct {
	Series string // code, "yemen_arrivals"
	Place  string // as written; "" of the whole
	Month  Month
	People int64
	Source string // where it was published
	Seq    int64  // event that recorded it
}

// Outsides keeps counts that others made.
type Outsides interface {
	// ImportOutside adds counts; one of the same series, place and month takes the place
	// of the earlier one. It gives the event, 0 when nothing is new.
	ImportOutside(ctx context.Context, file string, list []Outside) (seq int64, err error)
	// Outside lists all counts by series, month and place.
	Outside(ctx context.Context) ([]Outside, error)
	// WithdrawOutside takes back what an event brought: NotFound when there is nothing of
	// it.
	WithdrawOutside(ctx context.Context, seq int64) error
}

// Beside says which of this operation's counts a series made by others is shown beside.
type Beside struct {
	Series string
	Base   string // indicator of the catalogue
	Name   Text   // of the series
	Ours   Text   // of what stands beside it
	Where  map[string][]string
}

// Beside finds what is declared of a series; false: nothing.
func (o *Operation) Beside(series string) (Beside, bool) {
	i := slices.IndexFunc(o.Besides, func(b Beside) bool { return b.Series == series })
	if i < 0 {
		return Beside{}, false
	}
	return o.Besides[i], true
}

// OutsideMonth is what a series counts of a month, over all its places.
type OutsideMonth struct {
	Month  Month
	People int64
	Places int // that it is the sum of; 0: the whole was given
}

// Small tells whether the count is too small to be published, as our own would be.
func (m OutsideMonth) Small(threshold int) bool { return m.People > 0 && m.People < int64(threshold) }

// OutsideMonths adds up a series by month. Where the whole of a month was given, its
// places are parts of it and are not added.
func OutsideMonths(list []Outside, series string) []OutsideMonth {
	var out []OutsideMonth
	for _, x := range list {
		if x.Series != series {
			continue
		}
		i := slices.IndexFunc(out, func(m OutsideMonth) bool { return m.Month == x.Month })
		switch {
		case i < 0 && x.Place == "":
			out = append(out, OutsideMonth{Month: x.Month, People: x.People})
		case i < 0:
			out = append(out, OutsideMonth{Month: x.Month, People: x.People, Places: 1})
		case x.Place == "":
			out[i] = OutsideMonth{Month: x.Month, People: x.People}
		case out[i].Places > 0:
			out[i].People += x.People
			out[i].Places++
		}
	}
	slices.SortFunc(out, func(a, b OutsideMonth) int { return a.Month.First().Compare(b.Month.First()) })
	return out
}

// ReadOutside reads counts that others made from CSV: columns month, people (or value,
// arrivals, n), source, and, where there is more than one, series and place. series is
// the one that rows without a series belong to. Rows that cannot be read come back as
// errors with their line; a file without the columns is Invalid.
func ReadOutside(file string, r io.Reader, series string) (list []Outside, faults []error, err error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, nil, Errorf(Invalid, "the header row cannot be read: %w", err).At(file + ":1").Coded("import.header")
	}
	find := func(names ...string) int {
		return slices.IndexFunc(head, func(h string) bool {
			return slices.Contains(names, strings.ToLower(strings.Trim(h, "\ufeff \t")))
		})
	}
	month, people, source := find("month", "period"), find("people", "value", "arrivals", "n"), find("source")
	of, place := find("series"), find("place", "point", "fmp")
	if month < 0 || people < 0 || source < 0 {
		return nil, nil, Errorf(Invalid, "the header lacks month, people or source; the columns found are: %s", strings.Join(head, ", ")).At(file+":1").Coded("import.columns_missing", "month, people, source", strings.Join(head, ", "))
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return list, faults, nil
		}
		if err != nil {
			return list, faults, Errorf(Invalid, "the file cannot be read: %w", err).At(file).Coded("import.unread")
		}
		line, _ := in.FieldPos(0)
		fault := func(e *Error) { faults = append(faults, e.At(file+":"+strconv.Itoa(line))) }
		at := func(i int) string {
			if i < 0 || i >= len(row) {
				return ""
			}
			return strings.Join(strings.Fields(row[i]), " ")
		}
		x := Outside{Series: at(of), Place: at(place), Source: at(source)}
		if x.Series == "" {
			x.Series = series
		}
		switch {
		case x.Series == "":
			fault(Errorf(Invalid, "the row says of no series what it counts").Coded("import.no_series"))
			continue
		case x.Source == "":
			fault(Errorf(Invalid, "the source is missing: where was this published?").Coded("import.no_source"))
			continue
		}
		if x.Month, err = ParseMonth(at(month)); err != nil {
			fault(Errorf(Invalid, "%q is no month; want for example 2020-07", at(month)).Coded("import.month", at(month)))
			continue
		}
		if x.People, err = strconv.ParseInt(strings.NewReplacer(",", "", " ", "", "\u00a0", "", "\u202f", "").Replace(at(people)), 10, 64); err != nil || x.People < 0 {
			fault(Errorf(Invalid, "%q is no number of people", at(people)).Coded("import.people", at(people)))
			continue
		}
		list = append(list, x)
	}
}
