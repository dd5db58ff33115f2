-- What lists and searches of submissions need, apart from the answers: as in SQLite, but
-- the words stand in the row.

DROP INDEX submission_device;
DROP INDEX submission_state;

CREATE TABLE submission_reading (
  doc BIGINT GENERATED ALWAYS AS IDENTITY,
  operation TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  form TEXT COLLATE "C" NOT NULL,
  device TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  arrived TEXT COLLATE "C" NOT NULL DEFAULT '',
  point TEXT COLLATE "C" NOT NULL DEFAULT '',
  enumerator TEXT COLLATE "C" NOT NULL DEFAULT '',
  day TEXT COLLATE "C" NOT NULL DEFAULT '',
  lat DOUBLE PRECISION,
  lon DOUBLE PRECISION,
  name TEXT COLLATE "C" NOT NULL DEFAULT '',
  words TSVECTOR,
  PRIMARY KEY (operation, seq)
);

CREATE UNIQUE INDEX reading_doc ON submission_reading (doc);
CREATE INDEX reading_form ON submission_reading (operation, form, seq);
CREATE INDEX reading_device ON submission_reading (operation, device, seq);
CREATE INDEX reading_state ON submission_reading (operation, state, seq);
CREATE INDEX reading_arrived ON submission_reading (operation, arrived, seq) WHERE arrived <> '';
CREATE INDEX reading_point ON submission_reading (operation, point, seq) WHERE point <> '';
CREATE INDEX reading_enumerator ON submission_reading (operation, enumerator, seq) WHERE enumerator <> '';
CREATE INDEX reading_day ON submission_reading (operation, day, seq) WHERE day <> '';
CREATE INDEX reading_words ON submission_reading USING gin (words);

CREATE TABLE submission_rule (
  operation TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (operation, rule, seq)
);

CREATE INDEX submission_rule_seq ON submission_rule (operation, seq);

CREATE TABLE event_subject (
  operation TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (operation, subject, seq)
);

CREATE TABLE reading_done (
  operation TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (operation)
);

CREATE FUNCTION restate_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE submission_reading
  SET state = NEW.state
  WHERE operation = NEW.operation AND seq = NEW.seq;
  RETURN NULL;
END $$;

CREATE TRIGGER submission_restated AFTER UPDATE OF state ON submission
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION restate_submission();

CREATE FUNCTION rerule_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM submission_rule
  WHERE operation = NEW.operation AND seq = NEW.seq;
  INSERT INTO submission_rule (operation, rule, seq)
  SELECT DISTINCT NEW.operation, f.value ->> 'Rule', NEW.seq
  FROM jsonb_array_elements(CAST(NEW.flags AS jsonb)) AS f (value);
  RETURN NULL;
END $$;

CREATE TRIGGER submission_reruled AFTER UPDATE OF flags ON submission
FOR EACH ROW WHEN (NEW.flags <> OLD.flags) EXECUTE FUNCTION rerule_submission();
