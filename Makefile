# SPDX-License-Identifier: Apache-2.0
# The short way to everything. Each target installs what it needs first (tools/deps.sh; quick when all is there).
.DEFAULT_GOAL := build
.PHONY: action web conformance deps demo dist test test-asan-ubsan test-tsan bench fuzz soak format lint install build release clean

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SECONDS_EACH ?= 30
NPM_DIRS := $(patsubst %/package-lock.json,%,$(wildcard tests/*/package-lock.json action/package-lock.json web/package-lock.json))
OURS = $(shell git ls-files -- 'src/*.cpp' 'src/*.hpp' 'tests/*.cpp' 'tests/*.hpp' ':!tests/corpus' ':!tests/vectors')

# Debian packages, and the npm packages of the tests.
deps:
	@tools/deps.sh

build: deps
	@cmake --preset dev --log-level=WARNING
	@cmake --build build/dev -j $(JOBS)

release: deps
	@tools/deps.sh npm cmake/simdjson
	@cmake --preset release --log-level=WARNING
	@cmake --build build/release -j $(JOBS) --target ghmesh

# The main job on this machine, without the network.
demo: release
	@build/release/ghmesh demo

# Everything that must hold before a change lands. The runner's closing line comes last.
test: build
	@$(if $(NPM_DIRS),tools/deps.sh npm $(NPM_DIRS))
	@ctest --test-dir build/dev -j $(JOBS) --output-on-failure --no-tests=error

# The same tests under a sanitizer.
test-asan-ubsan test-tsan: test-%: deps
	@cmake --preset $* --log-level=WARNING
	@cmake --build build/$* -j $(JOBS)
	@$(if $(NPM_DIRS),tools/deps.sh npm $(NPM_DIRS))
	@ctest --test-dir build/$* -j $(JOBS) --output-on-failure --no-tests=error

# Speed: cached hits against nginx, Varnish and HAProxy in one run (doc/notes names the bars), then single parts. HITS
# goes to tools/bench/hits: --quick takes less than a minute, --note FILE appends the tables to FILE. GROWTH goes to
# tools/bench/growth: --quick stops at 100,000 entries, which spares some minutes and a GiB of disk.
HITS ?=
GROWTH ?=
bench: release
	@cmake --build build/release -j $(JOBS) --target paced_load
	@tools/bench/hits $(HITS)
	@tools/bench/http2
	@cmake --build build/release -j $(JOBS) --target ghmesh-standin
	@tools/bench/proofs
	@tools/bench/watching
	@tools/bench/growth $(GROWTH)
	@tools/deps.sh npm tests/interop
	@tests/interop/bench.sh build/release/ghmesh --quick
	@cmake --build build/release -j $(JOBS) --target ghmesh_benches
	@set -e; for program in $$(find build/release -name 'bench_*' -type f -executable | sort); do \
	  echo "== $${program##*/}"; timeout 120 "$$program" --benchmark_min_time=0.1; done

# Every fuzz target for SECONDS_EACH seconds, from its committed corpus; what is found is left in build/fuzz/found.
fuzz: deps
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build build/fuzz -j $(JOBS) --target ghmesh_fuzzers
	@tools/fuzz build/fuzz $(SECONDS_EACH)

# The public HTTP cache suite against a node in plain RFC 9111 mode; tests/conformance/README.md.
conformance: release
	@tools/deps.sh npm tests/conformance
	@tests/conformance/node_suite.sh build/release/ghmesh

# What takes minutes: kill -9 under write load, CYCLES times, after which no wrong byte may come back; fifty nodes; a network
# that is split for a minute.
CYCLES ?= 1000
soak: deps
	@cmake --preset release --log-level=WARNING
	@cmake --build build/release -j $(JOBS) --target store_soak ghmesh ghmesh-standin
	@build/release/src/store/store_soak $(CYCLES)
	@tools/deps.sh npm tests/e2e
	@GHMESH_CYCLES=$(CYCLES) GHMESH_BIN=build/release/ghmesh node --test --test-name-pattern='kill -9' tests/e2e/lifetime.test.mjs
	@GHMESH_BIN=build/release/ghmesh node --test tests/e2e/fleet-large.test.mjs
	@GHMESH_SPLIT_SECONDS=60 GHMESH_BIN=build/release/ghmesh node --test tests/e2e/fleet-split.test.mjs

# What a release consists of, for this machine's architecture: build/dist.
dist: release
	@rm -rf build/dist
	@tools/dist files build/release build/dist

# The GitHub action's metadata and bundle, from the flags of ghmesh init and from action/src.
action: build
	@tools/deps.sh npm action
	@node action/inputs.mjs build/dev/ghmesh
	@node action/build.mjs

# Known bugs, planted one by one in a copy of the tree: the named tests must catch each (tests/mutants.toml). Minutes.
mutants: deps
	@tools/mutants --jobs $(JOBS)

# The dashboard's built files, which the program carries.
web:
	@tools/deps.sh npm web
	@cd web && npm run --silent build

format: deps
	@clang-format-19 -i $(OURS)

# Format, layers, documents; clang-tidy over what differs from main, or over everything with ALL=1.
lint: build
	@clang-format-19 --dry-run -Werror $(OURS)
	@tools/check_layers
	@tools/check_tree
	@tools/tidy build/dev $(if $(ALL),all)

install: release
	@cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
