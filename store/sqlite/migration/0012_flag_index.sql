-- The flags of a submission are found by their own index whatever their state: with
-- the partial one the planner read every flag of the operation.
DROP INDEX flag_submission;

CREATE INDEX flag_submission ON flag (operation, submission, state);
