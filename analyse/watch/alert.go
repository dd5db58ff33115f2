package watch

import (
	"time"

	"dtm"
)

// Back is how many of the last steps a look at counts judges: what comes late is seen
// too. What is twice as long ago is history: nobody is warned of it any more.
var Back = map[Step]int{Day: 14, Week: 6, Month: 3}

// Alerts judges the last steps of the series of a place (By of the question) and gives
// the alerts to raise, with the days that were looked at: from the first of the earliest
// step to the one after the last.
func Alerts(list []Series, by string, set Settings, now time.Time) (found []dtm.Alert, looked dtm.Period, err error) {
	for _, s := range list {
		long := s.Of(0).To.Sub(s.Of(0).From) * time.Duration(2*Back[s.Step])
		for t := max(0, s.Len()-Back[s.Step]); t < s.Len(); t++ {
			span := s.Of(t)
			if now.Sub(span.To) > long {
				continue
			}
			if looked.From.IsZero() || span.From.Before(looked.From) {
				looked.From = span.From
			}
			if span.To.After(looked.To) {
				looked.To = span.To
			}
			if by != "" && s.Key == "" { // nobody can look into a place without a name
				continue
			}
			j, err := s.Judge(t, set)
			if err != nil {
				return nil, dtm.Period{}, err
			}
			if j.Alarm {
				found = append(found, s.alert(t, by, j))
			}
		}
	}
	return found, looked, nil
}

func (s Series) alert(t int, by string, j Judgement) dtm.Alert {
	return dtm.Alert{ID: dtm.AlertID(string(s.Step), by, s.Key, s.Starts[t]), Kind: dtm.AlertCount, Step: string(s.Step), By: by, Key: s.Key, Day: s.Starts[t],
		Observed: s.Counts[t], Expected: round(j.Expected), Bound: round(j.Upper), Method: string(j.Method), Effects: s.Effects(t)}
}

// round keeps what a reader sees: a figure that differs in the last bits is the same.
func round(v float64) float64 { return float64(int64(v*10+0.5)) / 10 }

// At finds the step that begins on a day; false when it is not in the series.
func (s Series) At(day time.Time) (int, bool) {
	for i := len(s.Starts) - 1; i >= 0; i-- {
		if s.Starts[i].Equal(day) {
			return i, true
		}
	}
	return 0, false
}
