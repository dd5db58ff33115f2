package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// disk is a folder as a disk holds it whose power may fail: what was synced is there;
// of what was written since, any part may be. Names are as little sure as contents until
// their folder was synced, but reach the disk in the order in which they were given, as
// a journal does it.
type disk struct {
	names   map[string]*inode // as the program sees them
	durable map[string]*inode // as the disk has them for sure
	changes []change          // of names, not yet sure
}

type inode struct {
	folder bool
	now    []byte // as the program sees it
	sure   []byte // synced
	since  []op   // writes and sizes since
}

type change struct {
	folder string // whose names it changes
	name   string
	is     *inode // nil: removed
}

// newDisk is the folder as it is now, all of it sure.
func newDisk(root string) (*disk, error) {
	d := &disk{names: map[string]*inode{}, durable: map[string]*inode{}}
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || !kept(rel) || !e.IsDir() && !e.Type().IsRegular() {
			return err
		}
		i := &inode{folder: e.IsDir()}
		if !i.folder {
			if i.now, err = os.ReadFile(p); err != nil {
				return err
			}
			i.sure = i.now
			i.now = append([]byte{}, i.now...)
		}
		d.names[rel], d.durable[rel] = i, i
		return nil
	})
	return d, err
}

// kept leaves out what means nothing after a power cut: the index of the write-ahead
// log, which is mapped memory, locks and sockets.
func kept(path string) bool {
	base := filepath.Base(path)
	return !strings.HasSuffix(base, "-shm") && base != "lock" && base != "dtm.sock"
}

// do carries an operation out as the program saw it.
func (d *disk) do(o op) error {
	if !kept(o.path) {
		return nil
	}
	i := d.names[o.path]
	switch o.what {
	case "open":
		if i == nil {
			if !o.make {
				return nil // a folder of no concern, or one that was there
			}
			i = &inode{}
			d.set(o.path, i)
		} else if o.trim && !i.folder {
			i.resize(0)
		}
		return nil
	case "folder":
		d.set(o.path, &inode{folder: true})
		return nil
	case "rename":
		if i == nil {
			return fmt.Errorf("%s is renamed and was never made", o.path)
		}
		d.set(o.to, i)
		d.set(o.path, nil)
		if i.folder {
			for name, in := range d.names {
				if rest, below := strings.CutPrefix(name, o.path+"/"); below {
					d.set(o.to+"/"+rest, in)
					d.set(name, nil)
				}
			}
		}
		return nil
	case "remove":
		d.set(o.path, nil)
		return nil
	}
	if i == nil {
		return nil // removed while it was open: no power cut brings it back
	}
	switch o.what {
	case "write":
		end := o.off + int64(len(o.data))
		if int64(len(i.now)) < end {
			i.now = append(i.now, make([]byte, end-int64(len(i.now)))...)
		}
		copy(i.now[o.off:], o.data)
		i.since = append(i.since, o)
	case "size":
		i.resize(o.off)
	case "sync":
		if !i.folder {
			i.sure, i.since = append([]byte{}, i.now...), nil
			return nil
		}
		// A journal that commits one name commits those before it.
		last := -1
		for n, c := range d.changes {
			if c.folder == o.path {
				last = n
			}
		}
		for _, c := range d.changes[:last+1] {
			c.apply(d.durable)
		}
		d.changes = d.changes[last+1:]
	default:
		return fmt.Errorf("%s is not replayed", o.what)
	}
	return nil
}

func (i *inode) resize(size int64) {
	i.since = append(i.since, op{what: "size", off: size})
	i.now = sized(i.now, size)
}

func sized(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func (d *disk) set(name string, i *inode) {
	c := change{filepath.Dir(name), name, i}
	c.apply(d.names)
	d.changes = append(d.changes, c)
}

func (c change) apply(to map[string]*inode) {
	if c.is == nil {
		delete(to, c.name)
	} else {
		to[c.name] = c.is
	}
}

// sector is what a disk writes whole.
const sector = 512

// fail writes into dir what the disk may hold when the power fails now: of each write
// that was not synced every sector, none, or some, by r.
func (d *disk) fail(dir string, r *rand.Rand) error {
	names := map[string]*inode{}
	for n, i := range d.durable {
		names[n] = i
	}
	for _, c := range d.changes[:r.IntN(len(d.changes)+1)] {
		c.apply(names)
	}
	contents := map[*inode][]byte{} // the same under all its names
	for name, i := range names {
		to := filepath.Join(dir, name)
		if i.folder {
			if err := os.MkdirAll(to, 0o700); err != nil {
				return err
			}
			continue
		}
		b, done := contents[i]
		if !done {
			b = i.left(r)
			contents[i] = b
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// left is one of the contents that a power cut may leave.
func (i *inode) left(r *rand.Rand) []byte {
	b := append([]byte{}, i.sure...)
	share := []float64{0, .5, 1, r.Float64()}[r.IntN(4)]
	for _, o := range i.since {
		if o.what == "size" {
			if r.Float64() < share {
				b = sized(b, o.off)
			}
			continue
		}
		for at := int64(0); at < int64(len(o.data)); {
			step := min(sector-(o.off+at)%sector, int64(len(o.data))-at)
			if r.Float64() < share {
				if end := o.off + at + step; int64(len(b)) < end {
					b = sized(b, end)
				}
				copy(b[o.off+at:], o.data[at:at+step])
			}
			at += step
		}
	}
	return b
}
