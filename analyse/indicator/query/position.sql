-- How far the event log is loaded.
SELECT seq, hash, event_at
FROM load_position
WHERE operation = $1
