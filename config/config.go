// Package config turns a data folder's config.toml, the environment and the
// command's flags, in this order, into one Config; secrets may also come from a
// file named by the option's _FILE twin.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"reflect"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"dtm"
)

// FileName is the name of the settings file in a data folder.
const FileName = "config.toml"

// Config is everything that can be set. The tags name the key in config.toml;
// the environment variable is DTM_ and the key in capitals; the flag is the key
// with hyphens.
type Config struct {
	Operation  string `toml:"operation" help:"operation pack: a name that comes with the program, or a folder"`
	Listen     string `toml:"listen" help:"address to serve on"`
	BaseURL    string `toml:"base_url" help:"public address that phones and readers use, when it is not the listen address"`
	TLSCert    string `toml:"tls_cert" help:"file with the certificate and its chain (PEM), to serve https without a proxy; read again when it changes"`
	TLSKey     string `toml:"tls_key" help:"file with its key (PEM)"`
	ACME       string `toml:"acme_domains" help:"domains, with commas, for which certificates are got by ACME (port 443 must lead here); the first is the public address"`
	ACMEMail   string `toml:"acme_email" help:"whom the issuer of certificates may write to"`
	ACMEFrom   string `toml:"acme_directory" help:"address of another issuer than Let's Encrypt"`
	HTTP       string `toml:"http_listen" help:"address, such as :80, at which plain http is led to https, and ACME answered"`
	Drain      int64  `toml:"drain_seconds" help:"seconds in which a server that is told to end still answers while /readyz says 503, for a load balancer to see it"`
	Store      string `toml:"store" help:"operational store, postgres://USER@HOST/DATABASE; empty: SQLite in the data folder"`
	Warehouse  string `toml:"warehouse" help:"warehouse, postgres://USER@HOST/DATABASE; empty: DuckDB in the data folder"`
	Media      string `toml:"media" help:"where photos and attachments are, for several servers on one store: a folder that all see, or s3://BUCKET/PREFIX; empty: blob in the data folder"`
	Keys       string `toml:"keys" help:"place of the persons' keys, a file or postgres://... of another database than the store's; empty: keys.db in the data folder"`
	S3Endpoint string `toml:"s3_endpoint" help:"S3 store of media, https://HOST or https://HOST:PORT; empty: Amazon's"`
	S3Region   string `toml:"s3_region" help:"its region; empty: the store is asked"`
	S3Access   string `toml:"s3_access_key" help:"access key there; empty: AWS_ACCESS_KEY_ID of the environment"`
	S3Secret   string `toml:"s3_secret_key" help:"secret key there; better by DTM_S3_SECRET_KEY_FILE; empty: AWS_SECRET_ACCESS_KEY of the environment"`

	Cache     string `toml:"cache" help:"folder for the compiled PDF engine; empty: the user's cache folder"`
	MaxUpload int64  `toml:"max_upload_mb" help:"largest single submission request in MB"`
	Traces    string `toml:"otlp_endpoint" help:"collector of traces (OTLP over http), http(s)://HOST:4318; empty: OTEL_EXPORTER_OTLP_ENDPOINT of the environment, without it none are made"`
	LogFormat string `toml:"log_format" help:"text or json"`

	Synthetic bool `toml:"synthetic" help:"the data are invented: said on every page and with every figure"`

	BackupDir       string `toml:"backup_dir" help:"folder, best on another disk, that the server writes an encrypted backup to every hour; empty: none"`
	BackupRecipient string `toml:"backup_recipient" help:"public key of backups, from dtm backup key; several with commas"`
	BackupMinutes   int64  `toml:"backup_minutes" help:"minutes between two backups"`

	KeyFile  string `toml:"key_file" help:"file with the key of what is sealed; empty: the file key in the data folder"`
	Breached string `toml:"breached_passwords" help:"file of leaked passwords as haveibeenpwned.com gives it out (SHA-1, sorted): none of them is taken"`

	RetainPersons   int64 `toml:"retain_persons_days" help:"days after the last referral of a person until their key is destroyed; 0: never"`
	RetainOriginals int64 `toml:"retain_originals_days" help:"days after receipt until the sealed original of a submission is deleted; 0: never"`
	RetainSlips     int64 `toml:"retain_slips_days" help:"days after it expired until the code of a slip is deleted; 0: never"`
	RetainNightly   bool  `toml:"retain_nightly" help:"erase every night what is due; else somebody does it on the page or by dtm retention -do"`

	SMTPHost     string `toml:"smtp_host" help:"mail server that subscribers' messages go out by; empty: none go by e-mail"`
	SMTPPort     int64  `toml:"smtp_port" help:"its port; 0: 587, with smtp_tls = \"tls\" 465, with \"none\" 25"`
	SMTPUser     string `toml:"smtp_user" help:"what this site is called there; empty: it asks for nobody"`
	SMTPPassword string `toml:"smtp_password" help:"its password there; better by DTM_SMTP_PASSWORD_FILE"`
	SMTPFrom     string `toml:"smtp_from" help:"sender of the messages, for example DTM Djibouti <dtm@example.org>; bounces come back there"`
	SMTPTLS      string `toml:"smtp_tls" help:"starttls, tls (from the first byte), or none for a server on this very machine"`

	OIDCIssuer string `toml:"oidc_issuer" help:"address of an OpenID provider that vouches for users, https://..."`
	OIDCID     string `toml:"oidc_client_id" help:"what this site is called there"`
	OIDCSecret string `toml:"oidc_client_secret" help:"its secret there; better by DTM_OIDC_CLIENT_SECRET_FILE"`
	OIDCName   string `toml:"oidc_name" help:"the provider's name on the button"`
}

// Default is the configuration of a laptop in a country office.
func Default() Config {
	return Config{Operation: "djibouti", Listen: "127.0.0.1:8080", MaxUpload: 100, LogFormat: "text", BackupMinutes: 60, SMTPTLS: "starttls", RetainPersons: 730, RetainOriginals: 180, RetainSlips: 30}
}

// Read merges the file's text (may be empty) and the environment over the
// defaults. readFile serves the _FILE twins. An unknown key or a wrong type is
// Invalid and names file and line.
func Read(file []byte, env func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	c := Default()
	md, err := toml.Decode(string(file), &c)
	if err != nil {
		where := FileName
		if pe, ok := err.(toml.ParseError); ok {
			where = fmt.Sprintf("%s:%d", FileName, pe.Position.Line)
		}
		return c, dtm.Errorf(dtm.Invalid, "%v", err).At(where)
	}
	if un := md.Undecoded(); len(un) > 0 {
		return c, dtm.Errorf(dtm.Invalid, "unknown setting %q; `dtm serve -h` lists the settings", un[0]).At(FileName)
	}
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		name := "DTM_" + strings.ToUpper(key)
		s := env(name)
		if f := env(name + "_FILE"); f != "" {
			b, err := readFile(f)
			if err != nil {
				return c, dtm.Errorf(dtm.Invalid, "%s: %w", name+"_FILE", err)
			}
			s = strings.TrimSpace(string(b))
		}
		if s == "" {
			continue
		}
		if err := set(v.Field(i), s); err != nil {
			return c, dtm.Errorf(dtm.Invalid, "%s=%q: %w", name, s, err)
		}
	}
	return c, nil
}

func set(v reflect.Value, s string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("neither true nor false")
		}
		v.SetBool(b)
	case reflect.Int64:
		var n int64
		if _, err := fmt.Sscan(s, &n); err != nil {
			return fmt.Errorf("not a whole number")
		}
		v.SetInt(n)
	}
	return nil
}

// Flags registers flags for the named keys ("listen", "base_url") on fs and
// returns a func that writes those given over c.
func Flags(fs *flag.FlagSet, keys ...string) func(c *Config) error {
	given := map[string]*string{}
	d := Default()
	v := reflect.ValueOf(&d).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		for _, k := range keys {
			if f.Tag.Get("toml") == k {
				given[k] = fs.String(strings.ReplaceAll(k, "_", "-"), "", f.Tag.Get("help")+fmt.Sprintf(" (default %q)", fmt.Sprint(v.Field(i).Interface())))
			}
		}
	}
	return func(c *Config) error {
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			k := v.Type().Field(i).Tag.Get("toml")
			if p := given[k]; p != nil && *p != "" {
				if err := set(v.Field(i), *p); err != nil {
					return dtm.Errorf(dtm.Invalid, "-%s %q: %w", strings.ReplaceAll(k, "_", "-"), *p, err)
				}
			}
		}
		return nil
	}
}

// FromFolder reads the settings file of a data folder; a folder without one has
// the defaults.
func FromFolder(dir fs.FS, env func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	b, err := fs.ReadFile(dir, FileName)
	if err != nil && !isNotExist(err) {
		return Config{}, dtm.Errorf(dtm.Invalid, "%w", err).At(FileName)
	}
	return Read(b, env, readFile)
}

func isNotExist(err error) bool {
	return errors.Is(err, fs.ErrNotExist)
}
