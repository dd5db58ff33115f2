-- Every cell with its number.
SELECT cell, point, point_text, region, role, direction, flow_type, route, subroute, origin, previous,
	next, final, breakdown, nationality, sex, age, age_band, reason_set, transport_set
FROM cell
WHERE operation = $1
