// Package web is what the browser sees: one typed struct per view, the
// templates that write them, the style sheet and the icon.
//
// A [Site] holds the assets (style sheet, icon, scripts) and renders a [View]
// to bytes. A view is a plain
// struct such as [Page] or [Edit]; each embeds a [Frame], which is everything
// around the main content: header, page tree, crumbs, notice, actions. Views
// are made by value from strings, times and URLs; empty fields hide what they
// would show.
//
// The package builds no application URLs, asks nobody anything and knows no
// rights: an action whose URL is empty is not offered. Text is escaped; only
// the type [HTML] goes out as it is. Every view works without scripts, which
// only make it handier, and holds no inline script or style, so that the
// strictest policy can be sent with it. All ids of the frame begin with
// "cairn-".
//
// The scripts are written in src, one module a feature, and bundled into dist
// by "go run ./web/build"; what stands there is what the browser gets.
package web

//go:generate go tool templ generate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// HTML is markup that comes out of the sanitiser, and from nowhere else:
// templates write it without escaping.
type HTML string

// View is one of the structs of this package.
type View interface {
	frame() Frame
	main() templ.Component
}

// AssetsURL is where the server serves what [Site.Asset] returns.
const AssetsURL = "/-/assets/"

// Asset is one file that pages refer to. Its name carries a hash of its
// content, so it may be cached for ever. Safe for concurrent use.
type Asset struct {
	Type string // media type
	Packed
}

// Site is the embedded assets and the way to render views. It never changes
// after [New] and is safe for use by many goroutines.
type Site struct {
	assets map[string]Asset
	style  string            // URL of the style sheet of every view
	work   string            // and of that of views that are not for reading alone
	about  string            // and of that of Style
	icon   string            // URL of the icon
	script string            // URL of the scripts that every view loads
	texts  map[string]string // URLs of what they say, by the tags of languages; none for English
	draw   string            // URL of the script that the frame of diagrams loads
	ahead  string            // URL of the rules about what browsers may fetch before it is asked for
}

//go:embed styles/*.css favicon.svg icons.svg speculation.json dist/*.js
var files embed.FS

// blanks is what a style sheet has for people alone, and the strings, in which blanks mean something.
var blanks = regexp.MustCompile(`"[^"]*"|/\*(?s:.*?)\*/|\s*[{};,]\s*|:\s+|\s+`)

// squeeze is what browsers need of what blanks has found.
func squeeze(found []byte) []byte {
	switch short := bytes.TrimSpace(found); {
	case bytes.HasPrefix(short, []byte("/*")):
		return nil
	case len(short) > 0:
		return short
	}
	return []byte(" ")
}

// The style sheets in the order of the cascade; what only some views need, others do not load.
var (
	everyView  = []string{"reset", "tokens", "layout", "parts", "page", "code", "scripts"}
	workViews  = []string{"work", "diff"}
	styleViews = []string{"about"}
)

// New prepares the assets.
func New() (*Site, error) {
	icon, err := files.ReadFile("favicon.svg")
	if err != nil {
		return nil, fmt.Errorf("icon: %w", err)
	}
	ahead, err := files.ReadFile("speculation.json")
	if err != nil {
		return nil, fmt.Errorf("speculation rules: %w", err)
	}
	s := &Site{assets: map[string]Asset{}}
	s.ahead = s.add(hashed("speculation.json", ahead), "application/speculationrules+json", func() []byte { return ahead })
	if s.style, err = s.addStyle("cairn", everyView); err != nil {
		return nil, err
	}
	if s.work, err = s.addStyle("work", workViews); err != nil {
		return nil, err
	}
	if s.about, err = s.addStyle("about", styleViews); err != nil {
		return nil, err
	}
	symbols, err := files.ReadFile("icons.svg")
	if err != nil {
		return nil, fmt.Errorf("icons: %w", err)
	}
	s.add(hashed("icons.svg", symbols), "image/svg+xml", func() []byte { return symbols })
	s.icon = s.add(hashed("cairn.svg", icon), "image/svg+xml", func() []byte { return icon })
	if s.script, err = s.addScript("cairn"); err != nil {
		return nil, err
	}
	if err = s.addTexts(); err != nil {
		return nil, err
	}
	if _, err = s.addScript("write"); err != nil {
		return nil, err
	}
	if s.draw, err = s.addScript("diagram"); err != nil {
		return nil, err
	}
	return s, nil
}

// sprite is the URL of the symbols of the interface, all in one file.
var sprite = sync.OnceValue(func() string {
	symbols, _ := files.ReadFile("icons.svg") // New fails without it
	return AssetsURL + hashed("icons.svg", symbols)
})

// addStyle keeps some layers as one style sheet under a name.
func (s *Site) addStyle(name string, layers []string) (string, error) {
	var css bytes.Buffer
	for _, layer := range layers {
		b, err := files.ReadFile("styles/" + layer + ".css")
		if err != nil {
			return "", fmt.Errorf("style sheet: %w", err)
		}
		css.Write(blanks.ReplaceAllFunc(b, squeeze))
	}
	return s.add(hashed(name+".css", css.Bytes()), "text/css; charset=utf-8", css.Bytes), nil
}

// styles are the style sheets of a view.
func (s *Site) styles(v View) []string {
	switch v.(type) {
	case Page, Folder, Missing, Spaces:
		return []string{s.style}
	case Style:
		return []string{s.style, s.work, s.about}
	}
	return []string{s.style, s.work}
}

// writing is the URL of the script of the editor and its like.
var writing = sync.OnceValue(func() string {
	found, _ := fs.Glob(files, "dist/write-*.js")
	if len(found) == 0 {
		return "" // New fails without it
	}
	return AssetsURL + path.Base(found[0])
})

// addScript keeps what web/build has bundled under a name. A bundle may have
// megabytes and few readers, so it is not taken out of the program before.
func (s *Site) addScript(bundle string) (string, error) {
	found, err := fs.Glob(files, "dist/"+bundle+"-*.js")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("script %s: %d bundles, want one: %w", bundle, len(found), err)
	}
	body := sync.OnceValue(func() []byte {
		b, _ := files.ReadFile(found[0]) // it was there a moment ago
		return b
	})
	return s.add(path.Base(found[0]), "text/javascript; charset=utf-8", body), nil
}

// add keeps an asset under its fingerprinted name and returns its URL.
func (s *Site) add(name, mediaType string, body func() []byte) string {
	s.assets[name] = Asset{mediaType, Pack(body)}
	return AssetsURL + name
}

// hashed is a name with a hash of the content in it: "cairn-0a1b2c3d.css".
func hashed(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:4]) + ext
}

// Asset returns the asset of that fingerprinted name, such as
// "cairn-0a1b2c3d.css". Its bytes must not be changed.
func (s *Site) Asset(name string) (Asset, bool) {
	a, ok := s.assets[name]
	return a, ok
}

// Icon returns the URL of the icon.
func (s *Site) Icon() string { return s.icon }

// Ahead returns the URL of the rules that a Speculation-Rules header may name
// (https://html.spec.whatwg.org/multipage/speculative-loading.html): a page,
// not a file nor a form, is fetched when somebody is about to follow a link.
func (s *Site) Ahead() string { return s.ahead }

// Render writes the whole document of v to memory. Nothing has been sent when
// it fails.
func (s *Site) Render(ctx context.Context, v View) ([]byte, error) {
	var b bytes.Buffer
	if err := document(s, s.styles(v), v.frame(), v.main()).Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// Branch is what stands in a folder of the page tree, without a document around it.
func (s *Site) Branch(ctx context.Context, nodes []TreeNode) ([]byte, error) {
	return part(ctx, tree(nodes))
}

// Differences is the lines that differ between two revisions, in one column, without a document around them.
func (s *Site) Differences(ctx context.Context, d Diff) ([]byte, error) {
	return part(ctx, differences(d))
}

// part renders what scripts put into a view.
func part(ctx context.Context, c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render a part of a view: %w", err)
	}
	return b.Bytes(), nil
}

// DrawPolicy is the content policy of what [Site.Diagram] returns: in that
// document nothing is trusted. It has no origin and may load nothing but its
// script; the styles are those that drawings bring along.
const DrawPolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; font-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"

// Diagram is the document of the frame in which the scripts have diagrams
// drawn. It is to be sent with [DrawPolicy].
func (s *Site) Diagram(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	if err := diagram(s).Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render the frame of diagrams: %w", err)
	}
	return b.Bytes(), nil
}
