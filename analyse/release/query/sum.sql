-- Sums by month and cell, up to the month $2.
SELECT CAST(month AS text), month_only, cell, CAST(sum(people) AS bigint), main
FROM fact_month
WHERE operation = $1 AND month <= CAST($2 AS date)
GROUP BY month, month_only, cell, main
