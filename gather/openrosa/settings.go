package openrosa

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"net/url"

	"dtm"
)

// settings is the part of Collect's settings that a code sets (Collect,
// client-settings.schema.json). Admin must be there, even empty.
type settings struct {
	General general  `json:"general"`
	Admin   struct{} `json:"admin"`
	Project project  `json:"project"`
}

type general struct {
	ServerURL string `json:"server_url"`
	// The server's list is what the phone has: new versions come by themselves.
	FormUpdateMode string `json:"form_update_mode"`
	Autosend       string `json:"autosend"`
	Language       string `json:"app_language,omitempty"`
}

type project struct {
	Name string `json:"name"`
	Icon string `json:"icon,omitempty"`
}

// Settings returns what a QR code must say to set ODK Collect up: base64 of zlib
// of JSON. serverURL is the whole OpenRosa base, "https://host" + Path(token);
// lang is the app's language, "" to leave the phone's.
func Settings(serverURL, projectName string, lang dtm.Lang) (string, error) {
	u, err := url.Parse(serverURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", dtm.Errorf(dtm.Invalid, "%q is not the address of a server; it must begin with https:// or http://", serverURL)
	}
	var s settings
	s.General = general{ServerURL: serverURL, FormUpdateMode: "match_exactly", Autosend: "wifi_and_cellular", Language: string(lang)}
	s.Project.Name = projectName
	text, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}
