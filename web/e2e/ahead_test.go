package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Who points at a link to a page has it fetched, before it is pressed; forms are left alone.
func TestFetchedAhead(t *testing.T) {
	wiki, err := neturl.Parse(serve(t))
	if err != nil {
		t.Fatal(err)
	}
	var ahead, forms atomic.Int32
	pass := httputil.NewSingleHostReverseProxy(wiki)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Purpose") != "" {
			if r.URL.Path == "/wiki/Garden" {
				ahead.Add(1)
			} else {
				forms.Add(1)
			}
		}
		pass.ServeHTTP(w, r)
	}))
	defer front.Close()
	w := open(t, browser(t), 1440, 900)
	w.write(front.URL, "Garden", "roses\n")
	w.write(front.URL, "Here", "[[Garden]]\n\n[edit](/wiki/-/edit/Garden)\n")
	w.visit(front.URL + "/wiki/Here")
	for _, link := range []string{`.prose a[href*="/-/edit/"]`, `.prose a[href$="/Garden"]`} {
		at := see(w, chromedp.Evaluate[struct{ X, Y float64 }](`(() => { const r = document.querySelector(`+"`"+link+"`"+`).getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}; })()`))
		w.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y))
		time.Sleep(time.Second) // longer than a browser takes pointing for meaning it
	}
	for end := time.Now().Add(patience); ahead.Load() == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the page was never fetched ahead")
		}
	}
	if n := forms.Load(); n > 0 {
		t.Errorf("%d other addresses were fetched ahead", n)
	}
}
