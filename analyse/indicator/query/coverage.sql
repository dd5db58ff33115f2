-- What is there: by month, place and kind of row.
SELECT CAST(month AS text), month_only, breakdown, main, point, region, CAST(sum(people) AS bigint) AS people
FROM movement_month
WHERE operation = $1
GROUP BY month, month_only, breakdown, main, point, region
