package notify

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"dtm"
	"dtm/locale"
)

//go:embed template/mail.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "template/mail.html"))

// Mail is a message as it is sent.
type Mail struct {
	ID      string // unique, the same in every attempt
	To      string
	Subject string
	Text    string
	HTML    string
	Stop    string // address of the one-click stop (RFC 8058); "" when there is nothing to stop
}

// StopPath is where a subscription is stopped without signing in.
func StopPath(l dtm.Lang, token string) string { return "/" + string(l) + "/stop/" + token }

type letter struct {
	Lang                              dtm.Lang
	Dir, Title, Lead, Why             string
	Lines                             []Line
	Open, Manage, Stop, StopSays, Ask string
	Source, Synthetic                 string
}

func (w Words) letter(s dtm.Subscription, m dtm.SubscriptionMessage) (letter, string) {
	l := s.Lang
	x := letter{Lang: l, Dir: "ltr", Lines: w.Lines(l, m.News), Open: locale.Say(l, "subscription.mail.open"), Source: w.Operation.Source.In(l),
		Manage: w.at(l, "/staff/subscriptions/", nil), Ask: locale.Say(l, "subscription.mail.manage"), StopSays: locale.Say(l, "subscription.mail.stop")}
	if s.Stop != "" {
		x.Stop = w.Base + StopPath(l, s.Stop)
	}
	if l.RTL() {
		x.Dir = "rtl"
	}
	what, when := w.What(l, s)
	x.Title, x.Why = what, locale.Say(l, "subscription.mail.why", what, when)
	subject := w.Operation.Title.In(l) + locale.Say(l, "word.colon") + " " + locale.Say(l, "subscription.mail.several", len(m.News))
	if len(x.Lines) == 1 {
		subject = x.Lines[0].Text
	}
	if m.Trial {
		x.Lead = locale.Say(l, "subscription.mail.trial")
		if len(x.Lines) == 0 {
			x.Lead += " " + locale.Say(l, "subscription.mail.nothing")
			subject = what
		}
		subject = locale.Say(l, "subscription.mail.trial.subject", subject)
	}
	if w.Operation.Synthetic {
		x.Synthetic = locale.Say(l, "subscription.mail.synthetic")
	}
	return x, subject
}

// Mail writes a message of a subscription: plain text and HTML that say the same.
func (w Words) Mail(s dtm.Subscription, m dtm.SubscriptionMessage) (Mail, error) {
	x, subject := w.letter(s, m)
	var text strings.Builder
	if x.Synthetic != "" {
		fmt.Fprintf(&text, "%s\n\n", x.Synthetic)
	}
	fmt.Fprintf(&text, "%s\n\n", x.Title)
	if x.Lead != "" {
		fmt.Fprintf(&text, "%s\n\n", x.Lead)
	}
	for _, line := range x.Lines {
		fmt.Fprintf(&text, "%s\n", line.Text)
		if line.More != "" {
			fmt.Fprintf(&text, "%s\n", line.More)
		}
		fmt.Fprintf(&text, "%s\n\n", line.Link)
	}
	fmt.Fprintf(&text, "-- \n%s\n%s\n%s%s %s\n", x.Source, x.Why, x.Ask, locale.Say(s.Lang, "word.colon"), x.Manage)
	if x.Stop != "" {
		fmt.Fprintf(&text, "%s%s %s\n", x.StopSays, locale.Say(s.Lang, "word.colon"), x.Stop)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, x); err != nil {
		return Mail{}, err
	}
	return Mail{ID: m.ID, To: s.Owner, Subject: subject, Text: text.String(), HTML: b.String(), Stop: x.Stop}, nil
}

// hookBody is the body of a webhook's request. Figures are those that are published.
type hookBody struct {
	ID           string     `json:"id"`
	Event        string     `json:"event"`
	Operation    string     `json:"operation"`
	At           string     `json:"at"`
	Subscription string     `json:"subscription"`
	Trial        bool       `json:"trial"`
	Synthetic    bool       `json:"synthetic"`
	Lang         dtm.Lang   `json:"lang"`
	News         []hookNews `json:"news"`
}

type hookNews struct {
	Kind     string              `json:"kind"`
	Of       string              `json:"of"`
	Where    map[string][]string `json:"where,omitempty"`
	Day      string              `json:"day"`
	Text     string              `json:"text"`
	Value    *float64            `json:"value"`
	Before   *float64            `json:"before,omitempty"`
	Withheld bool                `json:"withheld"`
	Release  string              `json:"release,omitempty"`
	Link     string              `json:"link"`
}

// Body writes a message for a webhook.
func (w Words) Body(delivery string, s dtm.Subscription, m dtm.SubscriptionMessage) ([]byte, error) {
	b := hookBody{ID: delivery, Event: dtm.SubscriptionMessageName, Operation: w.Operation.Code, At: m.Created.UTC().Format(time.RFC3339), Subscription: s.ID, Trial: m.Trial,
		Synthetic: w.Operation.Synthetic, Lang: s.Lang, News: []hookNews{}}
	for i, line := range w.Lines(s.Lang, m.News) {
		n := m.News[i]
		b.News = append(b.News, hookNews{n.Kind, n.Of, n.Where, n.Day.Format(time.DateOnly), line.Text, n.Value, n.Before, n.Withheld, n.Release, line.Link})
	}
	return json.Marshal(b)
}
