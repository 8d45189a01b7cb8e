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
	const tasks = 40
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

// A tick leads back to the task where it is now, and programs are told in the answer alone.
func TestTickLeadsBack(t *testing.T) {
	web := start(t)
	put := func(text, match string) string {
		t.Helper()
		req, err := http.NewRequest("PUT", web.URL+"/wiki/List.md", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if match == "" {
			req.Header.Set("If-None-Match", "*")
		} else {
			req.Header.Set("If-Match", match)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.Header.Get("ETag")
	}
	first := put("- [ ] one\n- [ ] two\n", "")
	put("Above.\n\n- [ ] one\n- [ ] two\n", first)
	tick := func(accept, line string) *http.Response {
		t.Helper()
		form := url.Values{"base": {strings.Trim(first, `"`)}, "done": {line}}
		req, err := http.NewRequest("POST", web.URL+"/wiki/-/tick/List", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", accept)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if res := tick("text/html", "1"); res.StatusCode != 303 || !strings.HasSuffix(res.Header.Get("Location"), "#cairn-box-3") {
		t.Errorf("%s to %q", res.Status, res.Header.Get("Location"))
	}
	now, err := http.Get(web.URL + "/wiki/List.md")
	if err != nil {
		t.Fatal(err)
	}
	now.Body.Close()
	put("Nothing.\n", now.Header.Get("ETag"))
	if res := tick("application/json", "2"); res.StatusCode != 409 || len(res.Cookies()) > 0 {
		t.Errorf("%s with %v", res.Status, res.Cookies())
	}
}
