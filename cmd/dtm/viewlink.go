package main

import (
	"encoding/base64"
	"encoding/json"

	"dtm"
)

// viewLinkUse is what the key of links is for.
const viewLinkUse = "view-link"

func (h *house) viewLinkPlace() string { return viewLinkUse + "|" + h.op.Code }

// shareView makes the token of a link: the partner and the last moment, sealed, so that
// nobody can make or change one and nothing has to be kept.
func (h *house) shareView(x dtm.ViewLink) (string, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return "", err
	}
	b, err := h.key.For(viewLinkUse).Seal(h.viewLinkPlace(), text)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// sharedView reads a token: NotFound when it is none, Gone when its time is over.
func (h *house) sharedView(token string) (x dtm.ViewLink, err error) {
	none := dtm.Errorf(dtm.NotFound, "there is no such page").Coded("notfound")
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return x, none
	}
	text, err := h.key.For(viewLinkUse).Open(h.viewLinkPlace(), b)
	if err != nil || json.Unmarshal(text, &x) != nil {
		return x, none
	}
	if !h.now().Before(x.Until) {
		return x, dtm.Errorf(dtm.Gone, "this link is over; ask who gave it to you for another").Coded("view.over")
	}
	return x, nil
}
