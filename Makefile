# Needs only make and Python 3.13: every target installs what it needs, once.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHONPATH := layers/dropship:.
export SAM_CLI_TELEMETRY := 0
unexport PYTHONDONTWRITEBYTECODE # nothing is compiled when it is installed, so the first run has to keep what it compiles

SECTION ?= prod
BASE_PYTHON := $(shell for p in python3.13 python3; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' \
	2>/dev/null && echo $$p && break; done)
PYTHON := .venv/bin/python
SAM := PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/sam
# --no-compile: compiling what is never imported takes as long as fetching it.
PIP_INSTALL := -m pip install -qq --no-compile --disable-pip-version-check --require-hashes -r
STACK := .venv/.stack
TOOLS := .venv/.installed
EMULATOR := .local/emulator-env/.installed
FOLDERS = $(filter-out tests/e2e,$(patsubst %/,%,$(wildcard tests/*/)))

.PHONY: help demo up seed down test test-unit test-e2e faults bench guarantees lint deploy lock clean python stack-tools

help: ## This list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: up ## Start everything and follow one real order through its life
	@$(PYTHON) -m tools.local.demo

up: stack-tools ## Start emulator and partner sandbox, build, deploy, seed; print the URLs
	@$(PYTHON) -m tools.local.stack up

seed: stack-tools ## Load tools/local/seed.yaml into the running stack again
	@$(PYTHON) -m tools.local.stack seed

down: $(STACK) ## Stop the emulator and the sandbox
	@$(PYTHON) -m tools.local.stack down

test: test-unit test-e2e ## All tests: without a stack, then on the local stack

test-unit: $(TOOLS) ## Tests that need no running stack
	$(PYTHON) -m pytest -q -n 2 $(FOLDERS)

test-e2e: $(TOOLS) $(EMULATOR) ## Whole-stack tests: all with IAM enforced (AUTH=true), then without it those marked without_iam
	AUTH=true $(PYTHON) -m pytest -q tests/e2e
	$(PYTHON) -m pytest -q -m without_iam tests/e2e

faults: $(TOOLS) ## Stops at every call, deliveries, bad input, grants, defects: ten minutes; ARGS=--quick for two
	@$(PYTHON) -m tests.faults.everything $(ARGS)

bench: $(TOOLS) $(EMULATOR) ## What an order costs on AWS and how fast all is, beside the budgets; ARGS=--help for parts
	@$(PYTHON) -m tests.bench $(ARGS)

guarantees: $(TOOLS) ## Write what `make faults` and `make bench` measured into docs/guarantees.md
	$(PYTHON) -m tools.guarantees

lint: $(TOOLS) ## ruff, mypy --strict, sam validate --lint
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy layers/dropship functions
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint --template template.yaml

deploy: $(STACK) ## Build and deploy to AWS; choose the samconfig.toml section with SECTION=… (default prod)
	$(SAM) build
	$(PYTHON) -m tools.bytecode .aws-sam/build
	$(SAM) deploy --config-env $(SECTION)

lock: python ## Pin every requirements file again, with hashes
	@test -x .local/lock-env/bin/uv || { $(BASE_PYTHON) -m venv .local/lock-env && .local/lock-env/bin/python -m pip install -qq uv; }
	@for f in layers/deps/requirements tools/local/requirements-stack requirements-dev tools/local/requirements-emulator; do \
	  .local/lock-env/bin/uv pip compile --quiet --upgrade --universal --python-version 3.13 --generate-hashes \
	    --no-emit-index-url --no-header $$f.in -o $$f.txt && echo "$$f.txt"; done

clean: ## Stop the local stack; remove builds, caches and environments
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tools.local.stack down; fi
	rm -rf .aws-sam .local .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache

stack-tools: # both at once, for each takes a while to fetch
	@$(MAKE) --no-print-directory -j2 $(STACK) $(EMULATOR)

$(STACK): tools/local/requirements-stack.txt | python
	@echo "Installing what the stack needs into .venv …"
	@$(BASE_PYTHON) -m venv --clear .venv && $(PYTHON) $(PIP_INSTALL) $< && touch $@

$(TOOLS): requirements-dev.txt $(STACK)
	@echo "Installing tools and tests into .venv …"
	@$(PYTHON) $(PIP_INSTALL) $< && touch $@

$(EMULATOR): tools/local/requirements-emulator.txt | python
	@echo "Installing the emulator into .local/emulator-env …"
	@$(BASE_PYTHON) -m venv --clear .local/emulator-env && .local/emulator-env/bin/python $(PIP_INSTALL) $< && touch $@

python:
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.13 is needed: neither python3.13 nor python3 is that version" \
	  "(python3 is $$(python3 --version 2>&1 || echo missing)). Install it, for example with 'uv python install' or pyenv;" \
	  ".python-version names the version." >&2; exit 1; }
