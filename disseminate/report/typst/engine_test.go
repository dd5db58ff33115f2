package typst_test

import (
	"context"
	"testing"
	"time"

	"dtm/disseminate/report"
)

func TestSmoke(t *testing.T) {
	t0 := time.Now()
	e, err := report.NewEngine(context.Background(), "../../../.cache/typst")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	t.Log("start", time.Since(t0))
	for i := 0; i < 3; i++ {
		t0 = time.Now()
		pdf, err := e.Compile(context.Background(), "main.typ", map[string][]byte{"main.typ": []byte(`#set text(font: ("Inter","Noto Sans Arabic")); = Héllo تقرير`)})
		t.Log(len(pdf), err, time.Since(t0))
	}
	_, err = e.Compile(context.Background(), "main.typ", map[string][]byte{"main.typ": []byte(`#foo bar
#let`)})
	t.Log(err)
	_, err = e.Compile(context.Background(), "main.typ", map[string][]byte{"main.typ": []byte(`#image("nope.svg")`)})
	t.Log(err)
	_, err = e.Compile(context.Background(), "main.typ", map[string][]byte{"main.typ": []byte(`#import "@preview/cetz:0.1.0"`)})
	t.Log(err)
	ctx, c := context.WithTimeout(context.Background(), time.Second)
	defer c()
	_, err = e.Compile(ctx, "main.typ", map[string][]byte{"main.typ": []byte(`#let i = 0
#let f(n) = { let k = 0; while k < 900000 { k += 1 }; n }
#for x in range(100000) { f(x) }`)})
	t.Log(err, time.Since(t0))
	t0 = time.Now()
	pdf, err := e.Compile(context.Background(), "main.typ", map[string][]byte{"main.typ": []byte(`#set text(font: ("Inter","Noto Sans Arabic")); = Héllo تقرير`)})
	t.Log(len(pdf), err, time.Since(t0))
}
