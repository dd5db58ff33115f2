-- Movements of which sex or age is not known, beside all that were recorded by sex
-- and age.
SELECT /*keys*/CAST(sum(people) FILTER (WHERE sex IN ('unknown', '') OR age IN ('unknown', '')) AS bigint) AS people, CAST(sum(people) AS bigint) AS total
FROM /*facts*/movement
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND /*rows*/main /*days*/ /*where*/
/*group*/
