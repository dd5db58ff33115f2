package dtm

import (
	"context"
	"time"
)

// Names of the events of entities. Details name lists, versions and submissions,
// never labels or values.
const (
	EntityListDeclared = "entities.declared" // a list, or properties of it
	EntityCreated      = "entity.created"
	EntityUpdated      = "entity.updated"
	EntityDeleted      = "entity.deleted"
	EntityHeld         = "entity.held"    // an offline update whose predecessor is on its way
	EntityRefused      = "entity.refused" // a declaration that could not be followed; the submission is kept
)

// EntityList is a named list of things that forms create, read and change: sites,
// points, households (ODK Central: dataset).
type EntityList struct {
	Name       string
	Created    time.Time
	Approval   bool // entities come only from submissions that were approved
	Properties []EntityProperty
	Count      int   // entities that are not deleted
	Conflicts  int   // of those, with unresolved conflicts
	Seq        int64 // event of the latest change
	Latest     *time.Time
}

// EntityProperty is a column of an entity list.
type EntityProperty struct {
	Name  string
	Added time.Time
	Forms []string // ids of the forms that save to it
}

// Conflicts of an entity: versions made without knowledge of each other.
const (
	SoftConflict = "soft" // they changed different properties
	HardConflict = "hard" // they changed the same property to different values
)

// Entity is one thing of a list with its current version.
type Entity struct {
	List     string
	ID       string
	Created  time.Time
	Creator  string // actor
	Updated  *time.Time
	Deleted  *time.Time
	Conflict string // "", SoftConflict or HardConflict, until resolved
	Seq      int64  // event of the latest change
	Current  EntityVersion
}

// EntityVersion is a state of an entity and how it came about.
type EntityVersion struct {
	Number      int // from 1
	At          time.Time
	Actor       string
	Agent       string // the sender's User-Agent, of changes by request
	Label       string
	Data        map[string]string
	Received    map[string]string // what was sent; "label" among it
	Base        int               // version it was made from, 0 for the first
	Trunk       int               // offline: version the branch began at
	Branch      string            // offline: id of the branch
	BranchBase  int               // offline: the phone's own number of the version before
	Conflict    string            // when it came
	Conflicting []string          // properties that another version had changed
	Submission  string            // that it comes from
	Source      string            // name of the file or program it comes from
}

// EntityFilter narrows a list of entities; zero values mean any.
type EntityFilter struct {
	List     string       // required
	IDs      []string     // nil: any
	After    int64        // changed by an event after this one
	Deleted  *bool        // nil: both
	Scope    *EntityScope // nil: all
	Conflict *bool
	Limit    int // 0: all
	Offset   int
}

// EntityScope is the part of a list that a device gets: an entity whose property
// point or region is set and differs is not sent. An empty field sends all.
type EntityScope struct{ Point, Region string }

// Admits tells whether an entity with these properties is in the scope.
func (s EntityScope) Admits(data map[string]string) bool {
	return (s.Point == "" || data["point"] == "" || data["point"] == s.Point) &&
		(s.Region == "" || data["region"] == "" || data["region"] == s.Region)
}

// EntityState says whether a list, or a device's part of it, has changed: equal
// states mean equal content.
type EntityState struct {
	Count int
	Seq   int64
}

// Entities keeps entity lists.
type Entities interface {
	// EntityLists lists the lists by name.
	EntityLists(ctx context.Context) ([]EntityList, error)
	// EntityList returns one: NotFound.
	EntityList(ctx context.Context, name string) (EntityList, error)
	// DeclareEntityList adds the list if it is new, and the properties and forms
	// of properties that it lacks: Invalid when a name cannot be one.
	DeclareEntityList(ctx context.Context, l EntityList) error
	// Entities lists by filter, oldest change first, with the number of all that
	// match.
	Entities(ctx context.Context, f EntityFilter) ([]Entity, int, error)
	// EntityState tells the state of what is not deleted in a list and scope.
	EntityState(ctx context.Context, list string, s EntityScope) (EntityState, error)
	// Entity returns one, deleted or not: NotFound.
	Entity(ctx context.Context, list, id string) (Entity, error)
	// EntityVersions returns all versions of one, oldest first.
	EntityVersions(ctx context.Context, list, id string) ([]EntityVersion, error)
	// ChangeEntities makes all changes or none: Conflict with code "entity.stale"
	// when an entity is not at the version that its change expects.
	ChangeEntities(ctx context.Context, w EntityWork) error
}

// EntityChange is one step of one entity.
type EntityChange struct {
	List, ID string
	After    int            // number of the version that must be current; 0: the entity must not exist
	Version  *EntityVersion // the next one; nil when only the fields below change
	Conflict string
	Deleted  bool
}

// EntityWork is what is written together: the changes that a submission asked
// for, with the mark that it is done.
type EntityWork struct {
	Changes []EntityChange
	Hold    []HeldEntity
	Release []HeldEntity // by Submission, List and ID
	Refuse  []EntityRefusal
	Done    int64 // position in the log that the work brings up to date; 0: not from the log
}

// HeldEntity is an offline update that waits for the one before it.
type HeldEntity struct {
	Submission, List, ID string
	Branch               string
	Base                 int // the phone's own number of the version before
	Since                time.Time
	Label                string
	Data                 map[string]string
	Trunk                int
}

// EntityRefusal is a declaration that could not be followed.
type EntityRefusal struct {
	Submission, List, ID string
	Code                 string // "entity.unknown", "entity.exists", "entity.base_unknown", ...
}

// EntityProgress is what the follower of submissions needs besides Entities.
type EntityProgress interface {
	// EntitiesDone returns the position in the log up to which submissions have
	// been followed.
	EntitiesDone(ctx context.Context) (int64, error)
	// HeldEntities lists held updates, oldest first; of one entity when id is set.
	HeldEntities(ctx context.Context, list, id string) ([]HeldEntity, error)
	// FromSubmission tells whether a version comes from the submission.
	FromSubmission(ctx context.Context, list, submission string) (bool, error)
}
