package web

import (
	"encoding/json"
	"fmt"
)

// scriptTexts are all texts of the scripts, which say them by t of src/say.ts. Their args are written %s.
var scriptTexts = []Text{
	"Copy",
	"Commands copied",
	"Code copied",
	"Address copied",
	"Link to this section copied",
	"This browser does not let pages copy. Select the text, and copy it yourself.",
	"Copy the address",
	"It could not be read, or the wiki cannot be reached.",
	"The answer was %s.",
	"%s files are in the wiki",
	"%s is in the wiki",
	"Not added:",
	"%s is in the wiki. Its place in the text is gone; to show it, write %s",
	"Uploading %s",
	"Add pictures or files",
	"You can also paste them into the text, or drop them on it.",
	"This goes on as soon as the files are there.",
	"it took longer than %s seconds",
	"the part of the wiki that draws could not be loaded",
	"it is too large",
	"Diagram; its source is below",
	"Diagram",
	"This diagram cannot be drawn:",
	"Source",
	"Show it here, from %s",
	"Footnote %s",
	"Table",
	"Code",
	"Formula",
	"Lines",
	"%s, can be scrolled",
	"Not saved: the wiki cannot be reached. Try again in a moment.",
	"Saved. Others have changed this page since you opened it: load it again to see that.",
	"Saved",
	"Not saved.",
	"Not saved: %s",
	"Picture",
	"Larger",
	"Fit the window",
	"Close",
	"%s: open large",
	"Open the picture large",
}

// addTexts adds what scripts say in each language but English, as a script that goes before them, so that who reads English
// loads nothing for it.
func (s *Site) addTexts() error {
	s.texts = map[string]string{}
	for tag, in := range spoken().of {
		said := map[Text]string{}
		for _, text := range scriptTexts {
			if tr := in.texts[text]; tr != nil {
				said[text] = tr.Get()
			}
		}
		b, err := json.Marshal(said)
		if err != nil {
			return fmt.Errorf("texts in %s: %w", tag, err)
		}
		b = append([]byte("globalThis.cairnTexts="), b...)
		s.texts[tag] = s.add(hashed("texts-"+tag+".js", b), "text/javascript; charset=utf-8", func() []byte { return b })
	}
	return nil
}
