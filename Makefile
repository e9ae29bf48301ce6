# `make` alone explains the targets. Every target makes what it needs; nothing has to be activated.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What a shell left behind must not change a run: everything comes from this checkout.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTEST_ADDOPTS VIRTUAL_ENV CONDA_PREFIX MYPYPATH

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# One more than the two cores this is measured on: tests wait a quarter of their time, for browsers and servers.
PARALLEL := -n 3 --dist loadgroup
OURS := lti_tool deep_linking grade_passback microcred demo_lms migrations benchmarks tests
SOURCES = $(wildcard $(OURS))
VENDOR := microcred/web/static/vendor

# A checkout that was moved or copied needs its environment again.
ifneq ($(shell cat .venv/checkout 2>/dev/null),$(CURDIR))
.venv/ready: again
endif

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/ready $(VENDOR)/ready .venv/engines ## everything the other targets need (they call it themselves)

.venv/ready: requirements/dev.txt requirements/tools.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh python
	@touch $@

$(VENDOR)/ready: package.json package-lock.json scripts/setup.sh
	@scripts/setup.sh web
	@touch $@

.venv/engines: .venv/ready tests/support/programs.py
	@scripts/setup.sh engines
	@touch $@

.PHONY: demo
demo: .venv/ready $(VENDOR)/ready ## the tool and a small LMS with sample courses, ready to click
	@$(BIN)/microcred demo

.PHONY: test
test: setup lint ## lint, then every test that is not long (under 8 minutes on 2 cores)
	@$(PYTEST) $(PARALLEL)

.PHONY: test-full
test-full: setup lint ## lint, then every test, the long ones too
	@$(PYTEST) $(PARALLEL) -m "" --hypothesis-profile full

.PHONY: story
story: setup ## the end-to-end story in a browser; pictures of every page in test-results/images
	@MICROCRED_TEST_IMAGES=test-results/images $(PYTEST) tests/browser/test_story.py

.PHONY: cases
cases: setup ## every numbered LTI case; rewrites docs/conformance.md
	@$(PYTEST) tests/cases tests/functional/lti -m "" --conformance docs/conformance.md

.PHONY: fuzz
fuzz: setup ## the property tests with many more examples of each
	@$(PYTEST) $(PARALLEL) -m hypothesis --hypothesis-profile long

.PHONY: bench
bench: setup ## measure beside other tools: make bench BENCH=launch|grades|badges (writes benchmarks/results)
	@benchmarks/peers/setup.sh
	@$(BIN)/python -m benchmarks $(BENCH)

.PHONY: chaos
chaos: setup ## awards while workers are killed, engines restart and platforms misbehave (half an hour)
	@$(BIN)/python -m tests.chaos --report docs/reliability.md

.PHONY: term
term: setup ## six weeks of 500 teachers and 12 reviewers on a moved clock (minutes); figures into docs/term.md
	@$(BIN)/python -m tests.term --report docs/term.md

.PHONY: screenshots
screenshots: setup ## the story again, keeping its pictures in docs/images
	@MICROCRED_TEST_IMAGES=docs/images $(PYTEST) tests/browser/test_story.py
	@MICROCRED_TEST_IMAGES=docs/images $(PYTEST) -m long tests/browser/test_set_up_pages.py

.PHONY: lint
lint: .venv/ready ## ruff, mypy (strict), the import contract, unused dependencies
	@failed=; \
	for check in "ruff check $(SOURCES)" "ruff format --check $(SOURCES)" "mypy -n auto $(SOURCES)" \
		"lint-imports --no-logo" "deptry --no-ansi ."; do \
		echo "lint: $${check%% *}"; $(BIN)/$$check || failed="$$failed $${check%% *}"; \
	done; \
	test -z "$$failed" || { echo "lint: not clean:$$failed" >&2; exit 1; }

.PHONY: format
format: .venv/ready ## put the code into its form
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

.PHONY: lock
lock: ## resolve the dependencies again (needs uv and npm); keeps what still fits
	@scripts/lock.sh

.PHONY: clean
clean: ## remove all that the other targets made, except ./var
	@rm -rf .venv .tools node_modules $(VENDOR) build dist test-results \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: again
again:
