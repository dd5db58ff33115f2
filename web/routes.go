package web

import (
	"net/http"

	"dtm/serve"
)

// routes are all addresses of the public pages.
func (p *Pages) routes(mux *http.ServeMux) {
	page := func(pattern string, fn serve.Func) { mux.Handle(pattern, serve.Handle(serve.HTML(p.errorPage), fn)) }
	page("GET /{$}", p.start)
	page("GET /{lang}/{$}", p.dashboard)
	page("GET /{lang}/data/{file}", p.data)
	page("GET /{lang}/report/{file}", p.report)
	page("GET /{lang}/indicators/{$}", p.indicators)
	page("GET /{lang}/indicators/{id}", p.indicator)
	page("GET /{lang}/methods", p.methods)
	page("GET /asset/{file...}", p.asset)
	page("GET /", p.nothing)
}
