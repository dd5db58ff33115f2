-- Days on which a point recorded something, up to the month $2.
SELECT DISTINCT CAST(observed AS text), point, point_text, region
FROM point_day
WHERE operation = $1 AND month <= CAST($2 AS date)
