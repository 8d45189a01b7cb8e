package git

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// writer saves new files for ever and prints the path of each that it was told is saved.
func writer(dir string) {
	ctx := context.Background()
	r, err := Open(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				path := fmt.Sprintf("%d/%d-%d.md", w, os.Getpid(), i)
				if _, err := r.Commit(ctx, Change{Author: ann, Message: path, Edits: []Edit{{Path: path, Data: []byte(path)}}}); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				os.Stdout.WriteString(path + "\n") // one write: lines do not mix
			}
		})
	}
	group.Wait()
}

// What a writer was told is saved is there after it was killed, and the repository is whole.
func TestKill(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	dir := newDir(t)
	var told []string
	for range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CAIRN_TEST_WRITER="+dir)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(150+rand.IntN(200))*time.Millisecond, func() { cmd.Process.Kill() })
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "error") {
				t.Error(lines.Text())
			}
			told = append(told, lines.Text())
		}
		cmd.Wait()
		kill.Stop()
		r, err := Open(t.Context(), dir, testLog(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range told {
			if got := read(t, r, path); got != path {
				t.Errorf("%s was told saved, and reads %q", path, got)
			}
		}
		r.Close()
	}
	if len(told) == 0 {
		t.Error("nothing was saved in any round")
	}
	t.Logf("%d saves told in %d rounds", len(told), rounds)
	fsck(t, dir)
}
