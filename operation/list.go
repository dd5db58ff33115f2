package operation

import (
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
			if first, twice := seen[c.Code]; twice || c.Code == "" {
				l.fault(file, r.line, "the code %q is empty or on line %d already", c.Code, first)
			}
			seen[c.Code] = r.line
			for _, h := range r.order {
				if h != "code" && !slices.Contains(l.op.Languages, dtm.Lang(h)) {
					c.Extra[h] = r.get(h)
				}
			}
			l.complete(file, r.line, c.Code, c.Label)
			list.Codes = append(list.Codes, c)
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
	if !l.decode(file, &t) {
		return
	}
	seen := map[string]bool{}
	for _, i := range t.Indicator {
		if i.ID == "" || i.Base == "" || seen[i.ID] {
			l.fault(file, 0, "indicator %q: want an id of its own and a base", i.ID)
		}
		seen[i.ID] = true
		d := dtm.DerivedIndicator{ID: i.ID, Base: i.Base, Where: i.Where, Name: i.Name, Definition: i.Definition}
		if i.From != "" {
			p, err := dtm.ParsePeriod(i.From, i.To)
			if err != nil {
				l.fault(file, 0, "indicator %q: %v", i.ID, err)
			}
			d.Period = &p
		}
		for dim, codes := range i.Where {
			for _, c := range codes {
				if !l.known(dim, c) {
					l.fault(file, 0, "indicator %q: %s has no code %q", i.ID, dim, c)
				}
			}
		}
		l.complete(file, 0, i.ID+".name", i.Name)
		l.complete(file, 0, i.ID+".definition", i.Definition)
		l.op.Indicators = append(l.op.Indicators, d)
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
