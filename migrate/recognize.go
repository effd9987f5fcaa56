package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"carryover/migrate/keap"
	"carryover/migrate/sheet"
)

// findExports finds every file that the request names, and recognises what it is by its
// header.
func findExports(ctx context.Context, req *Request, conflicts *conflictList) (*exports, error) {
	x := &exports{currency: req.Settings.Currency, progress: req.Progress, sink: req.Sink}
	inputs, err := sheet.Find(req.Args, keap.KindNames())
	if err != nil {
		return nil, err
	}
	inputs = slices.DeleteFunc(inputs, func(in sheet.Input) bool { return !in.Explicit && req.leavesOut(in.Path) })
	unmended := unmendedRejects{}
	inputs = slices.DeleteFunc(inputs, func(in sheet.Input) bool {
		if in.Explicit || !unmended.has(in.Path) {
			return false
		}
		x.unmended = append(x.unmended, in.Path)
		return true
	})
	if len(inputs) == 0 && len(x.unmended) > 0 {
		return nil, fmt.Errorf("%s: %s", x.unmended[0], unmendedText)
	}
	if len(inputs) == 0 {
		return nil, fmt.Errorf("%s holds no files: name the folder or zip with Keap's exports", strings.Join(req.Args, ", "))
	}
	if err := x.recognise(ctx, inputs, req.Settings, conflicts); err != nil {
		return nil, err
	}
	if len(x.found) == 0 {
		return nil, x.errNothingFound(req.Args)
	}
	x.files, x.rejects = make([]FilePlan, len(x.found)), make([][]rejectedRow, len(x.found))
	return x, nil
}

// unmendedText says why a file of rejects is no export.
const unmendedText = "no row of it was mended: it is as carryover wrote it"

// recognise reads every input once and keeps the files that are carried over.
func (x *exports) recognise(ctx context.Context, inputs []sheet.Input, s *Settings, conflicts *conflictList) error {
	x.names = questionNames(inputs)
	probed := probe(ctx, inputs, x.progress, columnOptions(s, x.names, conflicts.decisions))
	for i, in := range inputs {
		f, err := probed[i].file, probed[i].err
		var unknown *sheet.UnknownKindError
		var long *sheet.LongRecordError
		switch {
		case errors.As(err, &long) && long.Headless && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: err.Error()})
			continue
		case errors.As(err, &unknown) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: err.Error()})
			continue
		case errors.Is(err, sheet.ErrEmpty) && !in.Explicit:
			x.unread = append(x.unread, Unread{Path: in.Path, Reason: "the file is empty"})
			continue
		case err != nil:
			return err
		}
		x.found = append(x.found, f)
	}
	x.askColumns(s.Currency, conflicts)
	return nil
}

type probedFile struct {
	file *sheet.File
	err  error
}

// probe reads inputs, several at once, each to its own place of what it returns.
func probe(ctx context.Context, inputs []sheet.Input, progress Progress, opt sheet.Options) []probedFile {
	var total int64
	for _, in := range inputs {
		total += in.Size
	}
	bar := progress.Bar("recognising", total)
	defer bar.Done()
	results := make([]probedFile, len(inputs))
	next := make(chan int, len(inputs))
	for i := range inputs {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		wg.Go(func() {
			for i := range next {
				if results[i].err = ctx.Err(); results[i].err == nil {
					results[i].file, results[i].err = sheet.Probe(countBytes(inputs[i], bar), keap.Kinds(), opt)
				}
			}
		})
	}
	wg.Wait()
	return results
}

// errNothingFound says why none of the files could be used.
func (x *exports) errNothingFound(args []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "none of the %d files in %s is an export that can be carried over: needed are Keap's referral partner list, "+
		"contacts and tracking links as CSV, and its referrals, orders, subscriptions, commissions, clawbacks, payments and ledger",
		len(x.unread), strings.Join(args, ", "))
	for i, u := range x.unread {
		if i == 5 {
			fmt.Fprintf(&b, "\n  … and %d more", len(x.unread)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s", u.Reason)
	}
	return errors.New(b.String())
}

// countBytes makes the bytes that are read of an input move the bar.
func countBytes(in sheet.Input, bar Bar) sheet.Input {
	open := in.Open
	in.Open = func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, err
		}
		return &countingReader{r, bar}, nil
	}
	return in
}

type countingReader struct {
	io.ReadCloser
	bar Bar
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.bar.Add(int64(n))
	return n, err
}
