package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dtm"
	"dtm/config"
)

func runInit(ctx context.Context, c *call) error {
	fs := c.flags()
	data := c.dataFlag(fs)
	op := fs.String("operation", "djibouti", "operation pack: a name that comes with the program, or a `folder`")
	admin := fs.String("admin", "", "`address` of a first user, an administrator")
	password := fs.String("password-file", "", "`file` whose first line is that user's password")
	if _, err := c.parse(fs, 0, 0); err != nil {
		return err
	}
	if *data == "" {
		return wrongUse("-data is missing: which folder?")
	}
	cfg, err := config.Read(nil, c.env, os.ReadFile)
	if err != nil {
		return err
	}
	given := config.Config{}
	if err := errors.Join(c.enginesOf(&cfg), c.enginesOf(&given)); err != nil {
		return err
	}
	h, err := c.makeHouseWith(ctx, *data, *op, cfg, given, time.Now)
	if err != nil {
		return err
	}
	defer h.close()
	if *admin != "" {
		if err := c.addUser(ctx, h, *admin, dtm.RoleAdmin, *password); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.out, "\nnext: dtm serve -data %s\n      dtm device add -data %s -name NAME\n", *data, *data)
	return nil
}

// operation is a pack by its name, or the path of a folder.
func (c *call) operation(name string) string {
	if st, err := os.Stat(c.path(name)); err == nil && st.IsDir() {
		return c.path(name)
	}
	return name
}

// makeHouse makes a data folder and publishes the forms of its pack. Synthetic says
// that all data to come are invented.
func (c *call) makeHouse(ctx context.Context, data, op string, synthetic bool, now func() time.Time) (*house, error) {
	cfg := config.Default()
	cfg.Synthetic = synthetic
	return c.makeHouseWith(ctx, data, op, cfg, config.Config{}, now)
}

// makeHouseWith is makeHouse with settings, of which the store and the warehouse given
// by flags are written into the folder's file.
func (c *call) makeHouseWith(ctx context.Context, data, op string, cfg, given config.Config, now func() time.Time) (*house, error) {
	dir := c.path(data)
	file := filepath.Join(dir, config.FileName)
	if _, err := os.Stat(file); err == nil {
		return nil, dtm.Errorf(dtm.Conflict, "there is a data folder here already; nothing was changed").At(data)
	}
	op = c.operation(op)
	if _, err := loadOperation(op); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the folder cannot be made: %w", err).At(data)
	}
	cfg.Operation = op
	h, err := openHouse(ctx, realPath(dir), cfg, now)
	if err != nil {
		return nil, err
	}
	for _, f := range h.op.Forms {
		if err := c.publish(ctx, h, f.File, f.Data, nil, dtm.English); err != nil {
			h.close()
			return nil, err
		}
	}
	// Last: a folder with this file is whole.
	text := fmt.Appendf(nil, "# Settings of this installation; `dtm serve -h` explains them.\noperation = %q\n", op)
	if given.Store != "" {
		text = fmt.Appendf(text, "store = %q\n", given.Store)
	}
	if given.Warehouse != "" {
		text = fmt.Appendf(text, "warehouse = %q\n", given.Warehouse)
	}
	if cfg.Synthetic {
		text = append(text, "synthetic = true # the data are invented\n"...)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		h.close()
		return nil, err
	}
	fmt.Fprintf(c.out, "made %s for %s\n", data, h.op.Name.In(dtm.English))
	return h, nil
}
