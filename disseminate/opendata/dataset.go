package opendata

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/disseminate/overview"
)

// column is one of a dataset's. Its HXL tag heads it in files that ask for tags.
type column struct {
	name string
	kind kind
	hxl  string
	text string // what it is, for the description of the interface
}

type kind string

const (
	words  kind = "string"
	number kind = "number"
	flag   kind = "boolean"
)

// dataset is a table that is to be had in every format. rows gives all of it in a fixed
// order; values are string, float64, bool or nil.
type dataset struct {
	id       string
	title    string
	text     string
	columns  []column
	keys     int      // how many of the first columns tell a row from the others
	filtered bool     // takes from, to and release
	narrowed []string // by which of point, region and direction
	place    bool     // GeoJSON too: geometry gives the place of a row
	rows     func(a *API, ctx context.Context, q asked) ([][]any, dtm.Source, error)
	geometry func(a *API, row []any) json.RawMessage
}

// asked is the question of an address.
type asked struct {
	overview.Filter
	release       string
	limit, offset int
	hxl           bool
	query         url.Values
}

// Rows of one answer: as many as asked for, at most mostRows; files have all when they
// do not say how many.
const (
	fewRows  = 100
	mostRows = 10_000
	farthest = 1_000_000_000 // row that can be asked for
)

// datasets are all there are.
var datasets = []dataset{flows, presence, points, areas, codes}

// formats in the order they are offered; geojson where there are places.
var formats = []string{"json", "csv", "xlsx", "parquet", "geojson"}

func (d dataset) formats() []string {
	if d.place {
		return formats
	}
	return formats[:len(formats)-1]
}

// parameters that the dataset takes.
func (d dataset) parameters() []string {
	out := []string{"limit", "offset", "hxl"}
	if d.filtered {
		out = append(append([]string{"from", "to"}, d.narrowed...), append([]string{"release"}, out...)...)
	}
	return out
}

// ask reads the query: Invalid for a parameter that there is not, given twice, or no
// number.
func (d dataset) ask(a *API, q url.Values) (asked, error) {
	out := asked{query: q}
	if err := known(q, d.parameters()); err != nil {
		return out, err
	}
	for name, to := range map[string]*int{"limit": &out.limit, "offset": &out.offset} {
		if q.Has(name) {
			s := q.Get(name)
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 || n > farthest || name == "limit" && (n < 1 || n > mostRows) || strconv.Itoa(n) != s {
				return out, dtm.Errorf(dtm.Invalid, "%s is %q: want a whole number, of rows at most %d", name, s, mostRows).Coded("api.number", name, s, mostRows).At(name)
			}
			*to = n
		}
	}
	switch q.Get("hxl") {
	case "", "0":
	case "1":
		out.hxl = true
	default:
		return out, dtm.Errorf(dtm.Invalid, "hxl is %q: want 1 for a row of tags, or 0", q.Get("hxl")).Coded("api.hxl", q.Get("hxl")).At("hxl")
	}
	if !d.filtered {
		return out, nil
	}
	var err error
	if out.Filter, err = a.filter(q); err != nil {
		return out, err
	}
	out.release = q.Get("release")
	return out, nil
}

// known refuses parameters that there are not, and those given twice.
func known(q url.Values, names []string) error {
	for k, v := range q {
		if !slices.Contains(names, k) {
			return dtm.Errorf(dtm.Invalid, "there is no parameter %q; there are %s", k, strings.Join(names, ", ")).Coded("api.parameter", k, strings.Join(names, ", ")).At(k)
		}
		if len(v) > 1 {
			return dtm.Errorf(dtm.Invalid, "the parameter %q is given %d times; give it once", k, len(v)).Coded("api.twice", k, len(v)).At(k)
		}
		if strings.TrimSpace(v[0]) != v[0] {
			return dtm.Errorf(dtm.Invalid, "the parameter %q begins or ends with a blank", k).Coded("api.blank", k).At(k)
		}
	}
	return nil
}

// filter reads what figures are narrowed by. Months of which each can be asked for, but
// not in that order, are no wrong question: there is nothing between them.
func (a *API) filter(q url.Values) (overview.Filter, error) {
	f, err := overview.ParseFilter(a.Operation, q)
	var e *dtm.Error
	if errors.As(err, &e) && e.Code == "period.reversed" {
		return f, absent(err)
	}
	return f, err
}

// absent is a question of which every part can be asked, but not with the others: there
// is nothing at that address.
func absent(err error) error {
	var e *dtm.Error
	if !errors.As(err, &e) || e.Kind != dtm.Invalid {
		return err
	}
	x := *e
	x.Kind = dtm.NotFound
	return &x
}

// dataset answers with a dataset in a format.
func (a *API) dataset(d dataset, format string) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := d.ask(a, r.URL.Query())
		if err != nil {
			return err
		}
		rows, source, err := d.rows(a, r.Context(), q)
		if err != nil {
			return err
		}
		release, err := source.Figures.Release(r.Context())
		if err != nil {
			return err
		}
		all := len(rows)
		if q.limit == 0 && format == "json" {
			q.limit = fewRows
		}
		rows = rows[min(q.offset, all):]
		if q.limit > 0 {
			rows = rows[:min(q.limit, len(rows))]
		}
		next := ""
		if end := q.offset + len(rows); end < all && len(rows) > 0 {
			v := url.Values{}
			for k, x := range q.query {
				v[k] = x
			}
			v.Set("offset", strconv.Itoa(end))
			v.Set("limit", strconv.Itoa(len(rows)))
			next = r.URL.Path + "?" + v.Encode()
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
		page := page{dataset: d, rows: rows, all: all, offset: q.offset, next: next, release: release, operation: source.Operation, hxl: q.hxl}
		name := a.Operation.Code + "-" + d.id + "." + format
		if format != "json" && format != "geojson" {
			w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		}
		return page.write(w, r, format, a)
	}
}

// figureColumns are those of a withheld or known figure.
var figureColumns = []column{
	{"value", number, "#affected+movements", "the figure; empty when missing or withheld"},
	{"suppressed", flag, "#meta+suppressed", "withheld to protect small counts"},
	{"low", number, "#affected+movements+low", "a withheld figure is at least this, where that can be told"},
	{"high", number, "#affected+movements+high", "and at most this"},
}

func figureValues(i dtm.Indicator, f dtm.Figure) []any {
	num := func(v *float64) any {
		if v == nil {
			return nil
		}
		return *v
	}
	if f.Suppressed {
		return []any{nil, true, num(f.Low), num(f.High)}
	}
	return []any{num(published(i, f.Value)), false, nil, nil}
}

// months is the period that a dataset is asked for: all with data when it names none.
func (a *API) months(ctx context.Context, q asked, figures dtm.Figures) (dtm.Period, error) {
	if !q.From.IsZero() {
		return dtm.Months(q.From, q.To), nil
	}
	span, err := figures.Span(ctx)
	if err != nil || span.From.IsZero() {
		return dtm.Period{}, err
	}
	return dtm.Months(dtm.MonthOf(span.From), dtm.MonthOf(span.To.AddDate(0, 0, -1))), nil
}

var flows = dataset{
	id: "flows", title: "Movements by month, country come from and country gone to next", filtered: true, narrowed: []string{"point", "region", "direction"}, keys: 3,
	text: "Movements observed at flow monitoring points; movements, never unique persons.",
	columns: append([]column{
		{"month", words, "#date+month", "the month, 2022-12"},
		{"previous", words, "#country+code+previous", "ISO 3166-1 alpha-3 of the country come from; UNK: not known"},
		{"next", words, "#country+code+next", "ISO 3166-1 alpha-3 of the country gone to next; UNK: not known"},
	}, figureColumns...),
	rows: func(a *API, ctx context.Context, q asked) ([][]any, dtm.Source, error) {
		return a.table(ctx, q, "total_movements", q.Where(), "month", "previous", "next")
	},
}

var presence = dataset{
	id: "presence", title: "People present at sites by month and region", filtered: true, narrowed: []string{"region"}, keys: 2,
	text: "Stranded migrants: for each site the mean of its daily counts, added over the sites of a region. A stock: never added to movements, nor over months.",
	columns: []column{
		{"month", words, "#date+month", "the month, 2022-12"},
		{"region", words, "#adm1+code", "P-code of the region"},
		{"value", number, "#affected+present", "people present on average; empty when missing or withheld"},
		{"suppressed", flag, "#meta+suppressed", "withheld to protect small counts"},
		{"low", number, "#affected+present+low", "a withheld figure is at least this, where that can be told"},
		{"high", number, "#affected+present+high", "and at most this"},
	},
	rows: func(a *API, ctx context.Context, q asked) ([][]any, dtm.Source, error) {
		var where map[string][]string
		if q.Region != "" {
			where = map[string][]string{"region": {q.Region}}
		}
		if q.release != "" && q.From.IsZero() { // a release holds the counts of its own month
			s, err := a.source(ctx, q.release, dtm.Month{})
			if err != nil {
				return nil, s, err
			}
			if s.Frozen != nil {
				q.From, q.To = s.Frozen.Month, s.Frozen.Month
			}
		}
		if q.release == "" && q.From != q.To {
			q.release = dtm.ReleaseProvisional
		}
		return a.table(ctx, q, "people_present_average", where, "month", "region")
	},
}

// table asks for an indicator and gives its cells as rows, in the order of their keys.
func (a *API) table(ctx context.Context, q asked, id string, where map[string][]string, by ...string) ([][]any, dtm.Source, error) {
	var month dtm.Month
	if !q.From.IsZero() {
		month = q.To
	}
	s, err := a.source(ctx, q.release, month)
	if err != nil {
		return nil, s, err
	}
	period, err := a.months(ctx, q, s.Figures)
	if err != nil || period.From.IsZero() {
		return nil, s, err
	}
	t, err := s.Figures.Table(ctx, dtm.Query{Indicator: id, Period: period, Where: where, By: by})
	if err != nil {
		return nil, s, absent(err)
	}
	figures := slices.Clone(t.Figures)
	slices.SortFunc(figures, func(x, y dtm.Figure) int { return slices.Compare(x.Keys, y.Keys) })
	var out [][]any
	for _, f := range figures {
		var row []any
		for n, k := range f.Keys {
			if by[n] == "month" {
				k = k[:min(len("2022-12"), len(k))]
			}
			row = append(row, k)
		}
		out = append(out, append(row, figureValues(t.Indicator, f)...))
	}
	return out, s, nil
}

// standing is the source of what the register and the pack say now.
func (a *API) standing() dtm.Source { return dtm.Source{Figures: a.Figures, Operation: a.Operation} }

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var nameColumns = []column{
	{"name_en", words, "#loc+name+i_en", "name in English"}, {"name_fr", words, "#loc+name+i_fr", "name in French"}, {"name_ar", words, "#loc+name+i_ar", "name in Arabic"},
}

func names(t dtm.Text) []any {
	return []any{text(t[dtm.English]), text(t[dtm.French]), text(t[dtm.Arabic])}
}

var points = dataset{
	id: "points", title: "Flow monitoring points", place: true, keys: 1,
	text: "The register of points as it is today: place, role and status.",
	columns: slices.Concat([]column{{"code", words, "#loc+fmp+code", "code of the point"}}, nameColumns, []column{
		{"region", words, "#adm1+code", "P-code of its region"},
		{"lat", number, "#geo+lat", "latitude, WGS 84"}, {"lon", number, "#geo+lon", "longitude, WGS 84"},
		{"approximate", flag, "#meta+approximate", "the position is of the town, not of the point itself"},
		{"role", words, "#meta+role", "entry, transit, exit or return"}, {"status", words, "#status", "open or closed"},
	}),
	rows: func(a *API, _ context.Context, _ asked) ([][]any, dtm.Source, error) {
		today := a.today()
		var out [][]any
		for _, p := range a.Operation.Network() {
			row := append([]any{p.Code}, names(p.Name)...)
			var lat, lon any
			if p.Positioned {
				lat, lon = p.Lat, p.Lon
			}
			out = append(out, append(row, text(p.Area), lat, lon, p.Positioned && p.Approximate, text(dtm.ValueAt(p.Role, today)), text(dtm.ValueAt(p.Status, today))))
		}
		slices.SortFunc(out, func(x, y []any) int { return strings.Compare(x[0].(string), y[0].(string)) })
		return out, a.standing(), nil
	},
	geometry: func(_ *API, row []any) json.RawMessage {
		lat, ok := row[5].(float64)
		if !ok {
			return nil
		}
		b, err := json.Marshal(map[string]any{"type": "Point", "coordinates": []any{row[6], lat}})
		if err != nil {
			return nil
		}
		return b
	},
}

var areas = dataset{
	id: "areas", title: "Administrative areas", place: true, keys: 1,
	text: "Areas with their P-codes and, as GeoJSON, their outlines. Names and boundaries do not imply official endorsement or acceptance.",
	columns: slices.Concat([]column{{"code", words, "#adm+code", "P-code"}}, nameColumns, []column{
		{"level", number, "#adm+level", "administrative level, 1 or 2"}, {"parent", words, "#adm+code+parent", "P-code of the area above"}, {"iso", words, "#adm+code+iso", "ISO 3166-2, of level 1"},
	}),
	rows: func(a *API, _ context.Context, _ asked) ([][]any, dtm.Source, error) {
		var out [][]any
		for _, x := range a.Operation.Atlas().Areas {
			if !x.Retired {
				out = append(out, append(append([]any{x.Code}, names(x.Name)...), float64(x.Level), text(x.Parent), text(x.ISO)))
			}
		}
		slices.SortFunc(out, func(x, y []any) int { return strings.Compare(x[0].(string), y[0].(string)) })
		return out, a.standing(), nil
	},
	geometry: func(a *API, row []any) json.RawMessage { return a.outlines()[row[0].(string)] },
}

// outlines are the geometries of the areas by their codes.
func (a *API) outlines() map[string]json.RawMessage {
	var file struct {
		Features []struct {
			Properties struct {
				Code string `json:"code"`
			} `json:"properties"`
			Geometry json.RawMessage `json:"geometry"`
		} `json:"features"`
	}
	out := map[string]json.RawMessage{}
	if json.Unmarshal(a.Operation.Atlas().Boundaries, &file) != nil {
		return out // no outlines: the map says so where they are taken into use
	}
	for _, f := range file.Features {
		out[f.Properties.Code] = f.Geometry
	}
	return out
}

var codes = dataset{
	id: "codes", title: "Code lists", keys: 2,
	text: "What the codes in other datasets mean: countries, reasons, vulnerabilities ...",
	columns: []column{
		{"list", words, "#meta+list", "name of the list"}, {"code", words, "#meta+code", "the code"},
		{"label_en", words, "#description+i_en", "label in English"}, {"label_fr", words, "#description+i_fr", "label in French"}, {"label_ar", words, "#description+i_ar", "label in Arabic"},
	},
	rows: func(a *API, _ context.Context, _ asked) ([][]any, dtm.Source, error) {
		var lists []string
		for name := range a.Operation.Lists {
			lists = append(lists, name)
		}
		slices.Sort(lists)
		var out [][]any
		for _, name := range lists {
			for _, c := range a.Operation.Lists[name].Codes {
				out = append(out, append([]any{name, c.Code}, names(c.Label)...))
			}
		}
		return out, a.standing(), nil
	},
}

// Described is a dataset as pages tell of it.
type Described struct {
	ID      string
	Formats []string
	Columns []Tag
}

// Tag is a column with its HXL tag.
type Tag struct{ Name, HXL string }

// Describe lists the datasets.
func Describe() []Described {
	var out []Described
	for _, d := range datasets {
		x := Described{ID: d.id, Formats: d.formats()}
		for _, c := range d.columns {
			x.Columns = append(x.Columns, Tag{c.name, c.hxl})
		}
		out = append(out, x)
	}
	return out
}
