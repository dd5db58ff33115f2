package openrosa

import (
	"errors"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"dtm"
	"dtm/locale"
)

// matcher chooses among locale.Languages; made once, for every submission asks it.
var matcher = func() language.Matcher {
	var tags []language.Tag
	for _, l := range locale.Languages {
		tags = append(tags, language.Make(string(l)))
	}
	return language.NewMatcher(tags)
}()

// lang is the language to answer r in.
func (h *Handler) lang(r *http.Request) dtm.Lang {
	own := h.Lang
	if own == "" {
		own = dtm.English
	}
	wanted := r.Header.Get("Accept-Language")
	if wanted == "" {
		return own
	}
	tags, _, err := language.ParseAcceptLanguage(wanted)
	if err != nil || len(tags) == 0 {
		return own
	}
	_, i, sure := matcher.Match(tags...)
	if sure == language.No {
		return own
	}
	return locale.Languages[i]
}

// receipt tells a phone that its submission is here.
func (h *Handler) receipt(r *http.Request, repeated bool) string {
	if repeated {
		return locale.Say(h.lang(r), "phone.submission.repeated")
	}
	return locale.Say(h.lang(r), "phone.submission.received")
}

// say is what the phone shows for an error: the catalogues' words for phones, under
// phone.CODE, else what everybody is told.
func (h *Handler) say(r *http.Request, err error) string {
	l := h.lang(r)
	var e *dtm.Error
	if !errors.As(err, &e) || e.Kind == dtm.Internal {
		return locale.Say(l, "phone.internal")
	}
	for _, key := range []string{"phone." + e.Code, "error." + e.Code} {
		if e.Code != "" && locale.Has(key) {
			return strings.TrimSpace(locale.Say(l, key, e.Args...))
		}
	}
	if e.Kind == dtm.Unavailable {
		return locale.Say(l, "phone.unavailable")
	}
	return dtm.Public(err)
}
