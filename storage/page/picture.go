package page

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// This file reads how large a picture is from its first bytes, without decoding it, so that a page can leave room for it.

// Picture is what a picture's header says.
type Picture struct {
	Format        string // "png", "jpeg", "gif", "webp" or "avif"; "" for what is none of these, or says nothing sensible
	Width, Height int    // in pixels, as a browser shows it: turned as its camera was
	Turn          int    // how a camera was held, as EXIF counts: 1 upright to 8
	Moving        bool   // it has several frames, or may have
	Progressive   bool   // a JPEG that comes in several scans: whoever decodes it holds all of them
}

// maxSide is how long a side may be for a header to be believed.
const maxSide = 1 << 20

// ReadPicture reads the header of a picture; b is the file, or its beginning. It takes no time to speak of, whatever b is.
func ReadPicture(b []byte) Picture {
	p := Picture{Turn: 1}
	switch {
	case len(b) >= 26 && string(b[:8]) == "\x89PNG\r\n\x1a\n" && string(b[12:16]) == "IHDR":
		p.Format, p.Width, p.Height = "png", int(binary.BigEndian.Uint32(b[16:])), int(binary.BigEndian.Uint32(b[20:]))
		p.Moving = bytes.Contains(b[:min(len(b), 1024)], []byte("acTL"))
	case len(b) >= 10 && (string(b[:6]) == "GIF87a" || string(b[:6]) == "GIF89a"):
		p.Format, p.Width, p.Height = "gif", int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
		p.Moving = true
	case len(b) >= 3 && string(b[:3]) == "\xff\xd8\xff":
		p.readJPEG(b)
	case len(b) >= 30 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		p.readWebP(b)
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		p.readAVIF(b)
	}
	if p.Format == "" || p.Width <= 0 || p.Height <= 0 || p.Width > maxSide || p.Height > maxSide {
		return Picture{}
	}
	if p.Turn >= 5 && p.Turn <= 8 {
		p.Width, p.Height = p.Height, p.Width
	}
	return p
}

// readJPEG goes from marker to marker up to the one that tells the size.
func (p *Picture) readJPEG(b []byte) {
	for i := 2; i+9 <= len(b) && b[i] == 0xff; {
		marker := b[i+1]
		if marker == 0xff { // filling
			i++
			continue
		}
		n := int(binary.BigEndian.Uint16(b[i+2:]))
		if n < 2 { // it counts its own two bytes
			return
		}
		data := b[min(len(b), i+4):min(len(b), i+2+n)]
		switch {
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			p.Format, p.Height, p.Width = "jpeg", int(binary.BigEndian.Uint16(b[i+5:])), int(binary.BigEndian.Uint16(b[i+7:]))
			p.Progressive = marker == 0xc2
			return
		case marker == 0xda || marker == 0xd9: // the picture itself, or its end
			return
		case marker == 0xe1 && bytes.HasPrefix(data, []byte("Exif\x00\x00")):
			p.Turn = orientation(data[6:])
		}
		i += 2 + n
	}
}

// orientation reads how the camera was held from EXIF, 1 when it does not say.
func orientation(b []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case len(b) < 8:
		return 1
	case string(b[:2]) == "II":
		order = binary.LittleEndian
	case string(b[:2]) != "MM":
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	n := int(order.Uint16(b[at:]))
	for e := b[at+2:]; n > 0 && len(e) >= 12; n, e = n-1, e[12:] {
		if order.Uint16(e) == 0x0112 {
			if turn := int(order.Uint16(e[8:])); turn >= 1 && turn <= 8 {
				return turn
			}
			return 1
		}
	}
	return 1
}

func (p *Picture) readWebP(b []byte) {
	switch string(b[12:16]) {
	case "VP8 ":
		if string(b[23:26]) == "\x9d\x01\x2a" {
			p.Format = "webp"
			p.Width, p.Height = int(binary.LittleEndian.Uint16(b[26:])&0x3fff), int(binary.LittleEndian.Uint16(b[28:])&0x3fff)
		}
	case "VP8L":
		if bits := binary.LittleEndian.Uint32(b[21:]); b[20] == 0x2f {
			p.Format, p.Width, p.Height = "webp", int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		}
	case "VP8X":
		three := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
		p.Format, p.Width, p.Height = "webp", three(b[24:])+1, three(b[27:])+1
		p.Moving = b[20]&2 != 0
	}
}

// readAVIF takes the largest of the sizes that boxes tell: others are those of its tiles and of its small version.
func (p *Picture) readAVIF(b []byte) {
	size := int(min(binary.BigEndian.Uint32(b), uint32(len(b))))
	if size < 12 {
		return
	}
	brands := b[8:size]
	if !bytes.Contains(brands, []byte("avif")) && !bytes.Contains(brands, []byte("avis")) {
		return
	}
	p.Moving = bytes.Contains(brands, []byte("avis"))
	p.Format = "avif"
	meta := box(b, "meta")
	if len(meta) < 4 {
		return
	}
	for props := box(box(meta[4:], "iprp"), "ipco"); len(props) >= 8; {
		kind, data, rest := nextBox(props)
		switch {
		case kind == "":
			return
		case kind == "ispe" && len(data) >= 12:
			w, h := int64(binary.BigEndian.Uint32(data[4:])), int64(binary.BigEndian.Uint32(data[8:]))
			if w <= maxSide && h <= maxSide && w*h > int64(p.Width)*int64(p.Height) {
				p.Width, p.Height = int(w), int(h)
			}
		case kind == "irot" && len(data) >= 1 && data[0]&1 == 1:
			p.Turn = 6
		}
		props = rest
	}
}

// box is what the first box of a kind holds.
func box(b []byte, want string) []byte {
	for len(b) >= 8 {
		kind, data, rest := nextBox(b)
		if kind == want {
			return data
		}
		if kind == "" {
			return nil
		}
		b = rest
	}
	return nil
}

// nextBox takes the first box; its kind is "" when it cannot be.
func nextBox(b []byte) (kind string, data, rest []byte) {
	size := uint64(binary.BigEndian.Uint32(b))
	head := uint64(8)
	switch {
	case size == 1 && len(b) >= 16:
		size, head = binary.BigEndian.Uint64(b[8:]), 16
	case size == 0:
		size = uint64(len(b))
	}
	if size < head {
		return "", nil, nil
	}
	end := min(size, uint64(len(b)))
	if end < head {
		return "", nil, nil
	}
	return string(b[4:8]), b[head:end], b[end:]
}

// The widths in which the wiki offers a picture that is wider: as a reader's column is, on plain and on fine screens, and
// smaller. There are few, so that little has to be kept.
var widths = [...]int{160, 360, 720, 1440}

// columnWidth is how wide a picture is shown at most, in its own pixels.
const columnWidth = 1440

// maxScaledPixels is how many pixels a picture may have to be made smaller.
const maxScaledPixels = 50_000_000

// Scaled is the width in which a picture is offered to those who would like so many pixels, the next larger one of a few;
// 0 for the picture itself, because it is not large, or because the wiki makes no smaller ones of its kind: what moves
// would stand still.
func (p Picture) Scaled(width int) int {
	if p.Moving || p.Width <= widths[2] || p.Width*p.Height > maxScaledPixels || p.Format != "png" && p.Format != "jpeg" && p.Format != "webp" {
		return 0
	}
	for _, w := range widths {
		if w >= width {
			if w < p.Width {
				return w
			}
			return 0
		}
	}
	return 0
}

// fit is how a picture is shown: in the size that the author wants, else in its own as far as there is room, and with
// both sides known, so that nothing moves when it comes. smaller is the width of the version to show, 0 for the picture
// itself.
func (p Picture) fit(width, height int) (w, h, smaller int) {
	if p.Format == "" {
		return width, height, 0
	}
	smaller = p.Scaled(min(2*width, columnWidth))
	switch {
	case width > 0 && height > 0:
		return width, height, smaller
	case height > 0:
		width = max(1, p.Width*height/p.Height)
		smaller = p.Scaled(min(2*width, columnWidth))
	case width == 0:
		width = min(p.Width, columnWidth)
		smaller = p.Scaled(columnWidth)
	}
	return min(width, maxShown), min(max(1, p.Height*width/p.Width), maxShown), smaller
}

// maxShown is the longest side that a page may say.
const maxShown = 9999

// pictureOf is what is known of the picture that a link leads to.
func (w *writer) pictureOf(t Target) Picture {
	if w.in.Picture == nil || !t.Found || t.IsDir || t.Path.IsPage() {
		return Picture{}
	}
	return w.in.Picture(t.Path)
}

// askedWidth is the width in a destination as Otter writes it: "pic.png?thumbnail=300", or "?width=300".
func askedWidth(destination string) int {
	_, query, ok := strings.Cut(destination, "?")
	if !ok {
		return 0
	}
	query, _, _ = strings.Cut(query, "#")
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); key == "width" || key == "thumbnail" {
			return pixels(value)
		}
	}
	return 0
}
