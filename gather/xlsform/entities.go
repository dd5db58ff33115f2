package xlsform

import (
	"slices"
	"strings"
)

var entityColumns = []string{"dataset", "entity_id", "create_if", "update_if", "repeat", "label"}

// declarations reads the sheet entities.
func (p *reading) declarations(s sheet) {
	t := entitiesDialect.read(p, s, p.form.DefaultLanguage, false)
	p.entitiesTable = t
	if len(t.rows) == 0 {
		p.misspelt("entities")
		return
	}
	for _, c := range t.columns {
		if !slices.Contains(entityColumns, c.path[0]) && slices.ContainsFunc(t.rows, func(r *record) bool { return r.kid(c.path[0]) != nil }) {
			p.fault(t.sheet, cellName(c.at, t.line), "entities.column", "the sheet entities has no column %q; it has list_name, label, entity_id, create_if and update_if", c.raw)
		}
	}
	for _, r := range t.rows {
		if len(r.keys) == 0 {
			continue
		}
		e := &Entity{List: r.get("dataset"), ID: r.get("entity_id"), CreateIf: r.get("create_if"), UpdateIf: r.get("update_if"), Label: r.get("label"), row: r}
		switch {
		case e.List == "":
			p.at(r, []string{"dataset"}, "entities.no_list", "an entity list needs a name")
		case strings.HasPrefix(e.List, "__"):
			p.at(r, []string{"dataset"}, "entities.reserved", "the name %q begins with two underscores, which are the server's", e.List)
		case strings.Contains(e.List, "."):
			p.at(r, []string{"dataset"}, "entities.dot", "the name of an entity list holds no dot: %q", e.List)
		case !xmlName.MatchString(e.List):
			p.at(r, []string{"dataset"}, "name.invalid", badName, e.List)
		}
		switch {
		case e.ID == "" && e.UpdateIf != "":
			p.at(r, []string{"entity_id"}, "entities.no_id", "to update entities of %q, say which one in entity_id", e.List)
		case e.ID != "" && e.CreateIf != "" && e.UpdateIf == "":
			p.at(r, []string{"update_if"}, "entities.no_update_if", "with entity_id and create_if, say in update_if when to update")
		case e.ID == "" && e.Label == "":
			p.at(r, colLabel, "entities.no_label", "to create entities of %q, give them a label", e.List)
		}
		if i := slices.IndexFunc(p.entities, func(o *Entity) bool { return o.List == e.List }); i >= 0 && e.List != "" {
			p.at(r, []string{"dataset"}, "entities.twice", "the entity list %q is declared already, at %s", e.List, p.entities[i].row.cell("dataset"))
			continue
		}
		p.entities = append(p.entities, e)
	}
}

// expressions are the columns that phones compute.
func (e *Entity) expressions() []Column {
	return []Column{{"label", e.Label}, {"entity_id", e.ID}, {"create_if", e.CreateIf}, {"update_if", e.UpdateIf}}
}

// mention is a place of the survey that an entity depends on: a question saved
// to it, or one that its row refers to.
type mention struct {
	group    *Node // that holds the question
	question *Node
	property string // of save_to; "" for a reference
}

// claim is what an entity asks for: a group to be declared in.
type claim struct {
	entity *Entity
	scope  *Node   // the repeat, or the form, that it is one of each
	wish   *Node   // the best group
	saves  []*Node // groups with questions saved to it
}

// scopeOf is the innermost repeat around a group, itself included, or the form.
func scopeOf(g *Node) *Node {
	for ; g.Parent != nil; g = g.Parent {
		if g.Kind == Repeat {
			return g
		}
	}
	return g
}

func repeatsAround(g *Node) int { return len(g.Repeats()) }

// below counts the groups between a group and its scope.
func below(g *Node) int {
	n, scope := 0, scopeOf(g)
	for ; g != scope; g = g.Parent {
		n++
	}
	return n
}

func within(g, top *Node) bool {
	for ; g != nil; g = g.Parent {
		if g == top {
			return true
		}
	}
	return false
}

func lineage(g *Node) []*Node {
	var out []*Node
	for ; g != nil; g = g.Parent {
		out = append([]*Node{g}, out...)
	}
	return out
}

// place gives every declared entity the group it is declared in: the group of
// the questions saved to it, one entity a group. By the ODK XForms specification
// of entities 2024.1 and 2025.1.
func (p *reading) place() {
	root := p.form.Root
	mentions := p.mentions()
	if len(p.entities) == 0 || len(p.faults) > 0 {
		return // what follows rests on a survey without faults
	}
	var claims []claim
	for _, e := range p.entities {
		if c, ok := p.claim(e, mentions[e]); ok {
			claims = append(claims, c)
		}
	}
	if len(p.faults) > 0 {
		return
	}
	placed := map[*Node]*Entity{}
	if len(claims) == 1 && claims[0].scope == root {
		placed[root] = claims[0].entity
	} else {
		p.allot(claims, placed)
	}
	p.form.EntitiesVersion = "2024.1.0"
	if len(p.entities) > 1 {
		p.form.EntitiesVersion = "2025.1.0"
	}
	for g, e := range placed {
		e.inRepeat = repeatsAround(g) > 0
		if e.inRepeat {
			p.form.EntitiesVersion = "2025.1.0"
		}
		if g.Meta == nil {
			g.Meta = &Node{Kind: Group, Name: "meta", Parent: g, Made: true}
		}
		g.Meta.Entity = e
	}
}

// mentions finds the places of the survey that each entity depends on, and
// checks the column save_to.
func (p *reading) mentions() map[*Entity][]mention {
	out := map[*Entity][]mention{}
	refers := map[string][]*Entity{}
	for _, e := range p.entities {
		for _, x := range e.expressions() {
			names, _ := refNames(x.Value)
			for _, n := range names {
				if !slices.Contains(refers[n], e) {
					refers[n] = append(refers[n], e)
				}
			}
		}
	}
	p.form.Root.Walk(func(n *Node) {
		if n.Made {
			return
		}
		if save := n.Bind["entities:saveto"]; save != "" && n.Kind == Question {
			if e, property := p.saved(n, save); e != nil {
				for _, m := range out[e] {
					if m.property == property {
						p.at(n.row, colSaveTo, "entities.property_twice", "the property %q is saved already, at %s", property, m.question.row.cell(colSaveTo...))
					}
				}
				n.Bind["entities:saveto"] = property
				out[e] = append(out[e], mention{n.Parent, n, property})
			}
		}
		for _, e := range refers[n.Name] {
			out[e] = append(out[e], mention{n.Parent, n, ""})
		}
	})
	return out
}

// saved reads save_to: a property, or list#property.
func (p *reading) saved(n *Node, save string) (*Entity, string) {
	bad := func(code, format string, a ...any) (*Entity, string) {
		p.at(n.row, colSaveTo, code, format, a...)
		return nil, ""
	}
	if len(p.entities) == 0 {
		if p.entitiesTable != nil && len(p.entitiesTable.rows) > 0 {
			return nil, "" // its row is faulty, which has been said
		}
		return bad("entities.none", "save_to needs a sheet entities that declares an entity list")
	}
	list, property, named := strings.Cut(save, "#")
	var e *Entity
	switch {
	case strings.Count(save, "#") > 1:
		return bad("entities.hash", "save_to holds one # at most: list#property")
	case !named && len(p.entities) > 1:
		return bad("entities.which", "the form declares several entity lists; write save_to as list#property")
	case !named:
		e, property = p.entities[0], save
	default:
		i := slices.IndexFunc(p.entities, func(o *Entity) bool { return o.List == list })
		if i < 0 {
			return bad("entities.unknown", "the sheet entities declares no list %q", list)
		}
		e = p.entities[i]
	}
	switch {
	case strings.EqualFold(property, "name") || strings.EqualFold(property, "label"):
		return bad("entities.taken", "a property may not be called name or label")
	case strings.HasPrefix(property, "__"):
		return bad("entities.reserved", "the name %q begins with two underscores, which are the server's", property)
	case !xmlName.MatchString(property):
		return bad("name.invalid", badName, property)
	}
	return e, property
}

// claim works out which group an entity asks for.
func (p *reading) claim(e *Entity, mentions []mention) (claim, bool) {
	root := p.form.Root
	c := claim{entity: e, scope: root, wish: root}
	if len(mentions) == 0 {
		return c, true
	}
	// The deepest scope decides; within it the deepest group, and a group with a
	// saved question before others.
	var deepest, deepestSave *mention
	for i := range mentions {
		m := &mentions[i]
		s := scopeOf(m.group)
		switch {
		case deepest == nil || repeatsAround(s) > repeatsAround(scopeOf(deepest.group)):
			deepest = m
			if m.property != "" {
				deepestSave = m
			}
		case s == scopeOf(deepest.group) && below(m.group) > below(deepest.group):
			deepest = m
		}
		if m.property != "" {
			if deepestSave == nil || s == scopeOf(deepest.group) && below(m.group) > below(deepestSave.group) {
				deepestSave = m
			}
			if !slices.Contains(c.saves, m.group) {
				c.saves = append(c.saves, m.group)
			}
		}
	}
	c.scope, c.wish = scopeOf(deepest.group), deepest.group
	if deepestSave != nil {
		c.wish = deepestSave.group
	}
	if len(c.saves) == 1 {
		c.wish = c.saves[0]
	} else if len(c.saves) > 1 {
		common := lineage(c.saves[0])
		for _, g := range c.saves[1:] {
			for i, o := range lineage(g) {
				if i < len(common) && common[i] != o {
					common = common[:i]
				}
			}
			common = common[:min(len(common), len(lineage(g)))]
		}
		c.wish = scopeOf(deepestSave.group)
		if top := common[len(common)-1]; repeatsAround(top) > repeatsAround(c.wish) || repeatsAround(top) == repeatsAround(c.wish) && below(top) > below(c.wish) {
			c.wish = top
		}
	}
	ok := true
	for _, m := range mentions {
		s := scopeOf(m.group)
		if within(scopeOf(c.wish), s) && (m.property == "" || s == scopeOf(c.wish)) {
			continue
		}
		ok = false
		const why = "the entity %q cannot take answers from %s and from %s: they are not of one turn of one repeat; copy one by a calculate"
		if m.property != "" {
			p.at(m.question.row, colSaveTo, "entities.scope", why, e.List, scopeOf(c.wish).Path(), s.Path())
		} else {
			p.at(e.row, refersIn(e, m.question.Name), "entities.scope", why, e.List, scopeOf(c.wish).Path(), s.Path())
		}
	}
	return c, ok
}

// refersIn is the column of an entity that refers to a question.
func refersIn(e *Entity, name string) []string {
	for _, x := range e.expressions() {
		if names, _ := refNames(x.Value); slices.Contains(names, name) {
			return []string{x.Name}
		}
	}
	return []string{"dataset"}
}

// allot gives claims their groups, each as near to its wish as is free, and
// never across a group that holds questions of another entity.
func (p *reading) allot(claims []claim, placed map[*Node]*Entity) {
	reserved := map[*Node]*Entity{}
	var scopes []*Node
	for _, c := range claims {
		if !slices.Contains(scopes, c.scope) {
			scopes = append(scopes, c.scope)
		}
	}
	for _, scope := range scopes {
		for _, c := range claims {
			if c.scope != scope {
				continue
			}
			var rival *Entity
			for g := c.wish; ; g = g.Parent {
				rival = placed[g]
				if rival == nil {
					rival = reserved[g]
				}
				if rival == nil {
					placed[g], reserved[g] = c.entity, c.entity
					for _, s := range c.saves {
						for ; s != nil && within(s, g); s = s.Parent {
							reserved[s] = c.entity
						}
					}
					break
				}
				if len(c.saves) > 0 && reserved[c.saves[0]] != nil {
					rival = reserved[c.saves[0]]
					break
				}
				if g == scope {
					break
				}
			}
			if rival != nil {
				p.at(c.entity.row, []string{"dataset"}, "entities.crowded", "a group declares one entity, and %s has none free for %q: row %d took it for %q", scope.Path(), c.entity.List, rival.row.line, rival.List)
			}
		}
	}
}
