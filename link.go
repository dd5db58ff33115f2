package dtm

// Link is a road between two points: who passes From may pass To some days later.
type Link struct {
	From, To string  // codes of points
	Days     float64 // on the way
	Basis    Text    // how it is known
}

// Flow says which movements follow the links: those of one direction. An operation
// without a name for it has none.
type Flow struct {
	Name  Text
	Where map[string][]string
}
