// Command cairn runs a wiki and looks after it. "cairn help" lists its commands; config.go alone reads flags and the
// environment, serve.go alone puts the rooms together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, pflag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "cairn:", err)
		os.Exit(1)
	}
}

// command is one thing that cairn does.
type command struct {
	name  string
	args  string
	does  string
	flags func(*config, *pflag.FlagSet)
	run   func(context.Context, *env, []string) error
}

// env is what a command works with.
type env struct {
	config
	stdout, stderr io.Writer
}

func commands() []command {
	return []command{
		{"serve", "", "run the wiki", serveFlags, serve},
		{"import", "SOURCE", "bring in a git repository (path, URL or bundle) or a folder of Markdown as a new space", importFlags, importSpace},
		{"space", "add NAME | list", "make a space, or list them", dataFlags, space},
		{"backup", "FILE", "write everything into one archive, also while the wiki runs (- is the standard output)", dataFlags, backup},
		{"restore", "FILE", "verify such an archive and make an empty data folder of it", dataFlags, restore},
		{"check", "", "verify all there is, say what is wrong and how to mend it; changes nothing, also while the wiki runs", dataFlags, check},
		{"reindex", "", "drop what is derived from the pages; the next start builds it again", dataFlags, reindex},
		{"bench", "", "measure how quick and how small the wiki is, with wikis of its own in a temporary folder", benchFlags, runBench},
		{"bench-reference", "DIR", "", noFlags, benchReference},
		{"config", "", "print the configuration in effect", serveFlags, printConfig},
		{"version", "", "print the version", noFlags, printVersion},
	}
}

// run does what the arguments say. It returns when that is done or ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, _ io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		help(stdout)
		return nil
	}
	for _, cmd := range commands() {
		if cmd.name != args[0] {
			continue
		}
		e := &env{stdout: stdout, stderr: stderr}
		rest, err := e.config.read(cmd, args[1:], getenv, stdout)
		if err != nil {
			return err
		}
		return cmd.run(ctx, e, rest)
	}
	return fmt.Errorf("there is no command %q; \"cairn help\" lists them", args[0])
}

func help(w io.Writer) {
	fmt.Fprint(w, "Cairn is a wiki: pages are Markdown files in git, and everyone who can reach it reads and writes.\n\n")
	for _, cmd := range commands() {
		if cmd.does == "" { // a part of another
			continue
		}
		fmt.Fprintf(w, "  %-28s %s\n", strings.TrimSpace("cairn "+cmd.name+" "+cmd.args), cmd.does)
	}
	fmt.Fprint(w, "\n\"cairn COMMAND --help\" lists the flags. Each flag can be set in the environment too: --data is CAIRN_DATA.\n")
}
