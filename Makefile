# Two commands set a fresh machine up: `make run` and `make test`. Everything they install goes into .venv.
#
# A stamp in .venv marks each finished step, so that a second call starts at once and a changed lock or
# pyproject.toml repeats exactly the steps it touches.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(VENV)/bin/uv
# uv looks for this variable before it looks around; --python would have to stand in every call.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

# What `make run` and `make test` pass on, e.g.  make run ARGS='--port 9000'   make test ARGS='-k ledger'
ARGS ?=

.PHONY: help run test check bench fuzz docs train-guard venv assets lock browser clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run assets ## set up what is missing, then start Alcaide on this machine
	@exec $(VENV)/bin/alcaide up $(ARGS)

test: $(VENV)/.dev assets browser ## set up what is missing, then run every test
	@$(PY) -m pytest $(ARGS)

check: $(VENV)/.dev ## format, lint, types, import contracts, documentation
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) tools/build_docs.py --check
	$(PY) tools/guard/build_page.py --check

bench: $(VENV)/.dev assets ## measure speed and bounds on this machine
	@$(PY) -m tests.bench $(ARGS)

fuzz: $(VENV)/.dev ## send hostile bytes to every parser, 20 seconds each:  make fuzz ARGS='sheet --seconds 300'
	@$(PY) -m tests.fuzz $(ARGS)

docs: $(VENV)/.dev ## rebuild docs/reference and the guard's page from the code, and check every link
	@$(PY) tools/guard/build_page.py
	@$(PY) tools/build_docs.py

# One core and one thread each: sums of floats then come in the same order, and the weights out the same to the bit.
DATA   ?= ../shared/data
TRAIN  := $(VENV)/train
RECIPE := env -u VIRTUAL_ENV PYTHONPATH=src OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(TRAIN)/bin/python

train-guard: $(TRAIN)/.done ## train the guard's models again from DATA=../shared/data
	$(RECIPE) tools/guard/train_random_tokens.py --data $(DATA)
	$(RECIPE) tools/guard/train_surprise.py --data $(DATA)
	$(RECIPE) tools/guard/train_injection.py --data $(DATA)
	$(RECIPE) tools/guard/train_output.py --data $(DATA) --task toxicity
	$(RECIPE) tools/guard/train_output.py --data $(DATA) --task harm
	$(RECIPE) tools/guard/train_groundedness.py --data $(DATA) --evaluate
	$(RECIPE) tools/guard/output_cards.py
	$(RECIPE) tools/guard/train_names.py --data $(DATA)

$(TRAIN)/.done: $(VENV)/.base requirements/train.txt
	@echo "make: preparing $(TRAIN), hash-locked"
	@test -x $(TRAIN)/bin/python || $(PY) -m venv $(TRAIN)
	@VIRTUAL_ENV=$(CURDIR)/$(TRAIN) $(UV) pip install --quiet --require-hashes -r requirements/train.txt
	@touch $@

# ── What the targets above need ──────────────────────────────────────────────────────────────────────────────────

venv: $(VENV)/.dev

$(VENV)/.base: requirements/tools.txt
	@set -e; \
	for candidate in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$candidate" ] && command -v "$$candidate" >/dev/null 2>&1 \
	    && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "make: no Python 3.11 or newer on PATH." >&2; \
	  echo "      Install one (Debian or Ubuntu: apt-get install python3 python3-venv), or name it: make run PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "make: $$found cannot make a virtual environment (Debian or Ubuntu: apt-get install python3-venv)." >&2; \
	  exit 1; \
	fi; \
	echo "make: preparing $(VENV) with $$("$$found" --version) (once)"; \
	test -x $(PY) || "$$found" -m venv $(VENV); \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

# No build isolation: hatchling comes hash-locked from tools.txt instead of being fetched anew.
$(VENV)/.run: $(VENV)/.base requirements/run.txt pyproject.toml
	@echo "make: installing what Alcaide runs on, hash-locked"
	@$(UV) pip install --quiet --require-hashes -r requirements/run.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@# A confined reader may not write bytecode, and would compile the same module at every scan.
	@$(PY) -m compileall -q src/alcaide
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt pyproject.toml
	@echo "make: installing what the tests and checks need, hash-locked"
	@$(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(PY) -m compileall -q src/alcaide
	@touch $@ $(VENV)/.run

# The builder knows what it built from what, and returns at once when nothing changed. It needs npm; where there is
# none, Node comes hash-locked from a wheel.
assets: $(VENV)/.base
	@if ! $(PY) tools/build_assets.py --check >/dev/null 2>&1; then \
	  echo "make: building the front end's files"; \
	  command -v npm >/dev/null 2>&1 || $(UV) pip install --quiet --require-hashes -r requirements/assets.txt; \
	  $(PY) tools/build_assets.py; \
	fi

browser:
	@for name in chromium chromium-browser google-chrome; do \
	  if command -v $$name >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  echo "make: installing Chromium for the tests that drive a browser"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
	  echo "make: no Chromium on PATH; the tests that drive a browser will be skipped." >&2; \
	  echo "      Install it (Debian or Ubuntu: sudo apt-get install chromium) and run make test again to run them." >&2; \
	fi

# Newer versions, new hashes. --no-emit-index-url keeps the registry that happened to be configured out of the files.
LOCK := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --universal --no-header --python-version 3.11

lock: $(VENV)/.base
	$(LOCK) pyproject.toml --group dev --extra pg --extra signing --extra ml --extra images --extra s3 --extra ray $(ARGS) -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt $(ARGS) -o requirements/run.txt
	$(LOCK) --group train -c requirements/dev.txt $(ARGS) pyproject.toml -o requirements/train.txt
	$(LOCK) requirements/tools.in -c requirements/dev.txt $(ARGS) -o requirements/tools.txt
	$(LOCK) requirements/assets.in $(ARGS) -o requirements/assets.txt
	$(LOCK) requirements/peers.in $(ARGS) -o requirements/peers.txt
	$(LOCK) requirements/guard-peers.in $(ARGS) -o requirements/guard-peers.txt
	$(LOCK) requirements/corpora.in $(ARGS) -o requirements/corpora.txt
	for name in modelscan picklescan fickling modelaudit; do \
	  $(LOCK) requirements/scan-peers-$$name.in $(ARGS) -o requirements/scan-peers-$$name.txt || exit 1; done
	$(LOCK) requirements/guard-peers-llm-guard.in --override requirements/guard-peers-llm-guard.without $(ARGS) \
	  -o requirements/guard-peers-llm-guard.txt

clean:
	rm -rf $(VENV) src/alcaide/ui/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
