-- People that records of needs are about.
SELECT /*keys*/CAST(sum(people) AS bigint) AS people
FROM need
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*answered*/ /*where*/
/*group*/
