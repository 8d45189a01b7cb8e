package page

import (
	"strings"
	"testing"
)

func TestFrameOf(t *testing.T) {
	const tube, vimeo = "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "https://player.vimeo.com/video/76979871?dnt=1"
	for _, tt := range []struct{ address, want string }{
		{"https://www.youtube.com/watch?v=dQw4w9WgXcQ", tube},
		{"https://WWW.YouTube.com/watch?feature=shared&v=dQw4w9WgXcQ&t=30s", tube},
		{"https://youtube.com/watch?v=dQw4w9WgXcQ#at", tube},
		{"https://youtu.be/dQw4w9WgXcQ?si=abc", tube},
		{"https://www.youtube.com/shorts/dQw4w9WgXcQ", tube},
		{"https://www.youtube.com/embed/dQw4w9WgXcQ?rel=0", tube},
		{"https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", tube},
		{"https://vimeo.com/76979871", vimeo},
		{"https://vimeo.com/76979871/0123456789", vimeo + "&h=0123456789"},
		{"https://player.vimeo.com/video/76979871", vimeo},
		{"https://player.vimeo.com/video/76979871?title=0&h=abcdef12&x=1", vimeo + "&h=abcdef12"},

		{"http://www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"//www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"https://www.youtube.com:443/watch?v=dQw4w9WgXcQ", ""},
		{"https://www.youtube.com@example.org/watch?v=dQw4w9WgXcQ", ""},
		{"https://ann@www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"https://www.youtube.com.example.org/watch?v=dQw4w9WgXcQ", ""},
		{"https://example.org/https://www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"https://xyoutube.com/watch?v=dQw4w9WgXcQ", ""},
		{"https://www.youtube.com/watch?v=dQw4w9WgXcQQ", ""},
		{"https://www.youtube.com/watch?v=dQw4w9WgXc%51", ""},
		{"https://www.youtube.com/watch?v=\"onload=x()", ""},
		{"https://www.youtube.com/watch/?v=dQw4w9WgXcQ", ""},
		{"https://www.youtube.com/redirect?q=https://example.org", ""},
		{"https://youtu.be/dQw4w9WgXcQ/../../x", ""},
		{"https://vimeo.com/channels/76979871", ""},
		{"https://vimeo.com/76979871&h=1", ""},
		{"javascript:alert(1)//www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"https:www.youtube.com/watch?v=dQw4w9WgXcQ", ""},
		{"dQw4w9WgXcQ", ""},
	} {
		if got, ok := frameOf(tt.address); got != tt.want || ok != (tt.want != "") {
			t.Errorf("frameOf(%q) = %q, %v, want %q", tt.address, got, ok, tt.want)
		}
	}
}

func TestVideos(t *testing.T) {
	in := Context{Space: "go", Profile: Native, Names: names("Home.md", "guide/talk.mp4", "guide/song.mp3", "guide/pic.png")}
	film := func(href, frame, text string) string {
		return `<a class="film" data-frame="` + frame + `" href="` + href + `" rel="nofollow ugc noopener">` + text + `</a>`
	}
	const watch, frame = "https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ"
	for _, tt := range []struct{ name, in, want string }{
		{"video", "![A *talk*](" + watch + ")", "<p>" + film(watch, frame, "A talk") + "</p>"},
		{"without words", "![](https://vimeo.com/76979871)", "<p>" + film("https://vimeo.com/76979871", "https://player.vimeo.com/video/76979871?dnt=1", "https://vimeo.com/76979871") + "</p>"},
		{"in a link", "[![x](" + watch + ")](Home)", `<p><a href="/go/Home"><img src="` + watch + `" alt="x" loading="lazy"/></a></p>`},
		{"a link stays one", "[x](" + watch + ")", `<p><a href="` + watch + `" rel="nofollow ugc noopener">x</a></p>`},
		{"frame", `<iframe width="560" src="` + frame + `?si=1" title="A talk" onload="x()" allowfullscreen></iframe>`, film(frame+"?si=1", frame, "A talk")},
		{"frame of another site", `<iframe src="//example.org/a?b&c"></iframe>`, `<a href="https://example.org/a?b&amp;c" rel="nofollow ugc noopener">https://example.org/a?b&amp;c</a>`},
		{"frame of a script", `a<iframe src="javascript:x()" srcdoc="<b>"></iframe>b`, "<p>ab</p>"},
		{"frame in a link", `<a href="https://x.y/"><iframe src="https://example.org/"></iframe>z</a>`, `<p><a href="https://x.y/" rel="nofollow ugc noopener">z</a></p>`},
		{"a frame's address that an author made up", `<a class="film" data-frame="https://evil.example/" href="/x">x</a>`, `<p><a class="film" href="/x">x</a></p>`},
		{"video of the wiki", "![[talk.mp4]]", `<p><video controls="" preload="metadata" src="/go/guide/talk.mp4" aria-label="talk"><a href="/go/guide/talk.mp4">talk</a></video></p>`},
		{"sound of the wiki", "![Our song](song.mp3)", `<p><audio controls="" preload="metadata" src="/go/guide/song.mp3" aria-label="Our song"><a href="/go/guide/song.mp3">Our song</a></audio></p>`},
		{"video that is not there", "![[none.mp4]]", `<p><a class="missing"`},
		{"video in the author's HTML", `<video src="talk.mp4" autoplay controls></video>`, `<p><video controls="" src="/go/guide/talk.mp4"></video></p>`},
		{"video from abroad in the author's HTML", `<video src="https://example.org/x.mp4" controls></video>`, `<p><video controls=""></video></p>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.TrimSpace(Parse("guide/Page.md", []byte(tt.in)).HTML(in))
			if got != tt.want && !(strings.HasSuffix(tt.want, `"missing"`) && strings.HasPrefix(got, tt.want)) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			checkSafe(t, tt.in)
		})
	}
}
