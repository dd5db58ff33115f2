// Package pgtest gives tests a PostgreSQL of their own: a new cluster of Debian's package
// in a temporary folder, reached by a socket, without durability unless asked for.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// socket is the folder by which the cluster is reached.
var socket string

func address(database string) string { return "postgres://dtm@/" + database + "?host=" + socket }

// Main runs the tests of a package with a cluster, to be called by TestMain. Where none
// can be started the tests that need one are skipped, and fail in CI.
func Main(m *testing.M) {
	stop, err := start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "no PostgreSQL to test with:", err)
		if os.Getenv("CI") != "" {
			os.Exit(1)
		}
	}
	code := m.Run()
	if stop != nil {
		stop()
	}
	os.Exit(code)
}

// Start is Main for one test of a package whose other tests need no cluster.
func Start(t testing.TB) {
	t.Helper()
	stop, err := start()
	switch {
	case err == nil:
		t.Cleanup(stop)
	case os.Getenv("CI") != "":
		t.Fatal("no PostgreSQL to test with: ", err)
	default:
		t.Skip("no PostgreSQL to test with: ", err)
	}
}

func start() (stop func(), err error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, fmt.Errorf("initdb is not under /usr/lib/postgresql; install the Debian package postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "dtm-postgres")
	if err != nil {
		return nil, err
	}
	// The server refuses to run as root: then it runs as the package's own user.
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	run := func(name string, args ...string) error {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.SysProcAttr, cmd.Dir = as, dir
		log, err := os.OpenFile(filepath.Join(dir, name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			out, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	if err := run("initdb", "-D", data, "-A", "trust", "-U", "dtm", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_connections=200")
	cmd.SysProcAttr, cmd.Dir, cmd.Stdout, cmd.Stderr = &syscall.SysProcAttr{}, dir, log, log
	if as != nil {
		cmd.SysProcAttr.Credential = as.Credential
	}
	// The server goes when the test goes, however that ends. The signal is tied
	// to the thread that starts it.
	runtime.LockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	socket = dir
	for range 100 {
		var c *pgx.Conn
		if c, err = pgx.Connect(context.Background(), address("postgres")); err == nil {
			err = c.Close(context.Background())
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = cmd.Wait()
		os.RemoveAll(dir)
	}, err
}

var databases atomic.Int64

// Database makes an empty database, or a copy of another one when template is given,
// and gives its address.
func Database(t testing.TB, template string) string {
	t.Helper()
	if socket == "" {
		t.Skip("no PostgreSQL to test with")
	}
	c, err := pgx.Connect(t.Context(), address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	name := fmt.Sprintf("t%d", databases.Add(1))
	as := "CREATE DATABASE " + name
	if template != "" {
		c, err := pgx.ParseConfig(template)
		if err != nil {
			t.Fatal(err)
		}
		as += " TEMPLATE " + c.Database
	}
	if _, err := c.Exec(t.Context(), as); err != nil {
		t.Fatal(err)
	}
	return address(name)
}
