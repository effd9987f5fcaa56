package book

import (
	"context"
	"database/sql"
	"hash/maphash"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"carryover/mapping/terms"
)

// nameIndex is what tokens, codes and addresses of promoters look like. It is read once, and
// again after imports; of those who join in between only the new ones are read.
type nameIndex struct {
	mu        sync.Mutex
	stamp     nameStamp
	seed      maphash.Seed
	names     map[uint64]string // token or code by its skeleton's hash; nil: nothing was read
	mailboxes map[uint64]string // token by the mailbox's hash
}

// nameStamp changes with whatever changes the index.
type nameStamp struct {
	imported   int64 // id of the newest import
	rolledBack int64 // how many imports were
	lowestID   int64 // of promoters: ids of those who join here descend
}

// refreshNames reads what the index lacks, unless a writer has read more of it by now.
func (b *Book) refreshNames(ctx context.Context) error {
	return b.view(ctx, func(tx *sql.Tx) error { return b.names.refresh(ctx, tx, false) })
}

// refresh reads what the index lacks. A transaction that writes sees the present state; any other
// one an earlier state perhaps, to which the index does not go back.
func (n *nameIndex) refresh(ctx context.Context, tx *sql.Tx, writes bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var now nameStamp
	if err := tx.QueryRowContext(ctx, `SELECT coalesce((SELECT max(id) FROM import), 0),
		(SELECT count(rolled_back_at) FROM import), coalesce((SELECT min(id) FROM promoter), 0)`).
		Scan(&now.imported, &now.rolledBack, &now.lowestID); err != nil {
		return err
	}
	joined, was := now, n.stamp
	joined.lowestID = was.lowestID
	whole := n.names == nil || joined != was || now.lowestID > was.lowestID
	earlier := now.imported < was.imported || now.rolledBack < was.rolledBack || joined == was && now.lowestID > was.lowestID
	if !whole && now == was || n.names != nil && earlier && !writes {
		return nil
	}
	query := `SELECT ref_token, ref_token, email FROM promoter WHERE id < ?1`
	if whole {
		n.names, n.mailboxes, n.seed = map[uint64]string{}, map[uint64]string{}, maphash.MakeSeed()
		query = `SELECT ref_token, ref_token, email FROM promoter WHERE ?1 = ?1
			UNION ALL SELECT coalesce((SELECT ref_token FROM promoter WHERE id = promoter_id), ''), code, email
				FROM promoter_alias WHERE kind = 'keap_id'
			UNION ALL SELECT '', value, '' FROM promoter_alias WHERE kind = 'code'`
	}
	if err := n.read(ctx, tx, query, n.stamp.lowestID); err != nil {
		n.names = nil
		return err
	}
	n.stamp = now
	return nil
}

func (n *nameIndex) read(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var token, name, email string
		if err := rows.Scan(&token, &name, &email); err != nil {
			return err
		}
		if s := skeletonOf(name); s != "" {
			if key := maphash.String(n.seed, s); n.names[key] == "" {
				n.names[key] = name
			}
		}
		if email != "" {
			n.mailboxes[maphash.String(n.seed, terms.Mailbox(email))] = token
		}
	}
	return rows.Err()
}

// lookAlike returns the token or code for which a name is taken.
func (n *nameIndex) lookAlike(name string) (other string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	other, ok = n.names[maphash.String(n.seed, skeletonOf(name))]
	return other, ok
}

// byMailbox returns the token of the promoter at whom mail to an address arrives.
func (n *nameIndex) byMailbox(email string) (token string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	token, ok = n.mailboxes[maphash.String(n.seed, terms.Mailbox(email))]
	return token, ok
}

func skeletonOf(text string) string { return terms.Skeleton(norm.NFKD.String(text)) }

// specialSuffixes end hosts that are in no public list (RFC 6761, RFC 7686).
const specialSuffixes = " test example invalid localhost local onion internal "

// hostSuffix returns the last label of a word that can be read as a host, an address or an e-mail
// address with these separators: "google-com", "spam.shop/now", "ann@mail.test".
func hostSuffix(word, separators string) (last string, ok bool) {
	word = strings.ToLower(word)
	if _, rest, found := strings.Cut(word, "://"); found {
		word = rest
	}
	word, _, _ = strings.Cut(word, "/")
	word = strings.TrimRight(word, ".,:;!?)")
	last = word[strings.LastIndexAny(word, separators)+1:]
	suffix, known := publicsuffix.PublicSuffix("x." + last)
	return last, last != word && last != "" && (known && suffix == last || strings.Contains(specialSuffixes, " "+last+" "))
}

// judgeName makes the ref token that a name may have without a person, or says why one decides.
// Nothing else of an application counts: what it says is the same whoever applies. The index of
// names is that of now.
func (b *Book) judgeName(name string, reserved *terms.ReservedNames) (token, reason string) {
	if terms.MixesAlphabets(name) {
		return "", HoldAlphabets
	}
	token = slug(name)
	for _, text := range []string{norm.NFKD.String(name), token} {
		if found, ok := reserved.Match(text); ok {
			return "", HoldReserved + " " + found
		}
	}
	if !strings.ContainsFunc(token, func(r rune) bool { return 'a' <= r && r <= 'z' }) {
		return "", HoldNoToken // a number would be read as an id of Keap's
	}
	if suffix, ok := hostSuffix(token, "-_"); ok {
		return "", HoldDomain + " " + suffix
	}
	for _, word := range strings.Fields(norm.NFKC.String(name)) {
		if suffix, ok := hostSuffix(word, ".@"); ok {
			return "", HoldDomain + " " + suffix
		}
	}
	for _, text := range []string{name, token, terms.WithoutNumber(token)} {
		switch other, ok := b.names.lookAlike(text); {
		case ok && strings.EqualFold(other, token):
			return "", HoldTaken + " " + other
		case ok:
			return "", HoldLookAlike + " " + other
		}
	}
	return token, ""
}
