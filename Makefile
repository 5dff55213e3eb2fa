# meshproof: the commands of the project. `make help` prints them.
SHELL := /bin/bash
export CGO_ENABLED := 0
GOBUILD := go build -trimpath
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help build test registry lint vuln licences engine conformance up claim cells qualify prove soak bench bench-cold docs release-tools release-snapshot ci clean

help: ## print this page
	@echo "meshproof: a conformance suite for multicluster service meshes"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS="..." passes flags on to `meshproof run`: make conformance ARGS="--samples 2000 --keep on-failure"'

build: ## build bin/meshproof
	$(GOBUILD) -o bin/meshproof ./cmd/meshproof

# The collector takes a third of the linker's time, and of the tests'; scripts/engine-test mostly waits for processes to end.
test: export GOGC := 400
test: ## run the project's tests; no cluster, no engine
	go vet -trimpath ./...
	@echo "compiling the tests, minutes when nothing is cached"
	@out=$$(mktemp); scripts/engine-test > $$out 2>&1 & engine=$$!; \
	go test -trimpath ./...; tests=$$?; wait $$engine || tests=1; cat $$out; rm $$out; exit $$tests

registry: build engine ## push the built images to a registry on loopback and run from there (minutes)
	MESHPROOF_REAL_IMAGES=1 go test -trimpath -count=1 -timeout 30m -v -run TestReal ./framework/images

lint: ## check formatting, style and the layers of packages
	cd scripts/tools && $(GOBUILD) -o ../../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	GOLANGCI_LINT_CACHE=$(CURDIR)/bin/lint-cache bin/golangci-lint run ./... # a cache that is shared gives files the names they have in another checkout

vuln: build ## look for known vulnerabilities in bin/meshproof; says so where their database is out of reach
	cd scripts/checks && go test -trimpath ./vuln && $(GOBUILD) -o ../../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
	scripts/vuln bin/govulncheck bin/meshproof

licences: ## check that every linked module is under an allowed licence (scripts/checks/licences)
	cd scripts/checks && go test -trimpath ./licences && go run -trimpath ./licences ../..

engine: ## make sure that a container engine runs (changes nothing where one does)
	scripts/engine

conformance: build engine ## make two kind clusters, perform the guide, print the verdict
	bin/meshproof run --disruptive=false $(ARGS)

qualify: build engine ## the same, and all that is done to the mesh on purpose besides: denials, failures (15 minutes)
	bin/meshproof run $(ARGS)

cells: build engine ## the four combinations of CA and commands that cover the guide's 14 cells, each a run, and their matrix (6 minutes)
	scripts/cells $(ARGS)

up: build engine ## make a mesh on two kind clusters that stands, for make claim; meshproof down RUN-ID removes it
	bin/meshproof up --join $(ARGS)

claim: build ## judge claims in seconds on the mesh that stands, else from the last report: make claim ID=gateway-address [RUN=RUN-ID|FROM=DIR]
	bin/meshproof claim $(ID) $(if $(RUN),--run $(RUN)) $(if $(FROM),--from $(FROM))

prove: build engine ## plant every fault and see that each is named (45 minutes); writes docs/self-proof.md
	bin/meshproof prove --table docs/self-proof.md $(ARGS)

soak: build engine ## judge a healthy mesh N times (50) and run the life cycle 10 times (half an hour); writes docs/soak.md
	bin/meshproof soak --table docs/soak.md --n $(or $(N),50) $(ARGS)

bench: build engine ## measure against the steps typed by hand; writes docs/benchmarks.md
	scripts/bench/run

bench-cold: ## measure a cold run against bare go build (35 minutes); writes docs/benchmarks-cold.md
	scripts/bench/cold

docs: build ## write the pages that are made from the code: docs/requirements.md, troubleshooting.md, configuration.md
	bin/meshproof claims --output markdown >docs/requirements.md
	bin/meshproof causes --output markdown >docs/troubleshooting.md
	bin/meshproof config list --output markdown >docs/configuration.md

release-tools: ## build what puts licences and SBOMs into a release; goreleaser calls it
	cd scripts/checks && $(GOBUILD) -o ../../bin/licences ./licences && $(GOBUILD) -o ../../bin/cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

release-snapshot: ## put together in dist/ what a release would hold, and publish nothing; needs goreleaser in the pinned version
	scripts/release-snapshot

ci: ## what CI does on a clean machine
	.ci/run

clean: ## remove what was built in this directory; caches stay
	rm -rf bin
