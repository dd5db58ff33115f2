package config_test

import (
	"errors"
	"flag"
	"strings"
	"testing"
	"testing/fstest"

	"dtm"
	"dtm/config"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DTM_LISTEN": "127.0.0.1:2", "DTM_BASE_URL_FILE": "secret"}
	dir := fstest.MapFS{config.FileName: {Data: []byte("listen = \"127.0.0.1:1\"\nmax_upload_mb = 7\n")}}
	c, err := config.FromFolder(dir, func(k string) string { return env[k] }, func(string) ([]byte, error) { return []byte("https://x.example\n"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:2" || c.MaxUpload != 7 || c.BaseURL != "https://x.example" || c.Operation != "djibouti" {
		t.Errorf("environment over file over default: got %+v", c)
	}
	fs := flag.NewFlagSet("t", flag.ContinueOnError)
	apply := config.Flags(fs, "listen")
	if err := fs.Parse([]string{"-listen", "127.0.0.1:3"}); err != nil {
		t.Fatal(err)
	}
	if err := apply(&c); err != nil || c.Listen != "127.0.0.1:3" {
		t.Errorf("flag over environment: got %q, %v", c.Listen, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	noFile := func(string) ([]byte, error) { return nil, errors.New("no such file") }
	for name, c := range map[string]struct {
		file string
		env  map[string]string
		want string
	}{
		"syntax names the line":     {file: "listen = \"a\"\nstore = \n", want: "config.toml:2"},
		"unknown key is named":      {file: "lisen = \"a\"", want: `"lisen"`},
		"wrong type in environment": {env: map[string]string{"DTM_MAX_UPLOAD_MB": "many"}, want: "DTM_MAX_UPLOAD_MB"},
		"secret file that is gone":  {env: map[string]string{"DTM_STORE_FILE": "x"}, want: "DTM_STORE_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := none
			if c.env != nil {
				env = func(k string) string { return c.env[k] }
			}
			_, err := config.Read([]byte(c.file), env, noFile)
			if dtm.KindOf(err) != dtm.Invalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want Invalid naming %s, got %v", c.want, err)
			}
		})
	}
}
