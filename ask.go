package dtm

import (
	"context"
	"time"
)

// WarehouseAsked is the event of a question in SQL: who, whether it was over rows or
// over published figures, and the text.
const WarehouseAsked = "warehouse.asked"

// Asking answers questions in SQL over documented views. One SELECT, nothing but
// reading, within limits of time and rows.
type Asking interface {
	// Ask runs the text and gives at most limit rows: Invalid with the reason for a
	// text that is no single SELECT over the views or does not run, TooLarge when it
	// takes too long or too much memory.
	Ask(ctx context.Context, text string, limit int) (Answer, error)
	// Views lists what may be asked.
	Views() []View
}

// Answer is a table of texts.
type Answer struct {
	Columns []string
	Rows    [][]string
	More    bool // there were more rows than the limit
	Took    time.Duration
}

// View is a view that questions may be asked of.
type View struct {
	Name    string
	Says    Text
	Columns []string
}
