package opendata

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"dtm"
)

// Sheet is a table for programs that read many of them: Excel, Power BI. Its first
// column, id, tells a row from the others.
type Sheet struct {
	Name    string
	Columns []SheetColumn
	Rows    func(ctx context.Context, asked url.Values) ([][]any, error)
}

// SheetColumn is a column; Kind is string, number or boolean.
type SheetColumn struct{ Name, Kind string }

// figureSheet are the columns of the table of all indicators.
var figureSheet = append([]column{
	{name: "indicator", kind: words}, {name: "period", kind: words}, {name: "split", kind: words}, {name: "key", kind: words}, {name: "unit", kind: words}, {name: "release", kind: words},
}, figureColumns...)

// Sheets are the datasets, and the figures of every indicator in one table.
func (a *API) Sheets() []Sheet {
	var out []Sheet
	for _, d := range datasets {
		takes := slices.DeleteFunc(d.parameters(), func(s string) bool { return s == "limit" || s == "offset" || s == "hxl" })
		out = append(out, Sheet{d.id, sheetColumns(d.columns), func(ctx context.Context, asked url.Values) ([][]any, error) {
			if err := known(asked, takes); err != nil {
				return nil, err
			}
			q, err := d.ask(a, asked)
			if err != nil {
				return nil, err
			}
			rows, _, err := d.rows(a, ctx, q)
			return identified(rows, d.keys), err
		}})
	}
	return append(out, Sheet{"figures", sheetColumns(figureSheet), a.allFigures})
}

func sheetColumns(list []column) []SheetColumn {
	out := []SheetColumn{{"id", string(words)}}
	for _, c := range list {
		out = append(out, SheetColumn{c.name, string(c.kind)})
	}
	return out
}

// identified puts before each row what its first columns name it.
func identified(rows [][]any, keys int) [][]any {
	out := make([][]any, 0, len(rows))
	for _, r := range rows {
		var id []string
		for _, k := range r[:keys] {
			id = append(id, written(k))
		}
		out = append(out, append([]any{strings.Join(id, "|")}, r...))
	}
	return out
}

// allFigures are the figures of a period, those of the latest month unless from and to
// say otherwise: of every indicator that needs no further question, or of the one that
// is named, split as it is by default or by one dimension.
func (a *API) allFigures(ctx context.Context, asked url.Values) ([][]any, error) {
	if err := known(asked, append([]string{"indicator"}, parameters...)); err != nil {
		return nil, err
	}
	f, err := a.filter(asked)
	if err != nil {
		return nil, err
	}
	s, err := a.source(ctx, asked.Get("release"), f.To)
	if err != nil {
		return nil, err
	}
	if f.From.IsZero() {
		span, err := s.Figures.Span(ctx)
		if err != nil || span.From.IsZero() {
			return nil, err
		}
		f.From = dtm.MonthOf(span.To.AddDate(0, 0, -1))
		if today := dtm.MonthOf(a.today()); s.Frozen != nil {
			f.From = s.Frozen.Month
		} else if today.Before(f.From) { // a mistyped date is no month to show
			f.From = today
		}
		f.To = f.From
	}
	list, only := a.Figures.Catalogue(), asked.Get("indicator") != ""
	if only {
		i, err := a.indicatorOf(asked.Get("indicator"))
		if err != nil {
			return nil, err
		}
		list = []dtm.Indicator{i}
	}
	var out [][]any
	for _, i := range list {
		q := dtm.Query{Indicator: i.ID, Period: dtm.Months(f.From, f.To), Where: f.Where(), By: slices.Clone(i.Default)}
		if by := asked.Get("by"); by != "" {
			if !slices.Contains(splits(i), by) {
				if only {
					return nil, splitError(i, by)
				}
				continue
			}
			q.By = []string{by}
		}
		t, err := s.Figures.Table(ctx, q)
		if dtm.KindOf(err) == dtm.Invalid && !only { // this one has to be asked for by itself
			continue
		}
		if err != nil {
			return nil, err
		}
		split := strings.Join(t.By, ",")
		for _, x := range t.Figures {
			row := append([]any{i.ID, t.Query.Period.String(), split, strings.Join(x.Keys, "|"), i.Unit, t.Release.ID()}, figureValues(t.Indicator, x)...)
			out = append(out, row)
		}
	}
	return identified(out, 4), nil
}

// root is the address of the OData service.
func (a *API) root(r *http.Request) string {
	base := strings.TrimRight(a.Base, "/")
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			base = "https://" + r.Host
		}
	}
	return base + "/api/v1/odata/"
}

func (a *API) odata(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	return a.OData(w, r, a.root(r), r.PathValue("rest"))
}

// powerBI is a file that opens Power BI on the service.
func (a *API) powerBI(w http.ResponseWriter, r *http.Request) error {
	b, err := json.MarshalIndent(object{"version": "0.1", "connections": []object{{
		"details": object{"protocol": "odata", "address": object{"url": a.root(r)}}, "mode": "Import"}}}, "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+a.Operation.Code+`.pbids"`)
	return send(w, r, "application/json", append(b, '\n'))
}

// excel is a file that opens Excel on the flows of the service, by a query that Excel
// can turn to any other table.
func (a *API) excel(w http.ResponseWriter, r *http.Request) error {
	text := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s)) // into memory
		return b.String()
	}
	formula := `let Source = OData.Feed("` + a.root(r) + `", null, [Implementation="2.0"]), Rows = Source{[Name="flows",Signature="table"]}[Data] in Rows`
	mashup := `<Mashup xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://schemas.microsoft.com/DataMashup"><Client>EXCEL</Client><Version>2.72.5556.201</Version><MinVersion>2.21.0.0</MinVersion><Culture>en-US</Culture><SafeCombine>true</SafeCombine><Items><Query Name="flows"><Formula>` +
		text(formula) + `</Formula><IsParameterQuery xsi:nil="true" /><IsDirectQuery xsi:nil="true" /></Query></Items></Mashup>`
	title := a.Operation.Title.In(dtm.English)
	b := `<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta http-equiv="Content-Type" content="text/x-ms-odc; charset=utf-8" />
<meta name="ProgId" content="ODC.Database" />
<meta name="SourceType" content="OLEDB" />
<title>` + text(title) + `</title>
<xml id="docprops"><o:DocumentProperties><o:Description>` + text(title+": movements by month and country") + `</o:Description><o:Name>flows</o:Name></o:DocumentProperties></xml>
<xml id="msodc"><odc:OfficeDataConnection xmlns:odc="urn:schemas-microsoft-com:office:odc"><odc:PowerQueryConnection odc:Type="OLEDB"><odc:ConnectionString>Provider=Microsoft.Mashup.OleDb.1;Data Source=$Workbook$;Location=flows;Extended Properties=""</odc:ConnectionString><odc:CommandType>SQL</odc:CommandType><odc:CommandText>SELECT * FROM [flows]</odc:CommandText></odc:PowerQueryConnection><odc:PowerQueryMashupData>` +
		text(mashup) + `</odc:PowerQueryMashupData></odc:OfficeDataConnection></xml>
</head>
<body></body>
</html>
`
	w.Header().Set("Content-Disposition", `attachment; filename="`+a.Operation.Code+`-flows.odc"`)
	return send(w, r, "text/x-ms-odc; charset=utf-8", []byte(b))
}

// odataRoutes describe the service.
func (a *API) odataRoutes() []route {
	text := object{"type": "string"}
	return []route{
		{path: "odata/", summary: "OData 4.0: the tables there are. What lies below is described by $metadata, in the way of that protocol", answer: []answer{{"application/json", anObject}}, errors: []int{400}, fn: a.odata, match: "odata/{rest...}"},
		{path: "odata/$metadata", summary: "OData 4.0: the types of the tables", answer: []answer{{"application/xml", text}}, errors: []int{400}},
		{path: "odata.pbids", summary: "A file that opens Power BI on the OData service", answer: []answer{{"application/json", anObject}}, fn: a.powerBI},
		{path: "odata.odc", summary: "A file that opens Excel on the OData service", answer: []answer{{"text/x-ms-odc", text}}, fn: a.excel},
	}
}
