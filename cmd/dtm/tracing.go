package main

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"dtm"
	"dtm/analyse/warehouse"
)

// traced sends spans to the collector that the settings or the environment name, until
// stop; without one nothing is done. A span says which route, group, question or work
// took how long: no address, no path, no query, no error's words, nothing of a person.
func (h *house) traced(ctx context.Context, env func(string) string) (stop func(), err error) {
	var to []otlptracehttp.Option
	switch at := h.config.Traces; {
	case at != "":
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, dtm.Errorf(dtm.Invalid, "the setting otlp_endpoint is the address of a collector of traces, http(s)://HOST:4318").At("otlp_endpoint")
		}
		to = append(to, otlptracehttp.WithEndpointURL(u.JoinPath("v1", "traces").String()))
	case env("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		return func() {}, nil
	}
	exporter, err := otlptracehttp.New(ctx, to...)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the settings of traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { slog.Warn("traces could not be sent", "error", err) }))
	p := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "dtm"), attribute.String("service.version", version), attribute.String("dtm.operation", h.op.Code))))
	otel.SetTracerProvider(p)
	return func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := p.Shutdown(end); err != nil {
			slog.Warn("the last traces could not be sent", "error", err)
		}
	}, nil
}

// span is one piece of work in the traces; end is told how it went.
func span(ctx context.Context, name string) (_ context.Context, end func(error)) {
	ctx, s := otel.Tracer("dtm").Start(ctx, name)
	return ctx, func(err error) {
		if err != nil {
			s.SetStatus(codes.Error, "") // its words may hold anything
		}
		s.End()
	}
}

// did is span round work that may fail.
func did(ctx context.Context, name string, work func(context.Context) error) error {
	ctx, end := span(ctx, name)
	err := work(ctx)
	end(err)
	return err
}

// tracedFacts is a warehouse whose questions and loads are seen in the traces.
type tracedFacts struct{ facts }

func (t tracedFacts) Read(ctx context.Context, f func(warehouse.Reader) error) error {
	return did(ctx, "warehouse question", func(ctx context.Context) error { return t.facts.Read(ctx, f) })
}

func (t tracedFacts) Apply(ctx context.Context, b warehouse.Batch) ([]warehouse.Outcome, error) {
	ctx, end := span(ctx, "warehouse load")
	o, err := t.facts.Apply(ctx, b)
	end(err)
	return o, err
}
