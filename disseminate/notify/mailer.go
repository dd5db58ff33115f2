package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"dtm"
)

// How the connection to the mail server is secured.
const (
	TLSStart    = "starttls" // demanded after the greeting
	TLSImplicit = "tls"      // from the first byte
	TLSNone     = "none"     // for a server on this very machine
)

// Mailer hands mail to a server that sends it on.
type Mailer struct {
	Host           string
	Port           int
	User, Password string
	From           string // "DTM Djibouti <dtm@example.org>"
	TLS            string
	Timeout        time.Duration // 30 s
	Now            func() time.Time
}

// Check tells what is missing for mail to be sent: Unavailable.
func (m Mailer) Check() error {
	if m.Host == "" {
		return dtm.Errorf(dtm.Unavailable, "no mail server is set; doc/subscriptions.md says how").Coded("mail.none")
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		return dtm.Errorf(dtm.Unavailable, "smtp_from is no address that mail can come from: %w", err).Coded("mail.from")
	}
	if m.TLS != TLSStart && m.TLS != TLSImplicit && m.TLS != TLSNone {
		return dtm.Errorf(dtm.Unavailable, "smtp_tls is %q: want starttls, tls or none", m.TLS).Coded("mail.tls", m.TLS)
	}
	if ip := net.ParseIP(m.Host); m.TLS == TLSNone && m.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return dtm.Errorf(dtm.Unavailable, "smtp_tls = \"none\" is for a mail server on this very machine").Coded("mail.plain")
	}
	return nil
}

// Refusal is why mail was not taken.
type Refusal struct {
	Status  int  // of the server, 0 when it did not answer
	ForGood bool // the recipient was refused: trying again would change nothing
	Err     error
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Taken is the status of mail that the server took.
const Taken = 250

// Send hands one message to the server. Its error is a *Refusal.
func (m Mailer) Send(ctx context.Context, x Mail) error {
	if err := m.Check(); err != nil {
		return &Refusal{Err: err}
	}
	msg, err := m.compose(x)
	if err != nil {
		return &Refusal{Err: err, ForGood: true}
	}
	timeout := m.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	options := []gomail.Option{gomail.WithTimeout(timeout), gomail.WithHELO(m.domain()), gomail.WithoutNoop()}
	switch m.TLS {
	case TLSStart:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.Port > 0 {
		options = append(options, gomail.WithPort(m.Port))
	}
	if m.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.User), gomail.WithPassword(m.Password))
	}
	c, err := gomail.NewClient(m.Host, options...)
	if err != nil {
		return &Refusal{Err: err}
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil && !msg.IsDelivered() {
		return refusal(err)
	}
	return nil
}

// refusal tells a refused recipient, which is for good, from what may pass: a server
// that is away or busy, an account of ours that it does not like.
func refusal(err error) *Refusal {
	r := &Refusal{Err: err}
	var s *gomail.SendError
	if errors.As(err, &s) {
		r.Status = s.ErrorCode()
		r.ForGood = s.Reason == gomail.ErrSMTPRcptTo && r.Status >= 500 && r.Status < 600
	}
	return r
}

// domain is that of the sender, by which message ids are told to be ours.
func (m Mailer) domain() string {
	if a, err := mail.ParseAddress(m.From); err == nil {
		if _, d, ok := strings.Cut(a.Address, "@"); ok {
			return d
		}
	}
	return "localhost"
}

func (m Mailer) compose(x Mail) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(m.From); err != nil {
		return nil, err
	}
	if err := msg.To(x.To); err != nil {
		return nil, fmt.Errorf("the address cannot be written to: %w", err)
	}
	msg.Subject(strings.Join(strings.Fields(x.Subject), " "))
	msg.SetMessageIDWithValue(x.ID + "@" + m.domain())
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	msg.SetDateWithValue(now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if x.Stop != "" {
		msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, "<"+x.Stop+">")
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, x.Text)
	if x.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, x.HTML)
	}
	return msg, nil
}
