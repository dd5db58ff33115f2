-- When the facts of each month last became others.
SELECT CAST(month AS text), version
FROM month_version
WHERE operation = $1
