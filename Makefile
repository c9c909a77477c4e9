# Two commands for a newcomer: `make quickstart` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: quickstart test check docs install gguf clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("kofinlaw needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -e ".[quickstart,hwp,dev]"
	@touch $(STAMP)

install: $(STAMP)

quickstart: $(STAMP)
	$(BIN)/kofinlaw run recipes/quickstart.yaml

# The same examples for the same commit; plain `pytest` draws new ones.
test: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal --hypothesis-profile=ci

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The documentation site in site/. Search needs a server: `python -m http.server -d site`.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The GGUF converter, in an environment of its own; needs a connection once.
gguf: $(STAMP)
	$(BIN)/python -m kofinlaw.trainer.export.environment

clean:
	rm -rf runs build dist site .pytest_cache .mypy_cache .ruff_cache
