//go:build !linux

package search

import bolt "go.etcd.io/bbolt"

// unmap does nothing here: the system takes memory back by itself when it needs it.
func unmap(*bolt.Tx) {}
