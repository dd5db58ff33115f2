package web

// Field is an answer as a person may correct it.
type Field struct {
	Depth   int
	Head    bool   // a group's or a turn's own line
	Path    string // in the submission, with the turns of repeats
	Form    string // path in the form
	Label   string
	Value   string // as it stands in the instance
	Shown   string // with the labels of choices
	Kind    string // "text", "integer", "decimal", "date", "one", "many"
	Choices []Choice
	Fixed   bool // computed, or noted by the phone: not for a person to change
}

// Choice is one that a Field allows.
type Choice struct{ Value, Label string }
