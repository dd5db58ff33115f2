package dtm

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
)

// Events of subscriptions. The subject is the subscription's id.
const (
	SubscriptionMade    = "subscription.made"
	SubscriptionPaused  = "subscription.paused" // by its owner, or because messages came back
	SubscriptionResumed = "subscription.resumed"
	SubscriptionStopped = "subscription.stopped"
	SubscriptionDue     = "subscription.due"     // there is a message to be sent
	SubscriptionSent    = "subscription.sent"    // the mail server took it, or the address answered
	SubscriptionBounced = "subscription.bounced" // it was refused for good, or came back
)

// SubscriptionMessageName is what a webhook is told that a message of a subscription is.
const SubscriptionMessageName = "subscription.message"

// Kinds of subscriptions.
const (
	SubscribeIndicator = "indicator" // a figure of each month
	SubscribeAlert     = "alert"     // alerts that were confirmed
	SubscribeReport    = "report"    // reports that came out
)

// Channels by which a subscriber is told.
const (
	ChannelEmail   = "email"
	ChannelWebhook = "webhook"
)

// Rules say when a figure is news.
const (
	RuleNew    = "new"    // each month's
	RuleAbove  = "above"  // more than the bound
	RuleBelow  = "below"  // less than the bound
	RuleChange = "change" // the bound in percent or more off the month before
)

// Rules of a subscription to an indicator.
var Rules = []string{RuleNew, RuleAbove, RuleBelow, RuleChange}

// Paces of telling.
const (
	PaceOnce   = "once" // at once
	PaceDaily  = "daily"
	PaceWeekly = "weekly"
)

// Paces are all of them.
var Paces = []string{PaceOnce, PaceDaily, PaceWeekly}

// States of a subscription. What was stopped stays stopped.
const (
	SubscriptionActive = "active"
	SubscriptionAtRest = "paused"
	SubscriptionEnded  = "stopped"
)

// DigestHour is when digests go out, by the clock of the operation: daily ones every
// day, weekly ones on Mondays.
const DigestHour = 7

// BouncesToPause is how many messages in a row come back until a subscription rests.
const BouncesToPause = 3

// Subscription is somebody's wish to be told.
type Subscription struct {
	ID      string
	Owner   string // e-mail address of the account that made it; messages go there
	Lang    Lang
	Channel string
	Webhook string   // id of the webhook that tells it
	URL     string   // and its address
	Secret  string   // of its signatures, when it was just made
	Allow   []string // networks that the address may lie in although they are not public, when it is made
	Kind    string
	Of      string              // an indicator, or a product of reports
	Where   map[string][]string // what the figure is narrowed to; of alerts: region or point
	Rule    string              // of an indicator
	Bound   float64
	Pace    string
	Created time.Time
	State   string
	Cause   string // code of why it rests: "bounced", "address", "" by its owner
	Changed time.Time
	Begun   time.Time // made, or resumed: earlier digests are not due
	Slot    string    // of the latest digest that was looked at
	Stop    string    // token by which it is stopped without signing in
}

// News is one thing that a subscriber is told.
type News struct {
	Key      string              // told once of a subscription
	Kind     string              // as of the subscription
	Of       string              // indicator, alert's id, report's name
	Where    map[string][]string `json:",omitempty"`
	Step     string              `json:",omitempty"` // of an alert
	By       string              `json:",omitempty"`
	Place    string              `json:",omitempty"` // code
	Day      time.Time           // first of the month or step
	State    string              `json:",omitempty"` // of an alert
	Value    *float64            `json:",omitempty"` // as guard gives it
	Before   *float64            `json:",omitempty"` // the month before
	Withheld bool                `json:",omitempty"`
	Release  string              `json:",omitempty"`
}

// SubscriptionMessage is what was or is to be sent.
type SubscriptionMessage struct {
	ID           string // also in the Message-ID of the mail
	Subscription string
	Trial        bool // the subscriber asked for one now
	News         []News
	Created      time.Time
	Attempts     int
	Next         time.Time // not tried before
	Tried        *time.Time
	Done         *time.Time // sent, or given up
	Status       int        // the server's latest answer
	Problem      string     // of the latest attempt
	Bounced      bool
}

// Reach is how far somebody may receive figures.
type Reach struct {
	Everywhere bool
	Areas      []string // codes of regions, where not everywhere
	Raised     bool     // alerts that nobody has judged yet are told too
}

// Covers tells whether figures of a region may be received; "" is the whole country.
func (r Reach) Covers(region string) bool {
	return r.Everywhere || slices.Contains(r.Areas, region)
}

// Region is the one that the subscription is narrowed to, by itself or by its point; ""
// when it is not.
func (s Subscription) Region(op *Operation) string {
	if len(s.Where["region"]) == 1 {
		return s.Where["region"][0]
	}
	if len(s.Where["point"]) == 1 {
		p, _ := op.Point(s.Where["point"][0])
		return p.Area
	}
	return ""
}

// Check tells what a subscription lacks, and what reach does not allow: Invalid,
// Forbidden.
func (s Subscription) Check(op *Operation, reach Reach) error {
	bad := func(code, msg string, args ...any) error { return Errorf(Invalid, msg, args...).Coded(code, args...) }
	switch {
	case s.Channel != ChannelEmail && s.Channel != ChannelWebhook:
		return bad("subscription.channel", "messages go by e-mail or webhook")
	case !slices.Contains(Paces, s.Pace):
		return bad("subscription.pace", "messages come at once, daily or weekly")
	case !slices.Contains(op.Languages, s.Lang):
		return bad("subscription.language", "%q is no language of the operation", string(s.Lang))
	}
	switch s.Kind {
	case SubscribeIndicator:
		switch {
		case s.Of == "":
			return bad("subscription.indicator", "say which indicator")
		case !slices.Contains(Rules, s.Rule):
			return bad("subscription.rule", "say when you want to be told")
		case s.Rule != RuleNew && (math.IsNaN(s.Bound) || math.IsInf(s.Bound, 0) || s.Bound < 0):
			return bad("subscription.bound", "the threshold is a number from 0")
		case s.Rule == RuleChange && s.Bound == 0:
			return bad("subscription.bound", "the threshold is a number from 0")
		}
	case SubscribeAlert:
	case SubscribeReport:
		product, code, _ := strings.Cut(s.Of, "-")
		if !slices.Contains(ReportProducts, product) {
			return bad("subscription.report", "say which report")
		}
		if err := (Report{Product: product, Of: code}).Check(op); err != nil {
			return err
		}
		return nil // what is published is for everybody
	default:
		return bad("subscription.kind", "say what you want to be told of")
	}
	for _, code := range s.Where["region"] {
		if a, ok := op.Area(code); !ok || a.Level != 1 {
			return bad("agreement.area", "%q is no region of the operation", code)
		}
	}
	for _, code := range s.Where["point"] {
		if _, ok := op.Point(code); !ok {
			return bad("report.point", "there is no point %q", code)
		}
	}
	region := s.Region(op)
	if !reach.Everywhere && region == "" && s.Kind == SubscribeAlert {
		return nil // those of the agreement's regions
	}
	if !reach.Covers(region) {
		return Errorf(Forbidden, "your agreement does not cover this area; choose one of its regions").Coded("subscription.area")
	}
	return nil
}

// Met tells whether a figure is news by the subscription's rule. A figure that is
// withheld passes no threshold: whether it does would tell it.
func (s Subscription) Met(value, before *float64) bool {
	if s.Rule == RuleNew {
		return true
	}
	if value == nil {
		return false
	}
	switch s.Rule {
	case RuleAbove:
		return *value > s.Bound
	case RuleBelow:
		return *value < s.Bound
	case RuleChange:
		return before != nil && *before != 0 && 100*math.Abs(*value-*before)/math.Abs(*before) >= s.Bound
	}
	return false
}

// Ready tells whether it is time to look for news at now: at once always, a digest once
// its hour has come. slot names the digest; each is looked at once.
func (s Subscription) Ready(now time.Time, zone *time.Location) (slot string, ready bool) {
	if s.Pace == PaceOnce {
		return "", true
	}
	now = now.In(zone)
	at := time.Date(now.Year(), now.Month(), now.Day(), DigestHour, 0, 0, 0, zone)
	if now.Before(at) {
		at = at.AddDate(0, 0, -1)
	}
	if s.Pace == PaceWeekly {
		at = Monday(at)
	}
	slot = at.Format(time.DateOnly)
	// One looked at long ahead of this was by a clock that stood ahead.
	ahead := s.Slot > at.AddDate(0, 0, 8).Format(time.DateOnly)
	return slot, (s.Slot < slot || ahead) && (s.Begun.Before(at) || s.Begun.After(now.Add(ClockSkew)))
}

// Subscriptions keeps them.
type Subscriptions interface {
	// AddSubscription gives it an id, a token to stop it and, to a webhook, a secret that
	// is shown this once. Conflict when the owner has MostSubscriptions.
	AddSubscription(ctx context.Context, s Subscription) (Subscription, error)
	// Subscriptions lists those of an owner that were not stopped long ago, "" of all,
	// newest first; without tokens of stopping.
	Subscriptions(ctx context.Context, owner string) ([]Subscription, error)
	// Subscription returns one: NotFound.
	Subscription(ctx context.Context, id string) (Subscription, error)
	// SubscriptionByToken finds one by its token of stopping: NotFound.
	SubscriptionByToken(ctx context.Context, token string) (Subscription, error)
	// PauseSubscription has it rest; cause "" is its owner's wish: NotFound; Conflict when
	// it was stopped.
	PauseSubscription(ctx context.Context, id, cause string) error
	// ResumeSubscription ends a rest: NotFound; Conflict when it was stopped.
	ResumeSubscription(ctx context.Context, id string) error
	// StopSubscription ends it; what was not sent is not sent any more. Stopping twice is
	// no error: NotFound.
	StopSubscription(ctx context.Context, id string) error
	// SubscriptionMessages lists those of a subscription, newest first.
	SubscriptionMessages(ctx context.Context, id string, limit int) ([]SubscriptionMessage, error)
}

// MostSubscriptions is how many somebody may have that were not stopped.
const MostSubscriptions = 50

// SubscriptionQueue is what telling needs.
type SubscriptionQueue interface {
	// QueueMessage keeps a message with those of its news that the subscription was not
	// told yet, and notes the digest's slot. Nothing is queued when no news are left,
	// when the slot was looked at, or when the subscription is not active. Those of a
	// trial are always told. At an active webhook the delivery is queued with it.
	QueueMessage(ctx context.Context, m SubscriptionMessage, slot string) (queued bool, err error)
	// DueMessages lists those to be sent by e-mail by now, oldest first.
	DueMessages(ctx context.Context, now time.Time, limit int) ([]SubscriptionMessage, error)
	// ClaimMessage notes an attempt before it is made and returns the subscription as it
	// is now; false when the message is done or the subscription not active.
	ClaimMessage(ctx context.Context, id string, next time.Time) (Subscription, bool, error)
	// MessageTried records how an attempt went. Bounced counts against the subscription.
	MessageTried(ctx context.Context, m SubscriptionMessage) error
	// MessageBounced records that a message that was sent came back: NotFound. A second
	// report of it changes nothing.
	MessageBounced(ctx context.Context, id, problem string) error
	// Message returns one: NotFound.
	Message(ctx context.Context, id string) (SubscriptionMessage, error)
}
