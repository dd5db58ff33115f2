package main

import (
	"context"
	"fmt"
)

func runFormState(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	args, err := c.parse(fs, 2, 2)
	if err != nil {
		return err
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if err := h.db.SetFormState(ctx, args[0], args[1]); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "form %s is %s\n", args[0], args[1])
	return nil
}
