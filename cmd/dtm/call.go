package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"dtm/config"
)

// call is one run of a sub-command, in this process or on behalf of a client:
// nothing in a command may use the process's own folder, environment or streams.
type call struct {
	args     []string // everything after the program's name
	command  command
	rest     []string // after the command's name
	dir      string   // paths are relative to it
	env      func(string) string
	out, err io.Writer
	tty      bool // err is a terminal of that width
	width    int
	engines  func(*config.Config) error // -store and -warehouse, when given
	folders  folders
}

// usageError makes the program exit with 2.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func wrongUse(format string, a ...any) error { return &usageError{fmt.Sprintf(format, a...)} }

// errSaid marks a failure whose reasons are on standard error already.
var errSaid = errors.New("failed")

// flags makes the command's flag set; -h prints its usage to standard output.
func (c *call) flags() *flag.FlagSet {
	fs := flag.NewFlagSet(c.command.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// parse reads flags and arguments in any order and checks how many arguments
// there are (most < 0: any number from least).
func (c *call) parse(fs *flag.FlagSet, least, most int) ([]string, error) {
	var args []string
	rest := c.rest
	for {
		err := fs.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(c.out, "dtm %s: %s\nusage: dtm %s %s\n", c.command.name, c.command.says, c.command.name, c.command.args)
			fs.SetOutput(c.out)
			fs.PrintDefaults()
			return nil, err
		}
		if err != nil {
			return nil, wrongUse("%v", err)
		}
		if fs.NArg() == 0 {
			break
		}
		args = append(args, fs.Arg(0))
		rest = fs.Args()[1:]
	}
	switch {
	case len(args) < least:
		return nil, wrongUse("an argument is missing")
	case most >= 0 && len(args) > most:
		return nil, wrongUse("too many arguments: %s", strings.Join(args[most:], " "))
	}
	return args, nil
}

// path makes a path of the caller absolute.
func (c *call) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

// dataFlag adds -data to fs.
func (c *call) dataFlag(fs *flag.FlagSet) *string {
	c.engines = config.Flags(fs, "store", "warehouse")
	return fs.String("data", c.env("DTM_DATA"), "data `folder` (or the environment variable DTM_DATA)")
}
