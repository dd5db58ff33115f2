package config_test

import (
	"os"
	"strings"
	"testing"

	"dtm/config"
)

// TestReference: doc/settings.md holds the settings as they are in the code.
func TestReference(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../doc/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := config.Reference(); !strings.Contains(string(b), want) {
		t.Errorf("doc/settings.md does not hold this table:\n%s", want)
	}
}
