# Python 3.11+ and make are all that must be there; the first call of any target makes .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
CLIENTS := tests/clients/node_modules/ready
# One more than there are processors: many tests wait for a server or a process.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
ROOM :=
SINCE := main
# The tests start many processes: without compiled files, each would compile all of ours again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup clients demo test quick test-busy test-long check renew docs-tables changelog bench clean

help:
	@echo 'make setup      make .venv, which everything here runs from'
	@echo 'make demo       walk an incident on the embedded practice cloud, from verdict to cause'
	@echo 'make test       the tests, some five minutes on two cores; ROOM=checks/judge runs the tests of one room'
	@echo 'make quick      the tests of what has changed since this branch left main, or SINCE=another'
	@echo 'make test-busy  the tests beside two busy loops: none depends on how fast the machine is'
	@echo 'make test-long  what takes longer: large collections, the benchmarks'"'"' own proof'
	@echo 'make clients    the real MCP clients and validators that some tests drive (npm)'
	@echo 'make check      lint, types, import contracts'
	@echo 'make renew      write anew what is generated: the schema, the snapshot of the tools, the tables of the documents'
	@echo 'make changelog  print what is not released yet; VERSION=1.2.3 writes it into CHANGELOG.md'
	@echo 'make bench      measure start, latency, concurrent calls, and the census against the plain script'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "validate-daily needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": name a newer one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)

$(CLIENTS): $(READY) tests/clients/package-lock.json
	PYTHONPATH=tests $(BIN)/python -m support.node
	@touch $@

clients: $(CLIENTS)

demo: $(READY)
	@$(BIN)/validate-daily demo

test: $(READY)
	$(PYTEST) tests/$(ROOM:validate_daily/%=%)

quick: $(READY)
	@touched="$$(PYTHONPATH=tests $(BIN)/python -m support.quick $(SINCE))"; \
	if [ -n "$$touched" ]; then echo "$$touched"; $(PYTEST) $$touched; else echo 'nothing has changed'; fi

test-busy: $(READY)
	@for each in 1 2; do while :; do :; done & loops="$$loops $$!"; done; \
	trap "kill $$loops" EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; $(PYTEST)

test-long: $(READY)
	$(PYTEST) -m long

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

renew: $(READY)
	PYTHONPATH=tests $(BIN)/python -m support.generated

docs-tables: $(READY)
	PYTHONPATH=tests $(BIN)/python -m support.generated tables

changelog: $(READY)
	@$(BIN)/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version 'not released yet')

bench: $(READY)
	PYTHONPATH=tests $(BIN)/python -m bench

clean:
	rm -rf $(VENV)
