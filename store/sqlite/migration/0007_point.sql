-- The register of points is the log itself: its entries whose names begin with
-- point. This index finds them.
CREATE INDEX event_point ON event (operation, seq) WHERE name >= 'point.' AND name < 'point/';
