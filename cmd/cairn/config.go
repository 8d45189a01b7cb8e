package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// config is everything that can be set: by a flag, else by the environment (--listen is CAIRN_LISTEN), else by default.
type config struct {
	Data   string // the data folder
	Listen string // address to listen at
	URL    string // public address, "" for what each request names
	Space  string // the space that an import makes
	Author string // whose name stands beside the one change that importing a folder makes

	Pages int           // of the largest wiki that bench makes
	Time  time.Duration // how long a turn of bench's loads lasts
	Only  string        // the lines that bench measures, "" for all

	set *pflag.FlagSet
}

func dataFlags(c *config, f *pflag.FlagSet) {
	f.StringVar(&c.Data, "data", "./cairn-data", "folder that holds everything; made if it is not there")
}

func serveFlags(c *config, f *pflag.FlagSet) {
	dataFlags(c, f)
	f.StringVar(&c.Listen, "listen", ":8080", "address to listen at; 127.0.0.1:0 picks a free port")
	f.StringVar(&c.URL, "url", "", "public address, like https://wiki.example.org")
}

func importFlags(c *config, f *pflag.FlagSet) {
	dataFlags(c, f)
	f.StringVar(&c.Space, "space", "", "name of the space to make (needed)")
	f.StringVar(&c.Author, "author", "Import", "who stands beside the change, when a folder is imported")
}

func benchFlags(c *config, f *pflag.FlagSet) {
	f.IntVar(&c.Pages, "pages", 10_000, "pages of the largest wiki, twice as many commits; 100000 takes half an hour")
	f.DurationVar(&c.Time, "time", time.Second, "how long a turn of load lasts; there are three")
	f.StringVar(&c.Only, "only", "", "measure only these lines: "+benchParts)
}

func noFlags(*config, *pflag.FlagSet) {}

// read fills in the configuration for a command and returns what is left of the arguments.
func (c *config) read(cmd command, args []string, getenv func(string) string, stdout io.Writer) ([]string, error) {
	c.set = pflag.NewFlagSet("cairn "+cmd.name, pflag.ContinueOnError)
	c.set.SetOutput(stdout)
	c.set.SortFlags = false
	c.set.Usage = func() {
		fmt.Fprintf(stdout, "cairn %s: %s\n\n%s", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.does, c.set.FlagUsages())
	}
	cmd.flags(c, c.set)
	var err error
	c.set.VisitAll(func(f *pflag.Flag) {
		if v := getenv(variable(f.Name)); v != "" && err == nil {
			if serr := f.Value.Set(v); serr != nil {
				err = fmt.Errorf("%s: %w", variable(f.Name), serr)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := c.set.Parse(args); err != nil {
		return nil, err
	}
	rest := c.set.Args()
	if want := strings.Fields(cmd.args); len(rest) > 0 && len(want) == 0 {
		return nil, fmt.Errorf("cairn %s takes no %q", cmd.name, rest[0])
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if u, err := url.Parse(c.URL); c.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return nil, fmt.Errorf("--url is a whole address like https://wiki.example.org, not %q", c.URL)
	}
	return rest, nil
}

// variable is the name of a flag in the environment.
func variable(flag string) string {
	return "CAIRN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func printConfig(_ context.Context, e *env, _ []string) error {
	e.config.set.VisitAll(func(f *pflag.Flag) {
		fmt.Fprintf(e.stdout, "%s=%s\n", variable(f.Name), f.Value)
	})
	return nil
}
