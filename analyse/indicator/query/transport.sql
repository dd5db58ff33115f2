-- Movements by transport. A group that gave several answers counts in full under each
-- of them; base = 1 marks the movements themselves, which the shares divide by.
WITH part AS (
	SELECT /*by*/transport_set, CAST(sum(people) AS bigint) AS people
	FROM /*facts*/movement
	WHERE operation = $1
		AND observed >= CAST($2 AS date)
		AND observed < CAST($3 AS date)
		AND /*rows*/main /*days*/ /*where*/
	GROUP BY /*by*/transport_set
)
SELECT /*keys:p*/a.code, 0 AS base, CAST(sum(p.people) AS bigint) AS people
FROM part p
JOIN answer_set a ON a.list = 'transport' AND a.answer_set = p.transport_set
GROUP BY /*by:p*/a.code
UNION ALL
SELECT /*keys:p*/'', 1, CAST(sum(p.people) AS bigint)
FROM part p
/*group:p*/
