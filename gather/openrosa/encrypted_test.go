package openrosa_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"testing"

	"dtm"
	"dtm/gather/openrosa"
	"dtm/gather/xform"
	"dtm/gather/xlsform"
)

// The phone's side of encryption, as the ODK XForms specification says it
// (section "Encryption"): AES-256-CFB with PKCS #5 padding, the key wrapped by
// RSA-OAEP with SHA-256, the n-th file's initial vector from the MD5 of instance
// id and key with its bytes counted up.
type sealer struct {
	key  []byte
	seed []byte
	n    int
}

func newSealer(t testing.TB, instanceID string) *sealer {
	s := &sealer{key: make([]byte, 32)}
	if _, err := rand.Read(s.key); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum(append([]byte(instanceID), s.key...))
	s.seed = sum[:]
	return s
}

func (s *sealer) stream(seal bool) cipher.Stream {
	s.seed[s.n%len(s.seed)]++
	s.n++
	block, err := aes.NewCipher(s.key)
	if err != nil {
		panic(err)
	}
	if seal {
		//lint:ignore SA1019 ODK encrypts so
		return cipher.NewCFBEncrypter(block, s.seed)
	}
	//lint:ignore SA1019 ODK encrypts so
	return cipher.NewCFBDecrypter(block, s.seed)
}

func (s *sealer) seal(plain []byte) []byte {
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	s.stream(true).XORKeyStream(out, out)
	return out
}

func (s *sealer) open(sealed []byte) []byte {
	out := bytes.Clone(sealed)
	s.stream(false).XORKeyStream(out, out)
	return out[:len(out)-int(out[len(out)-1])]
}

// An encrypted submission is taken as it is, with all its sealed files, even in
// several requests, and who has the private key reads it.
func TestRule18ReallyEncrypted(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	f, _, err := xlsform.Read("secret.md", []byte("| survey |\n| | type | name | label |\n| | text | name | Name |\n| | image | photo | Photo |\n| settings |\n| | form_id | version |\n| | secret | 1 |"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := xform.Write(f)
	if err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, func(h *openrosa.Handler) {
		h.Head = func(b []byte) (openrosa.Head, error) {
			x, err := xform.Head(b)
			return openrosa.Head{FormID: x.FormID, Version: x.Version, InstanceID: x.InstanceID, DeprecatedID: x.DeprecatedID, Encrypted: x.Encrypted}, err
		}
		h.Expected = func(_ dtm.Form, b []byte) []string { return xform.Files(f, b) }
	})
	p.must(p.db.Publish(context.Background(), dtm.Form{ID: "secret", Version: "1", Title: "Secret", XForm: doc}))

	const id = "uuid:5f1c7c2e-0000-4000-8000-000000000001"
	answers := []byte(`<data id="secret" version="1"><name>Somebody</name><photo>1.jpg</photo><meta><instanceID>` + id + `</instanceID></meta></data>`)
	photo := bytes.Repeat([]byte{0xff, 0xd8, 'J'}, 5000)
	s := newSealer(t, id)
	sealedPhoto, sealedAnswers := s.seal(photo), s.seal(answers) // media first, in the order of the manifest, the answers last
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &private.PublicKey, s.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(b []byte) string { x := md5.Sum(b); return fmt.Sprintf("%x", x) }
	sign := fmt.Sprintf("secret\n1\n%s\n%s\n1.jpg::%s\nsubmission.xml::%s\n", base64.StdEncoding.EncodeToString(wrapped), id, sum(photo), sum(answers))
	digest := md5.Sum([]byte(sign))
	signature, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &private.PublicKey, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	manifest := []byte(`<?xml version="1.0"?><data xmlns="http://opendatakit.org/submissions" encrypted="yes" id="secret" version="1">` +
		`<base64EncryptedKey>` + base64.StdEncoding.EncodeToString(wrapped) + `</base64EncryptedKey>` +
		`<meta xmlns="http://openrosa.org/xforms"><instanceID>` + id + `</instanceID></meta>` +
		`<media><file>1.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile>` +
		`<base64EncryptedElementSignature>` + base64.StdEncoding.EncodeToString(signature) + `</base64EncryptedElementSignature></data>`)

	answersFile := file{"submission.xml.enc", "submission.xml.enc", "application/octet-stream", string(sealedAnswers)}
	photoFile := file{"1.jpg.enc", "1.jpg.enc", "application/octet-stream", string(sealedPhoto)}
	for i, files := range [][]file{{answersFile, {"*isIncomplete*", "", "", "yes"}}, {photoFile}, {answersFile, photoFile}} {
		if a := p.post(manifest, files...); a.status != 201 {
			t.Fatalf("request %d: %d %s", i, a.status, a.body)
		}
	}
	got := p.stored(id)
	if !bytes.Equal(got.XML, manifest) || len(got.Attachments) != 2 || fmt.Sprint(got.Expected) != "[1.jpg.enc submission.xml.enc]" && fmt.Sprint(got.Expected) != "[submission.xml.enc 1.jpg.enc]" {
		t.Fatalf("stored: expected %v, attachments %+v", got.Expected, got.Attachments)
	}
	if p.count() != 1 {
		t.Errorf("%d stored", p.count())
	}

	// The office's side, from what is stored alone.
	var m struct {
		Key  string   `xml:"base64EncryptedKey"`
		ID   string   `xml:"meta>instanceID"`
		Main string   `xml:"encryptedXmlFile"`
		More []string `xml:"media>file"`
	}
	if err := xml.Unmarshal(got.XML, &m); err != nil {
		t.Fatal(err)
	}
	wrappedBack, err := base64.StdEncoding.DecodeString(m.Key)
	if err != nil {
		t.Fatal(err)
	}
	o := &sealer{}
	if o.key, err = rsa.DecryptOAEP(sha256.New(), nil, private, wrappedBack, nil); err != nil {
		t.Fatal(err)
	}
	seed := md5.Sum(append([]byte(m.ID), o.key...))
	o.seed = seed[:]
	if b := o.open(p.blob(id, m.More[0])); !bytes.Equal(b, photo) {
		t.Error("the photo cannot be opened")
	}
	if b := o.open(p.blob(id, m.Main)); !bytes.Equal(b, answers) {
		t.Error("the answers cannot be opened")
	}
	for _, a := range got.Attachments {
		if b := p.blob(id, a.Name); bytes.Contains(b, []byte("Somebody")) {
			t.Error("the answers were sent in clear")
		}
	}
}

func (p *phone) blob(id, name string) []byte {
	p.t.Helper()
	for _, a := range p.stored(id).Attachments {
		if a.Name == name {
			f, err := p.blobs.Open(context.Background(), a.Hash)
			p.must(err)
			defer f.Close()
			b, err := io.ReadAll(f)
			p.must(err)
			return b
		}
	}
	p.t.Fatalf("%s has no attachment %s", id, name)
	return nil
}
