package typst

// Live is the number of values that the compilers of the idle engine hold, and the
// bytes that they have taken.
func (e *Engine) Live() (values int, memory uint32) {
	for range copies {
		<-e.turn
		defer func() { e.turn <- struct{}{} }()
	}
	for range len(e.idle) {
		m := <-e.idle
		values, memory = values+m.h.Live(), memory+m.size()
		e.idle <- m
	}
	return values, memory
}

const (
	Copies  = copies
	RenewAt = copies * renewAt // memory of all copies after which they are renewed
)
