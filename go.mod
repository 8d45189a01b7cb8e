module cairn

go 1.26.0

ignore ./web/node_modules

require (
	github.com/a-h/templ v0.3.977 // web: typed templates
	github.com/alecthomas/chroma/v2 v2.27.0 // page: colours code
	github.com/andybalholm/brotli v1.3.0 // web: packs what browsers get
	github.com/blevesearch/bleve/v2 v2.6.1 // search: the index of words; 2.6.2 and later need a module that cannot be had
	github.com/blevesearch/bleve_index_api v1.4.1 // search: bleve's documents and postings
	github.com/blevesearch/snowballstem v0.9.0 // search: word stems
	github.com/chromedp/cdproto v0.159.0 // web/e2e: the browser's protocol
	github.com/chromedp/chromedp v0.23.0 // web/e2e: drives a real browser
	github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b // page: runs KaTeX, which draws formulas
	github.com/evanw/esbuild v0.28.2 // web/build: bundles the browser's scripts
	github.com/go-git/go-git/v5 v5.19.3 // storage/internal/git: git's formats
	github.com/hanwen/go-fuse/v2 v2.12.1 // cmd: a disk that fails, for tests alone
	github.com/hashicorp/golang-lru/v2 v2.0.7 // storage: bounded caches
	github.com/labstack/echo/v4 v4.16.0 // server: routes and requests; cmd: what bench compares with
	github.com/leonelquinteros/gotext v1.7.2 // web: catalogues of texts; 1.8 needs Go 1.27
	github.com/microcosm-cc/bluemonday v1.0.27 // page: the sanitiser
	github.com/rogpeppe/go-internal v1.16.0 // cmd: stories as test scripts
	github.com/spf13/pflag v1.0.10 // cmd: flags that may stand behind arguments
	github.com/yuin/goldmark v1.8.7 // page: Markdown; cmd: what bench compares with
	github.com/yuin/goldmark-emoji v1.0.6 // page: emoji by their names
	go.etcd.io/bbolt v1.5.0 // search: history and links
	go.yaml.in/yaml/v3 v3.0.6 // page: front matter
	golang.org/x/image v0.47.0 // server: reads WebP
	golang.org/x/net v0.62.0 // page: HTML
	golang.org/x/sync v0.24.0 // groups of goroutines
	golang.org/x/sys v0.49.0 // storage/internal/git: system calls
	golang.org/x/text v0.43.0 // names: folding, normal forms, sorting; web: the languages of a browser
	golang.org/x/tools v0.51.0 // web: tests find the texts in the code
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/RoaringBitmap/roaring/v2 v2.14.5 // indirect
	github.com/a-h/parse v0.0.0-20250122154542-74294addb73e // indirect
	github.com/aymerick/douceur v0.2.0 // indirect
	github.com/bits-and-blooms/bitset v1.24.2 // indirect
	github.com/blevesearch/geo v0.2.6 // indirect
	github.com/blevesearch/go-faiss v1.1.5 // indirect
	github.com/blevesearch/go-porterstemmer v1.0.3 // indirect
	github.com/blevesearch/gtreap v0.1.1 // indirect
	github.com/blevesearch/mmap-go v1.2.0 // indirect
	github.com/blevesearch/scorch_segment_api/v2 v2.4.10 // indirect
	github.com/blevesearch/segment v0.9.1 // indirect
	github.com/blevesearch/upsidedown_store_api v1.0.2 // indirect
	github.com/blevesearch/vellum v1.2.0 // indirect
	github.com/blevesearch/zapx/v11 v11.4.3 // indirect
	github.com/blevesearch/zapx/v12 v12.4.3 // indirect
	github.com/blevesearch/zapx/v13 v13.4.3 // indirect
	github.com/blevesearch/zapx/v14 v14.4.3 // indirect
	github.com/blevesearch/zapx/v15 v15.4.3 // indirect
	github.com/blevesearch/zapx/v16 v16.3.4 // indirect
	github.com/blevesearch/zapx/v17 v17.2.3 // indirect
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/cli/browser v1.3.0 // indirect
	github.com/dlclark/regexp2/v2 v2.5.2 // indirect
	github.com/fatih/color v1.16.0 // indirect
	github.com/fsnotify/fsnotify v1.7.0 // indirect
	github.com/go-git/go-billy/v5 v5.9.2 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-sourcemap/sourcemap v2.1.3+incompatible // indirect
	github.com/golang/snappy v1.0.0 // indirect
	github.com/google/pprof v0.0.0-20230207041349-798e818bf904 // indirect
	github.com/gorilla/css v1.0.1 // indirect
	github.com/jbenet/go-context v0.0.0-20150711004518-d14ea06fba99 // indirect
	github.com/json-iterator/go v0.0.0-20171115153421-f7279a603ede // indirect
	github.com/labstack/gommon v0.5.0 // indirect
	github.com/mattn/go-colorable v0.1.15 // indirect
	github.com/mattn/go-isatty v0.0.22 // indirect
	github.com/mschoch/smat v0.2.0 // indirect
	github.com/natefinch/atomic v1.0.1 // indirect
	github.com/pjbgf/sha1cd v0.7.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.2.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/telemetry v0.0.0-20260924152758-ed294f943157 // indirect
	golang.org/x/time v0.16.0 // indirect
	golang.org/x/vuln v1.8.0 // indirect
	google.golang.org/protobuf v1.36.6 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)

tool (
	github.com/a-h/templ/cmd/templ
	golang.org/x/vuln/cmd/govulncheck
	honnef.co/go/tools/cmd/staticcheck
)
