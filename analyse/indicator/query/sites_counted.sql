-- Sites that were counted, beside the people of all counts.
SELECT /*keys*/CAST(count(DISTINCT site) AS bigint) AS sites, CAST(sum(people) AS bigint) AS people
FROM standing
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*where*/
/*group*/
