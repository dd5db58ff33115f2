package raster

import "dtm/disseminate/report/bindgen"

// Build is the painter that host.go is written for.
var Build = bindgen.Build{
	What:    "painter of pictures",
	Package: "@resvg/resvg-wasm",
	Version: "2.6.2",
	SHA256:  "22bf6e9f9a100d972da0411a69c5ba504367fc1fa87b3b64e3f35e53926d2d70",
}
