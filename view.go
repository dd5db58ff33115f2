package dtm

import "time"

// ViewPanel is one table of the view that is made for a partner's mandate.
type ViewPanel struct {
	Indicator string
	By        []string
	Where     map[string][]string
	Months    int // how many, up to the one that is looked at
}

// ViewLink lets somebody without an account see a partner's view for a while.
type ViewLink struct {
	Partner string
	Until   time.Time
}

// ViewLinkDays are for how many days a link may be good.
var ViewLinkDays = []int{1, 7, 30}
