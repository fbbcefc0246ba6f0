# Two commands on a fresh machine: `make up` and `make test`. Each sets itself up from
# requirements.lock; needed are make and Python 3.11 or newer with venv.

.DEFAULT_GOAL := help
.PHONY: help up down status test check fix docs bench torture lock

VENV := .venv
BIN := $(VENV)/bin
# A virtual environment knows its folder by heart: a moved checkout makes a new one.
READY := $(VENV)/.ready-$(shell pwd | cksum | cut -d' ' -f1)
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$p && break; done)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What is whole is kept: an edited pyproject.toml installs the scripts anew, no more.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv; install the package python3-venv" >&2; exit 1; }
	@{ test -f $@ && $(BIN)/python -m pip --version >/dev/null 2>&1; } || { \
		rm -f $(VENV)/.ready-* && $(PYTHON) -m venv --clear $(VENV) && \
		echo "installing the locked dependencies into $(VENV)" >&2; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

up: $(READY) ## Start the database, upgrade it, seed it, make today's partitions
	@$(BIN)/platform up

down: $(READY) ## Stop the embedded server; the data stays
	@$(BIN)/platform down

status: $(READY) ## Say where things stand
	@$(BIN)/platform status

test: $(READY) ## Run the tests on a server of their own (or on TEST_DATABASE_URL)
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: $(READY) ## Lint, types, import contracts; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(READY) ## Format, and mend what the linter can
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

docs: $(READY) ## Rewrite what is generated: review SQL, schema pages, commands
	@$(BIN)/platform docs build

bench: $(READY) ## Print the figures of benchmarks/ as ratios
	@for file in benchmarks/[a-z]*.py; do \
		$(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

torture: $(READY) ## Run the slow tests and the full crash and race matrices (long)
	@$(BIN)/python -m pytest -m "torture or slow" $(ARGS)

lock: ## Resolve requirements.lock anew (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header --python-version 3.11 \
		--group dev pyproject.toml -o requirements.lock
