-- Movements observed in a period.
SELECT /*keys*/CAST(sum(people) AS bigint) AS people
FROM /*facts*/movement
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND /*rows*/main /*days*/ /*where*/
/*group*/
