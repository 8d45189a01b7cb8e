package page

import (
	"html"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/util"
	htmlnode "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// This file shows videos and sounds. Those of the wiki play where they stand. Those of other sites are links, which name
// the address of a frame: the scripts offer to show it, and nothing is loaded from there before somebody has pressed that.
// They are written as a picture of the address where people watch them, or as the frame that these sites give out:
//
//	![[talk.mp4]]  ![the talk](talk.mp4)
//	![the talk](https://www.youtube.com/watch?v=…)
//	<iframe src="https://www.youtube.com/embed/…"></iframe>
//
// A frame of any other site is a link to what it would have shown.

// FrameHosts are the sites of which a page may show frames.
func FrameHosts() []string { return []string{youtubeHost, vimeoHost} }

const (
	youtubeHost = "https://www.youtube-nocookie.com"
	vimeoHost   = "https://player.vimeo.com"
)

// A videoSite says how the addresses of one host name a video.
type videoSite struct {
	hosts   []string
	address *regexp.Regexp // of path and query; the first group is the video
	frame   func(id []string) string
}

var videoSites = []videoSite{
	{[]string{"www.youtube.com", "youtube.com", "m.youtube.com", "music.youtube.com"}, regexp.MustCompile(`^/watch\?(?:.*&)?v=([A-Za-z0-9_-]{11})(?:&.*)?$`), youtubeFrame},
	{[]string{"www.youtube.com", "youtube.com", "m.youtube.com", "www.youtube-nocookie.com"}, regexp.MustCompile(`^/(?:embed|shorts|live)/([A-Za-z0-9_-]{11})(?:\?.*)?$`), youtubeFrame},
	{[]string{"youtu.be"}, regexp.MustCompile(`^/([A-Za-z0-9_-]{11})(?:\?.*)?$`), youtubeFrame},
	{[]string{"vimeo.com", "www.vimeo.com"}, regexp.MustCompile(`^/([0-9]{1,12})(?:/([0-9a-f]{6,16}))?(?:\?.*)?$`), vimeoFrame},
	{[]string{"player.vimeo.com"}, regexp.MustCompile(`^/video/([0-9]{1,12})(?:\?(?:.*&)?h=([0-9a-f]{6,16})(?:&.*)?|\?.*)?$`), vimeoFrame},
}

func youtubeFrame(id []string) string { return youtubeHost + "/embed/" + id[1] }

func vimeoFrame(id []string) string {
	frame := vimeoHost + "/video/" + id[1] + "?dnt=1"
	if id[2] != "" { // of a video that is not listed
		frame += "&h=" + id[2]
	}
	return frame
}

// frameAddress is what every frame's address is like.
const frameAddress = `https://www\.youtube-nocookie\.com/embed/[A-Za-z0-9_-]{11}|https://player\.vimeo\.com/video/[0-9]{1,12}\?dnt=1(?:&h=[0-9a-f]{6,16})?`

// frameOf is the address of the frame that shows the video of an address; false if that is of no video. Hosts are compared
// whole: neither a port, nor a name in front of the host, nor another scheme is let through.
func frameOf(address string) (frame string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	asked := u.EscapedPath()
	if u.RawQuery != "" {
		asked += "?" + u.RawQuery
	}
	for _, site := range videoSites {
		for _, host := range site.hosts {
			if !strings.EqualFold(u.Host, host) {
				continue
			}
			if id := site.address.FindStringSubmatch(asked); id != nil {
				return site.frame(id), true
			}
		}
	}
	return "", false
}

// film writes the link to a video of another site.
func (w *writer) film(b util.BufWriter, address, frame, alt, title string) error {
	address = safeAddress(address)
	if alt == "" {
		alt = address
	}
	b.WriteString("<a class=\"film\"")
	attribute(b, "data-frame", frame)
	attribute(b, "href", address)
	attribute(b, "title", title)
	b.WriteString(" rel=\"nofollow ugc noopener\">")
	b.WriteString(html.EscapeString(alt))
	b.WriteString("</a>")
	return w.spend(len(frame) + len(address) + len(alt) + len(title))
}

// plays is the element that plays a file of that name; "" if none does.
func plays(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".mp4", ".webm":
		return "video"
	case ".mp3", ".ogg":
		return "audio"
	}
	return ""
}

// player writes the element that plays a file of the wiki. Who has no such player finds a link in it.
func (w *writer) player(b util.BufWriter, element, src, alt, title string) error {
	b.WriteString("<" + element + " controls=\"\" preload=\"metadata\"")
	attribute(b, "src", src)
	attribute(b, "title", title)
	attribute(b, "aria-label", alt)
	b.WriteString("><a")
	attribute(b, "href", src)
	b.WriteString(">")
	b.WriteString(html.EscapeString(alt))
	b.WriteString("</a></" + element + ">")
	return w.spend(2*len(src) + 2*len(alt) + len(title))
}

// unframed is a link for a frame that an author wrote; nil if it would lead nowhere.
func unframed(n *htmlnode.Node) *htmlnode.Node {
	address := strings.TrimSpace(get(n, "src"))
	if strings.HasPrefix(address, "//") {
		address = "https:" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil
	}
	text := get(n, "title")
	if text == "" {
		text = address
	}
	link := &htmlnode.Node{Type: htmlnode.ElementNode, Data: "a", DataAtom: atom.A}
	if frame, ok := frameOf(address); ok {
		set(link, "class", "film")
		set(link, "data-frame", frame)
	}
	set(link, "href", address)
	set(link, "rel", "nofollow ugc noopener")
	link.AppendChild(&htmlnode.Node{Type: htmlnode.TextNode, Data: text})
	return link
}
