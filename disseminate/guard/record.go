package guard

import (
	"context"
	"maps"
	"slices"
	"strings"

	"dtm"
)

// Facts beside movements are protected as those are: all tables of a month and subject
// that may be asked for are one system of sums. Their cubes follow from the catalogue:
// each question (what somebody lacks, where a respondent goes) is crossed with region, and
// with sex; those who were counted, with country > region > point and with what profiles
// lists.
//
// The questions of a subject hang together by the people who could have answered them.
// They are chosen one after the other all the same: where it is told how many could, that
// is known to all of them; where it is not, no answer is told (family). People then move
// between such regions with all their answers, in whatever proportion, so that what is
// found of one question stands whatever is shown of another.
//
// Sites are added up by region: where vulnerable people stay is told no finer. The last
// count of a period and its highest day are not published: they are sums of other days
// than the average is, and tell single sites from it.

// profiles are what the people of a subject are split by, each set with place, where no
// question is asked.
var profiles = map[string][][]string{
	"presence": {{"sex", "age"}, {"nationality"}},
	"need":     {{"sex"}, {"age_group"}, {"nationality"}},
}

const (
	interview = "interview"
	needed    = "need"
	consent   = "interview:consent" // of those who were approached
)

// top tells whether what the cube is of, all together, is asked for month by month: it is
// shown unless it is small, and needs no pattern.
func (q *cube) top() bool {
	return q.subject != "" && (q.kind == "stock_average" || q.kind == "count")
}

// groupOf is the question that a count belongs to; "" for those of how many there are.
func groupOf(subject, name string, at map[string]string) string {
	_, own, question := strings.Cut(name, ":")
	if question {
		own, _, _ = strings.Cut(own, ":")
		if own == "referred" {
			return "programme" // who agreed was proposed
		}
		return own
	}
	if subject == needed {
		for d := range at {
			if !slices.Contains(places, d) {
				return d
			}
		}
	}
	return ""
}

// families are the questions of a subject in the order in which they are chosen.
func (c *counts) families() []string {
	list := map[string]bool{}
	for _, e := range c.cells {
		list[e.group] = true
	}
	delete(list, "")
	delete(list, "sex")
	return append([]string{"", "sex"}, slices.Sorted(maps.Keys(list))...)
}

// family are the counts of a question, with what has been chosen of those who could answer
// it: by region, and by sex in the whole country. Where that is withheld, all is.
func (c *counts) family(group string, p *Pattern) *counts {
	out := newCounts(c.subject)
	out.tops = c.tops
	withheld, bySex := map[string]bool{}, true // regions; whether sexes are all told
	base := map[*entry]bool{}
	for k, e := range c.cells {
		e.same = nil
		own := e.group == "sex" && group != "sex" && !has(k, "region")
		if e.group == "" && !has(k, "point") || own {
			h := p.Cells[k].Hidden
			if group != "" {
				out.cells[k], base[e] = e, true
				e.known, e.forced = !h, h
			}
			if h && own {
				bySex = false
			}
			if h && has(k, "region") {
				withheld[e.region] = true
			}
		}
	}
	for k, e := range c.cells {
		if e.group != group {
			continue
		}
		out.cells[k] = e
		e.known = false
		e.forced = has(k, "region") && withheld[e.region] || !bySex && has(k, "sex") && group != "sex"
	}
	out.base = base
	if group != "" && len(base) == len(out.cells) { // nothing of its own
		return newCounts(c.subject)
	}
	for _, row := range c.rows {
		of := ""
		for _, e := range row {
			e.same = nil
			if e.group != "" && (of == "" || of == "sex") {
				of = e.group
			}
		}
		if of == group {
			out.rows = append(out.rows, row)
		}
	}
	return out
}

// unlisted tells whether what is withheld of a figure has no row either. That somebody is
// there at all would tell too much where people are few and codes are many: of facts
// beside movements, tables of more than one dimension list only what is shown, and so do
// all tables of a month with few people.
func (g *Guard) unlisted(ctx context.Context, q *question, f dtm.Figure) (bool, error) {
	if q.cube.subject == "" {
		return false, nil
	}
	at := q.asked(f.Keys, nil)[0]
	dims := strings.Count(key("", at), "|")
	if dims != 1 {
		return dims > 1, nil
	}
	p, err := q.span(f.Keys)
	if err != nil {
		return false, err
	}
	top := q.cube
	for _, c := range g.records[top.subject] {
		if c.of == c.subject {
			top = c
		}
	}
	for _, m := range p.Months() {
		n, _, err := g.total(ctx, q.release, top.ask, m)
		if err != nil || n < fewest*g.threshold {
			return true, err
		}
	}
	return false, nil
}

// less are the lines without a dimension whose codes all have the same number.
func (t *lines) less(dim string) *lines {
	at := slices.Index(t.by, dim)
	out := &lines{by: slices.Delete(slices.Clone(t.by), at, at+1)}
	seen := map[string]bool{}
	for _, l := range t.list {
		codes := slices.Delete(slices.Clone(l.codes), at, at+1)
		if k := strings.Join(codes, "\x00"); !seen[k] {
			seen[k] = true
			out.list = append(out.list, line{codes: codes, n: l.n})
		}
	}
	return out
}

// subjects are the kinds of facts beside movements. Each has a pattern of its own.
func (g *Guard) subjects() []string { return slices.Sorted(maps.Keys(g.records)) }

// recorded names the people of an indicator of facts beside movements, as its cubes do;
// "" for what is not published.
func (g *Guard) recorded(i dtm.Indicator) string {
	switch i.Kind {
	case "stock_average":
		return i.Facts
	case "count":
		if i.Facts == interview || i.Facts == needed {
			return i.Facts
		}
		id := i.ID
		for _, d := range g.op.Indicators {
			if d.ID == id {
				id = d.Base
			}
		}
		return i.Facts + ":" + id // of the same records, each a number of its own
	case "share_within", "share_answers", "answers":
		return i.Facts + ":" + i.Default[0]
	case "coded":
		return i.Facts + ":" + i.Default[0] + ":named"
	}
	return ""
}

// recordCubes are the cubes of the facts beside movements, by subject.
func (g *Guard) recordCubes() map[string][]*cube {
	out := map[string][]*cube{}
	named := map[string]bool{}
	for _, i := range g.Figures.Catalogue() {
		of := g.recorded(i)
		if i.Operation || ofMovements(i) || !people(i) || of == "" || named[of] {
			continue
		}
		named[of] = true
		c := cube{subject: i.Facts, of: of, ask: i.ID, dims: i.Default, place: true, kind: i.Kind}
		switch i.Kind {
		case "answers", "share_answers":
			c.always, c.whole = true, of
			if i.Facts == needed {
				c.whole = needed // who was screened was asked
			}
		case "coded":
			c.always, c.whole = true, strings.TrimSuffix(of, "named")+"asked"
		}
		add := func(dims []string, place, regions bool) {
			x := c
			x.dims, x.place, x.regions = dims, place, regions
			if !slices.ContainsFunc(dims, func(d string) bool { return !slices.Contains(i.By, d) }) {
				out[i.Facts] = append(out[i.Facts], &x)
			}
		}
		add(i.Default, of != consent, len(i.Default) > 0)
		if of == i.Facts {
			for _, p := range profiles[i.Facts] {
				add(p, true, true)
			}
		}
		if len(i.Default) > 0 && i.Default[0] != "sex" && of != consent {
			add(append(slices.Clone(i.Default), "sex"), false, false)
		}
	}
	return out
}

// link notes what readers know of the questions of a subject beside their own sums: that
// who answered is among those who were asked, and that who did not give an answer gave
// another or none.
func (c *counts) link(list []*cube) {
	keys := slices.Sorted(maps.Keys(c.cells))
	for _, q := range list {
		if len(q.dims) == 0 {
			continue
		}
		own := q.dims[0]
		if q.kind == "stock_average" || q.kind == "count" || len(q.dims) > 1 {
			continue // the cube by place has the same name
		}
		if q.always && q.kind != "coded" {
			c.several(q, keys)
		}
		within := true // who agreed to a programme was proposed for it
		for _, k := range keys {
			if rest, is := of(k, needed+":referred"); is && q.of == needed+":referred" {
				w := c.cells[needed+":programme"+strings.Replace(rest, "|referred=", "|programme=", 1)]
				within = within && (!has(rest, own) || w != nil && w.n >= c.cells[k].n)
			}
		}
		for _, k := range keys {
			e := c.cells[k]
			if rest, is := of(k, q.of); is && has(rest, own) {
				switch {
				case q.kind == "coded":
					c.rest(c.cells[q.whole+rest], e, true)
					c.rest(c.cells[strings.TrimSuffix(q.of, ":named")+rest], e, false)
				case q.always:
					c.rest(c.cells[q.whole+without(rest, own)], e, true)
				}
				if q.of == needed+":referred" && within {
					c.rest(c.cells[needed+":programme"+strings.Replace(rest, "|referred=", "|programme=", 1)], e, true)
				}
				if q.of == consent && strings.Contains(rest+"|", "|consent=yes|") {
					c.rest(e, c.cells[interview+without(rest, own)], false)
				}
			} else if is && q.of != consent {
				c.rest(c.all(q.subject, rest), e, false)
			}
			if q.kind == "coded" {
				if rest, is := of(k, q.whole); is {
					c.rest(c.all(q.subject, without(rest, own)), e, false)
				}
			}
		}
	}
}

// several notes that who gave an answer gave one or more, and is not among those who
// gave none where these are counted.
func (c *counts) several(q *cube, keys []string) {
	given, gaveNone := map[string][]*entry{}, map[string]*entry{}
	for _, k := range keys {
		rest, is := of(k, q.of)
		if !is || !has(rest, q.dims[0]) {
			continue
		}
		if at := without(rest, q.dims[0]); silent(rest, q.dims[0]) {
			gaveNone[at] = c.cells[k]
		} else {
			given[at] = append(given[at], c.cells[k])
		}
	}
	for _, at := range slices.Sorted(maps.Keys(given)) {
		answered := c.cells[q.whole+at]
		if none := gaveNone[at]; none != nil && answered != nil && answered.n > none.n {
			some := &entry{n: answered.n - none.n, weight: none.weight, region: none.region, group: none.group}
			c.rows = append(c.rows, []*entry{answered, none, some})
			answered = some
			for _, e := range given[at] {
				c.rest(answered, e, true)
			}
		}
		all := &entry{free: true, group: given[at][0].group}
		for _, e := range given[at] {
			all.n += e.n
		}
		c.rows = append(c.rows, append([]*entry{all}, given[at]...))
		c.rest(all, answered, false)
	}
}

// all are those of a subject who could answer, at what is left of a key.
func (c *counts) all(subject, rest string) *entry {
	if e := c.cells[subject+rest]; e != nil {
		return e
	}
	return c.cells[subject+":sex"+rest]
}

// rest notes that part are among whole. The others can be computed: they are a count to
// be protected (judged), or how many did not answer, which is nothing about anybody.
func (c *counts) rest(whole, part *entry, judged bool) {
	if whole == nil || part == nil || whole == part || whole.n < part.n {
		return
	}
	row := []*entry{whole, part}
	if n := whole.n - part.n; n > 0 {
		row = append(row, &entry{n: n, weight: part.weight, region: part.region, free: !judged, group: part.group})
	}
	c.rows = append(c.rows, row)
}

// of tells whether a key is of the people named, and what follows.
func of(key, name string) (rest string, is bool) {
	rest, is = strings.CutPrefix(key, name)
	return rest, is && (rest == "" || rest[0] == '|')
}

func has(rest, dim string) bool { return strings.Contains(rest, "|"+dim+"=") }

// silent tells whether a key's code of the dimension is that of no answer.
func silent(rest, dim string) bool { return strings.Contains(rest+"|", "|"+dim+"=|") }

// without takes a dimension out of what follows a key's name.
func without(rest, dim string) string {
	at := strings.Index(rest, "|"+dim+"=")
	if at < 0 {
		return rest
	}
	if n := strings.IndexByte(rest[at+1:], '|'); n >= 0 {
		return rest[:at] + rest[at+1+n:]
	}
	return rest[:at]
}

// sameAsCode finds the code whose counts are those of an indicator of that one
// vulnerability, and notes that they are the same.
func (c *counts) sameAsCode(name, coded, dim string) {
	codes := map[string][][2]*entry{}
	for _, k := range slices.Sorted(maps.Keys(c.cells)) {
		rest, is := of(k, coded)
		if !is || !has(rest, dim) {
			continue
		}
		code := rest[strings.Index(rest, "|"+dim+"=")+len(dim)+2:]
		code, _, _ = strings.Cut(code, "|")
		codes[code] = append(codes[code], [2]*entry{c.cells[name+without(rest, dim)], c.cells[k]})
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if slices.ContainsFunc(codes[code], func(p [2]*entry) bool { return p[0] == nil || p[0].n != p[1].n }) {
			continue
		}
		for _, p := range codes[code] {
			c.rows = append(c.rows, p[:])
		}
	}
}
