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

// profileSamples is how many pages are looked at for the habits of a wiki.
const profileSamples = 20

// DetectProfile guesses the profile; read gives the bytes of a file (for .cairn.yml and front matter), nil if none.
// What .cairn.yml says wins.
func DetectProfile(n *Names, read func(Path) []byte) Profile {
	if pr := profileIn(read(".cairn.yml")); pr != "" {
		return pr
	}
	if n.HasDir(".obsidian") {
		return Obsidian
	}
	home, lower, gollum := false, true, n.Has(".redirects.gollum")
	var samples []Path
	for p := range n.All() {
		if p.Base() == ".order" {
			return Azure
		}
		if !p.IsPage() {
			continue
		}
		if len(samples) < profileSamples {
			samples = append(samples, p)
		}
		lower = lower && strings.ToLower(string(p)) == string(p)
		if p.Dir() == "" {
			name := stripExt(string(p))
			gollum = gollum || name == "Home" || name == "_Sidebar" || name == "_sidebar" || name == "_Footer"
			home = home || p == "home.md"
		}
	}
	if gollum {
		return Gollum
	}
	for _, p := range samples {
		meta := Parse(p, read(p)).Meta
		if meta["dateCreated"] != nil && meta["editor"] != nil {
			return WikiJS
		}
	}
	if home && lower {
		return Otter
	}
	return Native
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
