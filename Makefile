# Everything a developer runs, under one name each. `make help` lists them.

CARGO ?= cargo
DATA ?= target/demo
# The binary as the tests build it, so that nothing is built twice.
BUILT = $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/tidings
BUILD = $(CARGO) test --workspace --quiet --no-run
# Test vectors of signatures and keys, from the Go module proxy; without Go their tests say that they are skipped.
VECTORS = github.com/c2sp/wycheproof@v0.0.0-20260902155932-3fa63dd0344a
WYCHEPROOF = $(shell command -v go >/dev/null && go mod download -json $(VECTORS) | sed -n 's|.*"Dir": "\(.*\)".*|\1/testvectors_v1|p')

.PHONY: help demo test ci sso fmt clippy docs deny api-test oauth-clients areas bench

help: ## List what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

demo: ## Build, start the server with a simulated world, show notices here
	$(CARGO) build --release --bin tidings
	$(CARGO) run --release --quiet --bin tidings -- serve --demo --data $(DATA)

test: ## Run all tests
	TIDINGS_TEST_WYCHEPROOF="$(WYCHEPROOF)" $(CARGO) test --workspace --quiet
	$(MAKE) --no-print-directory oauth-clients

fmt: ## Check the formatting
	$(CARGO) fmt --all --check

clippy: ## Lint, warnings are errors
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

docs: ## Build the docs, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

sso: ## Sign in by providers of others, on this machine (needs node and npm; java, mvn and unzip for Keycloak)
	$(BUILD)
	tools/sso/run "$(BUILT)"

api-test: ## Ask a server everything its OpenAPI document says (needs Python)
	$(BUILD)
	tools/schemathesis/run "$(BUILT)" 10

oauth-clients: ## Have OAuth clients that others wrote come by tokens (needs npm and Python)
	$(BUILD)
	tools/oauth-clients/run "$(BUILT)"

deny: ## Check licenses, bans and sources of what is depended on
	$(CARGO) deny --log-level error check licenses bans sources

ci: fmt clippy deny test sso api-test docs ## The steps of continuous integration

bench: ## Measure everything beside what the machine does by itself
	$(CARGO) build --release --bin tidings
	$(CARGO) run --release --quiet --bin tidings -- bench --log warn --data target/bench
	$(CARGO) bench -p tidings-core
	$(CARGO) bench -p tidings-engine --bench token
	$(CARGO) bench -p tidings-http --bench limits
	$(CARGO) bench -p tidings-adapters --bench store

areas: ## Make the built-in tables of places again (needs npm)
	npm --prefix tools/areas ci
	node tools/areas/build.mjs
