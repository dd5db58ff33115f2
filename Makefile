# dtm: two commands matter: `make run` and `make test`. `make help` lists the rest.
SHELL      := /bin/bash
GO         ?= go
export CGO_ENABLED := 1
PY         := .cache/py
RACE       ?= -race
STAMP      := .cache/stamp
COMPUTING  := ./disseminate/guard/... ./disseminate/overview/... ./disseminate/chart/... ./disseminate/maps/... ./analyse/watch/... \
	./check/... ./gather/xlsform/... ./gather/xform/... ./gather/xpath/... ./gather/odata/...
# Tests in files that are not built with the race detector.
RACELESS   := $(shell grep -l '^//go:build !race' cmd/dtm/*_test.go | xargs grep -hoE '^func Test\w+' | sed 's/func //' | paste -sd'|')
SEQUENTIAL := Scripts$$|Workshop$$|Routes$$|PublishedByCommands$$|ErasureOutlivesBackups$$|RuleCommands$$|InBrowser$$|Walk$$|Subjects$$|BehindSignIn$$|^TestPages$$|ValuesOfMarks$$|WithoutScript$$|ToOutcome$$|ImportKilled$$|^TestMove$$

.PHONY: help run build test check bench assets interop deb clean tools

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build everything and start the demo: prints the address and the accounts
	./bin/dtm demo

build: assets ## leave the program in bin/dtm
	$(GO) build -trimpath -o bin/dtm ./cmd/dtm

assets: $(STAMP)/assets $(STAMP)/entry ## fetch what is embedded (PDF engine, fonts, htmx) with npm, and build the entry page

$(STAMP)/npm: package.json package-lock.json
	@internal/testtool/need.sh build
	@mkdir -p $(STAMP)
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMP)/assets: $(STAMP)/npm $(wildcard internal/assets/*.go)
	$(GO) run ./internal/assets
	@touch $@

$(STAMP)/entry: $(STAMP)/npm $(wildcard gather/entry/page/*)
	node gather/entry/page/build.mjs
	@touch $@

tools: $(STAMP)/npm ## install what the tests need: Debian packages, npm packages, a Python environment, an S3 server
	@internal/testtool/need.sh test
	@internal/testtool/python.sh $(PY)
	@internal/testtool/s3.sh >/dev/null

test: assets tools check ## install what the tests need and run them all
	@# The PDF engine first and without the race detector, under which compiling
	@# its WebAssembly takes ten times as long; it leaves the compiled engine in .cache.
	CI=$${CI:-true} DTM_TEST_PYTHON=$(CURDIR)/$(PY)/bin/python $(GO) test -timeout 10m ./disseminate/report/...
	@# So are commands and walks of pages, one step after the other, and rooms that compute:
	@# linear programs, series and forms by the thousand, which take five times as long under
	@# the race detector. Pages and locks are tried under it by cmd/dtm below.
	export CI=$${CI:-true} DTM_TEST_PYTHON=$(CURDIR)/$(PY)/bin/python; \
	$(GO) test -timeout 10m -run '^($(RACELESS))$$|$(SEQUENTIAL)' ./cmd/dtm & commands=$$!; \
	$(GO) test -p 1 -timeout 10m ./web $(COMPUTING); rooms=$$?; wait $$commands && exit $$rooms
	CI=$${CI:-true} DTM_TEST_PYTHON=$(CURDIR)/$(PY)/bin/python $(GO) test $(RACE) -timeout 15m -skip '$(SEQUENTIAL)' $$($(GO) list ./... | grep -vE '/web$$|/disseminate/(report|guard|overview|chart|maps)|/analyse/watch|/gather/(xlsform|xform|xpath|odata)|dtm/check$$')

check: assets ## formatting, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not gofmt'd:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench: build ## print the table of the design's performance budget
	$(GO) run ./internal/bench
	$(GO) run ./internal/bench -facts -most 0

interop: assets tools ## XLSForm corpus, real and own forms, ODK Validate, the form engine: print the scores
	CI=true ENGINE_ANSWERS=1000 VALIDATE_OWN=1 DTM_TEST_PYTHON=$(CURDIR)/$(PY)/bin/python $(GO) test -timeout 40m -count=1 -v -run 'Interop|Real|Validate' ./gather/xlsform/ ./gather/xform/
	$(GO) test -run '^$$' -bench Real ./gather/xform/

deb: build ## leave a Debian package in dist/
	@VERSION=$${VERSION:-0.1.0~$$(git log -1 --format=%cd --date=format:%Y%m%d%H%M)}; deploy/debian/build.sh bin/dtm "$$VERSION" "dist/dtm_$${VERSION}_$$(dpkg --print-architecture).deb"

clean: ## remove what was built and fetched (not your data)
	rm -rf bin dist .cache node_modules
