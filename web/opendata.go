package web

import (
	"html/template"
	"net/http"

	"dtm"
	"dtm/locale"
	"dtm/serve"
)

// Dataset is one of the open data, as the page about them tells it.
type Dataset struct {
	ID      string // the last part of its address: /api/v1/ID.csv
	Formats []string
	Columns [][2]string // name and HXL tag
}

type openView struct {
	page
	Datasets []openSet
	Examples []example
	Catalog  template.JS
}

type openSet struct {
	Dataset
	Title, Text string
	Files       []link
}

type link struct{ Label, Href string }

// example is a few lines that can be copied and run.
type example struct{ Title, Run, Code string }

// openData tells what data there are, in which formats, with examples.
func (p *Pages) openData(w http.ResponseWriter, r *http.Request) error {
	l, err := p.lang(r)
	if err != nil {
		return err
	}
	if p.Datasets == nil {
		return dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	}
	v := openView{page: p.page(l, "data", locale.Say(l, "data.title"), "/data/", nil)}
	list, catalog, err := p.Datasets(r.Context())
	if err != nil {
		return err
	}
	v.Catalog = template.JS(catalog) //nolint:gosec // made by json.Marshal, which escapes < and >
	for _, d := range list {
		set := openSet{Dataset: d, Title: locale.Say(l, "data.set."+d.ID), Text: locale.Say(l, "data.text."+d.ID)}
		for _, f := range d.Formats {
			set.Files = append(set.Files, link{f, "/api/v1/" + d.ID + "." + f})
		}
		v.Datasets = append(v.Datasets, set)
	}
	site := siteOf(r)
	v.Examples = []example{
		{v.T("data.example.csv"), "sh", "curl -fsS '" + site + "/api/v1/flows.csv' | head -3"},
		{v.T("data.example.hxl"), "sh", "curl -fsS '" + site + "/api/v1/points.csv?hxl=1' | head -3"},
		{v.T("data.example.python"), "python", "import csv, io, urllib.request\n\nurl = \"" + site + "/api/v1/flows.csv\"\nrows = csv.DictReader(io.TextIOWrapper(urllib.request.urlopen(url), \"utf-8\"))\nfor row in list(rows)[:3]:\n    # withheld values are empty: suppressed says so\n    print(row[\"month\"], row[\"previous\"], row[\"next\"], row[\"value\"] or \"withheld\")"},
		{v.T("data.example.pages"), "python", "import json, urllib.request\n\nsite, at, rows = \"" + site + "\", \"/api/v1/codes.json?limit=200\", []\nwhile at:\n    page = json.load(urllib.request.urlopen(site + at))\n    rows += page[\"rows\"]\n    at = page.get(\"next\")\nprint(len(rows), \"codes\")"},
	}
	w.Header().Set("Cache-Control", "no-cache")
	return p.show(w, http.StatusOK, "opendata", v)
}

// siteOf is the address of the site as the reader sees it.
func siteOf(r *http.Request) string {
	if serve.Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
