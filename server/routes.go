package server

import (
	"github.com/labstack/echo/v4"

	"cairn/web"
)

// routes is every address that the wiki answers. {path} is the rest of the address, taken undecoded: see target.
func (s *Server) routes() {
	e := s.echo
	get := func(path string, h echo.HandlerFunc) { e.GET(path, h); e.HEAD(path, h) }
	// An address that is only written to: what is read there is not a page by accident.
	post := func(path string, h echo.HandlerFunc) { e.POST(path, h); get(path, postOnly) }

	// Git, under /NAME.git: moved aside because a page may have any name.
	e.Pre(s.gitRoutes)
	get(gitPrefix+":space/info/refs", s.advertise)
	post(gitPrefix+":space/git-upload-pack", s.fetch)
	post(gitPrefix+":space/git-receive-pack", s.push)
	post(gitPrefix+":space/git-upload-archive", s.archive)
	get(gitPrefix+":space/bundle", s.bundle)

	// The wiki as a whole.
	get("/", s.start)
	get("/-/search", s.search)
	post("/-/preview", s.preview)
	post(web.LanguageURL, s.chooseLanguage)
	get("/-/assets/:name", s.asset)
	get("/-/diagram", s.diagram)
	get("/-/about/keys", s.keys)
	get("/-/about/style", s.aboutStyle)
	get("/-/healthz", s.healthz)
	get("/-/readyz", s.readyz)
	get("/-/version", s.version)
	get("/favicon.ico", s.icon)
	get("/robots.txt", s.robots)

	// Programs.
	get("/-/api/openapi.json", s.apiDescription)
	get("/-/api/v1/spaces", s.apiSpaces)
	e.POST("/-/api/v1/spaces", s.apiAddSpace)
	get("/-/api/v1/spaces/:space/pages", s.apiPages)
	get("/-/api/v1/spaces/:space/pages/*", s.apiPage)
	e.PUT("/-/api/v1/spaces/:space/pages/*", s.apiSave)
	e.DELETE("/-/api/v1/spaces/:space/pages/*", s.apiRemove)
	post("/-/api/v1/spaces/:space/moves", s.apiMove)
	get("/-/api/v1/spaces/:space/history/*", s.apiHistory)
	get("/-/api/v1/spaces/:space/changes", s.apiChanges)
	get("/-/api/v1/spaces/:space/links/*", s.apiLinks)
	get("/-/api/v1/search", s.apiSearch)
	get("/-/*", notFound)

	// A space.
	get("/:space/-/new", s.newPage)
	get("/:space/-/names", s.names)
	get("/:space/-/edit/*", s.edit)
	e.POST("/:space/-/edit/*", s.save)
	post("/:space/-/tick/*", s.tick)
	get("/:space/-/move/*", s.askMove)
	e.POST("/:space/-/move/*", s.move)
	get("/:space/-/delete/*", s.askDelete)
	e.POST("/:space/-/delete/*", s.remove)
	get("/:space/-/restore/*", s.askRestore)
	e.POST("/:space/-/restore/*", s.restore)
	get("/:space/-/undo/:rev", s.askUndo)
	e.POST("/:space/-/undo/:rev", s.undo)
	get("/:space/-/links", s.doubtful)
	get("/:space/-/links/*", s.doubts)
	e.POST("/:space/-/links/*", s.mend)
	get("/:space/-/history/*", s.history)
	get("/:space/-/diff/*", s.diff)
	get("/:space/-/blame/*", s.blame)
	get("/:space/-/at", s.toDays)
	get("/:space/-/at/*", s.past)
	get("/:space/-/glimpse/*", s.glimpse)
	get("/:space/-/start", s.overview)
	get("/:space/-/pages", s.pages)
	get("/:space/-/tree/*", s.branches)
	get("/:space/-/changes", s.changes)
	get("/:space/-/changes.atom", s.feed)
	get("/:space/-/changes/:rev", s.change)
	get("/:space/-/tags", s.tags)
	get("/:space/-/tags/*", s.tag)
	get("/:space/-/files", s.files)
	get("/:space/-/files/*", s.pageFiles)
	get("/:space/-/upload/*", s.askUpload)
	e.POST("/:space/-/upload/*", s.upload)
	get("/:space/-/*", notFound)

	// Pages, their sources, and files.
	get("/:space", s.toHome)
	get("/:space/*", s.view)
	e.PUT("/:space/*", s.put)
	e.DELETE("/:space/*", s.del)
}

func postOnly(c echo.Context) error {
	c.Response().Header().Set("Allow", "POST")
	return echo.ErrMethodNotAllowed
}

func notFound(echo.Context) error { return echo.ErrNotFound }
