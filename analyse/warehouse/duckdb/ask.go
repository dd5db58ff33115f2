package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"dtm"
)

// askTime is the longest that a question in SQL may take.
const askTime = 15 * time.Second

// asker runs questions in SQL that people wrote. What they may say is decided on the
// statement as DuckDB itself parses it: a single SELECT over the named views, with
// functions of a list. It is run in a transaction that only reads, in a database
// whose settings are locked and that can reach no file and no network.
type asker struct {
	db    *sql.DB
	views []dtm.View
	turns chan struct{} // two at a time
}

func newAsker(db *sql.DB, views []dtm.View) asker {
	return asker{db, views, make(chan struct{}, 2)}
}

// Views implements dtm.Asking.
func (a asker) Views() []dtm.View { return a.views }

// Ask implements dtm.Asking.
func (a asker) Ask(ctx context.Context, text string, limit int) (dtm.Answer, error) {
	var out dtm.Answer
	if strings.TrimSpace(text) == "" {
		return out, dtm.Errorf(dtm.Invalid, "the question is empty; write a SELECT").Coded("sql.empty")
	}
	if len(text) > 20_000 {
		return out, dtm.Errorf(dtm.Invalid, "the question is longer than 20,000 letters").Coded("sql.long")
	}
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c, err := a.db.Conn(ctx)
	if err != nil {
		return out, wrap("Ask", err)
	}
	defer c.Close()
	bounded, err := a.judge(ctx, c, text)
	if err != nil {
		return out, err
	}
	if !bounded { // the database gives all rows at once: it must not make more
		text = strings.TrimRight(text, "; \t\r\n") + "\nLIMIT " + strconv.Itoa(limit+1)
	}
	if _, err := c.ExecContext(ctx, `BEGIN TRANSACTION READ ONLY`); err != nil {
		return out, wrap("Ask", err)
	}
	began := time.Now()
	err = func() error {
		rows, err := c.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		defer rows.Close()
		if out.Columns, err = rows.Columns(); err != nil {
			return err
		}
		values := make([]any, len(out.Columns))
		dest := make([]any, len(values))
		for i := range values {
			dest[i] = &values[i]
		}
		for rows.Next() {
			if len(out.Rows) == limit {
				out.More = true
				cancel() // what is left need not be computed
				return nil
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			row := make([]string, len(values))
			for i, v := range values {
				row[i] = said(v)
			}
			out.Rows = append(out.Rows, row)
		}
		return rows.Err()
	}()
	out.Took = time.Since(began)
	_, end := c.ExecContext(context.WithoutCancel(whole), `ROLLBACK`)
	switch {
	case whole.Err() != nil:
		return dtm.Answer{}, whole.Err()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return dtm.Answer{}, dtm.Errorf(dtm.TooLarge, "the question took more than %d seconds and was stopped; ask for a shorter period, or for sums", int(askTime.Seconds())).Coded("sql.time", int(askTime.Seconds()))
	case err != nil:
		return dtm.Answer{}, refused(err)
	}
	return out, wrap("Ask", end)
}

// refused is DuckDB's own word on a text that does not run.
func refused(err error) error {
	var e *duckdb.Error
	if errors.As(err, &e) && e.Type == duckdb.ErrorTypeOutOfMemory {
		return dtm.Errorf(dtm.TooLarge, "the question needs more memory than there is for it; ask for a shorter period, or for sums").Coded("sql.memory")
	}
	msg, _, _ := strings.Cut(err.Error(), "\n\n")
	return dtm.Errorf(dtm.Invalid, "the question cannot be answered: %s", msg).Coded("sql.fault", msg)
}

// judge tells whether a text may run, and whether it says itself how many rows it
// gives.
func (a asker) judge(ctx context.Context, c *sql.Conn, text string) (bounded bool, err error) {
	var tree string
	if err := c.QueryRowContext(ctx, `SELECT CAST(json_serialize_sql(CAST($1 AS VARCHAR)) AS VARCHAR)`, text).Scan(&tree); err != nil {
		return false, refused(err)
	}
	var parsed struct {
		Error      bool
		Type       string `json:"error_type"`
		Message    string `json:"error_message"`
		Statements []struct {
			Node any `json:"node"`
		}
	}
	if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
		return false, wrap("Ask", err)
	}
	switch {
	case parsed.Error && parsed.Type == "not implemented":
		return false, dtm.Errorf(dtm.Invalid, "only SELECT can be asked: nothing is changed here").Coded("sql.select")
	case parsed.Error:
		return false, dtm.Errorf(dtm.Invalid, "the question cannot be read: %s", parsed.Message).Coded("sql.syntax", parsed.Message)
	case len(parsed.Statements) != 1:
		return false, dtm.Errorf(dtm.Invalid, "ask one question at a time: %d were given", len(parsed.Statements)).Coded("sql.one", len(parsed.Statements))
	}
	known := map[string]bool{}
	for _, v := range a.views {
		known[v.Name] = true
	}
	named(parsed.Statements[0].Node, known)
	if top, ok := parsed.Statements[0].Node.(map[string]any); ok {
		list, _ := top["modifiers"].([]any)
		for _, m := range list {
			if x, ok := m.(map[string]any); ok && strings.HasPrefix(fmt.Sprint(x["type"]), "LIMIT") {
				bounded = true
			}
		}
	}
	return bounded, allowed(parsed.Statements[0].Node, known, a.views)
}

// named adds the names that a statement gives to its own parts.
func named(node any, to map[string]bool) {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			named(x, to)
		}
	case map[string]any:
		if m, ok := n["cte_map"].(map[string]any); ok {
			list, _ := m["map"].([]any)
			for _, e := range list {
				if entry, ok := e.(map[string]any); ok {
					if key, ok := entry["key"].(string); ok {
						to[strings.ToLower(key)] = true
					}
				}
			}
		}
		for _, x := range n {
			named(x, to)
		}
	}
}

// allowed walks a parsed statement.
func allowed(node any, known map[string]bool, views []dtm.View) error {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			if err := allowed(x, known, views); err != nil {
				return err
			}
		}
	case map[string]any:
		str := func(k string) string { s, _ := n[k].(string); return s }
		switch str("type") {
		case "BASE_TABLE":
			if !known[strings.ToLower(str("table_name"))] || str("schema_name") != "" || str("catalog_name") != "" || n["at_clause"] != nil {
				var names []string
				for _, v := range views {
					names = append(names, v.Name)
				}
				name := strings.Trim(str("catalog_name")+"."+str("schema_name")+"."+str("table_name"), ".")
				return dtm.Errorf(dtm.Invalid, "there is no view %q here; there are %s", name, strings.Join(names, ", ")).Coded("sql.view", name, strings.Join(names, ", "))
			}
		case "TABLE_FUNCTION":
			f, _ := n["function"].(map[string]any)
			name, _ := f["function_name"].(string)
			if !slices.Contains([]string{"range", "generate_series", "unnest"}, strings.ToLower(name)) {
				return forbidden(name)
			}
		case "SHOW_REF":
			if n["query"] == nil {
				return dtm.Errorf(dtm.Invalid, "only SELECT can be asked: nothing is changed here").Coded("sql.select")
			}
		case "FUNCTION", "WINDOW_AGGREGATE":
			name := strings.ToLower(str("function_name"))
			operator, _ := n["is_operator"].(bool)
			if str("schema") != "" || str("catalog") != "" || !functions[name] && !operator {
				return forbidden(name)
			}
		}
		if f := strings.ToLower(str("function_name")); f != "" && !functions[f] && n["is_operator"] != true {
			return forbidden(f)
		}
		for _, x := range n {
			if err := allowed(x, known, views); err != nil {
				return err
			}
		}
	}
	return nil
}

func forbidden(name string) error {
	return dtm.Errorf(dtm.Invalid, "the function %q is not among those that can be used here", name).Coded("sql.function", name)
}

// functions are those of questions: of numbers, texts and days. None of them reads
// anything but its arguments.
var functions = func() map[string]bool {
	out := map[string]bool{}
	for f := range strings.FieldsSeq(`
		sum count count_star avg min max median mode mad stddev stddev_pop stddev_samp stddev var_pop var_samp variance quantile quantile_cont quantile_disc
		first last any_value arg_min arg_max max_by min_by bool_and bool_or corr covar_pop covar_samp regr_slope regr_intercept regr_r2 string_agg approx_count_distinct
		row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value
		abs round floor ceil ceiling trunc sqrt ln log log10 log2 exp pow power mod sign greatest least coalesce ifnull nullif
		lower upper trim ltrim rtrim length substr substring left right replace concat concat_ws split_part strpos position starts_with ends_with contains suffix prefix
		like_escape ilike_escape not_like_escape not_ilike_escape regexp_matches regexp_extract regexp_full_match ~~ !~~ ~~* !~~* ~
		date_trunc date_part extract year month day week quarter dayofweek isodow dayofyear weekday yearweek isoyear date_diff datediff date_add make_date last_day strftime monthname dayname to_days to_months to_years age epoch
		range generate_series unnest string_split list_contains len grouping grouping_id + - * / // % || ** ^
	`) {
		out[f] = true
	}
	return out
}()

// said writes a value as text.
func said(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case time.Time:
		if x.Equal(x.Truncate(24 * time.Hour)) {
			return x.Format(time.DateOnly)
		}
		return x.UTC().Format("2006-01-02 15:04:05")
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case *big.Int:
		return x.String()
	case duckdb.Decimal:
		return x.String()
	case []byte:
		return string(x)
	}
	return fmt.Sprint(v)
}
