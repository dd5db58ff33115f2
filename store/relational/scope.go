package relational

import (
	"fmt"
	"strings"

	"dtm"
)

// inScope is the condition that a referral, by the alias r, is in a scope; its arguments
// are numbered from next on.
func inScope(s dtm.ReferralScope, next int) (condition string, args []any) {
	if s.All {
		return "TRUE", nil
	}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", next+len(args)-1)
	}
	among := func(column string, list []string) string {
		return column + " IN (SELECT value FROM json_each(" + arg(listText(list)) + "))"
	}
	var any []string
	if len(s.IDs) > 0 {
		any = append(any, among("r.id", s.IDs))
	}
	if s.Desk != "" && len(s.Grants) > 0 {
		states := make([]string, len(s.States))
		for i, x := range s.States {
			states[i] = string(x)
		}
		all := []string{"r.desk = " + arg(s.Desk), among("r.state", states), "(r.ended IS NULL OR r.ended >= " + arg(timeText(s.EndedSince)) + ")"}
		var grants []string
		for _, g := range s.Grants {
			c := among("r.programme", g.Programmes)
			if !g.AnyPoint {
				c += " AND " + among("r.point", g.Points)
			}
			grants = append(grants, "("+c+")")
		}
		any = append(any, strings.Join(append(all, "("+strings.Join(grants, " OR ")+")"), " AND "))
	}
	if len(any) == 0 {
		return "FALSE", nil
	}
	return "((" + strings.Join(any, ") OR (") + "))", args
}
