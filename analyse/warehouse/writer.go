package warehouse

import "context"

// Writer is a database within the transaction that brings facts in. The rooms under
// warehouse implement it; what is done to the tables is the same for all of them
// (Merge, Follow).
type Writer interface {
	// Exec runs a statement and tells how many rows it touched.
	Exec(ctx context.Context, text string, args ...any) (int64, error)
	// Each runs a SELECT and gives row each row's scan.
	Each(ctx context.Context, row func(scan func(...any) error) error, text string, args ...any) error
	// Temp makes a temporary table anew: definition is "(columns)" or "AS SELECT ...".
	Temp(ctx context.Context, name, definition string, args ...any) error
	// Fill adds rows to a table; row gives the i-th of n, nil to leave it out.
	Fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error
}

// all runs statements in order.
func all(ctx context.Context, w Writer, texts ...string) error {
	for _, text := range texts {
		if _, err := w.Exec(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
