package typst

import "dtm/disseminate/report/bindgen"

// Build is the compiler that imports.go is written for.
var Build = bindgen.Build{
	What:    "PDF engine",
	Package: "@myriaddreamin/typst-ts-web-compiler",
	Version: "0.7.0",
	SHA256:  "1fc968438a672366dfec39c96c842c26ed29caff4eb1bcaab19a6c60867de5fd",
}
