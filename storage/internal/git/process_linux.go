package git

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// startBound starts a process that the kernel kills when this one dies, and is for the process that moves refs: an
// orphan could move one after the next Open. The kernel means the thread that started it, so a goroutine keeps that
// thread for itself until over is closed.
func startBound(start func() error, attr *syscall.SysProcAttr, over <-chan struct{}) error {
	attr.Pdeathsig = syscall.SIGKILL
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := start()
		started <- err
		if err == nil {
			<-over
		}
	}()
	return <-started
}

// limitTime lets a process, and each that it starts afterwards, compute for so many seconds.
func limitTime(pid int, seconds uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds + 1}, nil)
}

// limitMemory lets a process have so many bytes of its own, besides the files that it maps.
func limitMemory(pid int, limit uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit}, nil)
}
