// Package inside looks into data folders and opens doors in them, for measures and
// campaigns that run the program from outside.
package inside

import (
	"context"
	crand "crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"dtm"
	"dtm/seal"
	"dtm/store/postgres"
	"dtm/store/sqlite"
)

// Open opens the store of a data folder with what is sealed in it, as the program does,
// while no server runs. store is the address of a database; "": it is in the folder.
func Open(ctx context.Context, data, store string, op *dtm.Operation) (*sqlite.DB, error) {
	text, err := os.ReadFile(filepath.Join(data, "key"))
	if err != nil {
		return nil, err
	}
	key, err := seal.ReadFile(string(text))
	if err != nil {
		return nil, err
	}
	keys := filepath.Join(data, "keys.db")
	if store != "" {
		return postgres.Open(ctx, store, postgres.Options{Operation: op.Code, Keys: keys, Seal: key, Programmes: op.Programmes})
	}
	return sqlite.Open(ctx, filepath.Join(data, "dtm.db"), sqlite.Options{Operation: op.Code, Keys: keys, Seal: key, Programmes: op.Programmes})
}

// SignIn adds a session of the user, who is added with a second factor when there is none
// of the name, and gives the transport of a client that is signed in for twelve hours from
// now, by the clock of the server that it will ask.
func SignIn(ctx context.Context, db *sqlite.DB, u dtm.User, now time.Time) (http.RoundTripper, error) {
	if _, _, err := db.User(ctx, u.Email); dtm.KindOf(err) == dtm.NotFound {
		if err := db.AddUser(ctx, u, crand.Text()); err != nil {
			return nil, err
		}
		if err := db.AddFactors(ctx, u.Email, []dtm.Factor{{ID: "app", Kind: dtm.FactorTOTP, Name: "app", Secret: []byte("sealed"), Created: now}}, ""); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	token := crand.Text() + crand.Text()
	err := db.AddSession(ctx, token, dtm.Session{Kind: dtm.SessionKindPages, Email: u.Email, Created: now, Expires: now.Add(12 * time.Hour), Second: now, Proved: now})
	return cookied{token}, err
}

// cookied sends the cookie of a session with each request.
type cookied struct{ token string }

var keptAlive = &http.Transport{MaxIdleConnsPerHost: 8}

func (c cookied) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(&http.Cookie{Name: "dtm", Value: c.token})
	return keptAlive.RoundTrip(r)
}

// CloseIdleConnections is asked for by http.Client's.
func (cookied) CloseIdleConnections() { keptAlive.CloseIdleConnections() }
