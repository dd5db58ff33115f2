package operation

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"dtm"
)

// links reads the roads between points; a pack may have none. A road that leads back to
// where it began is a fault: what goes round is conserved whatever is counted.
func (l *loader) links() {
	const file = "links.csv"
	if _, err := fs.Stat(l.fs, file); errors.Is(err, fs.ErrNotExist) {
		return
	}
	reach := map[string][]string{} // points that can be reached from one
	for _, r := range l.table(file, "from", "to", "days") {
		x := dtm.Link{From: r.get("from"), To: r.get("to"), Basis: l.text(r)}
		for _, code := range []string{x.From, x.To} {
			if _, ok := l.op.Point(code); !ok {
				l.fault(file, r.line, "there is no point %q", code)
			}
		}
		var err error
		if x.Days, err = strconv.ParseFloat(r.get("days"), 64); err != nil || !(x.Days >= 0 && x.Days < 100) {
			l.fault(file, r.line, "days %q: want how many days the way takes", r.get("days"))
		}
		if x.From == x.To || slices.Contains(reach[x.To], x.From) {
			l.fault(file, r.line, "the road from %q to %q leads in a circle", x.From, x.To)
		}
		to := append([]string{x.To}, reach[x.To]...)
		for from := range reach {
			if slices.Contains(reach[from], x.From) {
				reach[from] = append(reach[from], to...)
			}
		}
		reach[x.From] = append(reach[x.From], to...)
		l.op.Links = append(l.op.Links, x)
	}
	if len(l.op.Links) > 0 && len(l.op.Flow.Name) == 0 {
		l.fault(file, 1, "%s does not say in [flow] which movements follow the links", settingsFile)
	}
}

// flow and beside are those settings that need the points and the code lists.
func (l *loader) flow(s *settings, at lines) {
	check := func(line int, where map[string][]string) {
		for dim, codes := range where {
			for _, c := range codes {
				if !l.known(dim, c) {
					l.fault(settingsFile, line, "where: %s has no code %q", dim, c)
				}
			}
		}
	}
	if len(s.Flow.Name)+len(s.Flow.Where) > 0 {
		line := at.find(0, "flow")
		l.complete(settingsFile, line, "flow.name", s.Flow.Name)
		check(line, s.Flow.Where)
		l.op.Flow = dtm.Flow{Name: s.Flow.Name, Where: s.Flow.Where}
	}
	line := 0
	for _, b := range s.Beside {
		line = at.find(line, "beside")
		if b.Series == "" || b.Base == "" {
			l.fault(settingsFile, line, "beside: want the code of a series and the base, an indicator of the catalogue")
		}
		if _, twice := l.op.Beside(b.Series); twice {
			l.fault(settingsFile, line, "beside: the series %q is there twice", b.Series)
		}
		l.complete(settingsFile, line, "beside.name", b.Name)
		l.complete(settingsFile, line, "beside.ours", b.Ours)
		check(line, b.Where)
		l.op.Besides = append(l.op.Besides, dtm.Beside(b))
	}
}
