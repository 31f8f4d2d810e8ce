# `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Cargo tools are installed once, outside the checkout.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/podgate-tools
DENY_VERSION := 0.20.2
MACHETE_VERSION := 0.9.2
TARGET := $(or $(CARGO_TARGET_DIR),target)
# The codes of failures that the tests of `make test` saw, by route.
SEEN_CODES := $(abspath $(TARGET))/seen-codes
# An older binary that the bench compares with: make bench AGAINST=path
AGAINST ?=
# One e2e case, or all: make e2e CASE=rotation
CASE ?=

# The web page needs Node and its browser tests a Chromium. Without them the rest is built and tested,
# and a line at the end says what is missing; with PODGATE_REQUIRE_UI=1 that is a failure.
NODE := $(shell node -e 'const [a, b] = process.versions.node.split("."); if ((a == 20 && b >= 19) || (a == 22 && b >= 12) || a > 22) console.log("yes")' 2>/dev/null)
CHROMIUM ?= $(firstword $(shell command -v chromium chromium-browser google-chrome) $(wildcard $(HOME)/.cache/ms-playwright/chromium-*/chrome-linux*/chrome))
export CHROMIUM
UI_SOURCES := $(shell find ui/src ui/index.html ui/*.json ui/vite.config.ts -type f 2>/dev/null)

# Says what is missing for the page: $(call without,what,remedy)
define without
@echo "Podgate: $(1). $(2)." >&2; [[ -z "$${PODGATE_REQUIRE_UI:-}" ]]
endef

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: ui
ui: $(if $(NODE),ui/dist/index.html,no-node) ## The web page, which the binary embeds; needs Node 20.19 or newer

.PHONY: no-node
no-node:
	$(call without,the web page is missing,Install Node 20.19 or newer and run `make ui`)

ui/node_modules/.package-lock.json: ui/package-lock.json ui/.npmrc
	cd ui && npm ci --ignore-scripts
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run --silent build

.PHONY: run
run: ui ## Build and start the demo: two simulated clusters, address and log-in printed
	cargo build --workspace
	"$(TARGET)/debug/podgate" demo

.PHONY: check
check: ## Fast: format, compile, unit tests
	cargo fmt --all --check
	cargo check --workspace --all-targets
	cargo test --workspace --lib --bins

.PHONY: test
test: ui ## Every test that needs no cluster
	@mkdir -p "$(TARGET)"; rm -f "$(SEEN_CODES)"
	PODGATE_SEEN_CODES="$(SEEN_CODES)" cargo test --workspace
	PODGATE_SEEN_CODES="$(SEEN_CODES)" cargo test --workspace --test api -- --quiet --ignored documents::every_listed_code_was_seen
	@$(MAKE) --no-print-directory test-ui

.PHONY: test-ui
test-ui: $(if $(NODE),test-page,no-node) ## The page's tests alone, on the debug binary

.PHONY: test-page
test-page: ui
	cd ui && npm test --silent
	cargo build --workspace
	$(if $(CHROMIUM),cd ui && PODGATE_BIN="$(abspath $(TARGET))/debug/podgate" npm run --silent browser,$(call without,the browser tests did not run,Install Chromium or set CHROMIUM))

.PHONY: e2e
e2e: ui ## Against real Kubernetes: needs KUBECONFIG and E2E_CLUSTER_CTL; CASE=name runs one
	@[[ -n "$${KUBECONFIG:-}" && -n "$${E2E_CLUSTER_CTL:-}" ]] || { echo "make e2e needs KUBECONFIG (of an administrator) and E2E_CLUSTER_CTL (a command that takes 'stop PART' and 'start PART'): see docs/testing.md" >&2; exit 2; }
	cargo build --workspace
	PODGATE_BIN="$(abspath $(TARGET))/debug/podgate" cargo test --workspace --test e2e -- --ignored --test-threads=1 $(CASE)

.PHONY: lab
lab: ## Real cluster and server, the log-in printed: needs E2E_CLUSTER_CTL (a command that takes 'up')
	@[[ -n "$${E2E_CLUSTER_CTL:-}" ]] || { echo "make lab needs E2E_CLUSTER_CTL: a command that takes 'up' and prints a kubeconfig's path" >&2; exit 2; }
	cargo build --workspace
	kubeconfig=$$($$E2E_CLUSTER_CTL up); dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	  "$(TARGET)/debug/podgate" serve --kubeconfig "$$kubeconfig" --data-dir "$$dir"

.PHONY: lint
lint: $(TOOLS)/bin/cargo-deny $(TOOLS)/bin/cargo-machete ## Format, clippy, documentation, circles of modules, width of comments, licences, bans, sources, unused dependencies; the page's types, rules, contrasts and size
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
	scripts/module-circles --check
	scripts/comment-width
	$(TOOLS)/bin/cargo-deny --workspace check bans licenses sources
	$(TOOLS)/bin/cargo-machete
	@$(MAKE) --no-print-directory lint-ui

.PHONY: lint-ui
lint-ui: $(if $(NODE),lint-page,no-node) ## The page alone

.PHONY: lint-page
lint-page: ui
	cd ui && npm run --silent types && git diff --exit-code src/api/schema.d.ts
	cd ui && npm run --silent lint && node scripts/size.mjs

.PHONY: audit
audit: $(TOOLS)/bin/cargo-deny ## Known advisories; needs the network
	$(TOOLS)/bin/cargo-deny --workspace check advisories

.PHONY: bench
bench: ui ## Measure, and write docs/performance.md; KUBECONFIG of a real cluster adds its sync, logs and terminal; AGAINST=binary compares
	cargo build --workspace --release
	"$(TARGET)/release/podgate-bench" --podgate "$(TARGET)/release/podgate" --report docs/performance.md --plot docs/performance.svg $(if $(AGAINST),--against "$(AGAINST)")

.PHONY: release
release: ui ## The optimised binary, stripped, its debug information beside it as podgate.debug (Linux)
	cargo build --workspace --release
	@cd "$(TARGET)/release"; \
	if [[ "$$(uname)" == Linux ]]; then \
	  objcopy --only-keep-debug podgate podgate.debug; \
	  objcopy --strip-all --add-gnu-debuglink=podgate.debug podgate podgate.stripped; \
	  mv -f podgate.stripped podgate; \
	else \
	  strip podgate; \
	fi; \
	du -h podgate* | grep -v '\.d$$'

$(TOOLS)/bin/cargo-machete:
	CARGO_TARGET_DIR="$(TOOLS)/build" cargo install --quiet --locked --root "$(TOOLS)" --version $(MACHETE_VERSION) cargo-machete
	rm -rf "$(TOOLS)/build"

$(TOOLS)/bin/cargo-deny:
	CARGO_TARGET_DIR="$(TOOLS)/build" cargo install --quiet --locked --root "$(TOOLS)" --no-default-features --version $(DENY_VERSION) cargo-deny
	rm -rf "$(TOOLS)/build"
