package book

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Click is one answered request for a link, with the verdict on who made it.
type Click struct {
	Node      string    // the gateway that answered
	Seq       int64     // its number there; (Node, Seq) names the click for ever
	At        time.Time // millisecond precision
	Host      string    // as the request named it
	Path      string    // raw, without the query, at most 2 KB
	Params    string    // names of affiliate parameters in the query, comma separated
	Outcome   string    // as mapping.Outcome prints it
	Token     string    // ref token that the URL names, credited or not
	Link      string    // stored code of the link; empty when unknown
	Ad        string
	Miss      bool   // the URL did not resolve to all that it seems to name
	Expired   bool   // answered by the rules that hold after the cutoff
	Referrer  string // scheme and host
	UserAgent string // at most 512 bytes
	Visitor   string // keyed hash of the address, empty when it is not known
	Signals   uint32 // header bits, see gateway/click
	Epoch     int64  // of the link map that decided
	Verdict   string // human, preview, bot, scanner, prefetch or frame
	Reason    string // why, in a few words
	Rules     int    // version of the rules that judged
}

// ClickFilter selects clicks; its zero value selects all.
type ClickFilter struct {
	From, To time.Time // From <= at < To; zero leaves that side open; widened to whole hours where counts are read
	Token    string    // only this ref token
	Link     string    // only this link code
	Outcome  string    // only this outcome
	Verdict  string    // only this verdict
}

// where returns the conditions of f on a time column in the given unit; From and To are widened
// to multiples of whole.
func (f ClickFilter) where(column string, unit, whole time.Duration) (string, []any) {
	conds, args := []string{"1 = 1"}, []any{}
	add := func(cond string, arg any) { conds, args = append(conds, cond), append(args, arg) }
	if !f.From.IsZero() {
		add(column+" >= ?", f.From.Truncate(whole).UnixNano()/int64(unit))
	}
	if !f.To.IsZero() {
		add(column+" < ?", f.To.Add(whole-1).Truncate(whole).UnixNano()/int64(unit))
	}
	for _, eq := range []struct{ column, value string }{
		{"ref_token", f.Token}, {"link", f.Link}, {"outcome", f.Outcome}, {"verdict", f.Verdict},
	} {
		if eq.value != "" {
			add(eq.column+" = ?", eq.value)
		}
	}
	return strings.Join(conds, " AND "), args
}

type rollupKey struct {
	hour                          int64
	token, link, outcome, verdict string
}

// clicksPerTx bounds how long other writers wait for one transaction.
const clicksPerTx = 250

// AddClicks stores and counts the clicks that the book does not have yet, a few hundred in a
// transaction: after an error some may be stored. The same clicks may be given any number of
// times, by any number of processes. added is how many were new.
func (b *Book) AddClicks(ctx context.Context, clicks []Click) (added int, err error) {
	for some := range slices.Chunk(clicks, clicksPerTx) {
		n, err := b.addClicks(ctx, some)
		if err != nil {
			return added, fmt.Errorf("adding clicks: %w", err)
		}
		added += n
	}
	return added, nil
}

func (b *Book) addClicks(ctx context.Context, clicks []Click) (added int, err error) {
	err = b.update(ctx, func(tx *sql.Tx) error {
		// Without the context, because the driver would start a goroutine for each statement.
		insert, err := tx.Prepare(`INSERT OR IGNORE INTO click (` + clickColumns + `)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		counts := map[rollupKey]int64{}
		for i := range clicks {
			c := &clicks[i]
			res, err := insert.Exec(c.Node, c.Seq, c.At.UnixMilli(), c.Host, c.Path, c.Params, c.Outcome, c.Token, c.Link, c.Ad,
				c.Miss, c.Expired, c.Referrer, c.UserAgent, c.Visitor, c.Signals, c.Epoch, c.Verdict, c.Reason, c.Rules)
			if err != nil {
				return fmt.Errorf("click %s.%d: %w", c.Node, c.Seq, err)
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 1 {
				added++
				hour := c.At.Unix() - c.At.Unix()%3600
				counts[rollupKey{hour, c.Token, c.Link, c.Outcome, c.Verdict}]++
			}
		}
		for k, n := range counts {
			if _, err := tx.Exec(`INSERT INTO click_rollup (hour, ref_token, link, outcome, verdict, count) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (hour, ref_token, link, outcome, verdict) DO UPDATE SET count = click_rollup.count + excluded.count`,
				k.hour, k.token, k.link, k.outcome, k.verdict, n); err != nil {
				return fmt.Errorf("counting them: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

const clickColumns = `node, seq, at_ms, host, path, params, outcome, ref_token, link, ad,
	miss, expired, referrer, user_agent, visitor, signals, epoch, verdict, reason, rule_version`

// Clicks gives fn the raw clicks that f selects, the oldest first, until fn fails.
func (b *Book) Clicks(ctx context.Context, f ClickFilter, fn func(Click) error) error {
	where, args := f.where("at_ms", time.Millisecond, time.Millisecond)
	rows, err := b.r.QueryContext(ctx, `SELECT `+clickColumns+` FROM click WHERE `+where+` ORDER BY at_ms, node, seq`, args...)
	if err != nil {
		return fmt.Errorf("reading clicks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanClick(rows)
		if err != nil {
			return fmt.Errorf("reading clicks: %w", err)
		}
		if err := fn(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ClickByID returns the click with the id (node, seq); ok is false when it is not there, or no
// longer.
func (b *Book) ClickByID(ctx context.Context, node string, seq int64) (c Click, ok bool, err error) {
	c, err = scanClick(b.r.QueryRowContext(ctx, `SELECT `+clickColumns+` FROM click WHERE node = ? AND seq = ?`, node, seq))
	switch {
	case err == sql.ErrNoRows:
		return Click{}, false, nil
	case err != nil:
		return Click{}, false, fmt.Errorf("reading click %s.%d: %w", node, seq, err)
	}
	return c, true, nil
}

func scanClick(row interface{ Scan(...any) error }) (Click, error) {
	var c Click
	var at int64
	err := row.Scan(&c.Node, &c.Seq, &at, &c.Host, &c.Path, &c.Params, &c.Outcome, &c.Token, &c.Link, &c.Ad,
		&c.Miss, &c.Expired, &c.Referrer, &c.UserAgent, &c.Visitor, &c.Signals, &c.Epoch, &c.Verdict, &c.Reason, &c.Rules)
	c.At = time.UnixMilli(at).UTC()
	return c, err
}

// By what [Book.ClickCounts] groups.
const (
	ByDay      = "day" // of the zone that is given
	ByPromoter = "promoter"
	ByLink     = "link"
	ByVerdict  = "verdict"
	ByOutcome  = "outcome"
)

// ClickCount is one group of clicks.
type ClickCount struct {
	Key   string // a day as 2006-01-02, or a ref token, link code, verdict or outcome; empty: none
	Total int64
	Human int64 // the part with the verdict human
}

// ClickCounts groups the hourly counts, which outlive raw clicks. Days are in order, and days of
// zone (nil: UTC); other groups are listed by human clicks, the most first.
func (b *Book) ClickCounts(ctx context.Context, f ClickFilter, by string, zone *time.Location) ([]ClickCount, error) {
	column, ok := map[string]string{ByDay: "hour", ByPromoter: "ref_token", ByLink: "link", ByVerdict: "verdict", ByOutcome: "outcome"}[by]
	if !ok {
		return nil, fmt.Errorf("clicks cannot be counted by %q: choose day, promoter, link, verdict or outcome", by)
	}
	if zone == nil {
		zone = time.UTC
	}
	where, args := f.where("hour", time.Second, time.Hour)
	rows, err := b.r.QueryContext(ctx, `SELECT `+column+`, SUM(count), SUM(CASE WHEN verdict = 'human' THEN count ELSE 0 END)
		FROM click_rollup WHERE `+where+` GROUP BY 1 ORDER BY 1`, args...)
	if err != nil {
		return nil, fmt.Errorf("counting clicks: %w", err)
	}
	defer rows.Close()
	var out []ClickCount
	for rows.Next() {
		var n ClickCount
		var hour int64
		key := any(&n.Key)
		if by == ByDay {
			key = &hour
		}
		if err := rows.Scan(key, &n.Total, &n.Human); err != nil {
			return nil, fmt.Errorf("counting clicks: %w", err)
		}
		if by == ByDay {
			n.Key = time.Unix(hour, 0).In(zone).Format(time.DateOnly)
			if last := len(out) - 1; last >= 0 && out[last].Key == n.Key {
				out[last].Total += n.Total
				out[last].Human += n.Human
				continue
			}
		}
		out = append(out, n)
	}
	if by != ByDay {
		slices.SortStableFunc(out, func(a, b ClickCount) int {
			return cmp.Or(cmp.Compare(b.Human, a.Human), cmp.Compare(b.Total, a.Total))
		})
	}
	return out, rows.Err()
}

// Miss is a URL that did not resolve to all that it seems to name.
type Miss struct {
	Host        string
	Path        string // with the names of the affiliate parameters, such as /?aff=
	Outcome     string // of the last one
	Human       int64
	Total       int64
	First, Last time.Time
	TopReferrer string // the most frequent referrer; empty: most had none
}

// Misses lists URLs that did not resolve, by human clicks, the most first; at most limit of them
// (0 or less: all). It reads raw clicks, and so goes back only as far as these.
func (b *Book) Misses(ctx context.Context, f ClickFilter, limit int) ([]Miss, error) {
	if limit <= 0 {
		limit = -1
	}
	where, args := f.where("at_ms", time.Millisecond, time.Millisecond)
	// SQLite takes a bare column beside MAX from the row that has the maximum, as documented.
	rows, err := b.r.QueryContext(ctx, `SELECT host, path, params, outcome,
			SUM(verdict = 'human') AS human, COUNT(*) AS total, MIN(at_ms) AS first, MAX(at_ms)
		FROM click WHERE miss = 1 AND `+where+` GROUP BY host, path, params
		ORDER BY human DESC, total DESC, host, path, params LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("reading misses: %w", err)
	}
	defer rows.Close()
	var out []Miss
	var params []string
	for rows.Next() {
		var m Miss
		var names string
		var first, last int64
		if err := rows.Scan(&m.Host, &m.Path, &names, &m.Outcome, &m.Human, &m.Total, &first, &last); err != nil {
			return nil, fmt.Errorf("reading misses: %w", err)
		}
		m.First, m.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		out, params = append(out, m), append(params, names)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading misses: %w", err)
	}
	for i := range out {
		err := b.r.QueryRowContext(ctx, `SELECT referrer FROM click
			WHERE miss = 1 AND host = ? AND path = ? AND params = ? AND `+where+`
			GROUP BY referrer ORDER BY COUNT(*) DESC, referrer LIMIT 1`,
			append([]any{out[i].Host, out[i].Path, params[i]}, args...)...).Scan(&out[i].TopReferrer)
		if err != nil && err != sql.ErrNoRows {
			return nil, fmt.Errorf("reading misses: %w", err)
		}
		if params[i] != "" {
			out[i].Path += "?" + strings.ReplaceAll(params[i], ",", "=&") + "="
		}
	}
	return out, nil
}

// ForgetClicks deletes raw clicks from before an instant, a few thousand in a transaction, so
// that other writers do not wait long. Hourly counts stay.
func (b *Book) ForgetClicks(ctx context.Context, before time.Time) (deleted int, err error) {
	for {
		res, err := b.w.ExecContext(ctx, `DELETE FROM click
			WHERE (node, seq) IN (SELECT node, seq FROM click WHERE at_ms < ? LIMIT 2000)`, before.UnixMilli())
		if err != nil {
			return deleted, fmt.Errorf("deleting old clicks: %w", err)
		}
		n, _ := res.RowsAffected()
		if deleted += int(n); n == 0 {
			return deleted, nil
		}
	}
}
