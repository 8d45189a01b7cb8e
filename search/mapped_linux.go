package search

import (
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// unmap lets go of the memory that a transaction's reading has made part of this process: the file's pages stay in the
// system's cache and come back one by one as they are asked for. Until the transaction ends the mapping stays where it
// is.
func unmap(tx *bolt.Tx) {
	syscall.Syscall(syscall.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), syscall.MADV_DONTNEED)
}
