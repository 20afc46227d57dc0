# make demo    two meshes that touch, from a photo that is fetched; writes apu_demo/
# make test    the whole test suite; every test also checks tensor shapes at run time
# make check   what needs no long test: style, types, and the tests of the architecture (seconds, not minutes)
# make clean   removes the virtual environment and what the tools left behind; keeps results and the user's cache
#
# Each target sets up .venv on first use. torch comes first and by itself, so that the choice of its build is yours:
# on Linux the default wheel brings CUDA along (gigabytes). For the small CPU build, name PyTorch's CPU index:
#   make demo TORCH='torch==2.13.0 --index-url URL-OF-THE-CPU-INDEX'

PYTHON ?= python3
TORCH  ?= torch==2.13.0
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check
RUN  := $(VENV)/.apu-run
DEV  := $(VENV)/.apu-dev

.PHONY: help demo test check setup clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(RUN)
	$(BIN)/apu demo $(ARGS)

test: $(DEV)
	$(BIN)/python -m pytest $(ARGS)

# The shape checks run inside `make test` (see addopts in pyproject.toml), so this target does not repeat the suite.
check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/test_floors.py tests/test_imports.py

setup: $(DEV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "apu needs Python 3.11 or newer, got: $$($(PYTHON) --version 2>&1)."; \
	    echo "Name another interpreter, e.g. make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made (on Debian: apt install python3-venv)."; exit 1; }

$(RUN): pyproject.toml | $(BIN)/python
	$(PIP) install $(TORCH)
	$(PIP) install --editable .
	@command -v npm >/dev/null || $(PIP) install --editable '.[npm]'
	@touch $@

$(DEV): $(RUN)
	$(PIP) install --editable '.[dev]'
	$(PIP) install --no-deps 'rtmlib>=0.0.16,<0.1'  # it asks for builds of OpenCV that would overwrite ours
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dist
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
