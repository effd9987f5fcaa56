package click

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"
)

// Values of the spool's "clock": under which the gateway serves, or served, that opened it last.
// It says of the whole data folder whether that is for rehearsals.
const (
	clockReal      = "real"
	clockRehearsal = "rehearsal"
)

// noteClock notes under which clock the clicks are that come. rehearsed says that those before
// were of rehearsals, and these are real.
func (s *spool) noteClock(ctx context.Context, rehearsal bool) (rehearsed bool, err error) {
	clock := clockReal
	if rehearsal {
		clock = clockRehearsal
	}
	former, err := readClock(ctx, s.conn)
	if err != nil || former == clock {
		return false, err
	}
	_, err = s.conn.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('clock', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1`, clock)
	return former == clockRehearsal, err
}

// readClock is the clock that was noted last; empty: none.
func readClock(ctx context.Context, conn *sql.Conn) (clock string, err error) {
	err = conn.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'clock'`).Scan(&clock)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return clock, err
}

// MarkRehearsal says of the spool at path, which was copied for a rehearsal or is not there yet,
// that it is for rehearsals.
func MarkRehearsal(path string) error {
	s, err := openSpool(path, "", DurabilityNormal, time.Now(), true)
	if err != nil {
		return err
	}
	s.close()
	return nil
}

// SpoolState is what a spool tells of the gateways that had it.
type SpoolState struct {
	Used      bool // a gateway has opened it
	Rehearsed bool // ... and none did under the real clock since a rehearsal
	Clicks    bool // clicks are in it
}

// InspectSpool says what the spool at path tells, which need not be there.
func InspectSpool(ctx context.Context, path string) (state SpoolState, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return state, nil
	}
	s, err := openSpoolReader(ctx, path)
	if err != nil || s == nil {
		return state, err
	}
	defer s.close()
	clock, err := readClock(ctx, s.conn)
	if err != nil {
		return state, err
	}
	state.Used, state.Rehearsed = true, clock == clockRehearsal
	err = s.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM click)`).Scan(&state.Clicks)
	return state, err
}
