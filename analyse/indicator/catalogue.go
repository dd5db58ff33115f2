package indicator

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"dtm"
)

//go:embed catalogue/*.toml
var catalogue embed.FS

// definition is an indicator with the rule that computes it.
type definition struct {
	dtm.Indicator
	kind    string   // how rows become figures: the functions of compute.go
	query   string   // file in query/
	basis   string   // of changes: "" = as the operation says, or "total"
	code    string   // vulnerability
	set     string   // dimension of several answers that the text is about
	single  []string // columns that must hold an answer
	number  string   // column that the text adds up
	require []string // dimensions that must be filtered or split by
	where   map[string][]string
	period  *dtm.Period
}

// entry is a catalogue file.
type entry struct {
	Name        map[string]string   `toml:"name"`
	Definition  map[string]string   `toml:"definition"`
	Formula     map[string]string   `toml:"formula"`
	Unit        string              `toml:"unit"`
	Denominator map[string]string   `toml:"denominator"`
	Missing     map[string]string   `toml:"missing"`
	Source      map[string]string   `toml:"source"`
	Decimals    int                 `toml:"decimals"`
	Counts      bool                `toml:"counts"`
	Share       bool                `toml:"share"`
	By          []string            `toml:"by"`
	Default     []string            `toml:"default"`
	Kind        string              `toml:"kind"`
	Query       string              `toml:"query"`
	Basis       string              `toml:"basis"`
	Code        string              `toml:"code"`
	Require     []string            `toml:"require"`
	Facts       string              `toml:"facts"`
	Set         string              `toml:"set"`
	Answered    []string            `toml:"answered"`
	Number      string              `toml:"number"`
	Where       map[string][]string `toml:"where"`
}

// splits reads a list of dimensions. "all" stands for every dimension a count can
// be split by; questions with several answers are not among them, since their
// parts overlap. "-day" takes day out.
func splits(list []string, columns map[string]column) ([]string, error) {
	var out []string
	for _, d := range list {
		switch rest, without := strings.CutPrefix(d, "-"); {
		case d == "all":
			out = append(out, slices.DeleteFunc(dimensionsOf(columns), func(d string) bool { return columns[d].multi != "" })...)
		case without:
			out = slices.DeleteFunc(out, func(d string) bool { return d == rest })
		case columns[d].name == "":
			return nil, fmt.Errorf("unknown dimension %q", d)
		default:
			out = append(out, d)
		}
	}
	return out, nil
}

// readCatalogue reads the built-in definitions. A fault in them is a fault of the
// program, found by its tests.
func readCatalogue() (map[string]*definition, error) {
	files, err := catalogue.ReadDir("catalogue")
	if err != nil {
		return nil, err
	}
	out := make(map[string]*definition, len(files))
	for _, f := range files {
		data, err := catalogue.ReadFile(path.Join("catalogue", f.Name()))
		if err != nil {
			return nil, err
		}
		var e entry
		d := toml.NewDecoder(bytes.NewReader(data))
		meta, err := d.Decode(&e)
		if err != nil {
			return nil, fmt.Errorf("catalogue/%s: %w", f.Name(), err)
		}
		if u := meta.Undecoded(); len(u) > 0 {
			return nil, fmt.Errorf("catalogue/%s: unknown key %s", f.Name(), u[0])
		}
		if _, ok := kinds[e.Kind]; !ok {
			return nil, fmt.Errorf("catalogue/%s: unknown kind %q", f.Name(), e.Kind)
		}
		if e.Facts == "" {
			e.Facts = Movements
		}
		of, ok := subjects[e.Facts]
		if !ok {
			return nil, fmt.Errorf("catalogue/%s: there are no facts %q", f.Name(), e.Facts)
		}
		for _, c := range append(slices.Clone(e.Answered), e.Number) {
			if c != "" && !plainName.MatchString(c) {
				return nil, fmt.Errorf("catalogue/%s: %q is no column", f.Name(), c)
			}
		}
		if c := of[e.Set]; e.Set != "" && c.multi == "" {
			return nil, fmt.Errorf("catalogue/%s: %q is no question with several answers", f.Name(), e.Set)
		}
		dims, err := splits(e.By, of)
		if err != nil {
			return nil, fmt.Errorf("catalogue/%s: %w", f.Name(), err)
		}
		id := strings.TrimSuffix(f.Name(), ".toml")
		out[id] = &definition{
			Indicator: dtm.Indicator{
				ID:          id,
				Name:        languages(e.Name),
				Definition:  languages(e.Definition),
				Formula:     languages(e.Formula),
				Unit:        e.Unit,
				Denominator: languages(e.Denominator),
				Missing:     languages(e.Missing),
				Source:      languages(e.Source),
				Decimals:    e.Decimals,
				Counts:      e.Counts,
				Share:       e.Share,
				By:          dims,
				Default:     e.Default,
				Facts:       e.Facts,
				Kind:        e.Kind,
				Of:          e.Query,
			},
			kind:    e.Kind,
			query:   e.Query,
			basis:   e.Basis,
			code:    e.Code,
			set:     e.Set,
			single:  e.Answered,
			number:  e.Number,
			where:   e.Where,
			require: e.Require,
		}
	}
	return out, nil
}

var plainName = regexp.MustCompile(`^[a-z_]+$`)

// of are the columns of the definition's facts.
func (d *definition) of() map[string]column { return subjects[d.Facts] }

func languages(m map[string]string) dtm.Text {
	t := dtm.Text{}
	for l, s := range m {
		t[dtm.Lang(l)] = s
	}
	return t
}

// derive makes the operation's own indicators from their bases. The dimensions a
// derived one fixes cannot be asked for again.
func derive(defs map[string]*definition, op *dtm.Operation) error {
	for _, d := range op.Indicators {
		base, ok := defs[d.Base]
		if !ok {
			return dtm.Errorf(dtm.Invalid, "indicator %s: there is no indicator %q to derive it from", d.ID, d.Base)
		}
		if _, ok := defs[d.ID]; ok {
			return dtm.Errorf(dtm.Invalid, "indicator %s is declared twice, or has the name of a built-in one", d.ID)
		}
		for dim := range d.Where {
			if c, ok := base.of()[dim]; !ok || dim == "month" || dim == "day" || c.name == "point_text" {
				return dtm.Errorf(dtm.Invalid, "indicator %s: %q is not a dimension to filter by; there are %s", d.ID, dim, strings.Join(dimensionsOf(base.of()), ", "))
			}
		}
		c := *base
		c.ID = d.ID
		c.Operation = true
		c.where = maps.Clone(base.where)
		if c.where == nil {
			c.where = map[string][]string{}
		}
		maps.Copy(c.where, d.Where)
		c.Fixed = c.where
		c.period = d.Period
		c.Indicator.By = slices.DeleteFunc(slices.Clone(base.By), func(dim string) bool { return len(d.Where[dim]) == 1 })
		if len(d.Name) > 0 {
			c.Name = d.Name
		}
		if len(d.Definition) > 0 {
			c.Definition = d.Definition
		}
		defs[d.ID] = &c
	}
	return nil
}
