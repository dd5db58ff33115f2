-- Records by point and day of observation.
SELECT point, CAST(observed AS text), CAST(count(*) AS bigint), CAST(count(DISTINCT hour) FILTER (WHERE hour >= 0) AS bigint), min(received), max(received)
FROM arrival
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND point <> ''
GROUP BY point, observed
ORDER BY point NULLS LAST, observed NULLS LAST
