// Package check finds what is doubtful in records: records and the operation's
// register come in, findings go out, each with the rule that made it. Nothing is
// refused and nothing is changed; people decide.
//
// Rules are data (rule.toml): an identifier, a severity, who looks after it, limits
// and an explanation in each language. One looks at a record alone; others at
// the records of a device, of a day, or at the series of a point. Time is passed in.
//
// Sources: domain.md 7 (checks of a flow monitoring registry); Iglewicz and Hoaglin,
// How to Detect and Handle Outliers, 1993 (modified z score); WHO and DHIS2's
// min-max and z-score data quality rules; Myers' digit preference for heaping.
package check
