package event

import "context"

type actorKey struct{}

// System is the actor of what nobody asked for: migrations, workers.
const System = "system"

// WithActor returns a context whose changes are recorded as done by actor:
// "device:ID", "user:EMAIL".
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// Actor returns who acts in ctx, System when nobody is named.
func Actor(ctx context.Context) string {
	if a, ok := ctx.Value(actorKey{}).(string); ok && a != "" {
		return a
	}
	return System
}
