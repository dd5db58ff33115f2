package main

import (
	"dtm"
	"dtm/gather/entry"
)

// entryPage is the form in the browser.
func (h *house) entryPage() *entry.Handler {
	return &entry.Handler{Devices: h.db, Submissions: h.db, Questions: h.db, Figures: h.deskFigures, Title: h.op.Title, Lang: h.op.Languages[0], PointName: func(code string) dtm.Text {
		p, _ := h.op.Point(code)
		return p.Name
	}, Referrals: h.feedback, ProgrammeName: func(code string) dtm.Text {
		for _, p := range h.op.Programmes {
			if p.Code == code {
				return p.Name
			}
		}
		return nil
	}}
}
