-- The facts of the month $2.
SELECT source, CAST(observed AS text), month_only, cell, CAST(people AS bigint), assessed, main
FROM fact
WHERE operation = $1 AND month = CAST($2 AS date)
