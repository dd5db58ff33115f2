package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// op is one thing that the traced program did to files below a folder, in the order
// in which it was done.
type op struct {
	at   float64 // seconds since 1970, when it was begun
	what string  // "open", "write", "size", "sync", "rename", "remove", "folder"
	path string  // below the folder
	to   string  // of a rename
	off  int64   // of a write; the size of "size"
	data []byte  // of a write
	make bool    // of an open: made when it is not there
	trim bool    // of an open: cut to nothing
}

// readTrace reads what `strace -f -ttt -y -xx` wrote and gives the operations on files
// below root that succeeded. What it does not understand of them is an error: a write
// that is missed would make the replay lie.
func readTrace(r io.Reader, root string, each func(op) error) error {
	in := bufio.NewReaderSize(r, 1<<20)
	begun := map[string]string{} // by process: the line that is not finished, its time first
	positions := map[string]int64{}
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		pid, rest, ok := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		time, call, _ := strings.Cut(rest, " ")
		switch {
		case strings.HasSuffix(call, "<unfinished ...>"):
			begun[pid] = time + " " + strings.TrimSuffix(call, " <unfinished ...>")
			continue
		case strings.HasPrefix(call, "<... "):
			_, end, ok := strings.Cut(call, " resumed>")
			if !ok {
				return fmt.Errorf("line %d: %.80s", n, call)
			}
			time, call, _ = strings.Cut(begun[pid]+end, " ")
			delete(begun, pid)
		case strings.HasPrefix(call, "+++") || strings.HasPrefix(call, "---"):
			continue
		}
		o, err := readCall(call, root, positions)
		if err != nil {
			return fmt.Errorf("line %d: %w: %.200s", n, err, call)
		}
		if o.what == "" {
			continue
		}
		if o.at, err = strconv.ParseFloat(time, 64); err != nil {
			return fmt.Errorf("line %d: time %q", n, time)
		}
		if err := each(o); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// readCall reads one finished call; one that failed or does not concern root gives an
// empty op. Positions are of descriptors that are written without an offset.
func readCall(call, root string, positions map[string]int64) (op, error) {
	name, rest, ok := strings.Cut(call, "(")
	cut := strings.LastIndex(rest, ") = ")
	if !ok || cut < 0 {
		return op{}, nil // the process was killed in it
	}
	args, result := split(rest[:cut]), rest[cut+len(") = "):]
	if strings.HasPrefix(result, "-1") || strings.HasPrefix(result, "?") {
		return op{}, nil
	}
	below := func(path string) (string, bool) {
		rel, err := filepath.Rel(root, path)
		return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
	}
	switch name {
	case "openat":
		fd, path := descriptor(result)
		rel, in := below(path)
		if !in || len(args) < 3 {
			return op{}, nil
		}
		positions[fd] = 0
		return op{what: "open", path: rel, make: strings.Contains(args[2], "O_CREAT"), trim: strings.Contains(args[2], "O_TRUNC")}, nil
	case "write", "pwrite64":
		fd, path := descriptor(args[0])
		rel, in := below(path)
		if !in {
			return op{}, nil
		}
		data, err := text(args[1])
		if err != nil {
			return op{}, err
		}
		n, err := strconv.ParseInt(strings.Fields(result)[0], 10, 64)
		if err != nil || n > int64(len(data)) {
			return op{}, fmt.Errorf("wrote %s of %d bytes", result, len(data))
		}
		o := op{what: "write", path: rel, data: data[:n], off: positions[fd]}
		if name == "pwrite64" {
			if o.off, err = strconv.ParseInt(args[3], 0, 64); err != nil {
				return op{}, err
			}
			return o, nil
		}
		positions[fd] += n
		return o, nil
	case "fsync", "fdatasync":
		_, path := descriptor(args[0])
		rel, in := below(path)
		if !in {
			return op{}, nil
		}
		return op{what: "sync", path: rel}, nil
	case "ftruncate":
		_, path := descriptor(args[0])
		rel, in := below(path)
		if !in {
			return op{}, nil
		}
		size, err := strconv.ParseInt(args[1], 0, 64)
		return op{what: "size", path: rel, off: size}, err
	case "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat":
		paths, err := names(args)
		if err != nil || len(paths) == 0 {
			return op{}, err
		}
		rel, in := below(paths[0])
		if !in {
			return op{}, nil
		}
		switch {
		case strings.HasPrefix(name, "mkdir"):
			return op{what: "folder", path: rel}, nil
		case strings.HasPrefix(name, "unlink"):
			return op{what: "remove", path: rel}, nil
		}
		to, in := below(paths[1])
		if !in {
			return op{}, fmt.Errorf("renamed to %s, outside", paths[1])
		}
		return op{what: "rename", path: rel, to: to}, nil
	case "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "splice", "fallocate", "link", "linkat":
		for _, a := range args {
			if _, path := descriptor(a); path != "" {
				if _, in := below(path); in {
					return op{}, fmt.Errorf("%s is not replayed", name)
				}
			}
		}
	}
	return op{}, nil
}

// names gives the paths that arguments name, those relative to a descriptor made whole.
func names(args []string) (list []string, err error) {
	base := ""
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, `"`):
			b, err := text(a)
			if err != nil {
				return nil, err
			}
			p := string(b)
			if !filepath.IsAbs(p) {
				p = filepath.Join(base, p)
			}
			list = append(list, p)
		default:
			if _, path := descriptor(a); path != "" {
				base = path
			}
		}
	}
	return list, nil
}

// split cuts arguments at commas outside strings. With -xx neither strings nor paths
// hold any.
func split(args string) []string {
	list := strings.Split(args, ", ")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// descriptor reads 3<\x2f\x74...>.
func descriptor(s string) (fd, path string) {
	fd, rest, ok := strings.Cut(s, "<")
	end := strings.Index(rest, ">")
	if !ok || end < 0 {
		return s, ""
	}
	b, err := unhex(rest[:end])
	if err != nil {
		return fd, ""
	}
	return fd, strings.TrimSuffix(string(b), " (deleted)")
}

func text(s string) ([]byte, error) {
	if !strings.HasPrefix(s, `"`) || !strings.HasSuffix(s, `"`) || len(s) < 2 {
		return nil, fmt.Errorf("a string was cut: %.40s", s)
	}
	return unhex(s[1 : len(s)-1])
}

func unhex(s string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
}
