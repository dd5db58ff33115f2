-- People of incidents, where it was recorded.
SELECT /*keys*/CAST(sum(/*number*/affected) AS bigint) AS people
FROM incident
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND /*number*/affected >= 0 /*where*/
/*group*/
