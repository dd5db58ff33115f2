package web

import (
	"net/http"

	"dtm/disseminate/overview"
	"dtm/serve"
)

// routes are all addresses of the pages.
func (p *Pages) routes(mux *http.ServeMux) {
	handle := func(fn serve.Func) http.Handler { return serve.Handle(serve.HTML(p.errorPage), fn) }
	page := func(pattern string, fn serve.Func) { mux.Handle(pattern, handle(fn)) }
	same := func(pattern string, fn serve.Func) { // for everybody, and no large file
		h := handle(fn)
		if p.kept != nil {
			h = p.kept.Wrap(h)
		}
		mux.Handle(pattern, h)
	}
	page("GET /{$}", p.start)
	for _, l := range p.langs {
		at := "GET /" + string(l)
		same(at+"/{$}", p.dashboard)
		same(at+"/data/{$}", p.openData)
		same(at+"/data/{file}", p.data)
		for _, s := range overview.Subjects {
			same(at+"/"+string(s)+"/{$}", p.subject(s))
		}
		same(at+"/points/{code}", p.placePage(overview.PlacePoint))
		same(at+"/regions/{code}", p.placePage(overview.PlaceRegion))
		same(at+"/chart/{id}", p.chartPage)
		same(at+"/embed/{id}", p.embed)
		page(at+"/report/{file}", p.report)
		same(at+"/reports/{$}", p.reports)
		same(at+"/indicators/{$}", p.indicators)
		same(at+"/indicators/{id}", p.indicator)
		if p.Releases != nil {
			same(at+"/releases/{$}", p.releases)
			same(at+"/releases/{month}/{n}", p.release)
			page(at+"/releases/{month}/{n}/{file}", p.releasePart)
		}
		same(at+"/warning/{$}", p.warning)
		same(at+"/outlook/{$}", p.outlook)
		if p.Forecasts != nil {
			same(at+"/outlook/archive/{$}", p.archive)
			same(at+"/outlook/archive.csv", p.archiveCSV)
		}
		same(at+"/network/{$}", p.journeysPage)
		same(at+"/methods", p.methods)
		same(at+"/about", p.about)
	}
	if p.Staff != nil {
		p.staffRoutes(mux)
	}
	page("GET /asset/{file...}", p.asset)
	page("GET /", p.nothing)
}
