package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/check"
	"dtm/locale"
)

type ruleRow struct {
	ID, Words, Explain, Level, Owner string
	Limits                           []string
	On, Own                          bool // in use; with limits of the operation's own
	Flags, Open                      int
	Decided                          int
	Agreed                           string
	Href                             string
}

type rulesView struct {
	page
	Rows []ruleRow
}

// rules shows the quality rules with how they fare.
func (p *Pages) rules(w http.ResponseWriter, r *http.Request) error {
	v := rulesView{page: p.inside(r, "review", "rules.title", "/rules/")}
	counts, err := p.Staff.Review.Flags.FlagCounts(r.Context())
	if err != nil {
		return err
	}
	type tally struct{ all, open, confirmed, dismissed int }
	by := map[string]*tally{}
	for _, c := range counts {
		t := by[c.Rule]
		if t == nil {
			t = &tally{}
			by[c.Rule] = t
		}
		t.all += c.N
		switch c.State {
		case dtm.FlagOpen:
			t.open += c.N
		case dtm.FlagConfirmed:
			t.confirmed += c.N
		case dtm.FlagDismissed:
			t.dismissed += c.N
		}
	}
	built, used := check.Built(), p.Staff.Review.Rules()
	for _, id := range built.IDs() {
		x := built[id]
		u, on := used[id]
		row := ruleRow{ID: id, Words: v.Rule(id), Explain: x.Explain.In(v.Lang), Level: string(x.Severity), Owner: v.T("owner." + strings.ReplaceAll(x.Owner, " ", "_")), On: on, Href: v.Link("/staff/review/?rule=" + id)}
		for name, n := range x.Limit {
			if on && u.Limit[name] != n {
				row.Own, n = true, u.Limit[name]
			}
			row.Limits = append(row.Limits, name+" "+strconv.FormatFloat(n, 'g', -1, 64))
		}
		slices.Sort(row.Limits)
		if t := by[id]; t != nil {
			row.Flags, row.Open, row.Decided = t.all, t.open, t.confirmed+t.dismissed
			if row.Decided > 0 {
				row.Agreed = locale.Percent(v.Lang, 100*float64(t.confirmed)/float64(row.Decided), 0)
			}
		}
		v.Rows = append(v.Rows, row)
	}
	slices.SortStableFunc(v.Rows, func(a, b ruleRow) int { return cmp.Compare(b.Flags, a.Flags) })
	return p.show(w, http.StatusOK, "rules", v)
}
