-- Days on which sites were counted, were it that nobody was there.
SELECT /*keys*/CAST(count(*) AS bigint) AS counts
FROM standing
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*place*/
/*group*/
