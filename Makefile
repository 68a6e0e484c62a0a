# Needs Go, git and make; everything else is fetched by the go command.

GO            ?= go
GOLANGCI_LINT ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
FUZZTIME      ?= 20s
VERSION       ?=
HISTORY       ?= docs/bench-history.tsv

.DEFAULT_GOAL := help
.PHONY: help build man reference schema-module test etcd s3 soak kills sweep lint marks pages golden fuzz bench e2e record demo release

help: ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

build: ## build bin/strata; VERSION=v1.2.3 names a release
	$(GO) build $(if $(VERSION),-ldflags '-X main.version=$(VERSION)') -o bin/strata ./cmd/strata

man: build ## write a manual page for each verb to man/
	rm -rf man
	bin/strata man man

reference: build ## write the reference of verbs and fields, in Markdown, to dist/reference
	rm -rf dist/reference
	bin/strata man --markdown dist/reference

schema-module: build ## write the package that configurations import to dist/schema, as a CUE module; cue mod publish puts it into a registry
	rm -rf dist/schema
	bin/strata schema --module dist/schema

test: ## run every test that needs no real target
	$(GO) test -parallel 4 -timeout 30m ./...

etcd: ## have etcd's own server, of three members that are killed and cut off, elect watches (minutes)
	cd lead/etcdtest && $(GO) vet ./... && $(GO) test -count=1 -timeout 15m ./...

s3: ## have archives kept by a real S3 server, which is built first (minutes)
	cd archive/s3/versitytest && $(GO) vet ./... && $(GO) test -count=1 -timeout 30m ./...

soak: ## have a watch make 10,000 passes, in some minutes, and see that it does not grow
	$(GO) test -count=1 -v -timeout 30m ./watch -run '^TestSoak$$' -passes 10000

kills: ## kill strata 100 times as it backs up, restores, also at once, follows, forgets and prunes, on simulated targets (minutes)
	$(GO) test -count=1 -v -timeout 60m ./cmd/strata -run '^TestBackupKilledAnywhere$$' -backup-kills 100

sweep: ## break every scenario in every way at every call (hours), or at one call in 40 with EVERY=40 (minutes; SHARE=1 others), and print what was tried
	$(GO) test -count=1 -timeout 24h ./sweep -run TestSweep -full -every $(or $(EVERY),1) -share $(or $(SHARE),0) -v | grep -v '^ *=== '

lint: marks pages ## check formatting, vet, import rules (depguard) and the usual mistakes
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$bad" ]; then echo "gofmt these:" $$bad >&2; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags bench ./bench
	$(GOLANGCI_LINT) run ./...

marks: ## check that no text holds marks of unfinished work
	@scripts/marks

pages: ## check that what is written of the recipes is what their table and the golden plans say
	@$(GO) test -count=1 -run '^(TestTable|TestPages)$$' ./plan/recipe

golden: ## rewrite the golden files of all tests and list what changed
	@set -e; for dir in $$(git grep -l --untracked 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		$(GO) test -count=1 "./$$dir" -update; \
	done; git status --short -- '*testdata*' plan/doc.go docs/contributing

fuzz: ## run each fuzz target for FUZZTIME (20s), random histories that nobody has seen, and have schema.cue judge every value at every path
	$(GO) test -count=1 ./plan/recipe -run 'Histor|PoolsMove' -histories $(FUZZTIME)
	$(GO) test -count=1 ./schema -run '^TestSchemaAgrees$$' -every-value
	@git grep --untracked -o '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | sed 's|/[^/]*_test.go:func | |' | while read -r dir name; do \
		echo "== $$dir: $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "./$$dir" </dev/null || exit 1; \
	done

bench: ## measure speed, CPU time and memory against what is promised, and append the ratios to docs/bench-history.tsv (HISTORY= for nowhere)
	$(GO) test -count=1 -v -timeout 60m ./archive -run '^(TestMemory|TestKilled|TestResticDumps)$$' -blobs 5000000 -kills 20 -long
	$(GO) test -count=1 -v -timeout 60m -tags bench ./bench $(if $(HISTORY),-history '$(abspath $(HISTORY))')

e2e: ## run against real targets: make e2e SPDK_TGT=/path/spdk_tgt SPDK_DD=/path/spdk_dd
	@if [ ! -x "$(SPDK_TGT)" ] || [ ! -x "$(SPDK_DD)" ]; then \
		echo "make e2e starts real SPDK targets. Say where SPDK's programs are:" >&2; \
		echo "    make e2e SPDK_TGT=/path/to/spdk_tgt SPDK_DD=/path/to/spdk_dd" >&2; \
		echo "spdk_tgt and spdk_dd are in build/bin of an SPDK that was built (v26.05 is known to work)." >&2; \
		echo "given: SPDK_TGT='$(SPDK_TGT)' SPDK_DD='$(SPDK_DD)'; each must be an executable file" >&2; \
		exit 1; \
	fi
	SPDK_TGT="$(abspath $(SPDK_TGT))" SPDK_DD="$(abspath $(SPDK_DD))" BDEVPERF="$(abspath $(BDEVPERF))" SPDK_HTTP_PROXY="$(abspath $(SPDK_HTTP_PROXY))" $(GO) test -count=1 -v -timeout 60m ./e2e/... ./spdk/reachtest

record: ## write what real targets answer: make record SPDK_TGT=/path/spdk_tgt and/or SPDK_TGT_LONGHORN=/path/spdk_tgt
	@if [ ! -x "$(SPDK_TGT)" ] && [ ! -x "$(SPDK_TGT_LONGHORN)" ]; then \
		echo "make record runs the contract suite on a real target and writes every exchange to" >&2; \
		echo "testdata/transcripts/contract-*.jsonl, which the simulator is checked against. Say where spdk_tgt is:" >&2; \
		echo "    make record SPDK_TGT=/path/to/v26.05/spdk_tgt SPDK_TGT_LONGHORN=/path/to/longhorn-v24.09/spdk_tgt" >&2; \
		echo "given: SPDK_TGT='$(SPDK_TGT)' SPDK_TGT_LONGHORN='$(SPDK_TGT_LONGHORN)'; one must be an executable file" >&2; \
		exit 1; \
	fi
	SPDK_TGT="$(abspath $(SPDK_TGT))" SPDK_TGT_LONGHORN="$(abspath $(SPDK_TGT_LONGHORN))" \
		$(GO) test -count=1 -v -timeout 60m ./e2e -run '^TestContract' -record

demo: build ## watch strata at work on simulated targets: create, change, lose power, recover
	@scripts/demo bin/strata

release: ## build what is published into dist/: make release VERSION=v1.2.3
	@scripts/release "$(VERSION)"
