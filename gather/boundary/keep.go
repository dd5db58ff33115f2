package boundary

import "dtm"

// Keep gives an earlier set of areas as it can be taken into use again: areas in use
// now that something names and that it lacks are retired in it. gone lists them.
func Keep(was, now *dtm.Atlas, uses map[string][]dtm.AreaUse) (atlas *dtm.Atlas, gone []string) {
	atlas = &dtm.Atlas{Boundaries: was.Boundaries}
	for _, a := range was.Areas {
		if !a.Retired || len(uses[a.Code]) > 0 {
			atlas.Areas = append(atlas.Areas, a)
		}
	}
	for _, a := range now.Areas {
		if _, ok := was.Area(a.Code); !ok && len(uses[a.Code]) > 0 {
			if a.Retired = true; a.Level > 0 {
				atlas.Areas = append(atlas.Areas, a)
				gone = append(gone, a.Code)
			}
		}
	}
	return atlas, gone
}
