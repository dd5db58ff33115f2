-- Drafts: codes that end, test records apart from submissions. Devices: language, app,
-- reason, and where each was from when. Versions of forms: how much came with each.

ALTER TABLE draft ADD COLUMN until TEXT NOT NULL DEFAULT '';

UPDATE draft SET until = strftime('%Y-%m-%dT%H:%M:%fZ', updated, '+14 days');

CREATE TABLE trial (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  version TEXT NOT NULL,
  device_id TEXT NOT NULL,
  received TEXT NOT NULL,
  expected TEXT NOT NULL,
  attachments TEXT NOT NULL,
  xml BLOB NOT NULL,
  PRIMARY KEY (operation, form, id),
  FOREIGN KEY (operation, form) REFERENCES draft (operation, form)
);

ALTER TABLE device ADD COLUMN lang TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN app TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN reason TEXT NOT NULL DEFAULT '';

CREATE TABLE device_post (
  operation TEXT NOT NULL,
  device TEXT NOT NULL,
  seq INTEGER NOT NULL,
  point TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (operation, device, seq),
  FOREIGN KEY (operation, device) REFERENCES device (operation, id)
);

INSERT INTO device_post (operation, device, seq, point, at)
SELECT d.operation, d.id, e.seq, d.point, d.created
FROM device d
JOIN event e ON e.operation = d.operation AND e.name = 'device.added' AND e.subject = d.id;

CREATE TRIGGER device_post_not_changed BEFORE UPDATE ON device_post
BEGIN SELECT RAISE(ABORT, 'where a device was is immutable'); END;

CREATE TRIGGER device_post_not_deleted BEFORE DELETE ON device_post
BEGIN SELECT RAISE(ABORT, 'where a device was is immutable'); END;

CREATE INDEX submission_version ON submission (operation, form, version, received);
