// Package indicator answers questions about movements: a dtm.Query comes in, a
// dtm.Table goes out, computed by one SELECT over the facts of a warehouse.
//
// An indicator is a file in catalogue/ (definition, unit, denominator, rule) that
// names a text in query/ and how its rows become a figure. A text is one SELECT in
// the subset that DuckDB and PostgreSQL read alike, valid as it stands; the planner
// fills its comment markers with columns from a fixed list and numbered arguments,
// never with words from outside:
//
//	/*keys*/  the dimensions, as texts, before the figures of the outer SELECT
//	/*by*/    the dimensions as columns, before other columns
//	/*group*/ GROUP BY the dimensions, or nothing
//	/*where*/ AND the filter
//	/*days*/  AND NOT month_only when single days are asked for
//	/*place*/ AND the filter on point and region alone
//	/*facts*/movement       movement_month when no day is asked for
//	/*rows*/main            the rows that record the dimensions asked for
//
// A marker may name a table: /*keys:p*/. Cases in case/ state what the indicators
// give for known rows; package warehousetest runs them on every warehouse.
package indicator
