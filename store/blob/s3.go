package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"dtm"
	"dtm/spool"
)

// Bucket says where an S3 store keeps content and who asks for it.
type Bucket struct {
	Endpoint string // https://HOST[:PORT]; empty: Amazon's of the region
	Region   string // empty: the store is asked for it
	Name     string // of the bucket, which is there already
	Prefix   string // before every name; may be empty
	Access   string // access key; empty: AWS_ACCESS_KEY_ID of the environment
	Secret   string // secret key; empty: AWS_SECRET_ACCESS_KEY
	Spool    string // folder for what is being read; empty: the system's
}

// S3Place splits s3://bucket/prefix; ok is false for what is a folder.
func S3Place(place string) (bucket, prefix string, ok bool) {
	rest, ok := strings.CutPrefix(place, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	return bucket, strings.Trim(path.Clean("/"+prefix), "/"), ok
}

// S3 keeps content in a bucket as prefix/aa/bb/hash. Several processes may use it at a
// time. What Put has returned is as durable as the store's answer makes it: every S3
// store answers after it has kept the object.
type S3 struct {
	client         *minio.Client
	bucket, prefix string
	spool          string
}

var _ dtm.Blobs = (*S3)(nil)

// attempts is how often a request is tried before the caller hears of it; a phone
// waits meanwhile, and tries again by itself later.
const attempts = 3

// NewS3 uses a bucket: Invalid for settings that name none, NotFound when the store
// has no such bucket, Unavailable when the store does not answer or lets nobody in.
func NewS3(ctx context.Context, b Bucket) (*S3, error) {
	const op = "blob.NewS3"
	if b.Endpoint == "" {
		b.Endpoint = "https://s3.amazonaws.com"
		if b.Region != "" {
			b.Endpoint = "https://s3." + b.Region + ".amazonaws.com"
		}
	}
	u, err := url.Parse(b.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the setting s3_endpoint is the address of an S3 store, https://HOST or https://HOST:PORT").At("s3_endpoint")
	}
	if b.Name == "" {
		return nil, dtm.Errorf(dtm.Invalid, "the setting media names no bucket: s3://BUCKET/PREFIX").At("media")
	}
	who := credentials.NewEnvAWS()
	if b.Access != "" || b.Secret != "" {
		who = credentials.NewStaticV4(b.Access, b.Secret, "")
	}
	c, err := minio.New(u.Host, &minio.Options{Creds: who, Secure: u.Scheme == "https", Region: b.Region, MaxRetries: attempts})
	if err != nil {
		return nil, dtm.Errorf(dtm.Invalid, "the settings of the S3 store: %w", err).At("media")
	}
	s := &S3{client: c, bucket: b.Name, prefix: b.Prefix, spool: b.Spool}
	if b.Spool != "" {
		if err := os.MkdirAll(b.Spool, 0o700); err != nil {
			return nil, failed(op, err)
		}
	}
	there, err := c.BucketExists(ctx, b.Name)
	if err != nil {
		return nil, dtm.Errorf(dtm.Unavailable, "the S3 store does not let this program into the bucket %s: %w", b.Name, err).At("media")
	}
	if !there {
		return nil, dtm.Errorf(dtm.NotFound, "the S3 store has no bucket %s; make it there first", b.Name).At("media")
	}
	return s, nil
}

func (s *S3) key(name string) string { return path.Join(s.prefix, name) }

// Put stores r and returns its address and size in bytes after the store has
// acknowledged it. An error of r is returned as it is and leaves nothing.
func (s *S3) Put(ctx context.Context, r io.Reader) (string, int64, error) {
	const op = "blob.Put"
	// The name in the store is known when all is read.
	f, err := spool.Unnamed(s.spool)
	if err != nil {
		return "", 0, failed(op, err)
	}
	defer f.Close()
	sum := sha256.New()
	in := &source{ctx: ctx, r: r}
	size, err := io.Copy(io.MultiWriter(f, sum), in)
	if in.err != nil {
		return "", 0, in.err
	}
	if err != nil {
		return "", 0, failed(op, err)
	}
	hash := hex.EncodeToString(sum.Sum(nil))
	key := s.key(Name(hash))
	old, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err == nil && old.Size == size {
		return "sha256:" + hash, size, nil
	}
	if err != nil && !absent(err) {
		return "", 0, s.failed(ctx, op, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", 0, failed(op, err)
	}
	if err := s.put(ctx, key, f, size, hash); err != nil {
		return "", 0, s.failed(ctx, op, err)
	}
	return "sha256:" + hash, size, nil
}

// put is one request, so that an object is there whole or not at all. The hash is a part
// of what is signed: a store refuses what changed on the way.
func (s *S3) put(ctx context.Context, key string, r io.Reader, size int64, hash string) error {
	_, err := minio.Core{Client: s.client}.PutObject(ctx, s.bucket, key, r, size, "", hash, minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableContentSha256: true, // not block by block
	})
	return err
}

// Open returns the content at an address: NotFound, also for what is no address. It is
// read while the caller reads, and only until ctx ends.
func (s *S3) Open(ctx context.Context, address string) (io.ReadSeekCloser, error) {
	hash, err := hashOf(address)
	if err != nil {
		return nil, err
	}
	o, err := s.client.GetObject(ctx, s.bucket, s.key(Name(hash)), minio.GetObjectOptions{})
	if err != nil {
		return nil, s.failed(ctx, "blob.Open", err)
	}
	if _, err := o.Stat(); err != nil {
		o.Close()
		if absent(err) {
			return nil, missing(address)
		}
		return nil, s.failed(ctx, "blob.Open", err)
	}
	return o, nil
}

// Each gives the address of everything stored, in no order that counts.
func (s *S3) Each(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, stop := context.WithCancel(ctx) // a caller who breaks off ends the listing
		defer stop()
		o := minio.ListObjectsOptions{Recursive: true}
		if s.prefix != "" {
			o.Prefix = s.prefix + "/"
		}
		for object := range s.client.ListObjectsIter(ctx, s.bucket, o) {
			if object.Err != nil {
				yield("", s.failed(ctx, "blob.Each", object.Err))
				return
			}
			hash := path.Base(object.Key)
			if !isHash(hash) || object.Key != s.key(Name(hash)) {
				continue
			}
			if !yield("sha256:"+hash, nil) {
				return
			}
		}
	}
}

// tried is the name of what Try writes, beside the content.
const tried = "tried"

// Try writes a few bytes to the bucket and reads them back. They stay, under one name:
// who may add need not be allowed to remove.
func (s *S3) Try(ctx context.Context) error {
	const text = "dtm doctor"
	sum := sha256.Sum256([]byte(text))
	err := s.put(ctx, s.key(tried), strings.NewReader(text), int64(len(text)), hex.EncodeToString(sum[:]))
	if err == nil {
		err = s.readTried(ctx, text)
	}
	if err != nil {
		return dtm.Errorf(dtm.Unavailable, "the bucket %s: %w", s.bucket, err)
	}
	return nil
}

func (s *S3) readTried(ctx context.Context, text string) error {
	o, err := s.client.GetObject(ctx, s.bucket, s.key(tried), minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer o.Close()
	b, err := io.ReadAll(o)
	if err == nil && string(b) != text {
		err = errors.New("what was written is not what is read")
	}
	return err
}

func absent(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

// failed: a store that does not answer, or refuses, is Unavailable; a caller who has
// gone is their own doing. Its words name the bucket and never a key or a signature.
func (s *S3) failed(ctx context.Context, op string, err error) error {
	if gone := ctx.Err(); gone != nil {
		return gone
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return failed(op, err)
	}
	return &dtm.Error{Kind: dtm.Unavailable, Op: op, Code: "blob.away", Err: err,
		Msg: "the store of photos and attachments does not answer: nothing was stored; try again later"}
}
