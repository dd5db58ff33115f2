package opendata_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"
)

type answered struct {
	Context string           `json:"@odata.context"`
	Next    string           `json:"@odata.nextLink"`
	Count   *int             `json:"@odata.count"`
	Value   []map[string]any `json:"value"`
}

func sheet(t *testing.T, at string) answered {
	t.Helper()
	resp, body := get(t, at, "OData-Version", "4.0", "OData-MaxVersion", "4.0", "Accept", "application/json;odata.metadata=minimal")
	var out answered
	if err := json.Unmarshal([]byte(body), &out); err != nil || resp.StatusCode != 200 || resp.Header.Get("OData-Version") != "4.0" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json; odata.metadata=minimal") && out.Value == nil {
		t.Fatalf("%s: %v %s %s", at, err, resp.Status, body)
	}
	return out
}

// TestOData asks as Power BI and Excel do: the service, its types, tables whole,
// filtered, sorted, cut and counted.
func TestOData(t *testing.T) {
	t.Parallel()
	s := server(t)
	root := s.URL + "/api/v1/odata/"
	service := sheet(t, root)
	_, body := get(t, root+"$metadata")
	var types struct {
		Schema struct {
			Types []struct {
				Name       string `xml:"Name,attr"`
				Properties []struct {
					Name string `xml:"Name,attr"`
					Type string `xml:"Type,attr"`
				} `xml:"Property"`
			} `xml:"EntityType"`
			Sets []struct {
				Name string `xml:"Name,attr"`
			} `xml:"EntityContainer>EntitySet"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.Unmarshal([]byte(body), &types); err != nil || len(types.Schema.Types) != 6 || len(types.Schema.Sets) != len(service.Value) {
		t.Fatalf("%v: %d types, %d sets, the service has %d\n%s", err, len(types.Schema.Types), len(types.Schema.Sets), len(service.Value), body)
	}
	for i, e := range types.Schema.Types {
		name, ok := service.Value[i]["url"].(string)
		if !ok || name != e.Name {
			t.Fatalf("%v and %s", service.Value[i], e.Name)
		}
		rows := sheet(t, root+name+"?$count=true").Value
		if len(rows) == 0 && name != "presence" {
			t.Errorf("%s has no rows", name)
		}
		ids := map[any]bool{}
		for _, r := range rows {
			if ids[r["id"]] {
				t.Errorf("%s: %v twice", name, r["id"])
			}
			ids[r["id"]] = true
			if len(r) != len(e.Properties) {
				t.Errorf("%s: %v has not the columns %v", name, r, e.Properties)
			}
			for _, p := range e.Properties {
				fits := r[p.Name] == nil
				switch r[p.Name].(type) {
				case string:
					fits = p.Type == "Edm.String"
				case float64:
					fits = p.Type == "Edm.Double"
				case bool:
					fits = p.Type == "Edm.Boolean"
				}
				if !fits {
					t.Errorf("%s: %s is %v, of type %s", name, p.Name, r[p.Name], p.Type)
				}
			}
		}
	}
	ask := func(table, q string) answered {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		return sheet(t, root+table+"?"+v.Encode())
	}
	known := ask("flows", "$filter=suppressed eq false and month eq '2022-11'&$select=id,value")
	if len(known.Value) != 1 || known.Value[0]["value"] != 400.0 || known.Value[0]["id"] != "2022-11|ETH|SAU" || len(known.Value[0]) != 2 {
		t.Errorf("%v", known.Value)
	}
	if r := ask("flows", "from=2022-12&$filter=previous eq 'ETH' and next eq 'SAU'").Value; len(r) != 1 || r[0]["value"] != nil || r[0]["suppressed"] != true {
		t.Errorf("the small count: %v", r)
	}
	if r := ask("flows", "$filter=value lt 10"); len(r.Value) != 0 {
		t.Errorf("a filter finds withheld values: %v", r.Value)
	}
	points := ask("points", "$orderby=code desc&$top=3&$skip=1&$count=true")
	if len(points.Value) != 3 || points.Next != "" || points.Count == nil || *points.Count < 5 || points.Value[0]["code"].(string) < points.Value[1]["code"].(string) {
		t.Errorf("%+v", points)
	}
	if resp, n := get(t, root+"points/$count"); n != itoa(*points.Count) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("$count is %s", n)
	}
	one := ask("figures", "indicator=total_movements&by=point&from=2022-12")
	if len(one.Value) < 4 || one.Value[0]["indicator"] != "total_movements" {
		t.Errorf("%v", one.Value)
	}
	for at, status := range map[string]int{"nothing": 404, "points?$filter=colour eq 1": 400, "points?$expand=*": 415, "points?$apply=x": 415, "points?from=2022-12": 400, "flows?limit=3": 400, "figures?indicator=none": 404, "figures?indicator=total_movements&by=sex": 400, "points?$top=-1": 400, "points?$skiptoken=x": 400} {
		path, q, _ := strings.Cut(at, "?")
		v, _ := url.ParseQuery(q)
		if resp, body := get(t, root+path+"?"+v.Encode()); resp.StatusCode != status {
			t.Errorf("%s: %s, want %d: %s", at, resp.Status, status, body)
		}
	}
	if resp, _ := get(t, root+"points", "OData-MaxVersion", "3.0"); resp.StatusCode != 400 {
		t.Errorf("OData 3: %s", resp.Status)
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// TestConnections: the files for Power BI and Excel lead to the service that is there.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := server(t)
	var p struct {
		Version     string
		Connections []struct {
			Details struct {
				Protocol string
				Address  struct{ URL string }
			}
		}
	}
	_, body := get(t, s.URL+"/api/v1/odata.pbids")
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Version != "0.1" || len(p.Connections) != 1 || p.Connections[0].Details.Protocol != "odata" {
		t.Fatalf("%v %s", err, body)
	}
	root := p.Connections[0].Details.Address.URL
	if resp, _ := get(t, root); resp.StatusCode != 200 {
		t.Errorf("%s: %s", root, resp.Status)
	}
	resp, body := get(t, s.URL+"/api/v1/odata.odc")
	var mashup string
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the file for Excel: %v\n%s", err, body)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "PowerQueryMashupData" {
			if err := d.DecodeElement(&mashup, &e); err != nil {
				t.Fatal(err)
			}
		}
	}
	var m struct {
		Formula string `xml:"Items>Query>Formula"`
	}
	if err := xml.Unmarshal([]byte(mashup), &m); err != nil || !strings.Contains(m.Formula, `OData.Feed("`+root+`"`) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/x-ms-odc") {
		t.Errorf("%v: %s", err, mashup)
	}
}
