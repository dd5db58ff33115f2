package typst

// Live is the number of values the idle engine's compiler holds, Memory the bytes
// it has taken.
func (e *Engine) Live() (values int, memory uint32) {
	m := <-e.turn
	defer func() { e.turn <- m }()
	if m == nil {
		return 0, 0
	}
	return m.h.live, m.size()
}

const RenewAt = renewAt
