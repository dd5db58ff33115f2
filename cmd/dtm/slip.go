package main

import (
	"context"
	"time"

	"rsc.io/qr"

	"dtm"
	"dtm/disseminate/paper"
	"dtm/locale"
)

// slipFor is how long a slip is good for.
const slipFor = 60 * 24 * time.Hour

// slip prints a slip that stands for a referral: in the reader's language and one more.
func (h *house) slip(ctx context.Context, r dtm.Referral, l dtm.Lang) ([]byte, error) {
	d, err := h.db.Desk(ctx, r.Desk)
	if err != nil {
		return nil, err
	}
	press, _, err := h.printer.start(h, h.op)
	if err != nil {
		return nil, err
	}
	until := h.now().Add(slipFor)
	token, err := h.db.NewSlip(ctx, r.ID, until)
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode(h.baseURL()+"/s/"+token, qr.M)
	if err != nil {
		return nil, dtm.Errorf(dtm.Internal, "the code cannot be drawn: %w", err)
	}
	other := dtm.Arabic
	if l == dtm.Arabic {
		other = dtm.French
	}
	s := paper.Slip{Kicker: h.op.Title.In(l), Title: locale.Say(l, "slip.title"), Number: r.Number[:4] + " " + r.Number[4:]}
	for y := range code.Size {
		row := make([]bool, code.Size)
		for x := range row {
			row[x] = code.Black(x, y)
		}
		s.Code = append(s.Code, row)
	}
	for _, x := range []dtm.Lang{l, other} {
		side := paper.SlipSide{Lang: x, RTL: x.RTL(), Desk: d.Name.In(x), Address: d.Address.In(x), Phone: d.Phone, Show: locale.Say(x, "slip.take"), Until: locale.Say(x, "slip.until", locale.Date(x, until.In(h.op.Zone)))}
		if side.Address == "" {
			side.Address = h.placeOf(d).In(x)
		}
		// What for is nobody's to read on somebody's paper where it could harm them.
		if dtm.Sealed(dtm.GroupOf(r.Programme)) {
			side.Desk = h.partnerName(d.Partner).In(x)
		}
		if d.Open.Days != 0 {
			side.Hours = d.Open.String()
		}
		s.Sides = append(s.Sides, side)
	}
	return paper.PrintSlip(ctx, press, s)
}

// placeOf is where a desk is as people call it: the nearest point within a walk, or its
// region.
func (h *house) placeOf(d dtm.Desk) dtm.Text {
	best, name := 5.0, dtm.Text(nil) // kilometres
	for _, p := range h.op.Network() {
		if km := dtm.Kilometres(d.Lat, d.Lon, p.Lat, p.Lon); d.Located && p.Positioned && km < best {
			best, name = km, p.Name
		}
	}
	if a, ok := h.op.Area(d.Area); ok && name == nil {
		name = a.Name
	}
	return name
}

func (h *house) partnerName(code string) dtm.Text {
	for _, p := range h.op.Partners {
		if p.Code == code {
			return p.Name
		}
	}
	return dtm.Text{"en": code}
}
