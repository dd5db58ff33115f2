package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts requests. Other rooms may register their own on Registry.
type Metrics struct {
	Registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

// NewMetrics returns metrics of requests, of the Go runtime and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "dtm_http_request_seconds",
			Help:    "Time from the head of a request to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"method", "route", "status"}),
	}
	m.Registry.MustRegister(m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) observe(verb, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method(verb), route, strconv.Itoa(status)).Observe(took.Seconds())
}

// method keeps invented verbs from making ever more series.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// Check is one thing that must work for the program to be ready.
type Check struct {
	Name  string
	Do    func(ctx context.Context) error
	Quiet bool // its failing is as it should be: not logged
}

// Health adds /healthz (the process lives), /readyz (every check passes within
// two seconds, or as Standing says; otherwise 503 and the names of those that
// failed) and, when m is not nil, /metrics.
func Health(mux *http.ServeMux, m *Metrics, checks ...Check) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		var failed []string
		for _, c := range checks {
			if err := c.Do(ctx); err != nil {
				if !c.Quiet {
					slog.ErrorContext(ctx, "not ready", "check", c.Name, "error", err)
				}
				failed = append(failed, c.Name)
			}
		}
		if len(failed) == 0 {
			fmt.Fprintln(w, "ready")
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		for _, name := range failed {
			fmt.Fprintln(w, "not ready:", name)
		}
	})
	if m != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	}
}
