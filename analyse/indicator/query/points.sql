-- Points that recorded somebody. Names that are no known point are not counted:
-- two spellings would be two points.
SELECT /*keys*/CAST(count(DISTINCT point) AS bigint) AS points, CAST(sum(people) AS bigint) AS people
FROM /*facts*/movement
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND people > 0
	AND point <> ''
	AND /*rows*/main /*days*/ /*where*/
/*group*/
