-- People who were asked for an interview, those who refused too.
SELECT /*keys*/CAST(NULLIF(count(*), 0) AS bigint) AS people
FROM interview
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*answered*/ /*where*/
/*group*/
