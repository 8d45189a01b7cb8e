package page

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// This file reads front matter: YAML between two lines of "---" (the second may be "...") at the very start. It is
// decoded to nodes and never into values by the library, because aliases, merges and tags are how a small text
// becomes gigabytes.

const (
	maxMeta     = 16 << 10
	maxMetaKeys = 100
	maxMetaDeep = 16
)

// metaError says in a sentence, for whoever wrote it, why front matter was not read.
type metaError string

func (e metaError) Error() string { return string(e) }

const (
	errMetaSize  metaError = "The front matter is longer than 16 KiB."
	errMetaKeys  metaError = "The front matter has more than 100 keys."
	errMetaDeep  metaError = "The front matter is nested too deeply."
	errMetaAlias metaError = "The front matter uses anchors, aliases, merges or tags, which are not read here."
	errMetaYAML  metaError = "The front matter is not valid YAML."
)

// splitMeta finds the front matter; skip is where the body begins, 0 if there is none.
func splitMeta(text []byte) (meta []byte, skip int) {
	first, _, ok := bytes.Cut(text, []byte("\n"))
	if !ok || string(bytes.TrimRight(first, " \t")) != "---" {
		return nil, 0
	}
	start := len(first) + 1
	for at := start; at < len(text); {
		line, _, _ := bytes.Cut(text[at:], []byte("\n"))
		end := min(at+len(line)+1, len(text))
		if s := string(bytes.TrimRight(line, " \t")); s == "---" || s == "..." {
			return text[start:at], end
		}
		at = end
	}
	return nil, 0
}

// decodeMeta parses front matter. Without an error the node is a mapping, or nil if the text is something else.
func decodeMeta(src []byte) (*yaml.Node, error) {
	if len(src) > maxMeta {
		return nil, errMetaSize
	}
	// The parser's work grows with the square of the depth.
	if bytes.Count(src, []byte("[")) > 1000 || bytes.Count(src, []byte("{")) > 1000 ||
		bytes.Count(src, []byte("- - ")) > 100 || bytes.Count(src, []byte("? ")) > 100 {
		return nil, errMetaDeep
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, errMetaYAML
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	count := 0
	return doc.Content[0], checkMeta(doc.Content[0], 0, &count)
}

func checkMeta(n *yaml.Node, depth int, count *int) error {
	switch {
	case depth > maxMetaDeep:
		return errMetaDeep
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		return errMetaAlias
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if *count++; *count > maxMetaKeys {
				return errMetaKeys
			}
			if c.Kind != yaml.ScalarNode {
				return errMetaYAML
			}
			if c.Tag == "!!merge" || c.Value == "<<" {
				return errMetaAlias
			}
		}
		if err := checkMeta(c, depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

// value makes plain Go values of checked nodes: string, bool, int, float64, nil, []any, map[string]any. Dates stay as
// they are written.
func value(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if _, twice := m[n.Content[i].Value]; !twice {
				m[n.Content[i].Value] = value(n.Content[i+1])
			}
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = value(c)
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var v any
		if n.Decode(&v) == nil {
			return v
		}
	}
	return n.Value
}

var langTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

func (d *Doc) readMeta(root *yaml.Node) {
	d.Meta, _ = value(root).(map[string]any)
	for i := 0; i+1 < len(root.Content); i += 2 {
		v := root.Content[i+1]
		switch strings.ToLower(root.Content[i].Value) {
		case "title":
			if d.Title == "" && v.Kind == yaml.ScalarNode && v.ShortTag() != "!!null" {
				d.Title = strings.Join(strings.Fields(v.Value), " ")
			}
		case "tags", "tag":
			for _, s := range words(v, true) {
				d.addTag(s)
			}
		case "aliases", "alias":
			d.Aliases = append(d.Aliases, words(v, false)...)
		case "owner", "owners":
			if d.Owner == "" {
				d.Owner = strings.Join(strings.Fields(strings.Join(words(v, false), ", ")), " ")
			}
		case "review":
			// A time of day may follow.
			if day, err := time.Parse(time.DateOnly, v.Value[:min(len(v.Value), len(time.DateOnly))]); err == nil {
				d.Review = day
			}
		case "lang", "language", "locale":
			if s := strings.ReplaceAll(v.Value, "_", "-"); langTag.MatchString(s) {
				d.Lang = s
			}
		}
	}
}

// words reads a list, or a string with commas, or (spaces) one with spaces.
func words(n *yaml.Node, spaces bool) []string {
	var list []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		for _, c := range n.Content {
			if c.Kind == yaml.ScalarNode && c.ShortTag() != "!!null" {
				add(c.Value)
			}
		}
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
	case strings.Contains(n.Value, ","):
		for s := range strings.SplitSeq(n.Value, ",") {
			add(s)
		}
	case spaces:
		list = strings.Fields(n.Value)
	default:
		add(n.Value)
	}
	return list
}
