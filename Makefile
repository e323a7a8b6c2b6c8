# `make boot` and `make test` do all their set-up themselves, on a fresh Debian or Ubuntu machine with Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Files side by side, as the networks and hosts of each are its own; those that take long come first. A worker that dies
# ends the run: xdist would wait for ever for what remains of its file.
TWO_AT_ONCE := -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
STAMP := $(VENV)/.ready
INVENTORY ?= inventory/devnet.toml

.PHONY: help setup boot down status verify bench test lint unit pythons coverage hooks docs site live hosts campaign-live campaign-hosts protos clean

help: ## shows this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP) ## makes .venv with everything that is needed

$(STAMP): pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" ./setup-venv
	@touch $@

boot: $(STAMP) ## boots the network of INVENTORY (the devnet) on real nodeos
	@$(BIN)/coord boot $(INVENTORY)

down: $(STAMP) ## stops it; its chain stays
	@$(BIN)/coord down $(INVENTORY)

status: $(STAMP) ## shows nodes, schedule and steps
	@$(BIN)/coord status $(INVENTORY)

verify: $(STAMP) ## audits the chain against the inventory
	@$(BIN)/coord verify $(INVENTORY)

test: lint ## everything that CI runs: lint, unit, live, hosts
	$(BIN)/python -m pytest -m "not campaign" $(TWO_AT_ONCE)

lint: $(STAMP) ## ruff, mypy strict, freshness of generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m protos.generate --check
	$(BIN)/python -m docs.generate --check

T ?= tests/unit
unit: $(STAMP) ## the fast tests; T=FILE or T="FILE -k NAME" runs some of them
	$(BIN)/python -m pytest $(T)

PYTHONS ?= 3.11 3.12 3.13
pythons: ## the fast tests and a boot on each of PYTHONS, every version that is supported
	@for version in $(PYTHONS); do \
		python$$version -V || exit 1; \
		$(MAKE) --no-print-directory unit PYTHON=python$$version VENV=.venv-$$version \
			T="-n 2 --dist loadfile tests/unit tests/live/coordinator/test_changing.py -m 'not campaign'" || exit 1; \
	done

coverage: $(STAMP) ## lines and branches of unit and live tests; lists what no test enters
	$(BIN)/python -m pytest -m "not campaign and not hosts" --cov --cov-report=term-missing:skip-covered $(TWO_AT_ONCE)

hooks: $(STAMP) ## checks lint and types before each commit
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pre-commit>=4"
	$(BIN)/pre-commit install

live: $(STAMP) ## tests on real nodeos, on loopback
	$(BIN)/python -m pytest -m "live and not campaign"

hosts: $(STAMP) ## tests on real hosts (root; skipped with a reason where they cannot run)
	$(BIN)/python -m pytest -m "hosts and not campaign" $(TWO_AT_ONCE)

campaign-live: $(STAMP) ## interrupted boots, parties that join, an upgrade, a total outage: long
	$(BIN)/python -m pytest -m campaign tests/live

campaign-hosts: $(STAMP) ## 16 hosts; parties on hosts of their own: long
	$(BIN)/python -m pytest -s -m "campaign" tests/hosts

B ?=
bench: $(STAMP) ## all benchmarks, each against its yardstick: bench/results/results.md and .json (40 minutes); B=--quick: whether they run
	$(BIN)/python -m bench $(B)

docs: $(STAMP) ## writes the pages that are made from the code
	$(BIN)/python -m docs.generate

site: $(STAMP) ## the documentation as a site, in build/site
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[site]'
	$(BIN)/python -m mkdocs build --strict

protos: $(STAMP) ## generates the gRPC code again
	$(BIN)/python -m protos.generate

clean: ## removes .venv and caches (never a network's state)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
