// Package collect knows what ODK Collect makes of a settings code: its text goes in,
// the settings and what Collect would not understand of them come out. For tests.
package collect

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Unpack gives the JSON that a code's text holds: base64 of zlib.
func Unpack(code string) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// settings are the keys of Collect's settings that a code may hold, with
// their values (Collect, client-settings.schema.json); nil: any text, true: yes or
// no.
var settings = map[string]map[string]any{
	"general": {
		"protocol": []string{"odk_default"}, "server_url": nil, "username": nil, "password": nil,
		"form_update_mode":             []string{"manual", "previously_downloaded", "match_exactly"},
		"periodic_form_updates_check":  []string{"every_fifteen_minutes", "every_one_hour", "every_six_hours", "every_24_hours"},
		"automatic_update":             true,
		"hide_old_form_versions":       true,
		"autosend":                     []string{"off", "wifi_only", "cellular_only", "wifi_and_cellular"},
		"delete_send":                  true,
		"default_completed":            true,
		"constraint_behavior":          []string{"on_swipe", "on_finalize"},
		"high_resolution":              true,
		"image_size":                   []string{"original", "small", "very_small", "medium", "large"},
		"external_app_recording":       true,
		"guidance_hint":                []string{"no", "yes", "yes_collapsed"},
		"instance_sync":                true,
		"analytics":                    true,
		"app_theme":                    []string{"light_theme", "dark_theme", "device_theme"},
		"app_language":                 nil,
		"font_size":                    nil,
		"navigation":                   []string{"swipe", "buttons", "swipe_buttons"},
		"basemap_source":               nil,
		"metadata_username":            nil,
		"metadata_phonenumber":         nil,
		"metadata_email":               nil,
		"background_location_accuracy": nil,
	},
	"project": {"name": nil, "icon": nil, "color": nil},
	"admin": {
		"admin_pw": nil, "change_server": true, "change_app_theme": true, "change_app_language": true, "change_font_size": true,
		"change_navigation": true, "maps": true, "form_update_mode": true, "edit_saved": true, "send_finalized": true, "view_sent": true,
		"get_blank": true, "delete_saved": true, "qr_code_scanner": true, "save_mid": true, "jump_to": true, "change_language": true,
		"access_settings": true, "mark_as_finalized": true,
	},
}

// Faults holds the settings of a code, as JSON, against the schema.
func Faults(text []byte) (faults []string) {
	var got map[string]map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		return []string{err.Error()}
	}
	for _, must := range []string{"general", "admin"} {
		if got[must] == nil {
			faults = append(faults, "no "+must)
		}
	}
	for section, keys := range got {
		for k, v := range keys {
			allowed, known := settings[section][k]
			s, isText := v.(string)
			_, isBool := v.(bool)
			values, isList := allowed.([]string)
			switch {
			case !known:
				faults = append(faults, section+"."+k+" is not a key")
			case allowed == true && !isBool, allowed != true && !isText, isList && !slices.Contains(values, s):
				faults = append(faults, fmt.Sprintf("%s.%s may not be %v", section, k, v))
			}
		}
	}
	return faults
}
