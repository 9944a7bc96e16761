# Entraide. `make demo` runs the main job, `make test` every test; both do all their set-up.
.PHONY: build console demo test bench lint soak fuzz setup clean
SHELL := /bin/bash
CARGO ?= cargo
DEMO_ARGS ?=

build: console ## a release build
	$(CARGO) build --release --locked --bin entraide

console: ## the operators' screen, which a release build holds; it needs node and npm
	@tools/console.sh

demo: setup console ## 27 nations and an EU node in one process, the story, then the nodes stay up until Ctrl-C
	$(CARGO) build --release --locked --bin entraide
	ulimit -n $$(ulimit -Hn) 2>/dev/null; ./target/release/entraide demo $(DEMO_ARGS)

test: setup ## every test: lints, unit, capability, property, browser
	@tools/test.sh

bench: setup build ## the figures of docs/benchmarks.md, as ratios in one run
	$(CARGO) run --release --locked -p entraide --example bench -- $(BENCH_ARGS)

soak: setup ## faults and simulation for as long as asked: SOAK_SEEDS=200 SOAK_KILLS=1000, and SOAK_SEED=… to repeat a run
	ENTRAIDE_SEEDS=$${SOAK_SEEDS:-200} ENTRAIDE_SEED_FROM=$${SOAK_SEED:-$$RANDOM} $(CARGO) test --locked -p node --test nations -- --nocapture as_many
	ENTRAIDE_REFUSALS=all $(CARGO) test --locked -p entraide --test refused -- --nocapture
	ENTRAIDE_KILLS=$${SOAK_KILLS:-1000} ENTRAIDE_SEED=$${SOAK_SEED:-$$RANDOM} $(CARGO) test --locked -p entraide --test faults -- --nocapture

fuzz: ## every parser of bytes from outside, FUZZ_SECONDS=300 each; it reports and keeps corpora
	@tools/setup.sh g++
	@tools/fuzz.sh

lint: ## formatting and clippy, as CI sees them
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

setup:
	@tools/setup.sh

clean:
	$(CARGO) clean
