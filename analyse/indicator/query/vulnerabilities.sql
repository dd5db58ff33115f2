-- People with each vulnerability, beside the people of the rows that were assessed
-- for it. Rows that were not assessed are in neither.
SELECT /*keys*/code, CAST(sum(people) AS bigint) AS people, CAST(sum(assessed) AS bigint) AS assessed
FROM vulnerability
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date) /*days*/ /*where*/
GROUP BY /*by*/code
