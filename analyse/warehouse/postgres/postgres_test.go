package postgres_test

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

	"dtm"
	"dtm/analyse/warehouse/postgres"
	"dtm/analyse/warehouse/warehousetest"
)

// server is a PostgreSQL of this test run's own: a new cluster in a temporary
// folder, reached by a socket, without durability.
var server string

func TestMain(m *testing.M) {
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
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "fsync=off", "-c", "max_connections=200")
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
	server = "host=" + dir + " user=dtm dbname="
	for range 100 {
		var c *pgx.Conn
		if c, err = pgx.Connect(context.Background(), server+"postgres"); err == nil {
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

// database makes an empty database and gives its address.
func database(t testing.TB) string {
	t.Helper()
	if server == "" {
		t.Skip("no PostgreSQL to test with")
	}
	c, err := pgx.Connect(t.Context(), server+"postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	name := fmt.Sprintf("t%d", databases.Add(1))
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return server + name
}

func open(t testing.TB, op *dtm.Operation) warehousetest.Warehouse {
	t.Helper()
	w, err := postgres.Open(t.Context(), database(t), op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestWarehouse(t *testing.T) { warehousetest.Run(t, open) }

func TestLocked(t *testing.T) {
	t.Parallel()
	op, url := warehousetest.Operation(), database(t)
	w, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), url, op); dtm.KindOf(err) != dtm.Unavailable {
		t.Errorf("opened twice: %v, want Unavailable", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := postgres.Open(t.Context(), url, op)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
