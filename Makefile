# Everything runs in .venv, which the first target makes; it is renewed when setup.cfg or pyproject.toml changed.

ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check chaos bench quality up down

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(VENV)/local.stamp  ## Start a real Kafka and Valkey, play a day of records and print the alerts
	@$(BIN)/forewarn demo $(ARGS)

test: $(VENV)/test.stamp  ## Run all tests, on a real Kafka and Valkey (ARGS="-k name" passes options to pytest)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/test.stamp  ## Check style and types: ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

chaos: $(VENV)/test.stamp  ## Break a running system in every way and compare what came out (long; ARGS="--only kills" for one)
	@$(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/test.stamp  ## Measure throughput and latency (ARGS passes options)
	@$(BIN)/python -m bench $(ARGS)

quality: $(VENV)/test.stamp  ## Play simulated cities and write docs/quality.md: who is warned in time, and who for nothing
	@$(BIN)/python -m bench.quality $(ARGS)

up: $(VENV)/local.stamp  ## Start Kafka, Valkey and a worker and leave them running
	@$(BIN)/forewarn up $(ARGS)

down: $(VENV)/local.stamp  ## Stop what "make up" started
	@$(BIN)/forewarn down $(ARGS)

$(VENV)/bin/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        $$python -c 'import ensurepip, venv' 2>/dev/null || { \
	            echo "make: $$python cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2; \
	            exit 1; }; \
	        exec $$python -m venv $(VENV); \
	    fi; \
	done; \
	echo "make: Forewarn needs Python 3.11 or later, and there is none on the PATH: install python3.13" >&2; exit 1

# The test extra holds the local one, so a tested installation needs nothing more for the demo.
$(VENV)/local.stamp: setup.cfg pyproject.toml | $(VENV)/bin/python
	@test $(VENV)/test.stamp -nt setup.cfg -a $(VENV)/test.stamp -nt pyproject.toml || \
	    $(BIN)/python -m pip install --quiet --editable '.[local]'
	@touch $@

$(VENV)/test.stamp: setup.cfg pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@
