package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestBoard: every measure that the board for Grafana draws is one that the server
// gives.
func TestBoard(t *testing.T) {
	t.Parallel()
	board, err := os.ReadFile("../../deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ := shelved(t)
	base, _ := serving(t, data)
	measures := func() string {
		res, err := http.Get(base + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	measures() // so that there is a request to measure
	got := measures()
	names := regexp.MustCompile(`\b(dtm|go|process)_[a-z_]+`).FindAllString(string(board), -1)
	if len(names) < 10 {
		t.Fatalf("the board draws %v", names)
	}
	for _, n := range names {
		if !strings.Contains(got, "\n"+n) {
			t.Errorf("there is no measure %s", n)
		}
	}
}
