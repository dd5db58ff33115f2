// Package storetest says what a store must do, as one suite of tests for every
// dialect: a Dialect goes in, a verdict comes out. A room of package store passes
// it whole; where dialects differ, the suite grows.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"dtm"
)

// Store is every contract that a store keeps.
type Store interface {
	dtm.Forms
	dtm.Devices
	dtm.Submissions
	dtm.Recorded
	dtm.Imports
	dtm.Events
	dtm.Audit
	dtm.Users
	dtm.Entities
	dtm.EntityProgress
	dtm.Webhooks
	dtm.WebhookQueue
	dtm.FormStates
	dtm.SavedViews
	dtm.SubmissionStream
	dtm.Sessions
	dtm.Tries
	dtm.Spent
	dtm.Reviews
	dtm.Corrections
	dtm.Flags
	dtm.Questions
	dtm.RuleSwitches
	dtm.Drafts
	dtm.FormHistory
	dtm.DeviceCare
	dtm.PointRegister
	dtm.AreaVersions
	dtm.Readings
	dtm.ReadingWork
	dtm.Releases
	dtm.Editions
	dtm.Silences
	dtm.Alerts
	dtm.Desks
	dtm.Referrals
	dtm.ReferralWork
	dtm.Slips
	dtm.Persons
	dtm.Consents
	dtm.Cases
	dtm.Agreements
	dtm.Glasses
	dtm.Checkpoints
	dtm.Retention
	dtm.Forecasts
	dtm.Capacities
	dtm.Computations
	dtm.Outsides
	dtm.Subscriptions
	dtm.SubscriptionQueue
	Close() error
}

// Dialect is how the suite reaches one kind of store.
type Dialect struct {
	// Place makes room for a new, empty store: a path, an address.
	Place func(t testing.TB) string
	// Open opens the store at a place for an operation, with the time given by
	// now (nil: the system's). Programmes are those of Programmes; of the form "screening"
	// what stands in <name> is sealed.
	Open func(place, operation string, now func() time.Time) (Store, error)
	// Exec runs a statement on the place behind the store's back, with every
	// protection of its tables removed first: what somebody with the data file
	// could do.
	Exec func(t testing.TB, place, statement string, args ...any)
	// Query returns the first row of a query on the place as text.
	Query func(t testing.TB, place, query string, args ...any) []string
	// Protected runs a statement with the protections in place and returns its
	// error.
	Protected func(t testing.TB, place, statement string, args ...any) error
	// Registry: a submission's id is unique over all operations of a place.
	Registry bool
	// Longest is how many bytes an id or a name may have; 0: as many as one likes.
	Longest int
	// Sound checks the place with the dialect's own means; nil: it has none.
	Sound func(t testing.TB, place string)
}

// Operation is the one that the suite's stores belong to.
const Operation = "test"

// Run runs the suite.
func Run(t *testing.T, d Dialect) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Dialect)
	}{
		{"Placeholders", placeholders},
		{"Forms", forms},
		{"Devices", devices},
		{"Submissions", submissions},
		{"Arrivals", arrivals},
		{"Repeats", repeats},
		{"Conflict", conflict},
		{"Edits", edits},
		{"Lists", lists},
		{"Readings", Readings},
		{"Streams", streams},
		{"Sessions", sessions},
		{"Tries", tries},
		{"Reviews", reviews},
		{"Drafts", drafts},
		{"Trials", trials},
		{"FormVersions", formVersions},
		{"DeviceCare", deviceCare},
		{"Points", points},
		{"Areas", areas},
		{"Silences", silences},
		{"Alerts", alerts},
		{"SilentAlerts", silentAlerts},
		{"Forecasts", forecasts},
		{"Capacities", capacities},
		{"Computed", computed},
		{"Outsides", outsides},
		{"Flags", flags},
		{"FlagRows", flagRows},
		{"FlagSeries", flagSeries},
		{"Decisions", decisions},
		{"Corrections", corrections},
		{"Questions", questions},
		{"RuleSwitches", ruleSwitches},
		{"Chunks", chunks},
		{"Users", users},
		{"Events", events},
		{"Audit", audit},
		{"Wait", wait},
		{"Writers", writers},
		{"OneFailsOthersStay", oneFails},
		{"Restart", restart},
		{"Close", closing},
		{"Operations", operations},
		{"Immutable", immutable},
		{"Tampering", tampering},
		{"HostileText", hostileText},
		{"EntityLists", entityLists},
		{"Entities", entities},
		{"EntityFilters", entityFilters},
		{"HeldEntities", heldEntities},
		{"EntityRace", entityRace},
		{"Webhooks", webhooks},
		{"FormStates", formStates},
		{"SavedViews", savedViews},
		{"Subscriptions", subscriptions},
		{"Releases", releases},
		{"Editions", editions},
		{"Desks", desks},
		{"Referrals", referrals},
		{"ReferralTable", referralTable},
		{"ReferralPlaces", referralPlaces},
		{"ReferralHistories", func(t *testing.T, d Dialect) { Histories(t, d, 200, 7) }},
		{"Screenings", screenings},
		{"Forgotten", forgotten},
		{"Persons", persons},
		{"Glasses", glasses},
		{"Checkpoints", checkpoints},
		{"Retention", retention},
		{"PersonSearch", personSearch},
		{"Merge", merge},
		{"Sealed", sealed},
		{"Consents", consents},
		{"Cases", cases},
		{"Words", words},
		{"Slips", slips},
		{"Kill", kill},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, d)
		})
	}
}

// open opens a new store, closed at the end of the test.
func (d Dialect) open(t testing.TB) (Store, string) {
	t.Helper()
	place := d.Place(t)
	return d.openAt(t, place), place
}

func (d Dialect) openAt(t testing.TB, place string) Store {
	t.Helper()
	s, err := d.Open(place, Operation, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var ctx = context.Background()

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind fails the test unless err is an *dtm.Error of kind k.
func wantKind(t testing.TB, err error, k dtm.Kind) {
	t.Helper()
	if err == nil || dtm.KindOf(err) != k {
		t.Fatalf("error %v has kind %v, want %v", err, dtm.KindOf(err), k)
	}
}

func submission(n int) dtm.Submission {
	return dtm.Submission{
		ID: fmt.Sprintf("uuid:%08d", n), Form: "fmr", Version: "1", Device: "d1", DeviceID: "collect:x",
		XML: []byte(fmt.Sprintf(`<data id="fmr" version="1"><n>%d</n><meta><instanceID>uuid:%08d</instanceID></meta></data>`, n, n)),
	}
}

func allEvents(t testing.TB, s Store) []dtm.Event {
	t.Helper()
	var all []dtm.Event
	for {
		after := int64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Seq
		}
		batch, err := s.Events(ctx, after, 100)
		must(t, err)
		if len(batch) == 0 {
			return all
		}
		all = append(all, batch...)
	}
}

func names(events []dtm.Event) (list []string) {
	for _, e := range events {
		list = append(list, e.Name)
	}
	return list
}

func ptr[T any](v T) *T { return &v }
