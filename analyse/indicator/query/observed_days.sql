-- Days on which at least one of the points recorded something, an explicit "nobody
-- passed" included.
SELECT /*keys*/CAST(count(DISTINCT observed) AS bigint) AS days
FROM point_day
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*place*/
/*group*/
