-- People by day of observation and by how many days later their record arrived, by the
-- clock of the operation ($4 minutes east of UTC).
SELECT CAST(a.observed AS text), CAST(greatest(0, CAST(a.received + CAST($4 AS integer) * INTERVAL '1 minute' AS date) - a.observed) AS bigint) AS late, CAST(sum(m.people) AS bigint)
FROM arrival a
JOIN movement m ON m.operation = a.operation AND m.source = a.source
WHERE a.operation = $1
	AND a.observed >= CAST($2 AS date)
	AND a.observed < CAST($3 AS date)
	AND m.observed >= CAST($2 AS date)
	AND m.observed < CAST($3 AS date)
	AND m.main
GROUP BY 1, 2
ORDER BY 1 NULLS LAST, 2 NULLS LAST
