# make run    builds, migrates the example program (or EXPORTS=dir CONFIG=file DECISIONS=file) and serves its old links
# make story  plays the live half on a program of its own: a click, a sign-up, three payments, a refund
# make test   runs every test; installs redis-server and chromium when they are missing
# make bench  speed, as ratios against something else in the same run
# make check  gofmt, vet, staticcheck

EXPORTS ?= migrate/example/exports
CONFIG  ?= migrate/example/carryover.toml
DATA    ?= $(if $(filter migrate/example/exports,$(EXPORTS)),data/example,data)
# A conflicts.csv with its decision column filled; empty: nothing is decided yet.
DECISIONS ?= $(if $(filter migrate/example/exports,$(EXPORTS)),migrate/example/decisions.csv)
export REDIS_URL

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION     := $(shell git describe --always --dirty 2>/dev/null || echo devel)
CARRYOVER   := bin/carryover --config $(CONFIG) --data $(DATA)

.PHONY: build run story test bench check fuzz needs clean

build:
	@echo "building carryover (a first build takes two to three minutes) …"
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/carryover ./cmd/carryover

# A plan with open questions exits 3 and says what to decide; nothing is applied then.
# verify exits 3 for differences of money that it has named: links are served all the same.
run: build
	@$(CARRYOVER) plan --out $(DATA)/plan $(if $(DECISIONS),--decisions $(DECISIONS)) $(EXPORTS)
	@$(CARRYOVER) apply $(DATA)/plan
	@$(CARRYOVER) verify || { code=$$?; [ $$code -eq 3 ] || exit $$code; \
		echo "The differences above are for a person to settle, or were decided by one; the old links are served all the same."; }
	@$(CARRYOVER) examples
	@exec $(CARRYOVER) gateway

# The program of the story is made anew each time.
story: build
	@rm -rf data/story
	@go run ./migrate/example/story bin/carryover data/story

test: needs
	@echo "building the tests and running them (four minutes on two quiet cores; a first build takes as long again) …"
	go test -timeout 12m ./...

check:
	@echo "checking with gofmt, go vet and staticcheck (minutes, when nothing is built yet) …"
	@test -z "$$(gofmt -l cmd migrate gateway mapping)" || { echo "not gofmt'ed:"; gofmt -l cmd migrate gateway mapping; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

bench: needs
	go test -run '^$$' -bench . -benchtime 1s ./mapping ./mapping/terms ./migrate/sheet
	go test -run '^$$' -bench . -benchtime 1x -timeout 30m ./mapping/store ./mapping/book ./cmd/carryover
	go test -run '^$$' -bench . -benchtime 60000x -timeout 30m ./gateway
	go test -run '^$$' -bench . -benchtime 1s ./gateway/click

# Each fuzzer for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@for pkg in $$(grep -rl 'func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -ho 'func Fuzz[A-Za-z0-9]*' $$pkg/*_test.go | cut -c6-); do \
			echo "$$pkg $$f"; go test $$pkg -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# What the tests start: a real redis-server, Debian's chromium for pages, groff for the man page.
needs:
	@missing=""; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v redis-cli >/dev/null || missing="$$missing redis-tools"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v groff >/dev/null || missing="$$missing groff-base"; \
	[ -z "$$missing" ] && exit 0; \
	command -v apt-get >/dev/null || { echo "the tests need$$missing: please install them"; exit 1; }; \
	sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "installing$$missing"; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null

clean:
	rm -rf bin
