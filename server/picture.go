package server

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"cairn/storage/page"
)

// This file makes large pictures smaller for those who ask for fewer pixels: pic.jpg?width=720. The rules are:
//
//   - The header is read first; what has too many pixels, or would take too much memory, is never decoded.
//   - One picture is decoded at a time, so that a page with a hundred takes one processor at most.
//   - Whatever goes wrong, or takes too long, the picture itself is the answer.
//   - What was made is kept in memory, bounded by its bytes, under the picture's bytes and the width.

const (
	maxScaled    = 32 << 20        // bytes of smaller pictures that are kept
	maxDecoded   = 256 << 20       // bytes that a picture may take in memory
	waitToDecode = 5 * time.Second // for others
	jpegQuality  = 82
)

// scaled keeps smaller versions of pictures. Safe for concurrent use.
type scaled struct {
	one  *semaphore.Weighted // held by whoever decodes
	mu   sync.Mutex          // guards what follows
	lru  *simplelru.LRU[string, scaledPicture]
	size int
}

// scaledPicture is a smaller version; one without bytes says that there is none.
type scaledPicture struct {
	media string
	bytes []byte
}

func newScaled() *scaled {
	k := &scaled{one: semaphore.NewWeighted(1)}
	k.lru, _ = simplelru.NewLRU(1<<20, func(_ string, p scaledPicture) { k.size -= len(p.bytes) + 200 })
	return k
}

func (k *scaled) get(key string) (scaledPicture, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lru.Get(key)
}

func (k *scaled) put(key string, p scaledPicture) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lru.Contains(key) {
		return
	}
	k.lru.Add(key, p)
	k.size += len(p.bytes) + 200
	for k.size > maxScaled {
		k.lru.RemoveOldest()
	}
}

// askedWidth is how many pixels wide a picture is wanted; 0 for as it is.
func askedWidth(c echo.Context) int {
	for _, name := range []string{"width", "thumbnail"} {
		if n, err := strconv.Atoi(c.QueryParam(name)); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// smaller is a version of a picture for fewer pixels; false says that the picture itself is the one to send.
func (s *Server) smaller(c echo.Context, in at, p page.Path, blob string, width int) (scaledPicture, string, bool) {
	ctx := c.Request().Context()
	pic := in.Picture(ctx, p)
	to := pic.Scaled(width)
	if to == 0 {
		return scaledPicture{}, "", false
	}
	key := blob + "-" + strconv.Itoa(to)
	if made, ok := s.scaled.get(key); ok {
		return made, key, len(made.bytes) > 0
	}
	// The bytes first: whoever waits for room to hold them must not keep others from decoding.
	b, done, err := s.bytes(c, in, p, blob)
	if err != nil {
		return scaledPicture{}, "", false
	}
	defer done()
	wait, cancel := context.WithTimeout(ctx, waitToDecode)
	defer cancel()
	if s.scaled.one.Acquire(wait, 1) != nil {
		return scaledPicture{}, "", false
	}
	defer s.scaled.one.Release(1)
	made, ok := s.scaled.get(key)
	if !ok {
		if made, err = scale(b, pic, to, s.scaleTime); err != nil {
			s.Log.Info("make a picture smaller", "space", in.Space(), "path", p, "err", err)
			made = scaledPicture{}
		}
		s.scaled.put(key, made)
	}
	return made, key, len(made.bytes) > 0
}

// sendSmaller answers with a smaller version of a picture.
func (s *Server) sendSmaller(c echo.Context, in at, made scaledPicture, key string) error {
	if fresh(c, `"`+key+`"`) {
		return c.NoContent(304)
	}
	s.fileHeaders(c, in)
	c.Response().Header().Set("Content-Type", made.media)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(made.bytes))
	return nil
}

var (
	errLarge = errors.New("it would take too much memory")
	errSlow  = errors.New("it takes too long")
	errKind  = errors.New("its bytes are not what its header says")
)

// work is how long the processor has worked on a picture. It belongs to one thread.
type work struct{ began, most time.Duration }

// newWork begins now, on this thread, and may take so long.
func newWork(most time.Duration) work { return work{threadTime(), most} }

// over is errSlow once it has taken too long.
func (w work) over() error {
	if threadTime()-w.began > w.most {
		return errSlow
	}
	return nil
}

const rusageThread = 1 // Linux: of the calling thread

// threadTime is how long this thread has worked; where a system does not tell, what the clock says.
func threadTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(rusageThread, &u) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed is the bytes of a picture, for as long as there is time.
type timed struct {
	*bytes.Reader
	work
}

func (t timed) Read(b []byte) (int, error) {
	if err := t.over(); err != nil {
		return 0, err
	}
	return t.Reader.Read(b[:min(len(b), 32<<10)])
}

// scale makes a picture so wide that it is shown with that many pixels, if the processor does not take longer than most.
func scale(b []byte, pic page.Picture, width int, most time.Duration) (made scaledPicture, err error) {
	defer func() { // decoders of others read what anybody may have written
		if recover() != nil {
			err = errKind
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w := newWork(most)
	src, err := decode(b, pic, w)
	if err != nil {
		return made, err
	}
	size := src.Bounds().Size()
	if want := image.Pt(pic.Width, pic.Height); size != want && (pic.Turn < 5 || size != image.Pt(want.Y, want.X)) {
		return made, errKind
	}
	to := image.Pt(width, max(1, width*pic.Height/pic.Width))
	if pic.Turn >= 5 {
		to = image.Pt(to.Y, to.X)
	}
	small, err := shrink(src, to, w)
	if err != nil {
		return made, err
	}
	small = turned(small, pic.Turn)
	var out bytes.Buffer
	if pic.Format == "png" || !small.Opaque() {
		made.media = "image/png"
		err = png.Encode(&out, small)
	} else {
		made.media = "image/jpeg"
		err = jpeg.Encode(&out, small, &jpeg.Options{Quality: jpegQuality})
	}
	made.bytes = out.Bytes()
	if len(made.bytes) >= len(b) {
		made.bytes = nil // the picture itself is the smaller one
	}
	return made, err
}

func decode(b []byte, pic page.Picture, w work) (image.Image, error) {
	perPixel := 4 // bytes
	var f func(io.Reader) (image.Image, error)
	switch pic.Format {
	case "png":
		f = png.Decode
		if len(b) > 24 && b[24] == 16 {
			perPixel = 8
		}
	case "jpeg":
		f = jpeg.Decode
		config, err := jpeg.DecodeConfig(timed{bytes.NewReader(b), w})
		if err != nil {
			return nil, err
		}
		samples := 3
		if m := config.ColorModel; m != color.YCbCrModel && m != color.GrayModel {
			perPixel, samples = 8, 4 // it is converted, and both are there at once
		}
		if pic.Progressive {
			perPixel += 4 * samples // it holds its coefficients as well
		}
	case "webp":
		f = webp.Decode
	default:
		return nil, errKind
	}
	if int64(pic.Width)*int64(pic.Height)*int64(perPixel) > maxDecoded {
		return nil, errLarge
	}
	return f(timed{bytes.NewReader(b), w})
}

// band is how many rows are converted at once.
const band = 64

// shrink makes a picture smaller: each new pixel is the mean of those that it covers, in parts where it covers a part.
func shrink(src image.Image, to image.Point, w work) (*image.RGBA, error) {
	from := src.Bounds()
	dst := image.NewRGBA(image.Rectangle{Max: to})
	cols, rows := cover(from.Dx(), to.X), cover(from.Dy(), to.Y)
	sums := make([]float32, 2*4*to.X) // of the new row, and of the one below it
	line := make([]float32, 4*to.X)
	strip := image.NewRGBA(image.Rect(0, 0, from.Dx(), min(band, from.Dy())))
	for top := 0; top < from.Dy(); top += band {
		if err := w.over(); err != nil {
			return nil, err
		}
		n := min(band, from.Dy()-top)
		draw.Draw(strip, image.Rect(0, 0, from.Dx(), n), src, image.Pt(from.Min.X, from.Min.Y+top), draw.Src)
		for y := range n {
			clear(line)
			pix := strip.Pix[y*strip.Stride:]
			for x, c := range cols {
				at, p := line[4*c.at:], pix[4*x:4*x+4]
				for i := range 4 {
					at[i] += c.share * float32(p[i])
				}
				if c.share < c.whole {
					for i := range 4 {
						at[4+i] += (c.whole - c.share) * float32(p[i])
					}
				}
			}
			r := rows[top+y]
			this, next := sums[:4*to.X], sums[4*to.X:]
			for i, v := range line {
				this[i] += r.share * v
				next[i] += (r.whole - r.share) * v
			}
			if r.last {
				out := dst.Pix[r.at*dst.Stride:]
				for i, v := range this {
					out[i] = uint8(min(v+0.5, 255))
				}
				copy(this, next)
				clear(next)
			}
		}
	}
	return dst, nil
}

// covered is where an old pixel goes: a share of its whole to the new one at, the rest to the one after it.
type covered struct {
	at           int
	share, whole float32
	last         bool // nothing after it goes to at
}

func cover(from, to int) []covered {
	all := make([]covered, from)
	whole := float32(to) / float32(from)
	for i := range all {
		// In units of 1/from: an old pixel is "to" of them wide, a new one "from".
		start, end := i*to, (i+1)*to
		at := start / from
		c := covered{at: at, share: whole, whole: whole}
		if edge := (at + 1) * from; end > edge {
			c.share = float32(edge-start) / float32(from)
		}
		c.last = end >= (at+1)*from
		all[i] = c
	}
	return all
}

// turned is a picture as it was before the camera was turned.
func turned(src *image.RGBA, turn int) *image.RGBA {
	if turn <= 1 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			var to image.Point
			switch turn {
			case 2:
				to = image.Pt(w-1-x, y)
			case 3:
				to = image.Pt(w-1-x, h-1-y)
			case 4:
				to = image.Pt(x, h-1-y)
			case 5:
				to = image.Pt(y, x)
			case 6:
				to = image.Pt(h-1-y, x)
			case 7:
				to = image.Pt(h-1-y, w-1-x)
			case 8:
				to = image.Pt(y, w-1-x)
			}
			dst.SetRGBA(to.X, to.Y, src.RGBAAt(x, y))
		}
	}
	return dst
}
