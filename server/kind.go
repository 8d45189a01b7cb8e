package server

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"unicode/utf8"

	"cairn/storage/page"
)

// This file tells what a file is, by its bytes: a name may say anything. Pictures, films, sound and plain text are shown
// by the browser, everything else is a download. A file that is two things at once is what its first bytes say, and no
// type here is one that runs.

// kind is what a browser is told about a file.
type kind struct {
	media  string // its type
	inline bool   // it may be shown by itself; else it is a download
}

// download is every file that is not in the table.
var download = kind{"application/octet-stream", false}

// A picture by SVG may hold scripts. Inside of <img> they do not run, and a download is shown there all the same.
var svg = kind{"image/svg+xml", false}

// texts are the endings of names whose files are shown as plain text if they are that.
var texts = map[string]bool{
	".txt": true, ".text": true, ".log": true, ".csv": true, ".tsv": true, ".json": true, ".yaml": true, ".yml": true, ".toml": true,
	".ini": true, ".conf": true, ".cfg": true, ".diff": true, ".patch": true, ".bib": true, ".tex": true, ".rst": true, ".adoc": true, ".org": true,
	"": true,
}

// sniff is the kind of a file with this name and these bytes, of which it looks at the first few thousand.
func sniff(p page.Path, b []byte) kind {
	ext := strings.ToLower(path.Ext(p.Base()))
	head := b[:min(len(b), 4096)]
	if p.IsPage() {
		return kind{"text/markdown; charset=utf-8", true}
	}
	if media := mediaOf(head, ext); media != "" {
		return kind{media, true}
	}
	switch charset := charsetOf(head, len(b) > len(head)); {
	case charset == "":
	case ext == ".svg" && bytes.Contains(head, []byte("<svg")):
		return svg
	case texts[ext]:
		return kind{"text/plain; charset=" + charset, true}
	}
	return download
}

// mediaOf is the type of a picture, film or sound, "" for all others. MP3 has no first bytes of its own, so there the
// ending has to say it as well.
func mediaOf(b []byte, ext string) string {
	begins := func(s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }
	switch {
	case begins("\x89PNG\r\n\x1a\n"):
		return "image/png"
	case begins("\xff\xd8\xff"):
		return "image/jpeg"
	case begins("GIF87a"), begins("GIF89a"):
		return "image/gif"
	case begins("RIFF") && len(b) >= 12 && string(b[8:12]) == "WEBP":
		return "image/webp"
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return mediaOfBrand(b)
	case begins("\x1aE\xdf\xa3") && bytes.Contains(b[:min(len(b), 64)], []byte("\x42\x82\x84webm")):
		return "video/webm"
	case begins("OggS\x00"):
		if bytes.Contains(b[:min(len(b), 256)], []byte("\x80theora")) {
			return "video/ogg"
		}
		return "audio/ogg"
	case ext == ".mp3" && (begins("ID3") || len(b) >= 4 && b[0] == 0xff && b[1]&0xe6 == 0xe2 && b[1]&0x18 != 0x08 && b[2]>>4 != 15 && b[2]&12 != 12):
		return "audio/mpeg"
	}
	return ""
}

// mediaOfBrand tells AVIF and MP4 by the brands in their first box.
func mediaOfBrand(b []byte) string {
	size := int(min(binary.BigEndian.Uint32(b), 256))
	box := b[:min(len(b), max(size, 12))]
	for i := 8; i+4 <= len(box); i += 4 {
		if i == 12 {
			continue // a version
		}
		switch brand := string(box[i : i+4]); brand {
		case "avif", "avis":
			return "image/avif"
		case "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V ", "dash", "MSNV":
			return "video/mp4"
		}
	}
	return ""
}

// charsetOf is how plain text is written, "" for what is none; more says that the bytes go on.
func charsetOf(b []byte, more bool) string {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return "utf-16" // the mark at its beginning says the rest
	}
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b || c == 0x7f {
			return ""
		}
	}
	if more { // the last letter may be cut
		for i := 0; i < 3 && len(b) > 0 && !utf8.Valid(b); i++ {
			b = b[:len(b)-1]
		}
	}
	if utf8.Valid(b) {
		return "utf-8"
	}
	return "windows-1252"
}
