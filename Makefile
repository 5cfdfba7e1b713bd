# `make` alone lists what there is. ARGS goes to the program: make up ARGS="--lan --port 9000"
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: search base-images compose-up compose-down acceptance wheels help setup test-setup up test lint fmt bench eval fuzz train test-ansible lint-ansible fetch vendor-key image test-image clean

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

# Tests share the processors; those that are marked alone measure waits or listen on the network, and come after them.
apart = tests/ansible tests/image tests/containers

test: test-setup check-style ## check the style, then run every test: unit, integration, browser
ifdef ARGS
	$(python) -m pytest $(ARGS)
else
	failed=0; \
	scripts/tests.sh beside -m "not alone" -n auto --dist loadfile --durations 40 tests $(apart:%=--ignore %) || failed=1; \
	scripts/tests.sh alone -m alone --durations 20 tests $(apart:%=--ignore %) || failed=1; \
	scripts/tests.sh containers --durations 10 tests/containers || failed=1; \
	exit $$failed
endif
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

acceptance: test-setup ## what a box has to do, seen from outside: URL=https://... KEY=the admin's; else one of this machine
	ACCEPTANCE_URL="$(URL)" ACCEPTANCE_KEY="$(KEY)" $(python) -m pytest tests/acceptance $(ARGS)

bench: test-setup ## measure questions, rows, and signals to a thousand screens (ARGS goes to the benchmarks)
	$(python) -m benchmarks $(ARGS)

eval: test-setup ## how well the shipped model reads questions (WIKISQL=FILE adds that set's score)
	ASK_ALL=1 $(python) -m pytest -q -s tests/integration/test_ask_sets.py tests/integration/test_ask_unseen.py tests/integration/test_ask_plain.py tests/integration/test_ask_outside.py tests/integration/test_ask_hostile.py
	$(if $(WIKISQL),$(python) -m appliance.llm.training.evaluate --heldout 1000 --wikisql $(WIKISQL) $(ARGS))

fuzz: test-setup ## a million inputs, led by coverage, for what reads frames (about 5 minutes; ARGS="-runs=100000")
	$(python) -m tests.fuzz -runs=1000000 $(ARGS)

search: test-setup ## the tests of properties, with examples that no run before had (ARGS=tests/unit/llm)
	SEARCH=1 $(python) -m pytest -n auto -q $(or $(ARGS),$$(grep -rl "^from hypothesis import" tests/unit tests/integration))

train: ## train the shipped model: hours; goes on where it was stopped (WIKISQL=TRAIN.jsonl.gz DEV=DEV.jsonl.gz)
	scripts/train.sh "$(WIKISQL)" "$(DEV)" $(ARGS)

wheels: setup ## all Python parts of a box, for images and containers: build/wheelhouse/<arch>/ (ARCH=arm64)
	$(python) scripts/wheelhouse.py $(or $(ARCH),amd64)

test-ansible: test-setup lint-ansible wheels ## provision a tree and a live machine with the roles (root, Docker; about 15 minutes)
	@scripts/docker.sh
	$(python) -m pytest tests/ansible -n0 -o faulthandler_timeout=0 $(ARGS)

lint-ansible: ## ansible-lint at its production profile
	@scripts/ansible.sh
	cd ansible && PATH="$(CURDIR)/build/ansible/bin:$$PATH" ansible-lint --offline

base-images: setup ## the images that compose.yaml starts from; where no registry is reachable, stand-ins of the same names
	@scripts/docker.sh && scripts/base_images.sh

compose-up: setup ## start the box in containers, and wait until it is well (DREAMSTACK_PORT=8443, DREAMSTACK_DEMO=hospital)
	@scripts/compose.sh up

compose-down: ## stop it; the data stays
	@scripts/compose.sh down

fetch: setup ## all parts of an image that come from outside, checked against images/artifacts.lock (ARCH=arm64)
	$(python) -m images fetch $(ARCH)

vendor-key: setup ## the key that signs images and updates, made once and kept outside this folder
	$(python) -m images vendor-key

image: setup ## a disk image and its signed update in dist/ (TARGET=screen|screen-arm64|jetson BRAND=DIR DEBIAN_MIRROR=...)
	@scripts/image_setup.sh
	$(python) -m images build $(or $(TARGET),nuc) $(if $(BRAND),--brand $(BRAND)) $(if $(VERSION),--version $(VERSION))

test-image: test-setup ## the image's whole life in an emulated machine: start, update, power cuts, rollback, reset
	@scripts/image_setup.sh test
	$(python) -m images fetch --missing
	$(python) -m pytest -x tests/image -o faulthandler_timeout=0 $(ARGS)

clean: ## remove what setup and tests made here; the user's cache and the box's data stay
	rm -rf .venv build dist *.egg-info tests/integration/node/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find appliance benchmarks scripts tests -type d -name __pycache__ -prune -exec rm -rf {} +
