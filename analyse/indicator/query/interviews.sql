-- Respondents one by one.
SELECT source, CAST(observed AS text), point, point_text, region, consent, repeated, sex, years, nationality,
	marital, education, employment, origin, left_when, company, company_size, reason_set, transport_set, paid_set,
	next, final, why_set, stay, go_back, difficulty_set, information_set, knows_help, wants_help, counted, counted_at
FROM interview
WHERE operation = $1
	AND observed >= CAST($2 AS date)
	AND observed < CAST($3 AS date)
ORDER BY observed NULLS LAST, source NULLS LAST
