package book

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"carryover/mapping/terms"
)

// longestToken bounds generated ref tokens, in bytes, because people read them out.
const longestToken = 40

// isToken reports whether a person may give somebody this ref token.
func isToken(token string) bool {
	return terms.RefToken(token) == token && len(token) <= longestToken && strings.ContainsFunc(token, isTokenLetter)
}

// isTokenLetter reports whether a character of a ref token says something.
func isTokenLetter(r rune) bool { return r != '-' && r != '_' }

// preferredToken is the ref token that a promoter whom a person approves should get: the host of
// its site or, when the site is a page on another one's host, the name.
func preferredToken(name, site string) string {
	_, rest, _ := strings.Cut(site, "://")
	host, page, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	host = strings.TrimPrefix(strings.ToLower(host), "www.")
	sources := []string{host, name}
	if page != "" {
		sources = []string{name, host}
	}
	for _, s := range sources {
		if token := slug(s); strings.ContainsFunc(token, isTokenLetter) {
			return token
		}
	}
	return "partner"
}

// slug makes a token of text: words without accents, with one "-" between them.
func slug(text string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
	token := terms.RefToken(plain)
	parts := strings.FieldsFunc(token, func(r rune) bool { return r == '-' })
	token = strings.Join(parts, "-")
	if len(token) > longestToken {
		token = strings.TrimRight(token[:longestToken], "-")
	}
	return token
}

// freeToken returns the first of preferred, preferred-2, preferred-3 and so on that is no
// promoter's token and, in any letter case, no partner's code.
func freeToken(ctx context.Context, tx *sql.Tx, preferred string) (string, error) {
	// SQLite folds ASCII only. Other codes are few: they are read and folded here.
	rows, err := tx.QueryContext(ctx, `
		SELECT ref_token FROM promoter WHERE substr(ref_token, 1, length(?1)) = ?1
		UNION ALL
		SELECT value FROM promoter_alias WHERE kind = 'code' AND (lower(substr(value, 1, length(?1))) = ?1 OR value GLOB '*[^ -~]*')
		UNION ALL
		SELECT code FROM promoter_alias WHERE kind = 'keap_id' AND (lower(substr(code, 1, length(?1))) = ?1 OR code GLOB '*[^ -~]*')`, preferred)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	taken := map[string]bool{}
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			return "", err
		}
		taken[strings.ToLower(word)] = true
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	token := preferred
	for n := 2; taken[token]; n++ {
		token = preferred + "-" + strconv.Itoa(n)
	}
	return token, nil
}
