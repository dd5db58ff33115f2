package web

import (
	"net/http"

	"dtm/disseminate/overview"
	"dtm/serve"
)

// routes are all addresses of the pages.
func (p *Pages) routes(mux *http.ServeMux) {
	page := func(pattern string, fn serve.Func) { mux.Handle(pattern, serve.Handle(serve.HTML(p.errorPage), fn)) }
	page("GET /{$}", p.start)
	for _, l := range p.langs {
		at := "GET /" + string(l)
		page(at+"/{$}", p.dashboard)
		page(at+"/data/{$}", p.openData)
		page(at+"/data/{file}", p.data)
		for _, s := range overview.Subjects {
			page(at+"/"+string(s)+"/{$}", p.subject(s))
		}
		page(at+"/points/{code}", p.placePage(overview.PlacePoint))
		page(at+"/regions/{code}", p.placePage(overview.PlaceRegion))
		page(at+"/chart/{id}", p.chartPage)
		page(at+"/embed/{id}", p.embed)
		page(at+"/report/{file}", p.report)
		page(at+"/reports/{$}", p.reports)
		page(at+"/indicators/{$}", p.indicators)
		page(at+"/indicators/{id}", p.indicator)
		if p.Releases != nil {
			page(at+"/releases/{$}", p.releases)
			page(at+"/releases/{month}/{n}", p.release)
			page(at+"/releases/{month}/{n}/{file}", p.releasePart)
		}
		page(at+"/warning/{$}", p.warning)
		page(at+"/outlook/{$}", p.outlook)
		if p.Forecasts != nil {
			page(at+"/outlook/archive/{$}", p.archive)
			page(at+"/outlook/archive.csv", p.archiveCSV)
		}
		page(at+"/network/{$}", p.journeysPage)
		page(at+"/methods", p.methods)
		page(at+"/about", p.about)
	}
	if p.Staff != nil {
		p.staffRoutes(mux)
	}
	page("GET /asset/{file...}", p.asset)
	page("GET /", p.nothing)
}
