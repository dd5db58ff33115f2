// Package pgtest gives tests a PostgreSQL of their own: a new cluster of Debian's package
// in a temporary folder, reached by a socket, without durability unless asked for.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	c, err := New(false)
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		c.Stop()
		return nil, err
	}
	socket = c.dir
	return c.Stop, nil
}

// Cluster is a PostgreSQL server of one's own in a temporary folder.
type Cluster struct {
	dir, bin string
	as       *syscall.Credential // nil: as we are
	durable  bool
	cmd      *exec.Cmd
}

// New makes a cluster that is not running. What a durable one commits is on disk.
func New(durable bool) (*Cluster, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, fmt.Errorf("initdb is not under /usr/lib/postgresql; install the Debian package postgresql")
	}
	dir, err := os.MkdirTemp("", "dtm-postgres")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, bin: filepath.Dir(found[len(found)-1]), durable: durable}
	// The server refuses to run as root: then it runs as the package's own user.
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
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	cmd := c.command("initdb", "-D", filepath.Join(dir, "data"), "-A", "trust", "-U", "dtm", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return c, nil
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, &syscall.SysProcAttr{Credential: c.as}
	return cmd
}

// Address is that of one of its databases.
func (c *Cluster) Address(database string) string {
	return "postgres://dtm@/" + database + "?host=" + c.dir
}

// Start starts the server and returns when it answers.
func (c *Cluster) Start() error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", filepath.Join(c.dir, "data"), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + c.dir, "-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "max_connections=200"}
	if !c.durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	cmd := c.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	// The server goes when the test goes, however that ends. The signal is tied
	// to the thread that starts it.
	runtime.LockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd = cmd
	for range 1000 {
		var k *pgx.Conn
		if k, err = pgx.Connect(context.Background(), c.Address("postgres")); err == nil {
			return k.Close(context.Background())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// Crash ends the server at once, as if it had been killed: what it has not written to its
// log is gone.
func (c *Cluster) Crash() {
	_ = c.cmd.Process.Signal(syscall.SIGQUIT)
	_ = c.cmd.Wait()
	c.cmd = nil
}

// Stop ends the server and removes everything.
func (c *Cluster) Stop() {
	if c.cmd != nil {
		_ = c.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = c.cmd.Wait()
	}
	os.RemoveAll(c.dir)
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

// Own starts a cluster for one test, which may stop it and start it again.
func Own(t testing.TB) *Cluster {
	t.Helper()
	c, err := New(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// Spread makes a database on every server of the Citus cluster whose coordinator is at
// DTM_TEST_CITUS (postgres://USER@HOST:PORT/DATABASE) and gives its address. A test
// without that is skipped.
func Spread(t testing.TB) string {
	t.Helper()
	at := os.Getenv("DTM_TEST_CITUS")
	if at == "" {
		t.Skip("no Citus to test with: DTM_TEST_CITUS is not set")
	}
	first, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context())
	address := func(host, database string) string {
		u := *first
		u.Host, u.Path = host, "/"+database
		return u.String()
	}
	on := func(host, database string, texts ...string) {
		t.Helper()
		k, err := pgx.Connect(ctx, address(host, database))
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close(ctx)
		for _, text := range texts {
			_, err := k.Exec(ctx, text)
			for tries := 0; inUse(err) && tries < 20; tries++ { // by a daemon of Citus, which comes by itself
				time.Sleep(250 * time.Millisecond)
				_, err = k.Exec(ctx, text)
			}
			if err != nil {
				t.Fatalf("%s: %s: %v", host, text, err)
			}
		}
	}
	k, err := pgx.Connect(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(ctx)
	rows, err := k.Query(ctx, `SELECT node_name || ':' || node_port FROM citus_get_active_worker_nodes()`)
	if err != nil {
		t.Fatal(err)
	}
	workers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(workers) == 0 {
		t.Fatalf("%d workers: %v", len(workers), err)
	}
	database := strings.TrimPrefix(first.Path, "/")
	name := fmt.Sprintf("dtm_test_%d_%d", os.Getpid(), databases.Add(1))
	join := []string{fmt.Sprintf("SELECT citus_set_coordinator_host('%s', %s)", first.Hostname(), first.Port())}
	for _, w := range workers {
		host, port, _ := strings.Cut(w, ":")
		join = append(join, fmt.Sprintf("SELECT citus_add_node('%s', %s)", host, port))
	}
	all := append(workers, first.Host)
	for _, host := range all {
		on(host, database, "CREATE DATABASE "+name)
		on(host, name, "CREATE EXTENSION citus")
	}
	t.Cleanup(func() {
		for _, host := range all {
			on(host, database, "DROP DATABASE "+name+" WITH (FORCE)")
		}
	})
	// Roles are a server's, not a database's: one who joins writes them on the workers, and
	// two at once would be in each other's way. The lock is given back with the connection.
	if _, err := k.Exec(ctx, `SELECT pg_advisory_lock(hashtext('dtm test'))`); err != nil {
		t.Fatal(err)
	}
	on(first.Host, name, join...)
	return address(first.Host, name)
}

// inUse tells whether a database could not be dropped because somebody is connected to it.
func inUse(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "55006"
}
