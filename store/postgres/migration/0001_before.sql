-- What the shared steps rest on here.

-- refuse keeps what was received or logged as it is, whoever asks.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

-- Whoever writes to an operation locks its row: writes follow each other in its log.
CREATE TABLE log_lock (
  operation TEXT COLLATE "C" PRIMARY KEY
);

-- Which operation a submission belongs to: its id is unique over all of them.
CREATE TABLE submission_registry (
  id TEXT COLLATE "C" PRIMARY KEY,
  operation TEXT COLLATE "C" NOT NULL
);

-- Work that one process does at a time, until when.
CREATE TABLE work_claim (
  operation TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  holder TEXT COLLATE "C" NOT NULL,
  until TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (operation, name)
);

-- Operations of which a move has brought a part, or is taking them away.
CREATE TABLE moving (
  operation TEXT COLLATE "C" PRIMARY KEY
);
