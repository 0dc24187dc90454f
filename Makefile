# `make check` is what CI runs. PYTHON is the interpreter of the project's virtual environment.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
TOOLS := $(dir $(PYTHON))

.PHONY: run test test-all test-postgres check format bench docs

run: ## serve the page
	$(PYTHON) app.py

test: ## the tests of every day: under five minutes on two cores
	$(PYTHON) -m pytest

test-all: ## these and the thorough ones
	$(PYTHON) -m pytest -m ""

test-postgres: ## the tests of the store, of faults and of crashes on PostgreSQL, whose server is to be installed
	$(PYTHON) -m pytest -m "" tests/storage tests/faults tests/hostile --engine postgres

check: ## format, lint, types, import contracts
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m importlinter.cli lint || $(TOOLS)lint-imports

format: ## what `check` would complain about and can mend itself
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: ## measure into benchmarks/RESULTS.md, as ratios to a floor or a peer; BENCH="--quick" for a short look
	$(PYTHON) -m benchmarks $(BENCH)

docs: ## rewrite what is made from code: the README's tables, docs/data-model.md and docs/privacy.md
	$(PYTHON) -m tests.generated_docs
