-- People who named each need, beside those who were asked about it.
-- Who was not asked about a need, or did not answer, is in neither.
WITH part AS (
	SELECT /*by*/asked_set, need_set, CAST(sum(people) AS bigint) AS people
	FROM need
	WHERE operation = $1
		AND observed >= CAST($2 AS date)
		AND observed < CAST($3 AS date)
		AND need_set <> '' /*answered*/ /*where*/
	GROUP BY /*by*/asked_set, need_set
)
SELECT /*keys:p*/a.code, CAST(sum(CASE WHEN n.code IS NULL THEN 0 ELSE p.people END) AS bigint) AS people, CAST(sum(p.people) AS bigint) AS asked
FROM part p
JOIN answer_set a ON a.list = 'need' AND a.answer_set = p.asked_set
LEFT JOIN answer_set n ON n.list = 'need' AND n.answer_set = p.need_set AND n.code = a.code
WHERE a.code <> ''
GROUP BY /*by:p*/a.code
