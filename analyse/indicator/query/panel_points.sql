-- The constant panel: points that recorded somebody in each of the $4 months. Those
-- that the register has closed on a day of it are left out afterwards.
SELECT point
FROM movement_month
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
	AND people > 0
	AND point <> ''
	AND main
GROUP BY point
HAVING count(DISTINCT month) = CAST($4 AS bigint)
