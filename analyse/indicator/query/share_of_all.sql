-- Movements that the filter accepts, beside all movements.
SELECT /*keys*/CAST(sum(people) FILTER (WHERE true /*where*/) AS bigint) AS people, CAST(sum(people) AS bigint) AS total
FROM /*facts*/movement
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND /*rows*/main /*days*/
/*group*/
