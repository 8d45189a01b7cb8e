package page

import (
	"bytes"
	"encoding/binary"
	"image"

	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// exif is a JPEG with a camera's note of how it was held, in either byte order, put before its first segment.
func exif(t *testing.T, img image.Image, turn uint16, order binary.AppendByteOrder) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	mark := "MM\x00\x2a"
	if order.AppendUint16(nil, 1)[0] == 1 {
		mark = "II\x2a\x00"
	}
	note := append([]byte("Exif\x00\x00"), mark...)
	note = order.AppendUint32(note, 8)
	note = order.AppendUint16(note, 2)
	for _, e := range []struct{ tag, kind, value uint16 }{{0x0100, 3, 7}, {0x0112, 3, turn}} {
		note = order.AppendUint16(note, e.tag)
		note = order.AppendUint16(note, e.kind)
		note = order.AppendUint32(note, 1)
		note = order.AppendUint16(note, e.value)
		note = append(note, 0, 0)
	}
	seg := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(note)+2))
	return append(append(append([]byte{0xff, 0xd8}, seg...), note...), b.Bytes()[2:]...)
}

func be32(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func isoBox(kind string, parts ...string) string {
	data := strings.Join(parts, "")
	return be32(uint32(8+len(data))) + kind + data
}

func TestReadPicture(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 30, 20))
	var pngBytes, jpegBytes, gifBytes bytes.Buffer
	if err := png.Encode(&pngBytes, img); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&jpegBytes, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&gifBytes, img, nil); err != nil {
		t.Fatal(err)
	}
	ispe := func(w, h uint32) string { return isoBox("ispe", "\x00\x00\x00\x00", be32(w), be32(h)) }
	avif := func(props ...string) string {
		return isoBox("ftyp", "avif\x00\x00\x00\x00mif1") + isoBox("meta", "\x00\x00\x00\x00", isoBox("hdlr", "x"), isoBox("iprp", isoBox("ipco", props...)))
	}
	riff := func(chunk string) string { return "RIFF\x00\x00\x00\x00WEBP" + chunk + strings.Repeat("\x00", 16) }
	bomb := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + be32(50000) + be32(50000) + "\x08\x06\x00\x00\x00"
	for _, tt := range []struct {
		name string
		b    string
		want Picture
	}{
		{"png", pngBytes.String(), Picture{"png", 30, 20, 1, false, false}},
		{"png of which there is only the header", pngBytes.String()[:33], Picture{"png", 30, 20, 1, false, false}},
		{"png that moves", pngBytes.String()[:33] + "\x00\x00\x00\x08acTL", Picture{"png", 30, 20, 1, true, false}},
		{"png of 2.5 gigapixels", bomb, Picture{"png", 50000, 50000, 1, false, false}},
		{"png without size", bomb[:20], Picture{}},
		{"png of no width", strings.Replace(bomb, be32(50000), be32(0), 1), Picture{}},
		{"png of negative width", strings.Replace(bomb, be32(50000), "\xff\xff\xff\xff", 1), Picture{}},
		{"jpeg", jpegBytes.String(), Picture{"jpeg", 30, 20, 1, false, false}},
		{"jpeg in several scans", strings.Replace(jpegBytes.String(), "\xff\xc0", "\xff\xc2", 1), Picture{"jpeg", 30, 20, 1, false, true}},
		{"jpeg upright", string(exif(t, img, 1, binary.BigEndian)), Picture{"jpeg", 30, 20, 1, false, false}},
		{"jpeg on its side", string(exif(t, img, 6, binary.BigEndian)), Picture{"jpeg", 20, 30, 6, false, false}},
		{"jpeg on its other side", string(exif(t, img, 8, binary.LittleEndian)), Picture{"jpeg", 20, 30, 8, false, false}},
		{"jpeg turned nowhere", string(exif(t, img, 9, binary.LittleEndian)), Picture{"jpeg", 30, 20, 1, false, false}},
		{"jpeg cut off", jpegBytes.String()[:30], Picture{}},
		{"jpeg with endless filling", "\xff\xd8" + strings.Repeat("\xff", 5000), Picture{}},
		{"gif", gifBytes.String(), Picture{"gif", 30, 20, 1, true, false}},
		{"webp", riff("VP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x1e\x00\x14\x00"), Picture{"webp", 30, 20, 1, false, false}},
		{"webp without loss", riff("VP8L\x00\x00\x00\x00\x2f" + string(binary.LittleEndian.AppendUint32(nil, 29|19<<14))), Picture{"webp", 30, 20, 1, false, false}},
		{"webp that moves", riff("VP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x1d\x00\x00\x13\x00\x00"), Picture{"webp", 30, 20, 1, true, false}},
		{"avif", avif(ispe(30, 20)), Picture{"avif", 30, 20, 1, false, false}},
		{"avif of tiles", avif(ispe(10, 20), ispe(30, 20), ispe(3, 2)), Picture{"avif", 30, 20, 1, false, false}},
		{"avif turned", avif(ispe(30, 20), isoBox("irot", "\x01")), Picture{"avif", 20, 30, 6, false, false}},
		{"avif without size", avif(), Picture{}},
		{"avif of boxes of no length", isoBox("ftyp", "avif\x00\x00\x00\x00") + strings.Repeat("\x00\x00\x00\x04meta", 9), Picture{}},
		{"heic", isoBox("ftyp", "heic\x00\x00\x00\x00"), Picture{}},
		{"svg", "<svg width='10' height='10'/>", Picture{}},
		{"text", "hello", Picture{}}, {"nothing", "", Picture{}},
	} {
		if got := ReadPicture([]byte(tt.b)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzReadPicture(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x00" + strings.Repeat("\x00", 40)))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01"))
	f.Add([]byte(isoBox("ftyp", "avif\x00\x00\x00\x00mif1") + isoBox("meta", "\x00\x00\x00\x00", isoBox("iprp", isoBox("ipco", isoBox("ispe", "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01"))))))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x1d\x00\x00\x13\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := ReadPicture(b)
		if (p.Format == "") != (p.Width == 0) || p.Width < 0 || p.Height < 0 || p.Format != "" && p.Height == 0 {
			t.Fatalf("%+v", p)
		}
		if w, h, _ := p.fit(0, 0); w < 0 || h < 0 || w > maxShown || h > maxShown {
			t.Fatalf("%+v is shown as %dx%d", p, w, h)
		}
	})
}

// A page leaves room for its pictures, and takes smaller versions of large ones.
func TestPicturesOnPages(t *testing.T) {
	known := map[Path]Picture{
		"small.png": {"png", 300, 200, 1, false, false}, "large.jpg": {"jpeg", 4000, 3000, 1, false, false}, "tall.png": {"png", 100, 60000, 1, false, false},
		"moving.gif": {"gif", 2000, 1000, 1, true, false}, "huge.png": {"png", 50000, 50000, 1, false, false}, "wide.avif": {"avif", 3000, 10, 1, false, false},
	}
	names := NewNames(func(yield func(Path) bool) {
		for _, p := range []Path{"small.png", "large.jpg", "tall.png", "moving.gif", "huge.png", "wide.avif", "drawing.svg", "Page.md"} {
			if !yield(p) {
				return
			}
		}
	})
	in := Context{Space: "go", Names: names, Profile: Obsidian, Picture: func(p Path) Picture { return known[p] }}
	const whole = ` class="whole" title="The whole picture">`
	for _, tt := range []struct{ in, want string }{
		{"![a](small.png)", `<img src="/go/small.png" alt="a" width="300" height="200" loading="lazy"/>`},
		{"![a|150](small.png)", `width="150" height="100"`},
		{"![a|150x90](small.png)", `width="150" height="90"`},
		{"![[small.png|x50]]", `width="75" height="50"`},
		{"![a](small.png?width=60)", `<img src="/go/small.png" alt="a" width="60" height="40" loading="lazy"/>`},
		{"![a](large.jpg)", `<a href="/go/large.jpg"` + whole + `<img src="/go/large.jpg?width=1440" alt="a" width="1440" height="1080" loading="lazy"/></a>`},
		{"![[large.jpg|300]]", `<img src="/go/large.jpg?width=720" alt="large" width="300" height="225" loading="lazy"/></a>`},
		{"![a](large.jpg?thumbnail=100)", `<img src="/go/large.jpg?width=360" alt="a" width="100" height="75" loading="lazy"/></a>`},
		{"[![a](large.jpg)](Page)", `<a href="/go/Page"><img src="/go/large.jpg?width=1440" alt="a" width="1440" height="1080" loading="lazy"/></a>`},
		{"![a](tall.png)", `width="100" height="9999"`},
		{"![a](moving.gif)", `<img src="/go/moving.gif" alt="a" width="1440" height="720" loading="lazy"/>`},
		{"![a](huge.png)", `<img src="/go/huge.png" alt="a" width="1440" height="1440" loading="lazy"/>`},
		{"![a](wide.avif)", `<img src="/go/wide.avif" alt="a" width="1440" height="4" loading="lazy"/>`},
		{"![a](drawing.svg)", `<img src="/go/drawing.svg" alt="a" loading="lazy"/>`},
		{`x <img src="large.jpg" alt="a">`, `<img alt="a" src="/go/large.jpg" width="1440" height="1080" loading="lazy"/>`},
		{`x <img src="small.png" height="20">`, `width="30" height="20"`},
		{`x <img src="small.png" width="50%">`, `<img width="50%" src="/go/small.png" loading="lazy"/>`},
		{`x <a href="Page"><b>![a](large.jpg)</b></a>`, `<img src="/go/large.jpg" alt="a" width="1440" height="1080" loading="lazy"/>`},
	} {
		got := Parse("Home.md", []byte(tt.in+"\n")).HTML(in)
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
