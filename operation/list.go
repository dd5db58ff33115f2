package operation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"dtm"
)

// required lists are those that the program itself asks for.
var required = []string{"country", "sex", "age", "reason", "transport", "direction", "flow_type", "vulnerability"}

func (l *loader) lists() {
	files, _ := fs.Glob(l.fs, "codes/*.csv") // the pattern is well-formed
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".csv")
		list := dtm.CodeList{Name: name}
		seen := map[string]int{}
		for _, r := range l.table(file, "code") {
			c := dtm.Code{Code: r.get("code"), Label: l.text(r), Extra: map[string]string{}}
			l.once(file, r, seen)
			for _, h := range r.order {
				if h != "code" && !slices.Contains(l.op.Languages, dtm.Lang(h)) {
					c.Extra[h] = r.get(h)
				}
			}
			l.complete(file, r.line, c.Code, c.Label)
			list.Codes = append(list.Codes, c)
		}
		for _, c := range list.Codes {
			if to := c.Extra["rolls_to"]; to != "" && !list.Has(to) {
				l.fault(file, seen[c.Code], "%q rolls up to %q, which is not in the list", c.Code, to)
			}
		}
		l.op.Lists[name] = list
	}
	for _, name := range required {
		if _, ok := l.op.Lists[name]; !ok {
			l.fault("codes/"+name+".csv", 0, "the file is missing")
		}
	}
}

func (l *loader) forms() {
	files, _ := fs.Glob(l.fs, "forms/*.xlsx")
	for _, f := range files {
		b, err := fs.ReadFile(l.fs, f)
		if err != nil {
			l.fault(f, 0, "%v", err)
			continue
		}
		l.op.Forms = append(l.op.Forms, dtm.PackForm{File: f, Data: b})
	}
}

func (l *loader) indicators() {
	const file = "indicators.toml"
	var t struct {
		Indicator []struct {
			ID, Base   string
			Where      map[string][]string
			From, To   string
			Name       dtm.Text
			Definition dtm.Text
		}
	}
	at, ok := l.decode(file, &t)
	if !ok {
		return
	}
	seen := map[string]int{}
	line := 0
	for _, i := range t.Indicator {
		line = at.find(line, "indicator")
		in := func(key string) int { return cmp.Or(at.find(line, key), line) }
		switch first, twice := seen[i.ID]; {
		case i.ID == "":
			l.fault(file, line, "an indicator without id")
		case twice:
			l.fault(file, in("id"), "the indicator %q is on line %d already", i.ID, first)
		}
		seen[i.ID] = in("id")
		if i.Base == "" {
			l.fault(file, line, "indicator %q: the base is missing, an indicator of the catalogue", i.ID)
		}
		d := dtm.DerivedIndicator{ID: i.ID, Base: i.Base, Where: i.Where, Name: i.Name, Definition: i.Definition}
		if i.From != "" || i.To != "" {
			p, err := dtm.ParsePeriod(i.From, i.To)
			if err != nil {
				l.fault(file, in("from"), "indicator %q: %v", i.ID, err)
			}
			d.Period = &p
		}
		for dim, codes := range i.Where {
			for _, c := range codes {
				if !l.known(dim, c) {
					l.fault(file, in("where"), "indicator %q: %s has no code %q", i.ID, dim, c)
				}
			}
		}
		l.complete(file, line, i.ID+".name", i.Name)
		l.complete(file, line, i.ID+".definition", i.Definition)
		l.op.Indicators = append(l.op.Indicators, d)
		// The tables of this indicator, [indicator.name], begin as the next one does.
		for n := at.find(line, "indicator"); n > 0 && !strings.HasPrefix(strings.TrimSpace(at[n-1]), "[["); n = at.find(line, "indicator") {
			line = n
		}
	}
}

// known tells whether a dimension has the code; dimensions without a list of
// their own are checked by the indicators.
func (l *loader) known(dim, code string) bool {
	switch dim {
	case "region":
		a, ok := l.op.Area(code)
		return ok && a.Level == 1
	case "point":
		_, ok := l.op.Point(code)
		return ok
	case "previous", "next", "origin", "final", "nationality":
		dim = "country"
	}
	list, ok := l.op.Lists[dim]
	return !ok || list.Has(code)
}

// boundaries reads the map; a pack without has none. What the features hold is the
// business of package maps.
func (l *loader) boundaries() {
	const file = "boundaries.geojson"
	b, err := fs.ReadFile(l.fs, file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.fault(file, 0, "%v", err)
		return
	}
	var any json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(b, &any); {
	case errors.As(err, &syntax):
		l.fault(file, 1+bytes.Count(b[:min(int(syntax.Offset), len(b))], []byte("\n")), "not JSON: %v", err)
	case err != nil:
		l.fault(file, 0, "not JSON: %v", err)
	}
	l.op.Boundaries = b
}
