-- The registry of submissions, and the call to those who wait for the log to grow.

CREATE FUNCTION register_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO submission_registry (id, operation) VALUES (NEW.id, NEW.operation);
  RETURN NULL;
END $$;

CREATE TRIGGER submission_registered AFTER INSERT ON submission
FOR EACH ROW EXECUTE FUNCTION register_submission();

CREATE FUNCTION tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dtm_event', NEW.operation);
  RETURN NULL;
END $$;

CREATE TRIGGER event_told AFTER INSERT ON event
FOR EACH ROW EXECUTE FUNCTION tell_event();
