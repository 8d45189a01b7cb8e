//go:build !linux

package git

import "syscall"

// startBound starts a process; only Linux can tie its life to ours.
func startBound(start func() error, _ *syscall.SysProcAttr, _ <-chan struct{}) error { return start() }

// limitMemory does nothing: one process cannot limit another here.
func limitMemory(int, uint64) error { return nil }

// limitTime does nothing either.
func limitTime(int, uint64) error { return nil }
