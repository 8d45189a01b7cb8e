package server

import (
	"runtime"

	"github.com/labstack/echo/v4"
)

// This file tells machines how the wiki is.

// healthz says that the process answers.
func (s *Server) healthz(c echo.Context) error { return c.String(200, "ok\n") }

// readyz says whether pages can be saved and everything that follows the log has caught up, and how far each has come.
func (s *Server) readyz(c echo.Context) error {
	type follower struct {
		Space  string `json:"space"`
		Store  string `json:"store"`
		Rev    string `json:"revision"`
		Behind uint64 `json:"behind"`
		Error  string `json:"error,omitempty"`
	}
	out := struct {
		Ready     bool              `json:"ready"`
		ReadOnly  map[string]string `json:"read_only,omitempty"` // space: why nothing can be saved there
		Followers []follower        `json:"followers"`
	}{Ready: true, ReadOnly: map[string]string{}, Followers: []follower{}}
	for _, st := range s.Index.Status() {
		f := follower{Space: st.Space, Store: st.Store, Rev: string(st.Rev), Behind: st.Behind}
		if st.Err != nil {
			f.Error = "it does not get on; the log of the wiki says why"
		}
		out.Ready = out.Ready && st.Behind == 0 && st.Err == nil
		out.Followers = append(out.Followers, f)
	}
	for name := range s.Wiki.Broken() {
		out.Ready = false
		out.Followers = append(out.Followers, follower{Space: name, Error: "the space cannot be opened; the log of the wiki says why"})
	}
	for _, space := range s.Wiki.Spaces(c.Request().Context()) {
		if why := string(trouble(space.Trouble())); why != "" {
			out.Ready = false
			out.ReadOnly[space.Name()] = why
		}
	}
	// Before the followers have begun there is nothing in the list.
	out.Ready = out.Ready && len(out.Followers) > 0
	status := 200
	if !out.Ready {
		status = 503
	}
	return c.JSON(status, out)
}

func (s *Server) version(c echo.Context) error {
	return c.JSON(200, map[string]string{"name": "cairn", "version": s.Version, "go": runtime.Version()})
}
