-- People at sites, by the dimensions, site and day.
SELECT /*keys*/CAST(sum(people) AS bigint) AS people
FROM presence
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*where*/
/*group*/
