-- People by answer to a question with several answers. Who gave several counts
-- under each of them; base = 1 marks those who answered, which the shares divide by.
WITH part AS (
	SELECT /*by*//*set*/need_set AS answers, CAST(sum(people) AS bigint) AS people
	FROM need
	WHERE operation = $1
		AND observed >= CAST($2 AS date)
		AND observed < CAST($3 AS date) /*answered*/ /*where*/
	GROUP BY /*by*//*set*/need_set
)
SELECT /*keys:p*/a.code, CAST(0 AS bigint) AS base, CAST(sum(p.people) AS bigint) AS people
FROM part p
JOIN answer_set a ON a.list = /*list*/'need' AND a.answer_set = p.answers
GROUP BY /*by:p*/a.code
UNION ALL
SELECT /*keys:p*/'', CAST(1 AS bigint), CAST(sum(p.people) AS bigint)
FROM part p
/*group:p*/
