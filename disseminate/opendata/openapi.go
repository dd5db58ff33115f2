package opendata

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"dtm"
	"dtm/serve"
)

// route is an address with its description: what is registered is what is described.
type route struct {
	path    string // without "/api/v1/"
	summary string
	params  []param
	answer  []answer
	errors  []int
	fn      serve.Func
	match   string // pattern of the mux where it is not the path's
}

type param struct {
	name, text, example string
	path                bool
	needed              bool
	schema              map[string]any
}

// answer is one media type with its schema.
type answer struct {
	media  string
	schema any
}

type object = map[string]any

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

var (
	str       = object{"type": "string"}
	month     = object{"type": "string", "pattern": `^([0-9]{4}-(0[1-9]|1[0-2]))?$`} // empty: not asked
	ofRelease = object{"type": "string", "pattern": `^(latest|provisional|[0-9]{4}-(0[1-9]|1[0-2])/[1-9][0-9]{0,3})?$`}
	anObject  = object{"type": "object"}
	aText     = object{"type": "object", "description": "A text by language code", "additionalProperties": str}
	binary    = object{"type": "string", "format": "binary"}
	pageSet   = []param{
		{name: "limit", text: "Rows of an answer; JSON without it has 100, a file all", example: "100", schema: object{"type": "integer", "minimum": 1, "maximum": mostRows}},
		{name: "offset", text: "Rows to pass over; next in the answer, and the header Link, lead on", example: "0", schema: object{"type": "integer", "minimum": 0, "maximum": farthest}},
		{name: "hxl", text: "1: a row of HXL tags under the header of CSV and XLSX", example: "1", schema: object{"type": "string", "enum": []string{"", "0", "1"}}},
	}
)

// oneOf is a code of a list, or empty: not asked.
func oneOf(codes []string) object {
	return object{"type": "string", "enum": append([]string{""}, codes...)}
}

// filterSet are the parameters by which figures are narrowed; the codes are those that
// can be chosen now.
func (a *API) filterSet() []param {
	var points, regions, directions []string
	for _, p := range a.Operation.Network() {
		points = append(points, p.Code)
	}
	for _, x := range a.Operation.Atlas().Areas {
		if x.Level == 1 {
			regions = append(regions, x.Code)
		}
	}
	for _, c := range a.Operation.Lists["direction"].Codes {
		directions = append(directions, c.Code)
	}
	slices.Sort(points)
	slices.Sort(regions)
	return []param{
		{name: "from", text: "First month, YYYY-MM", example: "2022-01", schema: month}, {name: "to", text: "Last month, YYYY-MM; without it the first", example: "2022-12", schema: month},
		{name: "point", text: "Code of a flow monitoring point", schema: oneOf(points)}, {name: "region", text: "P-code of a region", schema: oneOf(regions)}, {name: "direction", text: "Code of a direction", schema: oneOf(directions)},
		{name: "release", text: "Number of a release, 2022-12/1; latest: the published release of the last month asked for; provisional: the data as they are now. Without it the release of the last month if there is one, else provisional", schema: ofRelease},
	}
}

// parametersOf are those of a dataset.
func (a *API) parametersOf(d dataset) (out []param) {
	takes := d.parameters()
	for _, p := range append(a.filterSet(), pageSet...) {
		if slices.Contains(takes, p.name) {
			out = append(out, p)
		}
	}
	return out
}

// routes are all addresses, in the order they are described.
func (a *API) routes() []route {
	id := param{name: "id", path: true, needed: true, schema: str, example: "total_movements"}
	asked := append([]param{id}, a.filterSet()...)
	asked[1].needed, asked[1].schema = true, object{"type": "string", "pattern": `^[0-9]{4}-(0[1-9]|1[0-2])$`}
	asked = append(asked, param{name: "by", text: "Dimension to split by; without it the indicator's own", example: "point", schema: oneOf(dimensions)})
	of := []param{{name: "month", path: true, needed: true, schema: asked[1].schema, example: "2022-12"}, {name: "n", path: true, needed: true, schema: object{"type": "string", "pattern": `^[1-9][0-9]{0,3}$`}, example: "1"}}
	json := func(schema any) []answer { return []answer{{"application/json", schema}} }
	list := []route{
		{path: "", summary: "Operation, period with data, release", answer: json(anObject), fn: a.start, match: "{$}"},
		{path: "openapi.json", summary: "This description", answer: json(anObject), fn: a.openapi},
		{path: "catalog.jsonld", summary: "The datasets as DCAT and schema.org", answer: []answer{{"application/ld+json", anObject}}, fn: a.catalog},
		{path: "indicators", summary: "All indicators with their definitions", answer: json(object{"type": "object", "properties": object{"indicators": object{"type": "array", "items": ref("Indicator")}}}), fn: a.indicators},
		{path: "indicators/{id}", summary: "One definition", params: []param{id}, answer: json(ref("Indicator")), errors: []int{404}, fn: a.indicator},
	}
	for _, format := range []string{"json", "csv", "xlsx", "parquet"} {
		r := route{path: "indicators/{id}/figures." + format, summary: "Figures of a period as " + strings.ToUpper(format), params: asked, answer: []answer{{mediaOf(format), binary}}, errors: []int{400, 404, 410}}
		if format == "json" {
			r.answer, r.fn, r.match = json(ref("Table")), a.figures, "indicators/{id}/{figures}"
		}
		list = append(list, r)
	}
	for _, d := range datasets {
		for _, format := range d.formats() {
			r := route{path: d.id + "." + format, summary: d.title + " as " + strings.ToUpper(format), params: a.parametersOf(d), answer: []answer{{mediaOf(format), binary}}, errors: []int{400}, fn: a.dataset(d, format)}
			if d.filtered {
				r.errors = []int{400, 404, 410}
			}
			switch format {
			case "json":
				r.answer = json(d.schema())
			case "geojson":
				r.answer = []answer{{mediaOf(format), anObject}}
			}
			list = append(list, r)
		}
	}
	if a.OData != nil {
		list = append(list, a.odataRoutes()...)
	}
	return append(list,
		route{path: "releases", summary: "Releases that were published, latest month first", answer: json(anObject), fn: a.releases},
		route{path: "releases/{month}/{n}", summary: "A release with its manifest: every part by its SHA-256", params: of, answer: json(anObject), errors: []int{400, 404}, fn: a.release},
		route{path: "releases/{month}/{n}/{part}", summary: "A public part: figures.csv, withheld.csv, pattern.csv, report-en.pdf ...", params: append(append([]param{}, of...), param{name: "part", path: true, needed: true, schema: str, example: "figures.csv"}),
			answer: []answer{{"text/csv", str}, {"application/pdf", binary}}, errors: []int{400, 404, 410}, fn: a.part},
	)
}

func mediaOf(format string) string { m, _, _ := strings.Cut(mediaTypes[format], ";"); return m }

// schema is that of the dataset's JSON.
func (d dataset) schema() object {
	rows := object{}
	for _, c := range d.columns {
		rows[c.name] = object{"type": []string{string(c.kind), "null"}, "description": c.text + " (" + c.hxl + ")"}
	}
	return object{"type": "object", "description": d.text, "required": []string{"dataset", "release", "count", "offset", "rows"}, "properties": object{
		"dataset": str, "title": str, "release": str, "synthetic": object{"type": "boolean"}, "source": aText,
		"count": object{"type": "integer", "description": "Rows there are"}, "offset": object{"type": "integer"}, "next": object{"type": "string", "description": "Address of the next rows; none: these were the last"},
		"rows": object{"type": "array", "items": object{"type": "object", "properties": rows}},
	}}
}

// describe is the OpenAPI description of routes.
func (a *API) describe() ([]byte, error) {
	paths := object{}
	for _, r := range a.routes() {
		content := object{}
		for _, x := range r.answer {
			content[x.media] = object{"schema": x.schema}
		}
		responses := object{"200": object{"description": "The answer; its ETag may be sent back as If-None-Match", "content": content}, "304": object{"description": "What was sent before still holds"}}
		for _, code := range r.errors {
			responses[itoa(code)] = object{"description": http.StatusText(code) + ": what was wrong with the question", "content": object{"application/problem+json": object{"schema": ref("Problem")}}}
		}
		op := object{"summary": r.summary, "responses": responses}
		params := []object{}
		for _, p := range r.params {
			x := object{"name": p.name, "in": "query", "required": p.needed, "schema": p.schema}
			if p.path {
				x["in"] = "path"
			}
			if p.text != "" {
				x["description"] = p.text
			}
			if p.example != "" {
				x["example"] = p.example
			}
			params = append(params, x)
		}
		if len(params) > 0 {
			op["parameters"] = params
		}
		paths["/api/v1/"+r.path] = object{"get": op}
	}
	b, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{"title": "Figures of a displacement tracking operation", "version": "1",
			"description": "Movements observed at flow monitoring points. Movements are counted, not persons. Counts from 1 to threshold-1 people, and what would give them away, are withheld. An answer 400 says that a parameter is not what it may be; 404 that each may be so, but that there is nothing at them together."},
		"paths":      paths,
		"components": object{"schemas": schemas},
	}, "", " ")
	return append(b, '\n'), err
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

var number0 = object{"type": "number"}

// schemas are those that several addresses answer with.
var schemas = object{
	"Indicator": object{"type": "object", "required": []string{"id", "name", "unit", "figures"}, "properties": object{
		"id": str, "name": aText, "definition": aText, "formula": str, "unit": str, "denominator": aText, "missing": aText, "source": str,
		"decimals": object{"type": "integer"}, "by": object{"type": "array", "items": str}, "default": object{"type": "array", "items": str}, "figures": str}},
	"Table": object{"type": "object", "required": []string{"indicator", "period", "release", "figures"}, "properties": object{
		"id": str, "indicator": str, "name": aText, "period": str, "by": object{"type": "array", "items": str}, "where": anObject, "unit": str, "basis": str, "release": str, "synthetic": object{"type": "boolean"}, "source": aText,
		"figures": object{"type": "array", "items": object{"type": "object", "required": []string{"value"}, "properties": object{
			"keys":      object{"type": "object", "additionalProperties": str, "description": "Codes by dimension"},
			"value":     object{"type": []string{"number", "null"}, "description": "Rounded as published; null: no observation, or withheld"},
			"numerator": number0, "denominator": number0,
			"suppressed": object{"type": "boolean", "description": "Withheld to protect small counts"},
			"low":        object{"type": "number", "description": "Of a figure withheld only to protect others: it is at least this"},
			"high":       object{"type": "number", "description": "and at most this"}}}},
		"notes": object{"type": "array", "items": object{"type": "object", "properties": object{"code": str, "text": aText}}}}},
	"Problem": object{"type": "object", "description": "RFC 9457", "properties": object{"type": str, "title": str, "status": object{"type": "integer"}, "detail": str, "code": str, "where": str, "id": str}},
}

func (a *API) openapi(w http.ResponseWriter, _ *http.Request) error {
	b, err := a.describe()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(b)
	return err
}

// nothing answers for addresses that there are not.
func nothing(http.ResponseWriter, *http.Request) error {
	return dtm.Errorf(dtm.NotFound, "there is no such address; /api/v1/openapi.json lists them").Coded("notfound")
}
