// Package s3test gives tests an S3 store of their own: the server of rclone over a
// temporary folder, with signatures, at a port of this machine.
package s3test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Keys that the server lets in.
const (
	Access = "dtm-test-access"
	Secret = "dtm-test-secret-never-logged"
)

// Server is a running store.
type Server struct {
	Endpoint string // http://127.0.0.1:PORT
	dir      string
	program  string
	cmd      *exec.Cmd
}

// program is where the server is, built once for all tests of its version.
var program = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command(filepath.Join(filepath.Dir(here), "..", "testtool", "s3.sh"))
	var says strings.Builder
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build the S3 server: %w: %s", err, says.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// New makes a store with one empty bucket, running.
func New(bucket string) (*Server, error) {
	p, err := program()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dtm-s3")
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Endpoint: "http://" + l.Addr().String(), dir: dir, program: p}
	if err := l.Close(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, bucket), 0o700); err != nil {
		return nil, err
	}
	if err := s.Start(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Start is New for a test, until it ends. Where no server can be made the test is
// skipped, and fails in CI.
func Start(t testing.TB, bucket string) *Server {
	t.Helper()
	s, err := New(bucket)
	switch {
	case err == nil:
		t.Cleanup(s.Close)
	case os.Getenv("CI") != "":
		t.Fatal("no S3 store to test with: ", err)
	default:
		t.Skip("no S3 store to test with: ", err)
	}
	return s
}

// Start starts the server, again after Stop, and returns when it answers.
func (s *Server) Start() error {
	host := strings.TrimPrefix(s.Endpoint, "http://")
	cmd := exec.Command(s.program, "serve", "s3", s.dir, "--addr", host, "--auth-key", Access+","+Secret,
		"--config", "/dev/null", "--dir-cache-time", "100ms", "--etag-hash", "MD5", "--log-level", "ERROR")
	// The server goes when the test goes, however that ends; the signal is tied to
	// the thread that starts it.
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	var err error
	for range 600 {
		var c net.Conn
		if c, err = net.Dial("tcp", host); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// Stop ends the server; what it has acknowledged stays.
func (s *Server) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Close ends the server and removes everything.
func (s *Server) Close() {
	s.Stop()
	os.RemoveAll(s.dir)
}

// Folder is where the objects of a bucket lie as files.
func (s *Server) Folder(bucket string) string { return filepath.Join(s.dir, bucket) }
