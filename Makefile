# The face of the project: everything a person runs by hand.

SHELL := /bin/sh
.DEFAULT_GOAL := help
LISTEN ?= 127.0.0.1:6543
PROFILE ?= quick
export CARGO_TERM_COLOR ?= auto

.PHONY: help run test build fmt api web bench soak audit

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

run: ## Build and serve on 127.0.0.1:6543 (LISTEN=ADDRESS:PORT changes it)
	@scripts/setup run
	@scripts/build quick
	@scripts/serve "$(LISTEN)"

test: ## Everything that has to hold before a change lands
	@scripts/test

build: ## The release binary, at target/release/netwark
	@scripts/setup build
	@scripts/web-build
	cargo build --release --locked -p netwark

web: ## The web UI alone, into web/build
	@scripts/web-build

fmt: ## Format Rust and web code
	cargo fmt --all
	cd web && npm run --silent format

api: ## Write the API description, the TypeScript types and generated pages anew
	NETWARK_BLESS=1 cargo test --quiet -p netwark-server --test api openapi
	NETWARK_BLESS=1 cargo test --quiet -p netwark-model --test docs
	NETWARK_BLESS=1 cargo test --quiet -p netwark --bin netwark
	cd web && npm run --silent api

bench: ## Measure beside fping, ping, mtr, arp-scan and nmap (BENCH='--quick' passes flags on; PROFILE=release measures `make build`)
	@scripts/setup build
	@scripts/web-build
	@cargo build --profile $(PROFILE) --locked -p netwark
	@cargo build --profile $(PROFILE) --locked -p netwark-probe -p netwark-lookup --examples
	@cargo build --profile $(PROFILE) --locked -p netwark --example messaging
	@python3 benches/bench.py --profile $(PROFILE) $(BENCH)

soak: ## What runs for minutes: everything killed again and again under load (ROUNDS=30 MINUTES=10)
	NETWARK_SOAK_ROUNDS=$(or $(ROUNDS),30) cargo test --quiet -p netwark --test crash
	NETWARK_CHAOS_SECONDS=$$(($(or $(MINUTES),10) * 60)) NETWARK_SIGHTINGS_SECONDS=$$(($(or $(MINUTES),10) * 60)) NETWARK_QUIET_SECONDS=300 cargo test --quiet -p netwark --test soak -- --nocapture --test-threads 1

audit: ## Licences, bans and unused dependencies (installs the tools: minutes)
	@scripts/audit
