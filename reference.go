package dtm

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Events of published figures.
const (
	ReferencesImported  = "reference.imported"
	ReferencesWithdrawn = "reference.withdrawn"
)

// Reference is a figure as it was published outside this program, of a period of whole
// months, that the records should give too.
type Reference struct {
	Indicator string // of the catalogue; cells of it after a colon, "sex_age_share_pct:male_adult"
	Period    Period
	Value     float64
	Decimals  int  // digits after the point, as published
	AtLeast   bool // published as "more than"
	Source    string
	Seq       int64 // event that recorded it
}

// References keeps published figures.
type References interface {
	// ImportReferences adds figures; one of the same indicator, period and source takes
	// the place of the earlier one. It gives the event, 0 when nothing is new.
	ImportReferences(ctx context.Context, file string, list []Reference) (seq int64, err error)
	// References lists those of periods that begin in p, by period and indicator.
	References(ctx context.Context, p Period) ([]Reference, error)
	// WithdrawReferences takes back what an event brought: NotFound when there is nothing
	// of it.
	WithdrawReferences(ctx context.Context, seq int64) error
}

var published = regexp.MustCompile(`^([>≥]?)\s*(-?\d+(?:\.(\d+))?)$`)

// ReadReferences reads published figures from CSV: columns month (or month_or_period),
// indicator (total_movements when there is none), value (or published_value), source.
// A period is 2022, 2022-05 or 2022-01..2022-05. Rows that cannot be read come back as
// errors with their line; a file without the columns is Invalid.
func ReadReferences(file string, r io.Reader) (list []Reference, faults []error, err error) {
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
	month, indicator, value, source := find("month", "month_or_period", "period"), find("indicator"), find("value", "published_value", "published"), find("source")
	if month < 0 || value < 0 {
		return nil, nil, Errorf(Invalid, "the header lacks month or value; the columns found are: %s", strings.Join(head, ", ")).At(file+":1").Coded("import.columns_missing", "month, value", strings.Join(head, ", "))
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
		where := file + ":" + strconv.Itoa(line)
		at := func(i int) string {
			if i < 0 || i >= len(row) {
				return ""
			}
			return strings.TrimSpace(row[i])
		}
		x := Reference{Indicator: at(indicator), Source: at(source)}
		if x.Indicator == "" {
			x.Indicator = "total_movements"
		}
		from, to, _ := strings.Cut(at(month), "..")
		if x.Period, err = ParsePeriod(from, to); err != nil {
			faults = append(faults, Errorf(Invalid, "%q is no month, year or first..last month", at(month)).At(where).Coded("import.period", at(month)))
			continue
		}
		m := published.FindStringSubmatch(strings.ReplaceAll(at(value), ",", ""))
		if m == nil {
			faults = append(faults, Errorf(Invalid, "%q is no number", at(value)).At(where).Coded("import.number", at(value)))
			continue
		}
		x.AtLeast, x.Decimals = m[1] != "", len(m[3])
		x.Value, _ = strconv.ParseFloat(m[2], 64)
		list = append(list, x)
	}
}
