# Every target works on a fresh machine: it makes .venv and installs what it needs first.
PYTHON ?= python3
PORT ?= 8888
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help lab test quick lint format notebooks checkers table pictures site constraints mutants pairs bench bench-grading demo-class clean

help:  ## show the targets
	@echo "make lab         open JupyterLab on the first lesson"
	@echo "make test        run every test: checkers, notebooks, claims, nbgrader, browser"
	@echo "make quick       without browser, training and whole classes: some minutes"
	@echo "make lint        check formatting, style and types"
	@echo "make format      repair formatting and style"
	@echo "make notebooks   rebuild solutions/*/*.ipynb and notebooks/ from the sources"
	@echo "make checkers    rebuild CHECKERS.md, the table of all checkers"
	@echo "make table       rebuild the table of lessons in README.md"
	@echo "make pictures    take the README's pictures anew from JupyterLab in Chromium"
	@echo "make site        build the course as a web site into build/site"
	@echo "make mutants     change every solution in one place at a time: does its check notice?"
	@echo "make pairs       name every pair of slips of every check (hours)"
	@echo "                 ARGS=--help names what can be chosen, such as ARGS=\"--lesson dropout\""
	@echo "make bench       measure imports, checks, demos and notebooks"
	@echo "make demo-class  make a class of 60 with known scores, grade it, show the report"
	@echo "make bench-grading  compare course grade with nbgrader autograde (about ten minutes)"
	@echo "make constraints write the versions that are installed now to constraints.txt"
	@echo "make clean       remove .venv and caches"

$(VENV)/.course: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The course needs Python 3.11 or newer; this is %s. Try: make $(MAKECMDGOALS) PYTHON=python3.11" % sys.version.split()[0])'
	@echo "Making the environment .venv. PyTorch is large: this takes some minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing the course and what it needs ..."
	@$(PIP) --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.developer: $(VENV)/.course
	@echo "Installing the tools for tests ..."
	@$(PIP) --constraint constraints.txt --editable ".[dev]"
	@touch $@

$(VENV)/.site: $(VENV)/.course
	@echo "Installing what builds the web site ..."
	@$(PIP) --constraint constraints.txt --editable ".[site]"
	@touch $@

lab: $(VENV)/.course
	@$(BIN)/course lab --port $(PORT)

test: $(VENV)/.developer
	@echo "Running every test on $(JOBS) cores ..."
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --nbval-lax \
		notebooks solutions tests
	@if $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then \
		echo "Running every notebook again on the graphics card ..."; \
		COURSE_DEVICE=cuda $(BIN)/python -m pytest -q --nbval-lax notebooks solutions; \
	fi

pairs: $(VENV)/.developer
	@COURSE_PAIRS=0 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) \
		-k test_two_slips_are_named tests/checks/test_all_checkers.py

quick: $(VENV)/.developer
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) -m "not slow and not claims and not browser" tests

lint: $(VENV)/.developer
	@$(BIN)/ruff format --check . || (echo "Unformatted code. Run: make format"; exit 1)
	@$(BIN)/ruff check . || (echo "Style faults. Run: make format, then repair what is left."; exit 1)
	@$(BIN)/mypy || (echo "Type errors. Repair them, then run: make lint"; exit 1)

format: $(VENV)/.developer
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

notebooks: $(VENV)/.developer
	@$(BIN)/python tools/build_notebooks.py

checkers: $(VENV)/.developer
	@$(BIN)/python tools/build_tables.py checkers

table: $(VENV)/.developer
	@$(BIN)/python tools/build_tables.py lessons

pictures: $(VENV)/.developer
	@COURSE_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/browser/test_lesson_01.py

site: $(VENV)/.site
	@$(BIN)/python site/make_site.py

constraints: $(VENV)/.developer
	@$(BIN)/python tools/write_constraints.py

mutants: $(VENV)/.developer
	@$(BIN)/python -m tools.mutants --jobs $(JOBS) $(ARGS)

bench: $(VENV)/.developer
	@$(BIN)/python tools/bench.py

demo-class: $(VENV)/.developer
	@$(BIN)/python tools/demo_class.py --open

bench-grading: $(VENV)/.developer
	@$(BIN)/python tools/bench_grading.py

clean:
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build/site build/site-work
