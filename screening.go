package dtm

import "time"

// Screening is what a screening form says of one person, by its tags. Answers are
// codes: "yes", "no", "unsure", "" not answered.
type Screening struct {
	Submission string
	Device     string
	Point      string
	Captured   time.Time // by the phone's clock; zero: not known
	Received   time.Time
	Spot       *Whereabouts

	Answered bool // the person agreed to answer
	Share    bool // and that answers are passed on

	Sex         string
	Age         int // -1: not known
	Nationality string
	Lang        string // spoken by the person
	With        string // a child's company: "parents", "relatives", "others", "alone"
	Health      string // "no", "soon", "emergency"
	Needs       []string
	Reach       string // can reach a service from here
	Danger      string
	Asylum      string
	Forced      string
	Violence    string
	ChildRisk   string
	GoHome      string
	Contact     string   // "safe", "not_safe"
	Referred    []string // programmes that the enumerator and the person chose
	Priority    string   // as the phone computed it
	Slip        string   // number on the paper slip that was handed out

	Fields map[string]string // of the register: name, phone ..; by PersonFields
}
