-- The order in which sealed submissions came.
ALTER TABLE submission_sealed ADD COLUMN rowid BIGINT GENERATED ALWAYS AS IDENTITY;
