package click

import (
	"errors"
	"time"
)

// Fault says since when and why clicks are not recorded.
type Fault struct {
	Since time.Time
	Err   error
}

func (f *Fault) Error() string { return "the click could not be recorded: " + f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// ErrClosed is what a recorder says after Close.
var ErrClosed = errors.New("the recorder is closed")

var errNoAnswer = errors.New("the disk does not answer")

// How often a recorder with a fault tries the disk, and tells the log about it.
const (
	retryEvery = 100 * time.Millisecond
	tellEvery  = 10 * time.Second
)

// watchdog lets nobody wait longer than the bound for a disk that does not answer.
func (r *Recorder) watchdog() {
	tick := time.NewTicker(max(r.o.Bound/8, time.Millisecond))
	defer tick.Stop()
	told := time.Now()
	for {
		select {
		case <-r.done:
			return
		case <-tick.C:
		}
		if w := r.writing.Load(); w != nil && time.Since(w.began) > r.o.Bound {
			r.setFault(errNoAnswer)
			fault := r.fault.Load()
			if fault == nil {
				continue // it answered just now
			}
			if w.batch != nil {
				r.finish(w.batch, 0, "", fault)
			}
			r.mu.Lock()
			waiting := r.batch
			if len(waiting.ends) > 0 {
				r.batch = newBatch()
			}
			r.mu.Unlock()
			if len(waiting.ends) > 0 {
				r.finish(waiting, 0, "", fault)
			}
		}
		if f := r.fault.Load(); f != nil && time.Since(told) > tellEvery {
			told = time.Now()
			r.o.Logger.Error("clicks are still not recorded; visitors are redirected all the same", "since", f.Since, "err", f.Err, "dropped", r.dropped.Load())
		}
	}
}

func (r *Recorder) setFault(err error) {
	f := &Fault{r.o.Now(), err}
	if r.fault.CompareAndSwap(nil, f) {
		r.o.Logger.Error("clicks cannot be recorded; visitors are redirected all the same, the clicks are dropped and counted", "spool", r.o.Path, "err", err)
	}
}

func (r *Recorder) clearFault(f *Fault) {
	if r.fault.CompareAndSwap(f, nil) {
		r.o.Logger.Info("clicks are recorded again", "spool", r.o.Path, "lost_for", r.o.Now().Sub(f.Since).String(), "dropped", r.dropped.Load())
	}
}

// mend tries the disk, with the file as it is and then opened anew.
func (r *Recorder) mend() {
	f := r.fault.Load()
	err := r.visit(nil, func() error {
		if s := r.spool.Load(); s != nil && s.probe() == nil {
			return nil
		}
		return r.reopen()
	})
	if err == nil && f != nil {
		r.clearFault(f)
	}
}

// reopen opens the spool anew. A damaged file is set aside: what it held stays there for
// a person, and new clicks are safe again.
func (r *Recorder) reopen() error {
	if s := r.spool.Swap(nil); s != nil {
		s.close()
	}
	s, err := r.openAndProbe()
	if damaged(err) {
		aside, moved := setAside(r.o.Path, r.o.Now())
		if moved != nil {
			return errors.Join(err, moved)
		}
		r.o.Logger.Error("the click spool is damaged and was set aside; clicks in it that were not drained are not in the book", "file", aside, "err", err)
		s, err = r.openAndProbe()
	}
	if err != nil {
		return err
	}
	if r.o.Node != "" && s.node != r.o.Node {
		r.o.Logger.Warn("the click spool keeps the node name that it was made with", "spool", r.o.Path, "node", s.node, "configured", r.o.Node)
	}
	r.spool.Store(s)
	return nil
}

func (r *Recorder) openAndProbe() (*spool, error) {
	s, err := openSpool(r.o.Path, r.o.Node, r.o.Durability, r.o.Now())
	if err != nil {
		return nil, err
	}
	if err := s.probe(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
