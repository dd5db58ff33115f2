package dtm

import (
	"context"
	"time"
)

// Codes that mean no particular value. Unknown is an answer ("asked, not
// known"); the empty string means the question was not asked or not recorded.
const (
	Unknown        = "unknown" // of sex, age and other lists
	UnknownCountry = "UNK"
	OtherCountry   = "OOO"
)

// Breakdown says which dimensions a movement row is split by. Rows of different
// breakdowns of one source describe the same people: they are never added.
type Breakdown string

const (
	// Full: split by nationality, sex and age (what phones record).
	Full Breakdown = "full"
	// BySexAge: split by sex and age, nationality not recorded (history).
	BySexAge Breakdown = "sex_age"
	// ByNationality: split by nationality, sex and age not recorded (history).
	ByNationality Breakdown = "nationality"
)

// Movement is one row of the movement fact: a registered group, or a month's
// aggregate, at one cell of its breakdown.
type Movement struct {
	Source      string    // instance id of the submission, or key of the imported row
	Observed    time.Time // civil date as midnight UTC; the first of the month when MonthOnly
	MonthOnly   bool      // imported history: the day is not known
	Point       string    // code; "" when blank or not resolved
	PointText   string    // as written
	Direction   string    // "incoming" | "outgoing" | "undefined" ("movement" in the registry)
	FlowType    string    // list flow_type; "" when not recorded
	Route       string
	Subroute    string
	Origin      string // ISO 3166-1 alpha-3, OOO, UNK, or ""
	Previous    string
	Next        string
	Final       string
	Breakdown   Breakdown
	Nationality string
	Sex         string
	Age         string
	People      int
	Reasons     []string // sorted, no doubles
	Transports  []string // sorted, no doubles
	Vulnerable  []Vulnerable
	Flags       []Flag
}

// Vulnerable counts people of a movement row by one vulnerability. A row without
// an entry for a vulnerability was not assessed for it: missing is not zero.
type Vulnerable struct {
	Code   string
	People int
}

// CanBe tells whether a vulnerability can be of the row's people. Unknown sex or age
// can be anything.
func (m *Movement) CanBe(code string) bool {
	adult := m.Age == "adults" || m.Age == "18_59" || m.Age == "60_plus"
	child := m.Age == "children" || m.Age == "0_4" || m.Age == "5_17"
	switch code {
	case "uac":
		return !adult
	case "under_5":
		return !adult && m.Age != "5_17"
	case "pregnant", "lactating":
		return m.Sex != "male" && m.Age != "0_4"
	case "elderly":
		return !child && m.Age != "18_59"
	case "single_head":
		return !child
	}
	return true
}

// Chunk is part of an imported file: rows that were accepted, encoded by package
// bulk, stored whole and never changed. Its hash is its identity, so importing
// the same file twice stores nothing new.
type Chunk struct {
	Hash     string // hex SHA-256 of Data
	File     string // base name of the file it came from
	FileHash string // hex SHA-256 of the file; "" while still being read
	Rows     int
	Data     []byte
	Imported time.Time
}

// Imports keeps imported history.
type Imports interface {
	// AddChunk stores the chunk durably with its event; false when it is there and was
	// not taken back.
	AddChunk(ctx context.Context, c Chunk) (added bool, err error)
	// Chunk returns a chunk by hash: NotFound.
	Chunk(ctx context.Context, hash string) (Chunk, error)
	// Chunks lists the chunks that stand, without Data, oldest first.
	Chunks(ctx context.Context) ([]Chunk, error)
	// WithdrawnChunks gives, of each chunk that was ever taken back, the last event that
	// took it back, up to an event; 0: of all.
	WithdrawnChunks(ctx context.Context, upTo int64) (map[string]int64, error)
}
