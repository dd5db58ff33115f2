-- Entity lists, their entities with every version, and offline updates that wait
-- for the one before them.

CREATE TABLE entity_list (
  operation TEXT NOT NULL,
  name TEXT NOT NULL,
  seq INTEGER NOT NULL,
  created TEXT NOT NULL,
  approval INTEGER NOT NULL CHECK (approval IN (0, 1)),
  PRIMARY KEY (operation, name)
);

CREATE TABLE entity_property (
  operation TEXT NOT NULL,
  list TEXT NOT NULL,
  name TEXT NOT NULL,
  place INTEGER NOT NULL,
  added TEXT NOT NULL,
  PRIMARY KEY (operation, list, name),
  FOREIGN KEY (operation, list) REFERENCES entity_list (operation, name)
);

CREATE TABLE entity_property_form (
  operation TEXT NOT NULL,
  list TEXT NOT NULL,
  property TEXT NOT NULL,
  form TEXT NOT NULL,
  PRIMARY KEY (operation, list, property, form),
  FOREIGN KEY (operation, list, property) REFERENCES entity_property (operation, list, name)
);

-- point and region repeat two properties, so that a device's part is found by index.
CREATE TABLE entity (
  operation TEXT NOT NULL,
  list TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created TEXT NOT NULL,
  creator TEXT NOT NULL,
  updated TEXT,
  deleted TEXT,
  conflict TEXT NOT NULL CHECK (conflict IN ('', 'soft', 'hard')),
  point TEXT NOT NULL,
  region TEXT NOT NULL,
  PRIMARY KEY (operation, list, id),
  FOREIGN KEY (operation, list) REFERENCES entity_list (operation, name)
);

CREATE INDEX entity_seq ON entity (operation, list, seq);
CREATE INDEX entity_scope ON entity (operation, list, deleted, point, region, seq);

CREATE TABLE entity_version (
  operation TEXT NOT NULL,
  list TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  agent TEXT NOT NULL,
  label TEXT NOT NULL,
  data TEXT NOT NULL,
  received TEXT NOT NULL,
  base INTEGER NOT NULL,
  trunk INTEGER NOT NULL,
  branch TEXT NOT NULL,
  branch_base INTEGER NOT NULL,
  conflict TEXT NOT NULL,
  conflicting TEXT NOT NULL,
  submission TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (operation, list, id, version),
  FOREIGN KEY (operation, list, id) REFERENCES entity (operation, list, id)
);

CREATE INDEX entity_version_submission ON entity_version (operation, submission, list) WHERE submission <> '';

CREATE TABLE entity_held (
  operation TEXT NOT NULL,
  list TEXT NOT NULL,
  id TEXT NOT NULL,
  submission TEXT NOT NULL,
  branch TEXT NOT NULL,
  base INTEGER NOT NULL,
  trunk INTEGER NOT NULL,
  since TEXT NOT NULL,
  label TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (operation, list, id, submission)
);

CREATE INDEX entity_held_since ON entity_held (operation, since);

-- How far the log has been followed.
CREATE TABLE entity_done (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation)
);

CREATE TRIGGER entity_version_not_changed BEFORE UPDATE ON entity_version
BEGIN SELECT RAISE(ABORT, 'versions of entities are immutable'); END;

CREATE TRIGGER entity_version_not_deleted BEFORE DELETE ON entity_version
BEGIN SELECT RAISE(ABORT, 'versions of entities are immutable'); END;
