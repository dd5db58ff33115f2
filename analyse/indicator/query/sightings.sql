-- Positions of the records of the point $4, $5 of them.
SELECT source, device, CAST(observed AS text), received, lon, lat
FROM arrival
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND point = $4
	AND positioned
ORDER BY observed DESC NULLS LAST, received DESC NULLS LAST, source NULLS LAST
LIMIT CAST($5 AS bigint)
