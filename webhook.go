package dtm

import (
	"context"
	"time"
)

// Names of the events of webhooks.
const (
	WebhookAdded   = "webhook.added"
	WebhookRemoved = "webhook.removed"
	WebhookPaused  = "webhook.paused"
	WebhookResumed = "webhook.resumed"
)

// Webhook is an address that is told of events.
type Webhook struct {
	ID      string
	URL     string
	Forms   []string // ids of the forms it is told of; empty: all
	Events  []string // SubmissionReceived, SubmissionFlagged
	Allow   []string // networks, "10.1.0.0/16", that it may lie in although they are not public
	Secret  string   // key of its signatures; only the sender reads it
	Created time.Time
	Since   int64 // it is told of events after this one
	Paused  *time.Time
	Cause   string // why it was paused
	Waiting int    // deliveries that are not done
	Last    *Delivery
}

// Delivery is one event to be told to one webhook.
type Delivery struct {
	ID       string // the same in every attempt
	Webhook  string
	Event    int64
	Name     string // of the event
	Subject  string // id of the submission
	Created  time.Time
	Attempts int
	Next     time.Time  // not tried before
	Tried    *time.Time // latest attempt
	Done     *time.Time // delivered
	Status   int        // of the latest answer; 0: there was none
	Problem  string     // of the latest attempt, "" when it went well
}

// Webhooks keeps webhooks.
type Webhooks interface {
	// AddWebhook returns it with its secret, which is shown this once.
	AddWebhook(ctx context.Context, w Webhook) (Webhook, error)
	// Webhooks lists them, oldest first, without secrets.
	Webhooks(ctx context.Context) ([]Webhook, error)
	// RemoveWebhook drops it with what it was not told yet: NotFound.
	RemoveWebhook(ctx context.Context, id string) error
	// ResumeWebhook ends a pause; what waits is sent: NotFound.
	ResumeWebhook(ctx context.Context, id string) error
	// Deliveries lists those of a webhook, newest first: its log.
	Deliveries(ctx context.Context, webhook string, limit int) ([]Delivery, error)
}

// WebhookQueue is what the sender needs.
type WebhookQueue interface {
	// Senders lists the webhooks, those that are paused too, with their secrets.
	Senders(ctx context.Context) ([]Webhook, error)
	// WebhooksDone returns the position in the log up to which deliveries are made.
	WebhooksDone(ctx context.Context) (int64, error)
	// QueueDeliveries adds deliveries, each once, and moves the position.
	QueueDeliveries(ctx context.Context, list []Delivery, done int64) error
	// DueDeliveries lists deliveries of a webhook to be tried by now, oldest first.
	DueDeliveries(ctx context.Context, webhook string, now time.Time, limit int) ([]Delivery, error)
	// Delivered records an attempt; pause, when not "", pauses the webhook and
	// says why.
	Delivered(ctx context.Context, d Delivery, pause string) error
	// ForgetDeliveries drops those that were done before a time.
	ForgetDeliveries(ctx context.Context, before time.Time) error
}
