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

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## Build and start the demo: two simulated clusters, address and log-in printed
	cargo build --workspace
	"$(TARGET)/debug/podgate" demo

.PHONY: check
check: ## Fast: format, compile, unit tests
	cargo fmt --all --check
	cargo check --workspace --all-targets
	cargo test --workspace --lib --bins

.PHONY: test
test: ## Every test that needs no cluster
	@mkdir -p "$(TARGET)"; rm -f "$(SEEN_CODES)"
	PODGATE_SEEN_CODES="$(SEEN_CODES)" cargo test --workspace
	PODGATE_SEEN_CODES="$(SEEN_CODES)" cargo test --workspace --test api -- --quiet --ignored documents::every_listed_code_was_seen

.PHONY: e2e
e2e: ## Against real Kubernetes: needs KUBECONFIG and E2E_CLUSTER_CTL; CASE=name runs one
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
lint: $(TOOLS)/bin/cargo-deny $(TOOLS)/bin/cargo-machete ## Format, clippy, documentation, circles of modules, width of comments, licences, bans, sources, unused dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
	scripts/module-circles --check
	scripts/comment-width
	$(TOOLS)/bin/cargo-deny --workspace check bans licenses sources
	$(TOOLS)/bin/cargo-machete

.PHONY: audit
audit: $(TOOLS)/bin/cargo-deny ## Known advisories; needs the network
	$(TOOLS)/bin/cargo-deny --workspace check advisories

.PHONY: bench
bench: ## Measure, and write docs/performance.md; KUBECONFIG of a real cluster adds its sync, logs and terminal; AGAINST=binary compares
	cargo build --workspace --release
	"$(TARGET)/release/podgate-bench" --podgate "$(TARGET)/release/podgate" --report docs/performance.md --plot docs/performance.svg $(if $(AGAINST),--against "$(AGAINST)")

.PHONY: release
release: ## The optimised binary, stripped, its debug information beside it as podgate.debug (Linux)
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
