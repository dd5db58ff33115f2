package demo

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"dtm"
)

// station is a point of the demo network.
type station struct {
	code   string
	groups float64 // mean a day
	kind   string  // "inland", "coast", "border"
	from   int     // first month of the demo with staff, from 0
	silent [2]int  // days of the demo without records, from and to; zero: none
}

// network are the points with staff. A point that the operation does not have is
// left out.
var network = []station{
	{code: "ali-sabieh", groups: 6.5, kind: "inland"},
	{code: "obock", groups: 6, kind: "coast"},
	{code: "galafi", groups: 4.5, kind: "border", silent: [2]int{402, 431}},
	{code: "dikhil", groups: 4.2, kind: "inland"},
	{code: "yoboki", groups: 3.6, kind: "inland"},
	{code: "tadjourah", groups: 3, kind: "coast"},
	{code: "holl-holl", groups: 2.4, kind: "inland"},
	{code: "balho", groups: 2.1, kind: "border", from: 3},
	{code: "loyada", groups: 0.8, kind: "border", silent: [2]int{250, 280}},
}

// ramadan are the first days of the month of fasting by the calendar of Umm
// al-Qura; it lasts about thirty days.
var ramadan = []string{"2024-03-11", "2025-03-01", "2026-02-18", "2027-02-08", "2028-01-28"}

// season is the share of a mean day's groups that pass on a day.
func season(day time.Time) float64 {
	s := 1 + 0.22*math.Cos(2*math.Pi*float64(day.YearDay()-15)/365)
	if m := day.Month(); m >= time.June && m <= time.August {
		s *= 0.8
	}
	for _, r := range ramadan {
		first, _ := time.Parse(time.DateOnly, r)
		if since := day.Sub(first).Hours() / 24; since >= 0 && since < 30 {
			s *= 0.6
		}
	}
	if day.Weekday() == time.Friday {
		s *= 0.75
	}
	return s
}

// block are the people of one nationality in a group.
type block struct {
	nationality                       string
	men, women, boys, girls, notKnown int
}

func (b block) people() int { return b.men + b.women + b.boys + b.girls + b.notKnown }

// group is one registered group.
type group struct {
	id         string
	point      string
	day        time.Time
	at         time.Time // of the interview
	answers    map[string]string
	blocks     []block
	vulnerable map[string]int
}

// groupsOn invents the groups of a day.
func groupsOn(op *dtm.Operation, start, day time.Time, seed uint64) []group {
	n := int(day.Sub(start).Hours()/24 + 0.5)
	r := rand.New(rand.NewPCG(seed, uint64(day.Unix())))
	var out []group
	for _, s := range network {
		if _, ok := op.Point(s.code); !ok || n/30 < s.from || n >= s.silent[0] && n < s.silent[1] {
			continue
		}
		for range poisson(r, s.groups*season(day)) {
			out = append(out, invent(r, s, day))
		}
	}
	return out
}

// poisson draws a count with the given mean (Knuth).
func poisson(r *rand.Rand, mean float64) int {
	limit, p, k := math.Exp(-mean), 1.0, 0
	for {
		p *= r.Float64()
		if p <= limit {
			return k
		}
		k++
	}
}

func invent(r *rand.Rand, s station, day time.Time) group {
	g := group{point: s.code, day: day, answers: map[string]string{}, vulnerable: map[string]int{}}
	g.id = uuid(r)
	night := r.IntN(40) == 0
	hour := 6 + r.IntN(12)
	if night {
		hour = r.IntN(5)
	}
	g.at = day.Add(time.Duration(hour)*time.Hour + time.Duration(r.IntN(60))*time.Minute)
	returning := s.kind == "coast" && r.IntN(8) == 0
	previous, next, direction, flow := "ETH", "DJI", "incoming", "incoming"
	switch {
	case returning:
		previous, next, direction, flow = "YEM", "ETH", "incoming", "transit_ethiopia"
	case s.kind == "coast", r.IntN(3) > 0:
		next, direction, flow = pick(r, []string{"SAU", "YEM"}, []int{55, 45}), "outgoing", "arabian_peninsula"
	case s.code == "loyada" && r.IntN(2) == 0:
		previous = "SOM"
	case r.IntN(12) == 0:
		previous, next, direction, flow = "DJI", "ETH", "outgoing", "transit_ethiopia"
	}
	size := max(1, min(60, int(math.Exp(2.2+0.75*r.NormFloat64())+0.5)))
	nations := []string{pick(r, []string{"ETH", "SOM", "ERI", "YEM"}, []int{970, 15, 8, 7})}
	if size > 8 && r.IntN(10) == 0 {
		nations = append(nations, "SOM")
	}
	for i, nat := range nations {
		people := size
		if len(nations) == 2 {
			people = size - size/4
			if i == 1 {
				people = size / 4
			}
		}
		b := block{nationality: nat}
		if night {
			b.notKnown = people
		}
		for range people - b.notKnown {
			switch x := r.IntN(100); {
			case x < 68:
				b.men++
			case x < 90:
				b.women++
			case x < 97:
				b.boys++
			default:
				b.girls++
			}
		}
		g.blocks = append(g.blocks, b)
	}
	var reasons []string
	for _, c := range []struct {
		code string
		pct  int
	}{{"economic", 75}, {"conflict", 18}, {"food", 6}, {"disaster", 4}, {"family", 3}} {
		if r.IntN(100) < c.pct {
			reasons = append(reasons, c.code)
		}
	}
	if returning {
		reasons = []string{"return_home"}
	}
	if len(reasons) == 0 {
		reasons = []string{"other"}
	}
	transport := pick(r, []string{"foot", "truck", "bus", "private_vehicle", "boat"}, map[string][]int{"coast": {45, 15, 10, 5, 25}, "inland": {60, 22, 10, 8, 0}, "border": {70, 18, 8, 4, 0}}[s.kind])
	children := 0
	for _, b := range g.blocks {
		children += b.boys + b.girls
	}
	if r.IntN(3) > 0 {
		g.answers["vulnerable_seen"] = "yes"
		g.vulnerable["uac"] = part(r, children, 0.45)
		women := 0
		for _, b := range g.blocks {
			women += b.women
		}
		g.vulnerable["pregnant"] = part(r, women, 0.05)
		g.vulnerable["injured"] = part(r, size, 0.01)
	} else {
		g.answers["vulnerable_seen"] = "no"
	}
	for k, v := range map[string]string{
		"start": g.at.Format("2006-01-02T15:04:05.000Z07:00"), "end": g.at.Add(time.Duration(35+r.IntN(90)) * time.Second).Format("2006-01-02T15:04:05.000Z07:00"),
		"deviceid": "demo-" + s.code, "point": s.code, "observed": day.Format(time.DateOnly),
		"mode":      pick(r, []string{"group_leader", "observation", "key_informant"}, []int{60, 30, 10}),
		"direction": direction, "flow_type": flow, "previous": previous, "next": next, "reason": strings.Join(reasons, " "), "transport": transport,
	} {
		g.answers[k] = v
	}
	switch r.IntN(300) { // planted faults
	case 0, 1, 2:
		g.answers["point"] = strings.ToUpper(s.code[:len(s.code)-1]) + "X"
	case 3, 4, 5:
		g.answers["observed"] = day.AddDate(1, 0, 0).Format(time.DateOnly)
	case 6, 7, 8:
		g.answers["vulnerable_seen"] = "yes"
		g.vulnerable["uac"] = children + 3
	}
	return g
}

// part draws how many of n people have a trait.
func part(r *rand.Rand, n int, share float64) (k int) {
	for range n {
		if r.Float64() < share {
			k++
		}
	}
	return k
}

func pick(r *rand.Rand, of []string, weights []int) string {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	x := r.IntN(sum)
	for i, w := range weights {
		if x < w {
			return of[i]
		}
		x -= w
	}
	return of[0]
}

// uuid is shaped as RFC 9562 version 4, drawn from the seed.
func uuid(r *rand.Rand) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range 36 {
		switch i {
		case 8, 13, 18, 23:
			b.WriteByte('-')
		case 14:
			b.WriteByte('4')
		case 19:
			b.WriteByte("89ab"[r.IntN(4)])
		default:
			b.WriteByte(hex[r.IntN(16)])
		}
	}
	return "uuid:" + b.String()
}

// value is the answer to a question of the group's own level.
func (g *group) value(name string) string {
	if code, ok := strings.CutPrefix(name, "v_"); ok {
		if n, ok := g.vulnerable[code]; ok && g.answers["vulnerable_seen"] == "yes" {
			return strconv.Itoa(n)
		}
		return ""
	}
	if name == "total" {
		n := 0
		for _, b := range g.blocks {
			n += b.people()
		}
		return strconv.Itoa(n)
	}
	return g.answers[name]
}

func (b block) value(name string) string {
	switch name {
	case "nationality":
		return b.nationality
	case "men":
		return strconv.Itoa(b.men)
	case "women":
		return strconv.Itoa(b.women)
	case "boys":
		return strconv.Itoa(b.boys)
	case "girls":
		return strconv.Itoa(b.girls)
	case "not_known":
		return strconv.Itoa(b.notKnown)
	}
	return ""
}
