-- What waits for a second person is asked for with every page of a focal point.
CREATE INDEX consent_waiting ON consent (operation, seq)
WHERE whose = 'vital_interest' AND second = '' AND withdrawn IS NULL;
