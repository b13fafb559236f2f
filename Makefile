# make test   installs what the end-to-end tests need (where it may) and runs everything
# make quick  the tests without the real programs, without race detector
# make bench  the measurements that docs/measurements.md quotes
# make docs   writes the generated pages (man pages, reference, formats) anew

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 20s

.PHONY: test quick check fuzz tools bench docs build

test: tools check
	. ./.ci/env && $(GO) test -race -shuffle=on -timeout 30m $(TESTFLAGS) ./...
	FUZZTIME=$(FUZZTIME) ./.ci/fuzz

quick:
	$(GO) test ./...

build:
	$(GO) build -trimpath -o bin/ ./cmd/...

check:
	@test -z "$$(gofmt -l .)" || { echo "gofmt: run 'gofmt -w' on:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fuzz:
	FUZZTIME=$(FUZZTIME) ./.ci/fuzz

tools:
	./.ci/tools

bench:
	./.ci/bench

docs:
	$(GO) run ./cmd/lull gen-docs docs
