package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/search"
	"cairn/server"
	"cairn/storage/wiki"
)

// This file puts the rooms together, and takes them apart in order.

// drain is how long requests that are being answered may go on once the wiki is told to end.
const drain = 8 * time.Second

// serve runs the wiki until ctx ends: opens the rooms from the lowest floor up, says where it answers, and closes them
// in the other order.
func serve(ctx context.Context, e *env, _ []string) (err error) {
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))

	// A port that is taken is found out before anything is opened.
	listener, err := net.Listen("tcp", e.Listen)
	if err != nil {
		return explainListen(e.Listen, err)
	}
	defer listener.Close()

	w, err := wiki.Open(ctx, e.Data, log)
	if err != nil {
		return explainData(e.Data, err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()

	index, err := search.Open(filepath.Join(e.Data, "derived"), log)
	if err != nil {
		return explainData(e.Data, err)
	}
	defer func() { err = errors.Join(err, index.Close()) }()

	handler, err := server.New(server.Config{Wiki: w, Index: index, Log: log, URL: e.URL, Version: version()})
	if err != nil {
		return err
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return index.Run(ctx, w) })
	group.Go(func() error { return maintain(ctx, w, log) })
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := web.Shutdown(end); err != nil {
			return web.Close() // whoever has not finished by now is a slow client
		}
		return nil
	})
	fmt.Fprintf(e.stdout, "Cairn answers at %s\n", address(e, listener))
	return group.Wait()
}

// address is where a person on this machine finds the wiki.
func address(e *env, l net.Listener) string {
	if e.URL != "" {
		return e.URL
	}
	tcp := l.Addr().(*net.TCPAddr)
	if tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", tcp.Port)
	}
	return "http://" + tcp.String()
}

// tidyPause is how long maintain rests. Looking whether there is anything to tidy costs next to nothing.
const tidyPause = 5 * time.Second

// freePause is how often memory that is no longer needed is given back: after a load, Go would keep twice as much for
// minutes.
const freePause = time.Minute

// maintain tidies every space now and then.
func maintain(ctx context.Context, w *wiki.Wiki, log *slog.Logger) error {
	freed := time.Now().Add(tidyPause - freePause) // what the start has left goes soon
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tidyPause):
		}
		if time.Since(freed) > freePause {
			debug.FreeOSMemory()
			freed = time.Now()
		}
		for _, s := range w.Spaces(ctx) {
			if err := s.Maintain(ctx); err != nil && ctx.Err() == nil {
				log.Error("maintain", "space", s.Name(), "err", err)
			}
		}
	}
}

func explainListen(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program; choose another address with --listen, for instance --listen :8081", addr)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("this user may not listen at %s; choose a port above 1023 with --listen", addr)
	}
	return fmt.Errorf("cannot listen at %s (%w); an address looks like :8080 or 127.0.0.1:8080", addr, err)
}

func explainData(dir string, err error) error {
	switch {
	case errors.Is(err, wiki.ErrInUse):
		return fmt.Errorf("another cairn is running with the data folder %s; stop it, or choose another folder with --data", dir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("this user cannot write to the data folder %s (%w); choose another with --data", dir, err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the data folder %s is not a folder; choose another with --data", dir)
	}
	return fmt.Errorf("cannot open the data folder %s: %w", dir, err)
}
