-- Webhooks and what they are told.

CREATE TABLE webhook (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  url TEXT NOT NULL,
  forms TEXT NOT NULL,
  events TEXT NOT NULL,
  allow TEXT NOT NULL,
  secret TEXT NOT NULL,
  created TEXT NOT NULL,
  paused TEXT,
  cause TEXT NOT NULL,
  PRIMARY KEY (operation, id)
);

CREATE TABLE webhook_delivery (
  operation TEXT NOT NULL,
  webhook TEXT NOT NULL,
  event INTEGER NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  subject TEXT NOT NULL,
  created TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next TEXT NOT NULL,
  tried TEXT,
  done TEXT,
  status INTEGER NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (operation, webhook, event),
  FOREIGN KEY (operation, webhook) REFERENCES webhook (operation, id) ON DELETE CASCADE
);

CREATE INDEX webhook_delivery_due ON webhook_delivery (operation, webhook, next) WHERE done IS NULL;
CREATE INDEX webhook_delivery_done ON webhook_delivery (operation, done) WHERE done IS NOT NULL;

-- How far the log has been followed.
CREATE TABLE webhook_done (
  operation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (operation)
);

-- Forms that are not open, or were not.
CREATE TABLE form_state (
  operation TEXT NOT NULL,
  form TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
  PRIMARY KEY (operation, form)
);
