package main

import (
	"context"
	"io/fs"
	"path/filepath"

	"dtm"
	"dtm/store/blob"
	"dtm/store/postgres"
	"dtm/store/sqlite"
)

// contents reads what a data folder holds: the XML of each record, and the address of
// its photograph when that can be read back. store is the address of a database, "": in
// the folder.
func contents(ctx context.Context, data, store string) (xml, photos map[string]string, err error) {
	xml, photos = map[string]string{}, map[string]string{}
	var db *sqlite.DB
	if store == "" {
		db, err = sqlite.Open(ctx, filepath.Join(data, "dtm.db"), sqlite.Options{Operation: "djibouti"})
	} else {
		db, err = postgres.Open(ctx, store, postgres.Options{Operation: "djibouti"})
	}
	if err != nil {
		return xml, photos, err
	}
	defer db.Close()
	blobs, err := blob.NewDisk(filepath.Join(data, "blob"))
	if err != nil {
		return xml, photos, err
	}
	err = db.Stream(ctx, dtm.SubmissionQuery{Form: "fmr"}, func(batch []dtm.Streamed) error {
		for _, s := range batch {
			xml[s.ID] = string(s.XML)
		}
		return nil
	})
	if err != nil {
		return xml, photos, err
	}
	return xml, photos, db.EachAttachment(ctx, func(id string, a dtm.Attachment) error {
		if readBack(ctx, blobs, a.Hash) {
			photos[id] = a.Hash
		}
		return nil
	})
}

// regular is a folder without its sockets, which cannot be copied.
type regular struct{ fs.FS }

func (r regular) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(r.FS, name)
	var list []fs.DirEntry
	for _, e := range all {
		if e.IsDir() || e.Type().IsRegular() {
			list = append(list, e)
		}
	}
	return list, err
}
