# Two commands: `make run` and `make test`. The rest is for those who work on it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run dev test bench check fix lock schemas clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/.run ## set up everything and serve the city on 127.0.0.1:8000 (PORT=…)
	@exec $(BIN)/civicmall run

dev: $(VENV)/.dev ## set up what authors of shops and of this code need beside it (pytest, linters)

test: $(VENV)/.dev ## set up everything; lint, types, contracts, schemas, then all tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m tests

bench: $(VENV)/.dev ## measure against peers in the same run; writes bench/results.json
	@$(BIN)/python -m tests.bench

check: $(VENV)/.dev ## lint, types, room contracts, fresh schemas
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/basedpyright --level error
	@$(BIN)/lint-imports --no-cache > .lint-imports.log || { cat .lint-imports.log; exit 1; }
	@$(BIN)/civicmall schemas --check

fix: $(VENV)/.dev ## mend what the linter can, and format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

schemas: $(VENV)/.run ## write schemas/ anew from the Structs
	@$(BIN)/civicmall schemas

lock: ## pin the newest versions by hash (needs pip-tools)
	pip-compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-header --no-annotate -o requirements.lock requirements.in
	pip-compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock requirements-dev.in

clean: ## forget the environment (the data in .data stays)
	rm -rf $(VENV)

# A stamp is written last, so a set-up that was cut off starts over.
$(VENV)/.run: requirements.lock pyproject.toml backend/shopkit/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("CivicMall needs Python 3.11 or newer; set PYTHON=…")'
	@echo "Setting up $(VENV) (once; about a minute) …"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); } || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e backend/shopkit -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "Adding what the tests need …"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
