// Package typst turns a Typst document and the files it reads into a PDF: sources,
// data, pictures and fonts come in as bytes, a tagged PDF goes out.
//
// The compiler is Typst 0.14.2 compiled to WebAssembly (npm package
// @myriaddreamin/typst-ts-web-compiler, Apache-2.0) and run by wazero: no other
// program, no network, no file of the machine is within its reach. Making machine
// code of it costs half a minute once; the result is kept in a folder and later
// starts take half a second. It runs in processes of its own (decision 71), which
// are this program again:
//
//	typst.Work(load, cacheDir, os.Stdin, os.Stdout) // in main, when started as one
//
//	engine := typst.New(command)
//	pdf, err := engine.Compile(ctx, "main.typ", map[string][]byte{"main.typ": source, "data.json": data})
//
// The same input gives the same bytes: the clock that a document sees stands
// still, so a document states its date itself (set document(date: ...)).
package typst
