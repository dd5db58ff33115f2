package dtm

import (
	"context"
	"time"
)

// Facts is what a submission says, by the tags of its form. What a form does not
// record is nil.
type Facts struct {
	Movements []Movement
	Presence  *Presence
	Interview *Interview
	Need      *Need
	Incident  *Incident
}

// Empty tells whether the submission says nothing that figures are made of.
func (f *Facts) Empty() bool {
	return len(f.Movements) == 0 && f.Presence == nil && f.Interview == nil && f.Need == nil && f.Incident == nil
}

// NotRecorded stands for a number that was not asked or not answered: it is not 0.
const NotRecorded = -1

// Where is where something was recorded: a point of the register, or a site known by
// the name that was written, in an area.
type Where struct {
	Point     string // code; "" when blank or not resolved
	PointText string // as written
	Site      string // as written; "" at a point
	Region    string // P-code as answered; "" at a point, which has its own
	Area      string // P-code as answered
}

// Presence is one count of the people at a site: a stock on a day, never added to
// movements, nor to the count of another day.
type Presence struct {
	Where
	Observed time.Time
	Counted  time.Time // when the record ended by the phone's clock; zero when not known
	Slot     string    // part of the day
	People   []Present // cells with people; empty when nobody was there
	Arrived  int       // since the last count; NotRecorded
	Left     int
	Blocked  string // why most of them stay
	Urgent   string // "yes" | "no" | "": somebody in danger of life
}

// Present is a number of people of a presence.
type Present struct {
	Nationality, Sex, Age string
	People                int
}

// Interview is one respondent of a survey. A code is "" where the question was not
// asked or not answered; "unknown" and the like are answers.
type Interview struct {
	Where
	Source   string // instance id
	Observed time.Time
	Consent  string // "yes" | "no" | ""; without consent nothing else is known
	Before   string // "yes": has answered the survey already, and was not asked again

	Sex         string
	Years       int // of age; NotRecorded
	Nationality string
	Marital     string
	Education   string
	Employment  string

	Origin      string
	LeftWhen    string
	Company     string
	CompanySize int // NotRecorded
	Reasons     []string
	Transports  []string
	PaidBy      []string

	Next         string
	Final        string
	WhyFinal     []string
	Stay         string
	GoBack       string
	Difficulties []string // nil: not answered; "none" is an answer
	Information  []string
	KnowsHelp    string
	WantsHelp    string

	Counted   string // "yes" | "no" | "unknown" | "": was counted at another point in the days before
	CountedAt string // code of that point, the last one; "" not known
}

// Complete tells whether the person agreed and was asked.
func (i *Interview) Complete() bool { return i.Consent != "no" && i.Before != "yes" }

// Need is what somebody, a site, a point or those met by an incident lack, as
// recorded in one submission.
type Need struct {
	Where
	Observed time.Time
	Subject  string // SubjectPerson ...
	People   int    // those it is about: 1 of a person, 0 of a point
	Consent  string

	Sex         string
	Years       int // NotRecorded
	Nationality string

	Asked      []string // needs that the form asks about
	Lacks      []string // of them, those that were named; "none" when none was
	Vulnerable []string // nil: not answered
	Priority   string   // of the answers: "emergency" | "urgent" | "normal" | ""
	Reach      string   // whether a service can be reached from there
	Proposed   []string // programmes that the answers propose
	Referred   []string // programmes that the person agreed to be referred to
	Share      string   // whether the person agrees that answers are passed on
}

// Subjects of a need.
const (
	SubjectPerson   = "person"
	SubjectSite     = "site"
	SubjectPoint    = "point"
	SubjectIncident = "incident"
)

// Incident is something that happened to people at a place. (Event is the word for
// an entry of the audit log.)
type Incident struct {
	Where
	Observed    time.Time
	Kind        string
	Heard       string // how it is known
	Danger      string // "yes" | "no" | ""
	Affected    int    // NotRecorded, as all of these
	Dead        int
	Missing     int
	Injured     int
	Children    int
	Displaced   int
	Nationality string
	Population  []string
	Helping     string
	Roads       string
}

// Interviews gives respondents one by one, for estimation: they are not guarded, and
// what is made of them leaves only through guard.
type Interviews interface {
	// Interviews calls row for each interview observed in the period that stands, in
	// the order of day and source, refusals included; it stops at the first error.
	Interviews(ctx context.Context, p Period, row func(Interview) error) error
}

// At is where and on which day the facts were observed; zero when there are none.
func (f *Facts) At() (Where, time.Time) {
	switch {
	case len(f.Movements) > 0:
		m := &f.Movements[0]
		return Where{Point: m.Point, PointText: m.PointText}, m.Observed
	case f.Presence != nil:
		return f.Presence.Where, f.Presence.Observed
	case f.Interview != nil:
		return f.Interview.Where, f.Interview.Observed
	case f.Incident != nil:
		return f.Incident.Where, f.Incident.Observed
	case f.Need != nil:
		return f.Need.Where, f.Need.Observed
	}
	return Where{}, time.Time{}
}
