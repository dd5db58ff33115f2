package operation

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// views reads what each partner's view shows, in the order of the file.
func (l *loader) views() {
	const file = "views.csv"
	if _, err := fs.Stat(l.fs, file); errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, r := range l.table(file, "partner", "indicator", "by", "where", "months") {
		i := slices.IndexFunc(l.op.Partners, func(p dtm.Partner) bool { return p.Code == r.get("partner") })
		if i < 0 {
			l.fault(file, r.line, "the view is of the partner %q, which partners.csv does not have", r.get("partner"))
			continue
		}
		x := dtm.ViewPanel{Indicator: r.get("indicator"), By: strings.Fields(r.get("by"))}
		if x.Indicator == "" {
			l.fault(file, r.line, "the indicator is missing")
		}
		if w := r.get("where"); w != "" {
			dim, code, ok := strings.Cut(w, "=")
			if !ok {
				l.fault(file, r.line, "where is %q; want dimension=code", w)
			}
			x.Where = map[string][]string{dim: {code}}
		}
		var err error
		if x.Months, err = strconv.Atoi(r.get("months")); err != nil || x.Months < 1 || x.Months > 60 {
			l.fault(file, r.line, "months is %q; want a number from 1 to 60", r.get("months"))
		}
		l.op.Partners[i].View = append(l.op.Partners[i].View, x)
	}
}
