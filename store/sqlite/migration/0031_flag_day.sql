-- Flags of a month: what a release waits for.
CREATE INDEX flag_day ON flag (operation, state, day);
