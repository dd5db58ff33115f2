package dtm

// HDX is how an operation's open data are described on the Humanitarian Data Exchange.
type HDX struct {
	Organisation string // its name or id there
	Maintainer   string // of the organisation: id of a user there
	License      string // id of a licence there; hdx-other: LicenseText says it
	LicenseText  string
	Methodology  string // "Census", "Sample Survey", "Direct Observational Data/Anecdotal Data", "Registry", "Other"
	Tags         []string
	Frequency    int // days between two versions
}
