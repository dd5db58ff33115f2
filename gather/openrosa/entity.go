package openrosa

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"dtm"
	"dtm/gather/entity"
)

// entityFile is an entity list as a device gets it.
type entityFile struct {
	list  string
	scope dtm.EntityScope
	state dtm.EntityState
}

func (f entityFile) name() string { return f.list + ".csv" }
func (f entityFile) hash() string { return entity.Hash(f.list, f.scope, f.state) }

func covers(files []entityFile, name string) bool {
	return slices.ContainsFunc(files, func(f entityFile) bool { return f.name() == name })
}

// entityFiles are the files of a form that are entity lists: those it reads, that
// are named like a list, and that it does not bring along itself.
func (h *Handler) entityFiles(ctx context.Context, f dtm.Form, device dtm.Device) ([]entityFile, error) {
	if h.Entities == nil || h.Reads == nil {
		return nil, nil
	}
	var out []entityFile
	for _, file := range h.Reads(ctx, f) {
		list, csv := strings.CutSuffix(file, ".csv")
		if !csv || covers(out, file) || slices.ContainsFunc(f.Media, func(m dtm.Media) bool { return m.Name == file }) {
			continue
		}
		e := entityFile{list: list, scope: h.scope(device)}
		var err error
		e.state, err = h.Entities.EntityState(ctx, list, e.scope)
		if err != nil && dtm.KindOf(err) == dtm.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (h *Handler) scope(device dtm.Device) dtm.EntityScope {
	if h.Scope == nil {
		return dtm.EntityScope{}
	}
	return h.Scope(device)
}

// positionHeader says up to which change a list that was sent is complete: what
// ?since takes.
const positionHeader = "DTM-Position"

// entityFile hands out a list. A client that has it, by its ETag, is answered 304
// without a look at the entities; one that says since when it has it gets only the
// rows that changed, with a column __deleted for those it has to drop.
func (h *Handler) entityFile(w http.ResponseWriter, r *http.Request, f entityFile) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	tag := f.hash()
	var since int64
	given := r.URL.Query().Get("since")
	if given != "" {
		var err error
		if since, err = strconv.ParseInt(given, 10, 64); err != nil || since < 0 {
			return dtm.Errorf(dtm.Invalid, "since=%s is not a position; give the number of the header %s", given, positionHeader).Coded("entity.since", given, positionHeader)
		}
		tag += "-" + given
	}
	if strings.Contains(r.Header.Get("If-None-Match"), strings.TrimPrefix(tag, "md5:")+`"`) {
		return writeBytes(w, r, tag, nil)
	}
	l, err := h.Entities.EntityList(r.Context(), f.list)
	if err != nil {
		return err
	}
	// Entities are read after the list: none up to its latest change is missing.
	position := max(l.Seq, since)
	filter := dtm.EntityFilter{List: f.list}
	if given == "" {
		no := false
		filter.Deleted, filter.Scope = &no, &f.scope
	} else {
		filter.After = since
	}
	list, _, err := h.Entities.Entities(r.Context(), filter)
	if err != nil {
		return err
	}
	w.Header()[positionHeader] = []string{strconv.FormatInt(position, 10)}
	var b bytes.Buffer
	if err := entity.WriteCSV(&b, l, list, given != "", f.scope); err != nil {
		return err
	}
	return writeBytes(w, r, tag, b.Bytes())
}

// most ids that one question about integrity may name.
const maxIDs = 10_000

// integrity tells a phone which of the entities it has, and the list has not, are
// deleted: /datasets/{list}/integrity?id=a,b.
func (h *Handler) integrity(w http.ResponseWriter, r *http.Request, device dtm.Device) error {
	if h.Entities == nil {
		return dtm.Errorf(dtm.NotFound, "there is no entity list %q", r.PathValue("list")).Coded("entity.no_list", r.PathValue("list"))
	}
	list := r.PathValue("list")
	if _, err := h.Entities.EntityState(r.Context(), list, dtm.EntityScope{}); err != nil {
		return err
	}
	ids := []string{}
	for _, given := range r.URL.Query()["id"] {
		for _, id := range strings.Split(given, ",") {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > maxIDs {
		return dtm.Errorf(dtm.TooLarge, "ask about %d entities at most at once", maxIDs).Coded("entity.many", maxIDs)
	}
	entities, _, err := h.Entities.Entities(r.Context(), dtm.EntityFilter{List: list, IDs: ids})
	if err != nil {
		return err
	}
	b, err := entity.Integrity(entities, h.scope(device))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	_, err = w.Write(b)
	return err
}
