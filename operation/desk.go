package operation

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// desks reads the desks with which the service directory of a new operation begins; a
// pack without the file has none. Later the directory is kept in the program.
func (l *loader) desks() {
	const file = "desks.csv"
	if _, err := fs.Stat(l.fs, file); errors.Is(err, fs.ErrNotExist) {
		return
	}
	seen := map[string]int{}
	for _, r := range l.table(file, "code", "programme", "partner") {
		fault := func(format string, a ...any) { l.fault(file, r.line, format, a...) }
		l.once(file, r, seen)
		d := dtm.Desk{
			Code: r.get("code"), Programme: r.get("programme"), Partner: r.get("partner"), Area: r.get("area"), Name: l.text(r), Phone: r.get("phone"), Sex: r.get("sex"),
			Services: strings.Fields(r.get("services")), Languages: strings.Fields(r.get("languages")), Consulate: r.get("consulate") == "yes", Capacity: dtm.NoLimit,
		}
		l.complete(file, r.line, d.Code, d.Name)
		if !slices.ContainsFunc(l.op.Programmes, func(p dtm.Programme) bool { return p.Code == d.Programme }) {
			fault("the desk %q is of the programme %q, which programmes.csv does not have", d.Code, d.Programme)
		}
		if !slices.ContainsFunc(l.op.Partners, func(p dtm.Partner) bool { return p.Code == d.Partner }) {
			fault("the desk %q is of the partner %q, which partners.csv does not have", d.Code, d.Partner)
		}
		if _, ok := l.op.Area(d.Area); d.Area != "" && !ok {
			fault("there is no area %q", d.Area)
		}
		for _, n := range d.Services {
			if list, ok := l.op.Lists["need"]; ok && !list.Has(n) {
				fault("codes/need.csv has no %q", n)
			}
		}
		for _, x := range []struct {
			column string
			into   *int
		}{{"min_age", &d.MinAge}, {"max_age", &d.MaxAge}, {"capacity", &d.Capacity}} {
			if s := r.get(x.column); s != "" {
				n, err := strconv.Atoi(s)
				if err != nil || n < 0 {
					fault("%s %q: want a number", x.column, s)
				}
				*x.into = n
			}
		}
		if lon, lat := r.get("lon"), r.get("lat"); lon != "" || lat != "" {
			var e1, e2 error
			d.Lon, e1 = strconv.ParseFloat(lon, 64)
			d.Lat, e2 = strconv.ParseFloat(lat, 64)
			if d.Located = e1 == nil && e2 == nil; !d.Located {
				fault("the position %q %q: want degrees", lon, lat)
			}
		}
		if days := r.get("days"); days != "" {
			from, to, _ := strings.Cut(r.get("hours"), "-")
			var err error
			if d.Open, err = dtm.NewPlan(days, from, to); err != nil {
				fault("%v", err)
			}
		}
		l.op.Desks = append(l.op.Desks, d)
	}
}
