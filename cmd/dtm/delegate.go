package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// One process owns a data folder. While a server runs there, commands given the
// folder are carried out by it: the client sends a request over a local socket
// and prints what comes back, so that output and exit code are the same.

type request struct {
	Args  []string          `json:"args"`
	Dir   string            `json:"dir"`
	Env   map[string]string `json:"env"`
	TTY   bool              `json:"tty"`
	Width int               `json:"width"`
}

type frame struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

// delegatedEnv lists the variables a command may depend on.
var delegatedEnv = []string{"DTM_DATA", "LANG", "NO_COLOR"}

// socketPath is inside the folder when the system's limit on the length of such
// paths allows, else in the temporary folder under the folder's hash.
func socketPath(data string) string {
	p := filepath.Join(data, "dtm.sock")
	if len(p) < 100 {
		return p
	}
	h := sha256.Sum256([]byte(data))
	return filepath.Join(os.TempDir(), "dtm-"+hex.EncodeToString(h[:8])+".sock")
}

// delegate sends the call to the server of its data folder. done is false when
// no server runs there.
func delegate(ctx context.Context, c *call) (code int, done bool) {
	data := givenData(c)
	if data == "" {
		return 0, false
	}
	conn, err := net.Dial("unix", socketPath(data))
	if err != nil {
		return 0, false
	}
	defer conn.Close()
	go func() {
		<-ctx.Done()
		conn.Close()
	}()
	req := request{Args: c.args, Dir: c.dir, TTY: c.tty, Width: c.width, Env: map[string]string{}}
	for _, k := range delegatedEnv {
		req.Env[k] = c.env(k)
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return c.exit(fmt.Errorf("the server of %s does not answer: %w", data, err)), true
	}
	d := json.NewDecoder(conn)
	for {
		var f frame
		if err := d.Decode(&f); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			} else {
				err = fmt.Errorf("the server of %s stopped before the command ended; what it had acknowledged is stored, run the command again", data)
			}
			return c.exit(err), true
		}
		if _, err := c.out.Write(f.Out); err != nil {
			return 1, true
		}
		if _, err := c.err.Write(f.Err); err != nil {
			return 1, true
		}
		if f.Exit != nil {
			return *f.Exit, true
		}
	}
}

// givenData finds the -data flag of a call, or DTM_DATA, as an absolute path
// without symbolic links.
func givenData(c *call) string {
	data := c.env("DTM_DATA")
	for i, a := range c.args {
		name, value, has := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(a, "-"), "-"), "=")
		if strings.HasPrefix(a, "-") && name == "data" {
			if has {
				data = value
			} else if i+1 < len(c.args) {
				data = c.args[i+1]
			}
		}
	}
	if data == "" {
		return ""
	}
	return realPath(c.path(data))
}

func realPath(p string) string {
	if r, err := filepath.EvalSymlinks(p); err == nil {
		return r
	}
	return filepath.Clean(p)
}

// answer serves delegated commands on the folder's socket until ctx ends.
func answer(ctx context.Context, h *house) (stop func(), err error) {
	path := socketPath(h.dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { answerOne(ctx, h, conn) })
		}
	})
	return func() {
		l.Close()
		wg.Wait()
	}, nil
}

func answerOne(ctx context.Context, h *house, conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	var req request
	if json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&req) != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // the client hangs up: stop the work
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	frames := &frameWriter{enc: json.NewEncoder(conn)}
	c := &call{
		args: req.Args, dir: req.Dir, env: func(k string) string { return req.Env[k] },
		out: streamOf{frames, false}, err: streamOf{frames, true}, tty: req.TTY, width: req.Width,
		folders: folders{running: h},
	}
	cmd, rest, ok := find(c.args)
	code := 2
	if ok && !cmd.owner {
		c.command, c.rest = cmd, rest
		code = c.exit(cmd.run(ctx, c))
	}
	frames.send(frame{Exit: &code})
}

type frameWriter struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func (w *frameWriter) send(f frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enc.Encode(f)
}

type streamOf struct {
	w   *frameWriter
	err bool
}

func (s streamOf) Write(b []byte) (int, error) {
	f := frame{Out: b}
	if s.err {
		f = frame{Err: b}
	}
	if err := s.w.send(f); err != nil {
		return 0, err
	}
	return len(b), nil
}
