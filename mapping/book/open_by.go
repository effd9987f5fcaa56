package book

import (
	"os"
	"syscall"
)

// walLockByte is the byte of the shared-memory file on which every connection to a database in
// WAL mode holds a lock as long as it is open: https://sqlite.org/walformat.html#wal_locks
// (WAL_LOCK "DMS", byte 128).
const walLockByte = 128

// OpenBy is the id of another process that has the SQLite database at path open; 0 when none
// has, as far as can be seen.
func OpenBy(path string) int {
	f, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: walLockByte, Len: 1}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil || lock.Type == syscall.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}
