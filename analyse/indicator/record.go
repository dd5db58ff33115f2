package indicator

import (
	"slices"
	"strings"

	"dtm"
)

// ratio is a text that gives a part and its whole.
func (c *computation) ratio() error {
	r := c.request
	lines, err := c.run(r.def.query, c.ask(r.by, r.where, r.period), 2)
	for _, l := range lines {
		if l.numbers[1] == nil || *l.numbers[1] == 0 {
			continue
		}
		n := int64(0)
		if l.numbers[0] != nil {
			n = *l.numbers[0]
		}
		c.share(l.keys, n, *l.numbers[1])
	}
	return err
}

// byAnswer gives the dimension that answers stand at, the other dimensions, and the
// filters on the answers and on the rest.
func (c *computation) byAnswer() (at int, by, wanted []string, others map[string][]string) {
	dim := c.request.def.Default[0]
	parts, others := c.own()
	by = slices.DeleteFunc(slices.Clone(c.request.by), func(d string) bool { return d == dim })
	return slices.Index(c.request.by, dim), by, parts[dim], others
}

// countAnswers counts those who gave each answer. Who gave several counts under each
// of them.
func (c *computation) countAnswers() error {
	at, by, wanted, others := c.byAnswer()
	answers, _, err := c.answered(by, others)
	for _, a := range answers {
		if a.code == "" || len(wanted) > 0 && !slices.Contains(wanted, a.code) {
			continue
		}
		c.add(dtm.Figure{Keys: slices.Insert(slices.Clone(a.keys), at, a.code), Value: number(float64(a.people)), People: a.people})
	}
	return err
}

// coded is the share of those who were asked, for each code that they were asked
// about. Of facts that count nobody, people are not given.
func (c *computation) coded() error {
	at, by, wanted, others := c.byAnswer()
	lines, err := c.coding(by, others, 2)
	for _, l := range lines {
		if len(wanted) > 0 && !slices.Contains(wanted, l.code) || l.numbers[1] == nil || *l.numbers[1] == 0 {
			continue
		}
		keys := slices.Insert(slices.Clone(l.keys), at, l.code)
		c.share(keys, *l.numbers[0], *l.numbers[1])
		if !c.request.def.Share {
			c.table.Figures[len(c.table.Figures)-1].People = 0
		}
	}
	return err
}

// counted is a number of people at a site on a day, under the keys of a figure.
type counted struct {
	keys      []string
	site, day string
	people    float64
}

// stock reads the counts of sites: people by the dimensions asked for, and the days
// on which each site was counted, were it that nobody was there.
func (c *computation) stock() (counts []counted, days map[string][]string, err error) {
	r := c.request
	c.table.Basis = "counted_days"
	c.note("stock.days", "A number of people present on a day. Days are not added up, and it is never added to movements.",
		"Un nombre de personnes pr\u00e9sentes un jour donn\u00e9. Les jours ne s\u2019additionnent pas, et il ne s\u2019ajoute jamais aux mouvements.")
	by := append(slices.Clone(r.by), "site", "day")
	lines, err := c.run("presence", c.ask(by, r.where, r.period), 1)
	if err != nil {
		return nil, nil, err
	}
	n := len(r.by)
	for _, l := range lines {
		if l.numbers[0] != nil {
			counts = append(counts, counted{l.keys[:n:n], l.keys[n], l.keys[n+1], float64(*l.numbers[0])})
		}
	}
	lines, err = c.run("site_days", c.ask([]string{"site", "day"}, r.where, r.period), 1)
	days = map[string][]string{}
	for _, l := range lines {
		days[l.keys[0]] = append(days[l.keys[0]], l.keys[1])
	}
	for _, d := range days {
		slices.Sort(d)
	}
	// Parts of a day are added in one order, or their last digits would differ.
	slices.SortFunc(counts, func(a, b counted) int {
		return slices.Compare(append(a.keys, a.site, a.day), append(b.keys, b.site, b.day))
	})
	return counts, days, err
}

// span is the part of the days that a figure's keys are about.
func (c *computation) span(keys, days []string) []string {
	for i, d := range c.request.by {
		if d == "month" || d == "day" {
			days = slices.DeleteFunc(slices.Clone(days), func(day string) bool { return !strings.HasPrefix(day, keys[i]) })
		}
	}
	return days
}

// present adds figures up by their keys.
func (c *computation) present(counts []counted, of func(x counted) (part float64, is bool), join func(a, b float64) float64) {
	sums := map[string]*dtm.Figure{}
	var order []string
	for _, x := range counts {
		part, is := of(x)
		id := strings.Join(x.keys, "\x1f")
		f, ok := sums[id]
		if !ok {
			if !is {
				continue
			}
			f = &dtm.Figure{Keys: x.keys, Value: number(0)}
			sums[id] = f
			order = append(order, id)
		}
		if is {
			*f.Value = join(*f.Value, part)
		}
	}
	for _, id := range order {
		f := *sums[id]
		if v := *f.Value; v > 0 {
			f.People = max(1, int64(v+0.5))
		}
		c.add(f)
	}
}

func plus(a, b float64) float64 { return a + b }

// stockAverage is the sum over sites of each site's people by the days on which it
// was counted.
func (c *computation) stockAverage() error {
	counts, days, err := c.stock()
	if err != nil {
		return err
	}
	c.present(counts, func(x counted) (float64, bool) {
		return x.people / float64(len(c.span(x.keys, days[x.site]))), true
	}, plus)
	return nil
}

// stockLatest is the sum over sites of the last count of each.
func (c *computation) stockLatest() error {
	counts, days, err := c.stock()
	if err != nil {
		return err
	}
	c.present(counts, func(x counted) (float64, bool) {
		at := c.span(x.keys, days[x.site])
		return x.people, at[len(at)-1] == x.day
	}, plus)
	return nil
}

// stockPeak is the highest day: the sites that were counted on it added up.
func (c *computation) stockPeak() error {
	counts, _, err := c.stock()
	if err != nil {
		return err
	}
	days := map[string]float64{}
	c.present(counts, func(x counted) (float64, bool) {
		k := strings.Join(x.keys, "\x1f") + "\x1f" + x.day
		days[k] += x.people
		return days[k], true
	}, func(a, b float64) float64 { return max(a, b) })
	return nil
}

// nameSites puts names in the place of the keys that sites are known by.
func (c *computation) nameSites() error {
	at := slices.Index(c.request.by, "site")
	if at < 0 || len(c.table.Figures) == 0 {
		return nil
	}
	names, err := c.engine.sites(c)
	if err != nil {
		return err
	}
	for i := range c.table.Figures {
		keys := slices.Clone(c.table.Figures[i].Keys)
		if name, ok := names[keys[at]]; ok {
			keys[at] = name
		}
		c.table.Figures[i].Keys = keys
	}
	return nil
}

// sites gives each site's name: the last that was written, with its area where two
// have the same.
func (e *Engine) sites(c *computation) (map[string]string, error) {
	body, args, err := text("sites", e.op.Code, ask{})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	count := map[string]int{}
	err = c.reader.Query(c.ctx, body, args, func(scan func(...any) error) error {
		var site, name string
		err := scan(&site, &name)
		out[site] = name
		count[name]++
		return err
	})
	for site, name := range out {
		if area, _, ok := strings.Cut(site, ":"); ok && count[name] > 1 {
			out[site] = name + " (" + area + ")"
		}
	}
	return out, err
}

// siteKeys finds sites by what they are called, or by their key.
func (c *computation) siteKeys(asked []string) ([]string, error) {
	names, err := c.engine.sites(c)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, a := range asked {
		for site, name := range names {
			if site == a || dtm.Fold(name) == dtm.Fold(a) {
				out = append(out, site)
			}
		}
	}
	if len(out) == 0 { // none of them: the filter leaves nothing
		out = []string{"-"}
	}
	slices.Sort(out)
	return out, nil
}
