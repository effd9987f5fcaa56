package sheet

import "io"

// batchRecords is how many records go from the scanner to the decoder at a time, and
// batchBytes how many bytes of them at the most.
const (
	batchRecords = 512
	batchBytes   = 1 << 20
)

// batch is a run of records that do not depend on the scanner any more, so that one
// goroutine can split the file while another decodes what came before.
type batch struct {
	records []record
	data    []byte
	cells   []uint32
	err     error // what ended the reading after these records; nil: there is more
}

// fill reads the next records of s.
func (b *batch) fill(s *scanner) {
	b.records, b.data, b.cells, b.err = b.records[:0], b.data[:0], b.cells[:0], nil
	for len(b.records) < batchRecords && len(b.data) < batchBytes {
		if b.err = s.next(); b.err != nil {
			return
		}
		// Slices of a buffer that grows later keep pointing to the bytes they were made of.
		b.data = append(b.data, s.rec.data...)
		b.cells = append(b.cells, s.rec.cells...)
		b.records = append(b.records, record{
			line: s.rec.line, unclosedQuote: s.rec.unclosedQuote,
			data:  b.data[len(b.data)-len(s.rec.data):],
			cells: b.cells[len(b.cells)-len(s.rec.cells):],
		})
	}
}

// eachRecord calls fn for every record of s, in order, while the next ones are split in the
// background. It returns fn's first error, or what ended the reading unless that is the
// end of the file. The scanner is not in use any more when it returns.
func (s *scanner) eachRecord(fn func(rec *record) error) error {
	full, empty := make(chan *batch, 2), make(chan *batch, 3)
	for range cap(empty) {
		empty <- &batch{}
	}
	go func() {
		defer close(full)
		for b := range empty {
			b.fill(s)
			full <- b
			if b.err != nil {
				return
			}
		}
	}()
	var failed error
	for b := range full {
		for i := range b.records {
			if failed == nil {
				failed = fn(&b.records[i])
			}
		}
		switch {
		case failed != nil:
			close(empty) // the scanner stops at its next batch
			for range full {
			}
			return failed
		case b.err == io.EOF:
			return nil
		case b.err != nil:
			return b.err
		}
		empty <- b
	}
	return failed
}
