-- How far the event log is loaded, and what the facts were made with.
SELECT seq, hash, event_at, fingerprint
FROM load_position
WHERE operation = $1
