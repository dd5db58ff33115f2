package paper

import (
	"context"
	"encoding/json"

	"dtm"
)

// Slip is what a person takes along: where to go, and a code that says nothing by
// itself.
type Slip struct {
	Kicker string     `json:"kicker"`
	Title  string     `json:"title"`
	Number string     `json:"number"`
	Code   [][]bool   `json:"code"`  // rows of the QR code, quiet zone left out; true is dark
	Sides  []SlipSide `json:"sides"` // the same in two languages
}

// SlipSide is the slip in one language.
type SlipSide struct {
	Lang    dtm.Lang `json:"lang"`
	RTL     bool     `json:"rtl"`
	Desk    string   `json:"desk"`
	Address string   `json:"address"`
	Hours   string   `json:"hours"`
	Phone   string   `json:"phone"`
	Show    string   `json:"show"`
	Until   string   `json:"until"`
}

// PrintSlip makes the PDF of a slip, A6.
func PrintSlip(ctx context.Context, c Compiler, s Slip) ([]byte, error) {
	if len(s.Sides) != 2 {
		return nil, dtm.Errorf(dtm.Invalid, "a slip is in two languages")
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, dtm.Errorf(dtm.Internal, "the slip cannot be written as JSON: %w", err)
	}
	template, err := templates.ReadFile("template/slip.typ")
	if err != nil {
		return nil, err
	}
	return c.Compile(ctx, "slip.typ", map[string][]byte{"slip.typ": template, "slip.json": data})
}
