package xlsform

// lists gathers the rows of a sheet of choices by list.
func (p *reading) lists(t *table, strict bool) []*List {
	var out []*List
	by := map[string]*List{}
	if len(t.rows) > 0 && !t.has("name") {
		p.fault(t.sheet, cellName(0, max(t.line, 1)), "choices.no_name_column", "the sheet %s needs a column name", t.sheet)
		return nil
	}
	var odd []string // columns that cannot become elements of the form
	for _, c := range t.columns {
		if strict && c.path[0] != "list name" && p.notXML(c.path[0]).format != "" {
			p.warn(t.sheet, cellName(c.at, t.line), "choices.header", "the column %q is left out: a header must be a name without blanks", c.raw)
			odd = append(odd, c.path[0])
		}
	}
	for _, r := range t.rows {
		name := r.get("list name")
		if name == "" {
			if strict && r.get("name") != "" && t.has("list name") {
				p.warn(t.sheet, r.cell("list name"), "choices.no_list", "the choice %q is left out: it names no list", r.get("name"))
			}
			continue
		}
		for _, o := range odd {
			r.drop(o)
		}
		l := by[name]
		if l == nil {
			l = &List{Name: name}
			by[name] = l
			out = append(out, l)
		}
		c := Choice{Name: r.get("name"), Label: texts(r.kid("label")), Media: p.media(r), row: r}
		if c.Name == "" {
			if strict {
				p.at(r, colName, "choices.no_name", "a choice of list %q has no name", name)
			}
			continue
		}
		for _, k := range r.keys {
			switch k {
			case "list name", "name", "label", "media":
			default:
				if v := r.kids[k]; v.leaf() {
					c.Extra = append(c.Extra, Column{k, v.text})
				}
			}
		}
		l.Choices = append(l.Choices, c)
	}
	return out
}

func (p *reading) choices(s, external, osm sheet) {
	f := p.form
	p.choicesTable = choicesDialect.read(p, s, f.DefaultLanguage, false)
	f.Lists = p.lists(p.choicesTable, true)
	for _, l := range f.Lists {
		seen := map[string]string{}
		for _, c := range l.Choices {
			if first, twice := seen[c.Name]; twice && !p.duplicates {
				p.at(c.row, colName, "choices.twice", "the name %q is in list %q already, at %s; the setting allow_choice_duplicates permits it", c.Name, l.Name, first)
			} else if !twice {
				seen[c.Name] = c.row.cell("name")
			}
			if len(c.Label) == 0 {
				p.warn("choices", c.row.cell("label"), "choices.no_label", "the choice %q of list %q has no label", c.Name, l.Name)
			}
		}
	}
	f.ExternalLists = p.lists(choicesDialect.read(p, external, f.DefaultLanguage, false), false)
	for _, l := range p.lists(choicesDialect.read(p, osm, f.DefaultLanguage, false), false) {
		p.osm[l.Name] = l
	}
}

// texts reads a cell, or the cells of its languages.
func texts(t *tree) Texts {
	switch {
	case t == nil:
		return nil
	case t.leaf():
		if t.text == "" {
			return nil
		}
		return Texts{{"", t.text}}
	}
	var out Texts
	for _, lang := range t.keys {
		if k := t.kids[lang]; k.leaf() {
			out = append(out, Text{lang, k.text})
		}
	}
	return out
}

// media reads the media columns of a row.
func (p *reading) media(r *record) []Medium {
	var out []Medium
	m := r.kid("media")
	if m.leaf() {
		return nil
	}
	for _, kind := range m.keys {
		switch kind {
		case "image", "big-image", "audio", "video":
			out = append(out, Medium{kind, texts(m.kids[kind])})
		default:
			p.at(r, []string{"media", kind}, "media.kind", "media are image, big-image, audio or video, not %q", kind)
		}
	}
	return out
}
