-- People who came to sites or left them between counts, where it was recorded.
SELECT /*keys*/CAST(sum(/*number*/arrived) AS bigint) AS people
FROM site_count
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND /*number*/arrived >= 0 /*where*/
/*group*/
