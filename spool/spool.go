// Package spool makes files for what is only wanted while the process lives.
package spool

import "os"

// Unnamed makes an empty file in a folder, "" for that of the system, which has no name from
// the start: nothing of it stays on the disk however the process ends. Close frees its room.
func Unnamed(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "dtm-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
