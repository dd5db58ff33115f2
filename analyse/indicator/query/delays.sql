-- Minutes from the end of a record to its arrival: of the network (point ''), and of
-- each point.
SELECT '' AS point, CAST(count(*) AS bigint), percentile_cont(0.5) WITHIN GROUP (ORDER BY delay NULLS LAST), percentile_cont(0.9) WITHIN GROUP (ORDER BY delay NULLS LAST)
FROM arrival
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND point <> ''
	AND delay >= 0
UNION ALL
SELECT point, CAST(count(*) AS bigint), percentile_cont(0.5) WITHIN GROUP (ORDER BY delay NULLS LAST), percentile_cont(0.9) WITHIN GROUP (ORDER BY delay NULLS LAST)
FROM arrival
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND point <> ''
	AND delay >= 0
GROUP BY point
ORDER BY 1 NULLS LAST
