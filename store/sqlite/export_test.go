package sqlite

// DSN is the address that the store itself writes by.
func DSN(path string) string { return dsn(path, true) }
