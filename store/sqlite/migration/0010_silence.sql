-- Alerts about silent points are entries of the log, like the register of points.
CREATE INDEX event_silence ON event (operation, subject, seq) WHERE name >= 'silence.' AND name < 'silence/';
