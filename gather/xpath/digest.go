package xpath

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

func digest(c *context, x *call, a []Value) (Value, error) {
	var sum []byte
	text := []byte(a[0].String())
	switch strings.ToUpper(a[1].String()) {
	case "MD5":
		s := md5.Sum(text)
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(text)
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(text)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(text)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(text)
		sum = s[:]
	default:
		return Value{}, x.bad(c, "the algorithm is MD5, SHA-1, SHA-256, SHA-384 or SHA-512, not %q", a[1].String())
	}
	encoding := "base64"
	if len(a) > 2 {
		encoding = a[2].String()
	}
	switch strings.ToLower(encoding) {
	case "hex":
		return String(hex.EncodeToString(sum)), nil
	case "base64":
		return String(base64.StdEncoding.EncodeToString(sum)), nil
	}
	return Value{}, x.bad(c, "the encoding is base64 or hex, not %q", encoding)
}
