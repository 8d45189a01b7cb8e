package page

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Profile is the wiki that a repository comes from; it decides the doubtful cases of links.
type Profile string

// The profiles. Gollum stands for the wikis of GitHub, GitLab and Gitea too, Obsidian also for SilverBullet.
const (
	Native   Profile = "native"
	Gollum   Profile = "gollum"
	Otter    Profile = "otter"
	Obsidian Profile = "obsidian"
	Azure    Profile = "azure"
	WikiJS   Profile = "wikijs"
)

// What is looked at for the habits of a wiki's pages: the first of those listed, in byte order.
const (
	profileSamples = 5
	profilePaths   = 1000 // among so many paths
)

// DetectProfile guesses the profile; read gives the bytes of a file (for .cairn.yml and front matter), nil if none.
// What .cairn.yml says wins. The guess depends on the names and on what is read alone.
//
// It may be asked whenever names changed, however many there are: names are counted as they come and go, so it costs
// some look-ups and one read, and where no name decides five reads more, of which the front matter is decoded.
func DetectProfile(n *Names, read func(Path) []byte) Profile {
	if pr := profileIn(read(".cairn.yml")); pr != "" {
		return pr
	}
	switch {
	case n.HasDir(".obsidian"):
		return Obsidian
	case n.orders > 0:
		return Azure
	case n.gollum > 0 || n.Has(".redirects.gollum"):
		return Gollum
	}
	samples, paths := 0, 0
	for p := range n.All() {
		if paths++; samples == profileSamples || paths > profilePaths {
			break
		}
		if !p.Listed() {
			continue
		}
		samples++
		if isWikiJS(read(p)) {
			return WikiJS
		}
	}
	if n.upper == 0 && n.Has("home.md") {
		return Otter
	}
	return Native
}

// isWikiJS tells whether a page's front matter is as Wiki.js writes it.
func isWikiJS(src []byte) bool {
	text, _ := normalise(src[:min(len(src), 2*maxMeta)])
	meta, _ := splitMeta(text)
	root, err := decodeMeta(meta)
	if err != nil || root == nil {
		return false
	}
	d := &Doc{}
	d.readMeta(root)
	return d.Meta["dateCreated"] != nil && d.Meta["editor"] != nil
}

// profileIn reads the profile from a .cairn.yml; "" if it names none that there is.
func profileIn(src []byte) Profile {
	if len(src) == 0 || len(src) > maxMeta {
		return ""
	}
	root, err := decodeMeta(src)
	if err != nil || root == nil || root.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "profile" {
			continue
		}
		switch pr := Profile(strings.ToLower(root.Content[i+1].Value)); pr {
		case Native, Gollum, Otter, Obsidian, Azure, WikiJS:
			return pr
		case "github", "gitlab", "gitea", "forgejo":
			return Gollum
		case "silverbullet":
			return Obsidian
		}
	}
	return ""
}
