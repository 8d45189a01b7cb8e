// Package web is what the browser sees: one typed struct per view, the
// templates that write them, the style sheet and the icon.
//
// A [Site] holds the assets and renders a [View] to bytes. A view is a plain
// struct such as [Page] or [Edit]; each embeds a [Frame], which is everything
// around the main content: header, page tree, crumbs, notice, actions. Views
// are made by value from strings, times and URLs; empty fields hide what they
// would show.
//
// The package builds no application URLs, asks nobody anything and knows no
// rights: an action whose URL is empty is not offered. Text is escaped; only
// the type [HTML] goes out as it is. Every view works without scripts and
// holds no inline script or style, so that the strictest policy can be sent
// with it. All ids of the frame begin with "cairn-".
package web

//go:generate go tool templ generate

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"time"

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
// content, so it may be cached for ever.
type Asset struct {
	Type string // media type
	Body []byte
	Gzip []byte // Body compressed
}

// Site is the embedded assets and the way to render views. It never changes
// after [New] and is safe for use by many goroutines.
type Site struct {
	assets map[string]Asset
	style  string // URL of the style sheet
	icon   string // URL of the icon
}

//go:embed styles/*.css favicon.svg
var files embed.FS

// layers are the style sheets in the order of the cascade.
var layers = [...]string{"reset", "tokens", "layout", "parts", "page", "code"}

// New prepares the assets.
func New() (*Site, error) {
	var css bytes.Buffer
	for _, layer := range layers {
		b, err := files.ReadFile("styles/" + layer + ".css")
		if err != nil {
			return nil, fmt.Errorf("style sheet: %w", err)
		}
		css.Write(b)
	}
	icon, err := files.ReadFile("favicon.svg")
	if err != nil {
		return nil, fmt.Errorf("icon: %w", err)
	}
	s := &Site{assets: map[string]Asset{}}
	if s.style, err = s.add("cairn.css", "text/css; charset=utf-8", css.Bytes()); err != nil {
		return nil, err
	}
	if s.icon, err = s.add("cairn.svg", "image/svg+xml", icon); err != nil {
		return nil, err
	}
	return s, nil
}

// add keeps body under a fingerprinted name and returns its URL.
func (s *Site) add(name, mediaType string, body []byte) (string, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return "", fmt.Errorf("asset %s: %w", name, err)
	}
	if _, err := w.Write(body); err != nil {
		return "", fmt.Errorf("asset %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("asset %s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	name = name[:len(name)-len(ext)] + "-" + hex.EncodeToString(sum[:4]) + ext
	s.assets[name] = Asset{Type: mediaType, Body: body, Gzip: packed.Bytes()}
	return AssetsURL + name, nil
}

// Asset returns the asset of that fingerprinted name, such as
// "cairn-0a1b2c3d.css". Its bytes must not be changed.
func (s *Site) Asset(name string) (Asset, bool) {
	a, ok := s.assets[name]
	return a, ok
}

// Style returns the URL of the style sheet, for an early hint.
func (s *Site) Style() string { return s.style }

// Icon returns the URL of the icon.
func (s *Site) Icon() string { return s.icon }

// Render writes the whole document of v to memory. Nothing has been sent when
// it fails.
func (s *Site) Render(ctx context.Context, v View) ([]byte, error) {
	var b bytes.Buffer
	if err := document(s, v.frame(), v.main()).Render(ctx, &b); err != nil {
		return nil, fmt.Errorf("render %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// clock writes a moment in plain English. It is absolute, because pages are
// cached.
func clock(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// day writes a date in plain English.
func day(t time.Time) string { return t.UTC().Format("Monday, 2 January 2006") }
