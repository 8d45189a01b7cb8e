// Command build makes the scripts that the browser gets, web/dist, of their sources in web/src and of what
// web/package-lock.json pins. Run it from the top folder, after "npm ci --ignore-scripts" in web:
//
//	go run ./web/build
//
// npm only fetches sources; esbuild, as a Go library, does the rest. The same sources give the same bytes, wherever and
// by whom they are built, so that whoever doubts what is committed can compare. Each name carries a hash of the content.
//
// It makes three bundles: cairn, which every page loads, write, which forms for texts load, and diagram, which the frame of a diagram loads. Of Mermaid's parts
// the layout engine ELK is left out, whose licence is not ours to take on: diagrams are laid out by dagre.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := build("web"); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// build writes dist below the folder web. What was there before stays until everything has been bundled.
func build(web string) error {
	dir, err := filepath.Abs(web)
	if err != nil {
		return err
	}
	made := map[string][]byte{}
	for name, format := range map[string]api.Format{"cairn": api.FormatESModule, "write": api.FormatESModule, "diagram": api.FormatIIFE} {
		code, err := bundle(dir, name, format)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sum := sha256.Sum256(code)
		made[name+"-"+hex.EncodeToString(sum[:4])+".js"] = code
	}
	dist := filepath.Join(dir, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.Mkdir(dist, 0o755); err != nil {
		return err
	}
	for name, code := range made {
		if err := os.WriteFile(filepath.Join(dist, name), code, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// bundle is src/NAME.ts with all that it imports, as one file.
func bundle(dir, name string, format api.Format) ([]byte, error) {
	got := api.Build(api.BuildOptions{
		AbsWorkingDir:     dir,
		EntryPoints:       []string{"src/" + name + ".ts"},
		Outdir:            "dist",
		Bundle:            true,
		Format:            format,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsEndOfFile,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Plugins:           []api.Plugin{withoutELK(dir)},
	})
	if len(got.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(got.Errors, api.FormatMessagesOptions{}), "\n"))
	}
	if len(got.OutputFiles) != 1 {
		return nil, fmt.Errorf("%d files came out, want one", len(got.OutputFiles))
	}
	return got.OutputFiles[0].Contents, nil
}

// withoutELK gives Mermaid its dagre layout where it asks for ELK.
func withoutELK(dir string) api.Plugin {
	return api.Plugin{Name: "without-elk", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `/elk-[A-Z0-9]+\.mjs$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			found, err := filepath.Glob(filepath.Join(dir, "node_modules/mermaid/dist/chunks/mermaid.core/dagre-*.mjs"))
			if err == nil && len(found) != 1 {
				err = fmt.Errorf("mermaid has %d layouts named dagre, want one", len(found))
			}
			if err != nil {
				return api.OnResolveResult{}, err
			}
			return api.OnResolveResult{Path: found[0]}, nil
		})
		b.OnResolve(api.OnResolveOptions{Filter: `^elkjs`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{}, fmt.Errorf("%s is imported by %s, and must not be", args.Path, filepath.Base(args.Importer))
		})
	}}
}
