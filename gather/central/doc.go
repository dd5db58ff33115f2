// Package central is the operation's data in the shape of ODK Central's API, which
// pyodk, ruODK, Excel and Power BI speak: requests of signed-in users come in,
// forms, submissions and entity lists go out as JSON, CSV and OData.
package central
