-- The replacements of areas are in the log alone.
CREATE INDEX event_area ON event (operation, seq) WHERE name >= 'areas.' AND name < 'areas/';
