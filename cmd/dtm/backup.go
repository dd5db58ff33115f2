package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"dtm"
	"dtm/config"
	"dtm/store/backup"
)

// Files of a data folder, beside its attachments, that a backup must hold. The
// warehouse is derived and left out.
const (
	storeName = "dtm.db"
	blobName  = "blob"
	spoolName = "coming" // what is on its way to a bucket: files without a name
)

var needed = []string{config.FileName, storeName}

// runBackup writes everything into one file: encrypted when there is a public key.
func runBackup(ctx context.Context, c *call) error {
	flags := c.flags()
	data := c.dataFlag(flags)
	out := flags.String("out", "", "`file` to write, a .tar.gz, or .age when it is encrypted")
	to := flags.String("to", "", "public `key` to encrypt for, from `dtm backup key` (default: the setting backup_recipient; none: not encrypted)")
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is missing: which file?")
	}
	h, done, err := c.open(ctx, *data)
	if err != nil {
		return err
	}
	defer done()
	if *to == "" {
		*to = h.config.BackupRecipient
	}
	recipients, err := backup.Recipients(*to)
	if err != nil {
		return err
	}
	src, err := h.backupSource(ctx)
	if err != nil {
		return err
	}
	if len(recipients) == 0 {
		src.Keys = nil
	}
	made, err := backup.WriteFile(ctx, c.path(*out), src, recipients)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the backup cannot be written: %w", err).At(*out)
	}
	fmt.Fprintf(c.out, "wrote %s: %d files, %d bytes, up to event %d or later\n", *out, made.Files, made.Bytes, src.Last)
	if len(recipients) == 0 {
		fmt.Fprintln(c.err, "it is not encrypted: whoever has it can read it, and what is personal is in it for nobody, because the keys are left out; `dtm backup key -out F` makes a key, -to encrypts")
	}
	return nil
}

// backupSource is what a backup of this folder is made of.
func (h *house) backupSource(ctx context.Context) (backup.Source, error) {
	last, err := h.db.Last(ctx)
	keys := []backup.File{{Name: keysName, Copy: h.db.BackupKeys}}
	if h.config.KeyFile == "" { // one that lies elsewhere is kept by whoever put it there
		keys = append(keys, backup.File{Name: keyName, Path: h.keyFile()})
	}
	return backup.Source{
		Files: []backup.File{
			{Name: config.FileName, Path: filepath.Join(h.dir, config.FileName)},
			{Name: storeName, Copy: h.db.Backup},
		},
		Keys:  keys,
		Blobs: contentOf(ctx, h.blobs),
		Last:  last,
	}, err
}

// contentOf is all attachments as files of a backup.
func contentOf(ctx context.Context, from attachments) iter.Seq2[backup.File, error] {
	return func(yield func(backup.File, error) bool) {
		for address, err := range from.Each(ctx) {
			f := backup.Attachment(strings.TrimPrefix(address, "sha256:"), func(ctx context.Context) (io.ReadSeekCloser, error) {
				return from.Open(ctx, address)
			})
			if !yield(f, err) {
				return
			}
		}
	}
}

// runRestore makes a data folder from a backup; it is whole or it is not there.
func runRestore(ctx context.Context, c *call) error {
	flags := c.flags()
	data := c.dataFlag(flags)
	key := flags.String("key", "", "`file` of the secret key, when the backup is encrypted")
	args, err := c.parse(flags, 1, 1)
	if err != nil {
		return err
	}
	if *data == "" {
		return wrongUse("-data is missing: which folder?")
	}
	ids, err := c.identities(*key)
	if err != nil {
		return err
	}
	made, err := backup.Restore(ctx, c.path(args[0]), c.path(*data), needed, ids)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "restored %d files into %s\n", made.Files, *data)
	cfg, err := config.FromFolder(os.DirFS(c.path(*data)), c.env, os.ReadFile)
	if err == nil && cfg.Media != "" {
		fmt.Fprintf(c.out, "the attachments of the backup are in %s, and the settings say that the server's are in %s: when they are lost there, dtm move media -data %s -from %s -to %s\n",
			filepath.Join(*data, blobName), cfg.Media, *data, filepath.Join(*data, blobName), cfg.Media)
	}
	fmt.Fprintf(c.out, "next: dtm check -data %s\n", *data)
	return nil
}

func (c *call) identities(file string) ([]age.Identity, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(c.path(file))
	if err != nil {
		return nil, dtm.Errorf(dtm.NotFound, "the secret key cannot be read: %w", err).At(file)
	}
	defer f.Close()
	return backup.Identities(f)
}

// runBackupKey makes a pair of keys for backups.
func runBackupKey(_ context.Context, c *call) error {
	flags := c.flags()
	out := flags.String("out", "", "`file` to write the secret key to; keep it away from the server")
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	if *out == "" {
		return wrongUse("-out is missing: which file?")
	}
	key, err := backup.NewKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.path(*out), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return dtm.Errorf(dtm.Invalid, "the key cannot be written: %w", err).At(*out)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "# secret key for backups of dtm; without it they cannot be read\n# public key: %s\n%s\n", key.Recipient, key.Identity); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\n", key.Recipient)
	fmt.Fprintf(c.err, "%s holds the secret key: print it or keep it on a stick, never on the server.\nThe line above is the public key, for config.toml: backup_recipient = %q\n", *out, key.Recipient)
	return nil
}
