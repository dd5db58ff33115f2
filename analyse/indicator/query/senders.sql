-- Who sent the records of a point.
SELECT point, device, CAST(count(*) AS bigint), CAST(count(DISTINCT observed) AS bigint), max(received)
FROM arrival
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND point <> ''
GROUP BY point, device
ORDER BY point NULLS LAST, 3 DESC NULLS LAST, device NULLS LAST
