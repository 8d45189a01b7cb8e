package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"cairn/storage/page"
	"cairn/storage/wiki"
)

// quarters is a picture with a colour in each quarter, so that it tells which way up it is.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{A: 255}
			if x >= w/2 {
				c.R = 255
			}
			if y >= h/2 {
				c.B = 255
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func encoded(t *testing.T, kind string, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// held is a JPEG from a camera that was held in one of eight ways.
func held(jpeg []byte, turn byte) []byte {
	note := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(turn) + "\x00\x00"
	seg := "\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(len(note)+2))) + note
	return append([]byte("\xff\xd8"+seg), jpeg[2:]...)
}

func near(a, b color.Color) bool {
	r, g, bl, _ := a.RGBA()
	r2, g2, bl2, _ := b.RGBA()
	far := func(x, y uint32) bool { return math.Abs(float64(x)-float64(y)) > 0x2000 }
	return !far(r, r2) && !far(g, g2) && !far(bl, bl2)
}

// Whichever way the camera was held, the smaller picture stands upright.
func TestScaleUpright(t *testing.T) {
	upright := quarters(800, 1200)
	for turn := 1; turn <= 8; turn++ {
		// What a camera stores is the picture turned the other way.
		undo := []int{0, 1, 2, 3, 4, 5, 8, 7, 6}[turn]
		rgba := image.NewRGBA(upright.Rect)
		for y := range 1200 {
			for x := range 800 {
				rgba.Set(x, y, upright.At(x, y))
			}
		}
		b := held(encoded(t, "jpeg", turned(rgba, undo)), byte(turn))
		pic := page.ReadPicture(b)
		if pic.Width != 800 || pic.Height != 1200 {
			t.Errorf("turn %d: the header says %+v", turn, pic)
			continue
		}
		made, err := scale(b, pic, 160, time.Hour)
		if err != nil {
			t.Errorf("turn %d: %v", turn, err)
			continue
		}
		small, err := jpeg.Decode(bytes.NewReader(made.bytes))
		if err != nil {
			t.Fatal(err)
		}
		if small.Bounds().Size() != image.Pt(160, 240) {
			t.Errorf("turn %d: %v", turn, small.Bounds())
		}
		for _, at := range []image.Point{{20, 20}, {140, 20}, {20, 220}, {140, 220}} {
			if want := upright.At(at.X*5, at.Y*5); !near(small.At(at.X, at.Y), want) {
				t.Errorf("turn %d: at %v it is %v, want %v", turn, at, small.At(at.X, at.Y), want)
			}
		}
	}
}

// A new pixel is the mean of what it covers: shrinking keeps the mean of the whole, whatever the sizes.
func TestShrink(t *testing.T) {
	for _, tt := range []struct{ from, to image.Point }{
		{image.Pt(100, 100), image.Pt(10, 10)}, {image.Pt(101, 67), image.Pt(100, 66)}, {image.Pt(1000, 3), image.Pt(7, 1)}, {image.Pt(3, 1000), image.Pt(1, 333)}, {image.Pt(50, 130), image.Pt(50, 130)},
	} {
		src := image.NewNRGBA(image.Rect(5, 9, 5+tt.from.X, 9+tt.from.Y))
		var want, got float64
		for y := range tt.from.Y {
			for x := range tt.from.X {
				v := uint8((x*37 + y*101) % 256)
				src.SetNRGBA(5+x, 9+y, color.NRGBA{v, 0, 255, 255})
				want += float64(v)
			}
		}
		small, err := shrink(src, tt.to, newWork(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for y := range tt.to.Y {
			for x := range tt.to.X {
				c := small.RGBAAt(x, y)
				got += float64(c.R)
				if c.B < 254 || c.A < 254 || c.G != 0 {
					t.Fatalf("%v: at %d,%d it is %v", tt, x, y, c)
				}
			}
		}
		want, got = want/float64(tt.from.X*tt.from.Y), got/float64(tt.to.X*tt.to.Y)
		if math.Abs(want-got) > 1 {
			t.Errorf("%v: the mean was %.2f, and is %.2f", tt, want, got)
		}
	}
}

// Pictures come smaller when fewer pixels are asked for; what cannot be made smaller comes as it is.
func TestSmallerPictures(t *testing.T) {
	web := start(t)
	large := quarters(2000, 1000)
	through := quarters(1600, 900)
	for i := 3; i < len(through.Pix); i += 4 {
		through.Pix[i] = 120
	}
	bomb := "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x06\x00\x00\x00\x00\x00\x00\x00"
	jpg := encoded(t, "jpeg", large)
	files := map[string][]byte{
		"photo.jpg": jpg, "screen.png": encoded(t, "png", large), "through.png": encoded(t, "png", through), "moving.gif": encoded(t, "gif", large),
		"small.png": encoded(t, "png", quarters(300, 200)), "bomb.png": []byte(bomb), "cut.jpg": jpg[:len(jpg)/3], "page.png": []byte("<html>"),
	}
	for name, b := range files {
		if status, answer := sendFiles(t, web.URL+"/wiki/-/upload/Home", wiki.File{Name: name, Data: b}); status != 201 {
			t.Fatalf("%s: %d %s", name, status, answer)
		}
	}
	for _, tt := range []struct {
		ask, media string
		width      int // 0 for the file as it is
	}{
		{"photo.jpg?width=720", "image/jpeg", 720}, {"photo.jpg?width=1", "image/jpeg", 160}, {"photo.jpg?thumbnail=500", "image/jpeg", 720}, {"photo.jpg?width=1440", "image/jpeg", 1440},
		{"photo.jpg?width=1441", "image/jpeg", 0}, {"photo.jpg?width=99999999999999999999", "image/jpeg", 0}, {"photo.jpg?width=-5", "image/jpeg", 0}, {"photo.jpg?width=x", "image/jpeg", 0},
		{"screen.png?width=300", "image/png", 360}, {"through.png?width=300", "image/png", 360}, {"small.png?width=160", "image/png", 0}, {"moving.gif?width=160", "image/gif", 0},
		{"bomb.png?width=160", "image/png", 0}, {"cut.jpg?width=160", "image/jpeg", 0}, {"page.png?width=160", "application/octet-stream", 0},
	} {
		res, err := http.Get(web.URL + "/wiki/" + tt.ask)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(tt.ask, "?")
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != tt.media || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %d %v", tt.ask, res.StatusCode, res.Header)
		}
		if tt.width == 0 {
			if !bytes.Equal(b, files[name]) {
				t.Errorf("%s: %d bytes, want the file itself", tt.ask, len(b))
			}
			continue
		}
		img, _, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			t.Errorf("%s: %v", tt.ask, err)
			continue
		}
		if img.Bounds().Dx() != tt.width || len(b) >= len(files[name]) {
			t.Errorf("%s: %v in %d bytes, of %d", tt.ask, img.Bounds(), len(b), len(files[name]))
		}
		// It has a tag of its own.
		again, err := http.NewRequest("GET", web.URL+"/wiki/"+tt.ask, nil)
		if err != nil {
			t.Fatal(err)
		}
		again.Header.Set("If-None-Match", res.Header.Get("ETag"))
		if res, err = http.DefaultClient.Do(again); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 304 {
			t.Errorf("%s with its tag: %d", tt.ask, res.StatusCode)
		}
	}

	// A page says how large they are, also after one has been replaced by another.
	put := func(path, match string, body []byte) string {
		t.Helper()
		req, err := http.NewRequest("PUT", web.URL+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", "*")
		if match != "" {
			req.Header.Del("If-None-Match")
			req.Header.Set("If-Match", match)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode >= 300 {
			t.Fatalf("PUT %s: %d", path, res.StatusCode)
		}
		return res.Header.Get("ETag")
	}
	shows := func(width, height int) {
		t.Helper()
		res, err := http.Get(web.URL + "/wiki/Gallery")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		if want := fmt.Sprintf(`width="%d" height="%d"`, width, height); !strings.Contains(string(b), want) {
			t.Errorf("the page does not say %s:\n%s", want, b)
		}
	}
	put("/wiki/Gallery.md", "", []byte("![a](pic.png)\n"))
	tag := put("/wiki/pic.png", "", files["small.png"])
	shows(300, 200)
	put("/wiki/pic.png", tag, files["screen.png"])
	shows(1440, 720)
}
