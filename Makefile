# Eight words: setup, lab, check, test, notebooks, docs, bench, classroom. Only Python (3.11 or newer) and make are needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: setup lab check test notebooks docs bench classroom
.DEFAULT_GOAL := setup

setup: $(STAMP)   ## a virtual environment with imagelab and what its tests need

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "imagelab needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,fast]'
	@touch $(STAMP)

lab: setup        ## JupyterLab on a working copy of the lessons, the first one showing
	$(BIN)/imagelab lab

PURE := errors units oci gotemplate layers state dockerfile

check: setup      ## the loop of a working day: format, lint, types, imports, examples, and the tests of the pure packages
	$(BIN)/python -m ruff format --check --quiet imagelab tests benchmarks tools
	$(BIN)/python -m ruff check --quiet imagelab tests benchmarks tools
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q -n 2 --doctest-modules $(wildcard $(PURE:%=imagelab/%) $(PURE:%=imagelab/%.py) $(PURE:%=tests/%)) tests/docs

test: check       ## the whole suite, then every notebook, cell by cell
	$(BIN)/python -m imagelab.course.notebooks --check
	$(BIN)/python -m pytest -n 2 --dist loadfile tests
	IMAGELAB_PORTS=private $(BIN)/python -m pytest -n 2 --dist loadfile -p nbval --nbval --nbval-current-env --nbval-cell-timeout=60 notebooks

notebooks: setup  ## write notebooks/ again from lessons/
	$(BIN)/python -m imagelab.course.notebooks

docs: setup       ## write docs/cli.md and the pictures in docs/images again
	$(BIN)/python -m tools.make_cli_page
	$(BIN)/python -m tools.make_images
	$(BIN)/python -m tools.make_floors

bench: setup      ## timings side by side with other tools, one table
	$(BIN)/python -m benchmarks

classroom: setup  ## make the built-in images again from their sources
	$(BIN)/python -m imagelab.classroom.build
