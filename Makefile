# Everything runs in .venv, which the first target makes. It gets the very packages of requirements/, checked by their
# hashes, and is renewed when those, setup.cfg or pyproject.toml changed.

ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet
PROJECT := setup.cfg pyproject.toml $(wildcard requirements/*.txt)

.DEFAULT_GOAL := help
.PHONY: help demo test check fuzz chaos bench quality up down lock

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

fuzz: $(VENV)/test.stamp  ## Feed every parser of foreign bytes with wrong ones, then again with numba's checks of bounds (long)
	@$(BIN)/python -m pytest tests/fuzz --hypothesis-profile=fuzz $(ARGS)
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/$(VENV)/boundscheck \
	    $(BIN)/python -m pytest tests/fuzz --hypothesis-profile=fuzz $(ARGS)

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
	@for python in python3.11 python3.12 python3.13 python3; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        $$python -c 'import ensurepip, venv' 2>/dev/null || { \
	            echo "make: $$python cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2; \
	            exit 1; }; \
	        exec $$python -m venv $(VENV); \
	    fi; \
	done; \
	echo "make: Forewarn needs Python 3.11 or later, and there is none on the PATH: install python3.11" >&2; exit 1

# The test extra holds the local one, so a tested installation needs nothing more for the demo.
$(VENV)/local.stamp: $(PROJECT) | $(VENV)/bin/python
	@for file in $(PROJECT); do \
	    test $(VENV)/test.stamp -nt $$file || { $(call installed,local) || exit 1; break; }; \
	done
	@touch $@

$(VENV)/test.stamp: $(PROJECT) | $(VENV)/bin/python
	@$(call installed,test)
	@touch $@

# uv takes half of pip's time. It compiles the modules as pip does: where Python may write no bytecode, every start of a
# worker would take two seconds more. Where uv fails, pip does the same: it may be set up for an index of one's own.
# The project is built by the setuptools of the lock, not by one that is fetched for the purpose.
fill = { $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(1) || $(PIP) $(1); }
installed = $(PIP) --require-hashes -r requirements/build.txt && \
    $(call fill,--require-hashes -r requirements/$(1).txt) && \
    $(call fill,--no-deps --no-build-isolation --editable .)

# The tests' packages are chosen first, and the others from among them: what is tested is what is installed.
lock: | $(VENV)/bin/python  ## Choose the packages of requirements/ anew where setup.cfg asks for it (ARGS=--upgrade: all)
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(LOCK) setup.cfg --extra test $(ARGS) --output-file requirements/test.txt
	@$(LOCK) setup.cfg --extra local --constraint requirements/test.txt --output-file requirements/local.txt
	@$(LOCK) setup.cfg --extra console --constraint requirements/test.txt --output-file requirements/image.txt
	@printf 'setuptools\nuv\n' | $(LOCK) - $(ARGS) --constraint requirements/test.txt --output-file requirements/build.txt

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
