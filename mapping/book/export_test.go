package book

// Unsealed is why the chain leaves a table out; empty: it does not.
func Unsealed(table string) string { return unsealed[table] }
