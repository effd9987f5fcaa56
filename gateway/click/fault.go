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

var errNoAnswer = errors.New("the disk does not answer")

// How often a recorder with a fault tries the disk, and logs that it has one.
const (
	retryEvery = 100 * time.Millisecond
	logEvery   = 10 * time.Second
)

// watchdog lets nobody wait longer than the bound for a disk that does not answer, has the
// disk tried again while there is a fault, and closes the spool when the committer has ended.
func (r *Recorder) watchdog() {
	tick := time.NewTicker(max(r.o.Bound/8, time.Millisecond))
	defer tick.Stop()
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	logged := time.Now()
	for {
		select {
		case <-r.group.Done():
			if s := r.spool.Load(); s != nil {
				s.close()
			}
			return
		case <-retry.C:
			if r.fault.Load() != nil && r.trying.CompareAndSwap(false, true) {
				r.group.Do(r.tryDisk)
			}
			continue
		case <-tick.C:
		}
		if since := r.diskBusy.Load(); since != nil && time.Since(*since) > r.o.Bound {
			r.setFault(errNoAnswer)
			if f := r.fault.Load(); f != nil { // else it answered just now
				r.group.Fail(f)
			}
		}
		if f := r.fault.Load(); f != nil && time.Since(logged) > logEvery {
			logged = time.Now()
			r.o.Logger.Error("clicks are still not recorded; visitors are redirected all the same",
				"since", f.Since, "err", f.Err, "dropped", r.dropped.Load())
		}
	}
}

func (r *Recorder) setFault(err error) {
	f := &Fault{r.o.Now(), err}
	if r.fault.CompareAndSwap(nil, f) {
		r.o.Logger.Error("clicks cannot be recorded; visitors are redirected all the same, the clicks are dropped and counted",
			"spool", r.o.Path, "err", err)
	}
}

func (r *Recorder) clearFault(f *Fault) {
	if r.fault.CompareAndSwap(f, nil) {
		r.o.Logger.Info("clicks are recorded again",
			"spool", r.o.Path, "lost_for", r.o.Now().Sub(f.Since).String(), "dropped", r.dropped.Load())
	}
}

// tryDisk ends a fault when the disk takes a click again: in the file as it is, or opened anew.
func (r *Recorder) tryDisk() {
	defer r.trying.Store(false)
	f := r.fault.Load()
	if f == nil {
		return
	}
	if r.useDisk(func() error {
		if s := r.spool.Load(); s != nil && s.probe() == nil {
			return nil
		}
		return r.reopen()
	}) == nil {
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
	if isDamaged(err) {
		aside, moved := setAside(r.o.Path, r.o.Now())
		if moved != nil {
			return errors.Join(err, moved)
		}
		r.o.Logger.Error("the click spool is damaged and was set aside; clicks in it that were not drained are not in the book",
			"file", aside, "err", err)
		s, err = r.openAndProbe()
	}
	if err != nil {
		return err
	}
	if r.o.Node != "" && s.node != r.o.Node {
		r.o.Logger.Warn("the click spool keeps the node name that it was made with",
			"spool", r.o.Path, "node", s.node, "configured", r.o.Node)
	}
	if s.rehearsed {
		r.o.Logger.Warn("rehearsals were held on this data: what they recorded stays among what is real", "spool", r.o.Path)
	}
	r.spool.Store(s)
	return nil
}

func (r *Recorder) openAndProbe() (*spool, error) {
	s, err := openSpool(r.o.Path, r.o.Node, r.o.Durability, r.o.Now(), r.o.Rehearsal)
	if err != nil {
		return nil, err
	}
	if err := s.probe(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
