package opendata

import (
	"encoding/csv"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"dtm"
)

// parameters are all that may be asked.
var parameters = []string{"from", "to", "point", "region", "direction", "by", "release"}

// dimensions are those of the page: its filter's, its trend's and its flows'.
var dimensions = []string{"month", "point", "region", "direction", "previous", "next"}

// splits are what a table of the indicator may be split by, one at a time.
func splits(i dtm.Indicator) []string {
	out := []string{}
	for _, d := range dimensions {
		if slices.Contains(i.By, d) {
			out = append(out, d)
		}
	}
	return out
}

func splitError(i dtm.Indicator, by string) error {
	return dtm.Errorf(dtm.Invalid, "%s cannot be split by %q here; it can be by %s", i.ID, by, strings.Join(splits(i), ", ")).Coded("indicator.dimension", i.ID, by).At("by")
}

// figures answers with one table: /api/v1/indicators/total_movements/figures.csv?from=2022-12&by=point.
func (a *API) figures(w http.ResponseWriter, r *http.Request) error {
	format := path.Ext(r.PathValue("figures"))
	if r.PathValue("figures") != "figures"+format || !slices.Contains([]string{".json", ".csv", ".xlsx", ".parquet"}, format) {
		return dtm.Errorf(dtm.NotFound, "there is no such address; figures are at figures.json, .csv, .xlsx and .parquet").Coded("notfound")
	}
	i, err := a.one(r)
	if err != nil {
		return err
	}
	q, err := a.question(i, r)
	if err != nil {
		return err
	}
	s, err := a.source(r.Context(), r.URL.Query().Get("release"), dtm.MonthOf(q.Period.To.AddDate(0, 0, -1)))
	if err != nil {
		return err
	}
	t, err := s.Figures.Table(r.Context(), q)
	if err != nil {
		return absent(err)
	}
	if (format == ".csv" || format == ".json") && same(w, r, t.Release) {
		return nil
	}
	if format == ".csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+a.Operation.Code+"-"+i.ID+"-"+t.Query.Period.String()+`.csv"`)
		return writeCSV(w, t)
	}
	if format != ".json" {
		w.Header().Set("Content-Disposition", `attachment; filename="`+a.Operation.Code+"-"+i.ID+"-"+t.Query.Period.String()+format+`"`)
		return figurePage(t, s.Operation).write(w, r, format[1:], a)
	}
	return a.json(w, r, t.Release, a.view(t))
}

// figurePage is a table for the formats of datasets.
func figurePage(t dtm.Table, op *dtm.Operation) page {
	d := dataset{id: "figures", title: t.Indicator.Name.In(dtm.English) + ", " + t.Query.Period.String(), text: t.Indicator.Definition.In(dtm.English)}
	for _, by := range t.By {
		d.columns = append(d.columns, column{by, words, "#meta+" + by, "code of the " + by})
	}
	d.columns = append(d.columns, figureColumns...)
	p := page{dataset: d, all: len(t.Figures), release: t.Release, operation: op}
	for _, f := range t.Figures {
		var row []any
		for _, k := range f.Keys {
			row = append(row, k)
		}
		p.rows = append(p.rows, append(row, figureValues(t.Indicator, f)...))
	}
	return p
}

// question reads the query of the address. It is Invalid for a parameter that
// there is not, given twice, or without a period.
func (a *API) question(i dtm.Indicator, r *http.Request) (dtm.Query, error) {
	asked := r.URL.Query()
	if err := known(asked, parameters); err != nil {
		return dtm.Query{}, err
	}
	f, err := a.filter(asked)
	if err != nil {
		return dtm.Query{}, err
	}
	if asked.Get("from") == "" { // a last month alone is no period: the description says so
		return dtm.Query{}, dtm.Errorf(dtm.Invalid, "name the period by its first and last month: from=2022-01&to=2022-12").Coded("period.missing").At("from")
	}
	q := dtm.Query{Indicator: i.ID, Period: dtm.Months(f.From, f.To), Where: f.Where(), By: slices.Clone(i.Default)}
	if by := asked.Get("by"); by != "" {
		if !slices.Contains(dimensions, by) {
			return dtm.Query{}, splitError(i, by)
		}
		if !slices.Contains(splits(i), by) {
			return dtm.Query{}, absent(splitError(i, by))
		}
		q.By = []string{by}
	}
	return q, nil
}

// figure is one value: null when missing, null and suppressed when withheld.
type figure struct {
	Keys        map[string]string `json:"keys,omitempty"`
	Value       *float64          `json:"value"`
	Numerator   *float64          `json:"numerator,omitempty"`
	Denominator *float64          `json:"denominator,omitempty"`
	Suppressed  bool              `json:"suppressed,omitempty"`
	Low         *float64          `json:"low,omitempty"`
	High        *float64          `json:"high,omitempty"`
}

type note struct {
	Code string   `json:"code"`
	Text dtm.Text `json:"text"`
}

type table struct {
	ID        string              `json:"id"`
	Indicator string              `json:"indicator"`
	Name      dtm.Text            `json:"name"`
	Period    string              `json:"period"`
	By        []string            `json:"by"`
	Where     map[string][]string `json:"where,omitempty"`
	Unit      string              `json:"unit"`
	Basis     string              `json:"basis,omitempty"`
	Release   string              `json:"release"`
	Synthetic bool                `json:"synthetic,omitempty"`
	Source    dtm.Text            `json:"source"`
	Figures   []figure            `json:"figures"`
	Notes     []note              `json:"notes"`
}

// table is t for programs: codes, and values rounded as they are published.
func (a *API) view(t dtm.Table) table {
	out := table{ID: t.ID, Indicator: t.Indicator.ID, Name: t.Indicator.Name, Period: t.Query.Period.String(), By: t.By, Where: t.Query.Where, Unit: t.Indicator.Unit,
		Basis: t.Basis, Release: t.Release.ID(), Synthetic: a.Operation.Synthetic, Source: a.Operation.Source, Figures: []figure{}, Notes: []note{}}
	if out.By == nil {
		out.By = []string{}
	}
	for _, f := range t.Figures {
		g := figure{Suppressed: f.Suppressed, Low: f.Low, High: f.High}
		for i, d := range t.By {
			if g.Keys == nil {
				g.Keys = map[string]string{}
			}
			g.Keys[d] = f.Keys[i]
		}
		if !f.Suppressed {
			g.Value, g.Numerator, g.Denominator = published(t.Indicator, f.Value), f.Numerator, f.Denominator
		}
		out.Figures = append(out.Figures, g)
	}
	for _, n := range t.Notes {
		out.Notes = append(out.Notes, note{n.Code, n.Text})
	}
	return out
}

func published(i dtm.Indicator, v *float64) *float64 {
	if v == nil {
		return nil
	}
	r := i.Round(*v) + 0 // no negative zero
	return &r
}

// writeCSV writes the columns of `dtm indicator -format csv`: period, the
// dimensions' codes, value, numerator, denominator, unit, basis, release. A
// missing value is empty, a withheld one is the word suppressed.
func writeCSV(w http.ResponseWriter, t dtm.Table) error {
	out := csv.NewWriter(w)
	rows := [][]string{slices.Concat([]string{"period"}, t.By, []string{"value", "numerator", "denominator", "unit", "basis", "release"})}
	for _, f := range t.Figures {
		value, numerator, denominator := "suppressed", "", ""
		if !f.Suppressed {
			value, numerator, denominator = plain(published(t.Indicator, f.Value)), plain(f.Numerator), plain(f.Denominator)
		}
		rows = append(rows, slices.Concat([]string{t.Query.Period.String()}, f.Keys, []string{value, numerator, denominator, t.Indicator.Unit, t.Basis, t.Release.ID()}))
	}
	return out.WriteAll(rows)
}

func plain(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
