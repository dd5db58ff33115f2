-- What each site is called: as it was written last.
SELECT site, site_text
FROM (
	SELECT site, site_text, row_number() OVER (PARTITION BY site ORDER BY observed DESC NULLS LAST, source DESC NULLS LAST) AS place
	FROM (
		SELECT site, site_text, observed, source FROM site_count WHERE operation = $1
		UNION ALL
		SELECT site, site_text, observed, source FROM need WHERE operation = $1
		UNION ALL
		SELECT site, site_text, observed, source FROM incident WHERE operation = $1
	) w
	WHERE site <> ''
) s
WHERE place = 1
