package server

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestTickTogether has many people tick one list at once, each from the page as it was at first: every tick arrives, and
// is one change.
func TestTickTogether(t *testing.T) {
	web := start(t)
	const tasks = 12
	var list strings.Builder
	for i := range tasks {
		fmt.Fprintf(&list, "- [ ] task %d\r\n", i)
	}
	req, err := http.NewRequest("PUT", web.URL+"/wiki/List.md", strings.NewReader(list.String()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	base := strings.Trim(res.Header.Get("ETag"), `"`)
	var all sync.WaitGroup
	for i := range tasks {
		all.Go(func() {
			res, err := http.PostForm(web.URL+"/wiki/-/tick/List", url.Values{"base": {base}, "done": {fmt.Sprint(i + 1)}})
			if err != nil {
				t.Error(err)
				return
			}
			body, _ := io.ReadAll(res.Body)
			if res.Body.Close(); res.StatusCode != 200 {
				t.Errorf("task %d: %s %s", i, res.Status, body)
			}
		})
	}
	all.Wait()
	res, err = http.Get(web.URL + "/wiki/List.md")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	res.Body.Close()
	if want := strings.ReplaceAll(list.String(), "[ ]", "[x]"); err != nil || string(got) != want {
		t.Errorf("the list is %q, %v, want %q", got, err, want)
	}
}
