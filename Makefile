# `make` alone lists what there is. ARGS goes to the program: make up ARGS="--lan --port 9000"
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup test-setup up test lint fmt bench eval fuzz train image test-image clean

python := .venv/bin/python
node_tests = $(wildcard tests/browser/node/*test*.*js)

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make this checkout ready to run: packages, virtual environment, model library, PostgREST
	@scripts/setup.sh

test-setup:
	@scripts/setup.sh test

up: setup ## start the box with demo data (ARGS="--demo lawfirm --lan"); Ctrl-C stops it
	@exec .venv/bin/appliance up --demo hospital $(ARGS)

test: test-setup check-style ## check the style, then run every test: unit, integration, browser
	$(python) -m pytest $(ARGS)
	$(if $(node_tests),node --test $(node_tests))

lint: test-setup check-style ## ruff, mypy and the import law

.PHONY: check-style
check-style: | test-setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

fmt: test-setup ## format the code and mend what ruff can mend
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: test-setup ## measure questions, rows, and signals to a thousand screens (ARGS goes to the benchmarks)
	$(python) -m benchmarks $(ARGS)

eval: test-setup ## how well the shipped model reads questions (WIKISQL=FILE adds that set's score)
	$(python) -m pytest -q -s tests/integration/test_ask_sets.py tests/integration/test_ask_unseen.py
	$(if $(WIKISQL),$(python) -m appliance.llm.training.evaluate --heldout 1000 --wikisql $(WIKISQL) $(ARGS))

fuzz: test-setup ## a million inputs, led by coverage, for what reads frames (about 5 minutes; ARGS="-runs=100000")
	$(python) -m tests.fuzz -runs=1000000 $(ARGS)

train: ## train the shipped model: hours; goes on where it was stopped (WIKISQL=TRAIN.jsonl.gz DEV=DEV.jsonl.gz)
	scripts/train.sh "$(WIKISQL)" "$(DEV)" $(ARGS)

image: ## the disk image of the box: comes with a later version
	@echo "make $@: disk images come with a later version; this one runs from a checkout with 'make up'." >&2; exit 2

test-image: ## test the disk image: comes with a later version
	@echo "make $@: disk images come with a later version; this one is tested with 'make test'." >&2; exit 2

clean: ## remove what setup and tests made here; the user's cache and the box's data stay
	rm -rf .venv build dist *.egg-info tests/integration/node/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find appliance benchmarks scripts tests -type d -name __pycache__ -prune -exec rm -rf {} +
