package main

import (
	"context"
	"net/http"
	"time"

	"dtm"
	"dtm/serve"
	"dtm/web"
)

// pages are the public pages over the figures that may leave.
func (h *house) pages() (http.Handler, error) {
	p, err := web.New(web.Options{Operation: h.op, Figures: h.public, Now: time.Now, Staff: h.staff(), Report: func(ctx context.Context, m dtm.Month, l dtm.Lang) ([]byte, error) {
		return h.monthlyReport(ctx, m, l)
	}})
	if err != nil {
		return nil, err
	}
	return serve.Chain(p.Handler(), serve.Security(serve.DefaultCSP), serve.SameOrigin(serve.Problem)), nil
}
