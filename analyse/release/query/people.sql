-- People by vulnerability: of the facts of the month $2, and summed up before it.
SELECT source, CAST(observed AS text), month_only, cell, code, CAST(people AS bigint), CAST(assessed AS bigint)
FROM fact_vulnerability
WHERE operation = $1 AND month = CAST($2 AS date)
UNION ALL
SELECT '', CAST(month AS text), month_only, cell, code, CAST(sum(people) AS bigint), CAST(sum(assessed) AS bigint)
FROM fact_vulnerability
WHERE operation = $1 AND month < CAST($2 AS date)
GROUP BY month, month_only, cell, code
