package main

import (
	"context"
	"fmt"
	"runtime/debug"
)

// version is set by releases; a build from a checkout says "devel".
var version = "devel"

func runVersion(_ context.Context, c *call) error {
	if _, err := c.parse(c.flags(), 0, 0); err != nil {
		return err
	}
	goVersion := ""
	if b, ok := debug.ReadBuildInfo(); ok {
		goVersion = b.GoVersion
	}
	fmt.Fprintln(c.out, "dtm", version, goVersion)
	return nil
}
