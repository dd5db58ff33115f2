package relational

import (
	"database/sql"
	"encoding/json"
	"time"

	"dtm/event"
)

// timeText is how a time stands in a column.
func timeText(t time.Time) string { return t.UTC().Format(event.TimeLayout) }

// textTime reads a column of timeText.
func textTime(s string) (time.Time, error) { return time.Parse(event.TimeLayout, s) }

// optionalTime reads a column that may be NULL.
func optionalTime(s sql.NullString) (*time.Time, error) {
	if !s.Valid {
		return nil, nil
	}
	t, err := textTime(s.String)
	return &t, err
}

// jsonText is how a list or an object stands in a column.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // v is of our own types, which all can be written
	}
	return string(b)
}
