-- Subscriptions, what each was told, and the messages that tell it.

CREATE TABLE subscription (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  owner TEXT NOT NULL,
  lang TEXT NOT NULL,
  channel TEXT NOT NULL CHECK (channel IN ('email', 'webhook')),
  webhook TEXT NOT NULL, -- '' of e-mail
  url TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  narrowed TEXT NOT NULL, -- JSON
  rule TEXT NOT NULL,
  bound REAL NOT NULL,
  pace TEXT NOT NULL,
  created TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'stopped')),
  cause TEXT NOT NULL,
  changed TEXT NOT NULL,
  begun TEXT NOT NULL,
  slot TEXT NOT NULL, -- day of the latest digest that was looked at
  stop TEXT NOT NULL, -- token by which it is stopped without signing in
  PRIMARY KEY (operation, id)
);

CREATE UNIQUE INDEX subscription_stop ON subscription (operation, stop);
CREATE INDEX subscription_owner ON subscription (operation, owner, seq);
CREATE INDEX subscription_webhook ON subscription (operation, webhook);

CREATE TABLE subscription_message (
  operation TEXT NOT NULL,
  id TEXT NOT NULL,
  subscription TEXT NOT NULL,
  seq INTEGER NOT NULL,
  trial INTEGER NOT NULL,
  news TEXT NOT NULL, -- JSON
  created TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next TEXT NOT NULL,
  tried TEXT,
  done TEXT,
  status INTEGER NOT NULL,
  problem TEXT NOT NULL,
  bounced INTEGER NOT NULL,
  PRIMARY KEY (operation, id),
  FOREIGN KEY (operation, subscription) REFERENCES subscription (operation, id)
);

CREATE INDEX subscription_message_of ON subscription_message (operation, subscription, seq);
CREATE INDEX subscription_message_due ON subscription_message (operation, next) WHERE done IS NULL;

-- What a subscription was told, each thing once.
CREATE TABLE subscription_told (
  operation TEXT NOT NULL,
  subscription TEXT NOT NULL,
  thing TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (operation, subscription, thing),
  FOREIGN KEY (operation, subscription) REFERENCES subscription (operation, id)
) WITHOUT ROWID;
