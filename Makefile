# Everything runs from a fresh clone with Python 3.11, 3.12 or 3.13 and make. `make` alone lists what there is.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
QUIETLY := --quiet --disable-pip-version-check
SOURCES := function_app.py functions shared local infra bench tests

.PHONY: help
help: ## list these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.ready ## install everything into .venv (PYTHON=… chooses the interpreter)

.PHONY: console
console: setup ## build the web console, if it is not up to date
	@$(BIN)/python -m local.console_build

.PHONY: run
run: setup ## start the local stack and stay up until Ctrl-C
	@-$(BIN)/python -m local.console_build
	@$(BIN)/python -m local up

.PHONY: demo
demo: setup ## start the stack on free ports and walk the whole story
	@$(BIN)/python -m local demo

.PHONY: check
check: setup ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-cache

.PHONY: test
test: setup ## run every suite that needs no cloud
	$(BIN)/pytest

.PHONY: faults
faults: setup ## break every step, kill the app again and again, crowd and fuzz it (QUICK=1 for a short run)
	$(BIN)/pytest $(if $(QUICK),--quick,tests/faults --every-step) tests/chaos

.PHONY: bench
bench: setup ## measure against the least that could do it; keeps bench/results.json (QUICK=1: a short run, not kept)
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

.PHONY: package
package: setup ## build what is deployed into .local/package.zip
	$(BIN)/python infra/package.py

.PHONY: infra
infra: setup ## check the Bicep; compile and lint it where bicep is present
	$(BIN)/pytest tests/infra
	infra/build.sh

.PHONY: browser
browser: setup ## click through the console in Chromium; makes docs/screenshots
	@command -v chromium >/dev/null || apt-get install --yes --no-install-recommends chromium
	$(BIN)/pytest -m browser tests/browser

.PHONY: clean
clean: ## remove what these commands have made
	rm -rf $(VENV) .local console/dist console/node_modules console/src/contract.ts .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

# Newest first, by name and then where pyenv keeps them. An interpreter counts if it runs and can make environments:
# a pyenv shim may do neither, and Debian's python3 lacks ensurepip unless python3-venv is installed.
FIND_PYTHON = \
	for version in 3.13 3.12 3.11; do \
		for python in python$$version "$$HOME"/.pyenv/versions/$$version.*/bin/python python3 python; do \
			"$$python" -c "import ensurepip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$version')" 2>/dev/null \
				&& echo "$$python" && exit; \
		done; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with venv is needed; none was found. PYTHON=… names one." >&2; exit 1

$(VENV)/.ready: requirements.txt requirements-dev.txt requirements-host.txt constraints.txt
	test -x $(BIN)/python || { python="$(PYTHON)"; "$${python:-$$($(FIND_PYTHON))}" -m venv $(VENV); }
	$(BIN)/pip install $(QUIETLY) --requirement requirements-dev.txt
	$(BIN)/pip install $(QUIETLY) --no-deps --ignore-requires-python --requirement requirements-host.txt
	touch $@
