# cdc_decoder: every command of the project.  Recipes only delegate: the plugin is built by
# decoder/Makefile (PGXS), the worker and its unit tests by sink/Makefile, the rest is scripts in
# regress/tools/.  All output goes to build/.
#
#   PG_CONFIG=/path/to/pg_config   the server to build for and to test with
#   DUCKDB_DIR=/dir                duckdb.h and libduckdb to use instead of the pinned ones
#   WERROR=1                       warnings are errors (CI)
#   V=1                            show the compiler's command lines
#   DESTDIR= PREFIX=               where make install puts the worker

PG_CONFIG ?= pg_config
PREFIX    ?= /usr/local
BUILD     ?= build
TOOLS     := regress/tools

export PG_CONFIG BUILD DUCKDB_DIR WERROR V

SINK := $(MAKE) --no-print-directory -f sink/Makefile

all: decoder sink ## build the plugin and the worker (default)

decoder: ## build build/decoder/cdc_decoder.so for the server of PG_CONFIG
	+@$(TOOLS)/build-decoder.sh

sink: ## build build/cdc-sink
	+@$(SINK) worker

deps: ## install what building and testing needs (Debian 12, 13); silent when nothing is missing
	@$(TOOLS)/deps.sh build test

deps-build: ## install only what building needs
	@$(TOOLS)/deps.sh build

install: all ## install plugin (PG_CONFIG), worker and sample configuration; honours DESTDIR, PREFIX
	@$(TOOLS)/install.sh "$(DESTDIR)" "$(PREFIX)"

clean: ## remove everything built, but not the cached downloads
	rm -rf $(BUILD)

check: ## install what is missing, build, run every test; README's test command
	@$(TOOLS)/check.sh

check-unit: ## unit tests (cmocka)
	+@$(SINK) unit && $(TOOLS)/run-unit.sh $(BUILD)/unit

check-asan: ## unit tests and the fuzzers' inputs under AddressSanitizer and UBSan
	+@$(SINK) unit replays BUILD=$(BUILD)/asan SANITIZE=address,undefined && \
		$(TOOLS)/run-unit.sh $(BUILD)/asan/unit $(BUILD)/asan/fuzz

check-sanitizers: all ## integration tests and those of faults with the worker under ASan and UBSan, then TSan: SANITIZERS="asan tsan" TESTS="lake"
	+@$(SINK) faults
	@$(TOOLS)/check-sanitizers.sh $(TESTS)

check-valgrind: decoder ## check-regress with the server under valgrind's memcheck: TESTS="toast types_num"
	@$(TOOLS)/check-valgrind.sh $(TESTS)

check-regress: decoder ## pg_regress and isolation tests from the build tree: TESTS="toast types_num"
	@$(TOOLS)/run-regress.sh $(TESTS)

fuzz: ## each fuzzer for FUZZ_SECONDS=60 under ASan and UBSan: TESTS="frame filter"
	@$(TOOLS)/fuzz.sh $(TESTS)

check-servers: ## check-regress on PostgreSQL 15, 17 and 18, each in a chroot (root): SUITES="trixie sid"
	@$(TOOLS)/check-servers.sh $(SUITES)

check-goldens: all ## plugin and worker against records that Debezium emitted: TESTS="toast defaults" CASES=dir
	@$(TOOLS)/python.sh regress/goldens/check.py $(TESTS)

check-debezium: all ## Debezium itself and ours over generated changes, needs a JDK: SEED=n ROUNDS=n TESTS="case"
	@$(TOOLS)/deps.sh debezium
	@TESTS="$(TESTS)" $(TOOLS)/python.sh regress/differential/check.py $(or $(SEED),random) $(or $(ROUNDS),20)

check-faults: all ## every fault of README's table, and kill -9 at every step that makes something durable: KILLS=200 SEED=1 TESTS="slot"
	+@$(SINK) faults
	@KILLS=$${KILLS:-200} $(TOOLS)/python.sh regress/tools/run-tests --faults $(TESTS)

check-limits: all ## how large, how many, how far behind: minutes to an hour, 40 GB of disk; figures for README: TESTS="columns"
	+@$(SINK) limits
	@JOBS=1 $(TOOLS)/python.sh regress/tools/run-tests --limits $(TESTS)

check-registry: all ## the Avro tests against a real schema registry
	@$(TOOLS)/deps.sh registry
	@REGISTRY=apicurio $(TOOLS)/python.sh regress/tools/run-tests avro

check-docker: ## build the images of docker/ and run them, killed in mid-stream (root, Docker): DOCKER_DATA=dir TESTS="stop"
	@$(TOOLS)/check-docker.sh $(TESTS)

check-large: decoder ## rows near the limit of 1 GB, through the plugin: minutes and gigabytes
	@$(TOOLS)/python.sh regress/large/check.py

check-integration: all ## worker, real broker, foreign readers: TESTS="smoke crash"
	+@$(SINK) faults limits
	@$(TOOLS)/python.sh regress/tools/run-tests $(TESTS)

demo: ## one command from nothing to changes in Kafka, bronze and silver; KEEP=1 leaves it running
	@$(TOOLS)/demo.sh

bench: all ## measure decoding, draining to Kafka and to silver
	@$(TOOLS)/python.sh regress/bench/bench.py

fmt: ## format all C with clang-format 14
	@$(TOOLS)/fmt.sh

lint: all ## formatting, clang-tidy, dependency rules, shellcheck, exported symbols
	@regress/lint/lint.sh

docs: sink ## regenerate the option and metric tables of README and the sample configuration
	@$(TOOLS)/docs.sh

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r t d; do printf '  %-18s %s\n' "$$t" "$$d"; done

.PHONY: all decoder sink deps deps-build install clean check check-unit check-asan check-sanitizers check-valgrind check-regress check-goldens \
	check-faults check-limits check-servers check-docker check-large check-registry check-integration fuzz demo bench fmt lint docs help
