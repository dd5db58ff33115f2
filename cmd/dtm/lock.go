package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"dtm"
)

// unlock gives the folder back. Closing alone would not while a process that is just
// being started still holds a copy of the file.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// lock takes the folder for this process. The kernel gives it back when the
// process ends, however it ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the data folder cannot be used: %w", err).At(dir)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who := make([]byte, 64)
		n, _ := f.ReadAt(who, 0)
		f.Close()
		return nil, dtm.Errorf(dtm.Unavailable, "another process (%s) is working on this data folder; wait until it is done or stop it", strings.TrimSpace(string(who[:n]))).At(dir)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "pid %d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write the lock file: %w", err)
	}
	return f, nil
}
