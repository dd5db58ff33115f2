package main

import (
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// post is a real mail server in this process: it keeps what it takes, and refuses whom it
// was told to.
type post struct {
	mu     sync.Mutex
	taken  []letter
	refuse map[string]*smtp.SMTPError // by recipient
	tried  map[string]int
	addr   *net.TCPAddr
}

type letter struct {
	from, to string
	raw      string
	msg      *mail.Message
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{refuse: map[string]*smtp.SMTPError{}, tried: map[string]int{}}
	s := smtp.NewServer(p)
	s.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().(*net.TCPAddr)
	go s.Serve(l) //nolint:errcheck // ends with Close
	t.Cleanup(func() { s.Close() })
	return p
}

// NewSession is smtp.Backend's.
func (p *post) NewSession(*smtp.Conn) (smtp.Session, error) { return &posting{p: p}, nil }

type posting struct {
	p        *post
	from, to string
}

func (s *posting) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }

func (s *posting) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.tried[to]++
	if err := s.p.refuse[to]; err != nil {
		return err
	}
	s.to = to
	return nil
}

func (s *posting) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.taken = append(s.p.taken, letter{s.from, s.to, string(b), m})
	return nil
}

func (s *posting) Reset()        {}
func (s *posting) Logout() error { return nil }

// to are the letters to an address since the last call.
func (p *post) to(address string) (list []letter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []letter
	for _, x := range p.taken {
		if x.to == address {
			list = append(list, x)
		} else {
			rest = append(rest, x)
		}
	}
	p.taken = rest
	return list
}

func (p *post) refusing(address string, code int, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[address] = nil
	if code > 0 {
		p.refuse[address] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
	}
}
