-- Entries: coming from another country ($4 is the operation's own) and not going
-- back to it, at points whose role on that day is not exit. Exit points lie
-- further along the same way and would count the same people again.
SELECT /*keys*/CAST(sum(people) AS bigint) AS people
FROM /*facts*/movement
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND previous <> ''
	AND previous <> $4
	AND next <> previous
	AND role <> 'exit'
	AND /*rows*/main /*days*/ /*where*/
/*group*/
