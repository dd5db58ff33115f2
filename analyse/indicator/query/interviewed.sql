-- Respondents who agreed and were asked.
SELECT /*keys*/CAST(NULLIF(count(*), 0) AS bigint) AS people
FROM interview
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND asked = 1 /*answered*/ /*where*/
/*group*/
