# Every command that the documents name.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A server that may not write into its own folder, or keeps no bytecode, would compile every module at each start.
COMPILE := $(BIN)/python -m compileall -q *.py handlers models processing

# Three test files at a time on two cores: many tests wait for a pause between two attempts, or for a slow network.
PARALLEL := --numprocesses=3 --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run setup test lint format check audit coverage screenshots pictures drills cluster-demo lock clean \
    bench bench-engine bench-server bench-previews bench-large

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.installed-test: $(STAMP) requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

setup: $(STAMP)  ## Create the virtual environment and install what the server needs; start nothing
	@$(COMPILE) || true

run: setup  ## Start the server on the embedded database and bucket; ARGS="--port=9000" adds settings
	@$(BIN)/python server.py $(ARGS)

# Tests start about a hundred processes, which would all compile our modules where the environment keeps no bytecode.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.installed-test  ## Run all tests, in browsers too if there are Chromium and Firefox; ARGS="tests/contract -x" chooses
	@$(BIN)/python -m pytest $(or $(ARGS),$(PARALLEL))

$(VENV)/.installed-bench: $(STAMP) requirements/bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

bench-engine: $(VENV)/.installed-bench  ## Compare the engine with other libraries; 20 minutes or more, on an idle machine
	@$(BIN)/python -m tests.bench.engine $(ARGS)

bench-server: $(VENV)/.installed-test  ## Measure start, requests, memory, and the queue beside others (QUEUES=a Python that has them)
	@$(BIN)/python -m tests.bench.start
	@$(BIN)/python -m tests.bench.requests $(ARGS)
	@$(BIN)/python -m tests.bench.queue_competitors $(QUEUES)

bench-previews: $(VENV)/.installed-bench  ## Measure a preview of each style over HTTP; one minute, on an idle machine
	@$(BIN)/python -m tests.bench.previews $(ARGS)

bench-large: $(VENV)/.installed-test  ## Measure a server with a million pictures (ARGS=0.1: a tenth of it); ten minutes, on an idle machine
	@$(BIN)/python -m tests.bench.large $(ARGS)

bench: bench-engine bench-server bench-previews  ## Measure everything; half an hour or more, on an idle machine

screenshots: $(VENV)/.installed-test  ## Write PNGs of every page and state to build/screenshots (ARGS="gallery 390 zh dark")
	@$(BIN)/python -m tests.browser.screenshots build/screenshots $(ARGS)

pictures: $(VENV)/.installed-test  ## Make the pictures of the README and of docs/printing.md again
	@$(BIN)/python -m tests.browser.screenshots docs/pictures --readme
	@$(BIN)/python -m tests.support.printed_pictures docs/pictures

coverage: $(VENV)/.installed-test  ## Run all tests and list the lines that none of them runs and no pragma explains
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(or $(ARGS),$(PARALLEL)); tests=$$?; \
	    $(BIN)/coverage combine --quiet && $(BIN)/coverage report && exit $$tests

lint: $(VENV)/.installed-test  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-test  ## Format the code and fix what the linter can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint audit  ## Lint, and look for known vulnerabilities in the dependencies

audit: $(VENV)/.installed-test  ## Look for known vulnerabilities in the dependencies; says so if the network does not allow it
	@test $(VENV)/.installed-audit -nt requirements/audit.txt || { $(BIN)/pip install --quiet --disable-pip-version-check \
	    --require-hashes -r requirements/audit.txt && touch $(VENV)/.installed-audit; } || true
	@$(BIN)/python -m tests.support.audit

drills: $(VENV)/.installed-test  ## Inject faults and count what is lost; ARGS="kill_server" chooses, ARGS=--short is quick
	@$(BIN)/python -m tests.fault_injection $(ARGS)

cluster-demo: $(VENV)/.installed-test  ## 200 tasks on a Dask cluster: a scheduler, two workers, two servers on loopback
	@$(BIN)/python -m tests.fault_injection.cluster_demo

# UPGRADE=--upgrade takes the newest versions; without it, what is pinned stays.
PIN := $(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --quiet $(UPGRADE)

lock: $(BIN)/python  ## Pin every dependency with hashes, from pyproject.toml; UPGRADE=--upgrade takes the newest versions
	$(BIN)/pip install --quiet uv
	$(PIN) -o requirements/run.txt
	$(PIN) --extra test -c requirements/run.txt -o requirements/test.txt
	$(PIN) --extra cluster -c requirements/run.txt -o requirements/cluster.txt
	$(PIN) --extra bench -c requirements/run.txt -o requirements/bench.txt
	$(PIN) --extra audit -c requirements/test.txt -o requirements/audit.txt

clean:  ## Remove the virtual environment (data stays)
	rm -rf $(VENV)
