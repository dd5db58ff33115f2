-- Incidents, beside the people affected where it was recorded.
SELECT /*keys*/CAST(count(*) AS bigint) AS incidents, CAST(sum(CASE WHEN affected > 0 THEN affected ELSE 0 END) AS bigint) AS people
FROM incident
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*where*/
/*group*/
