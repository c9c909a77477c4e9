# Start with `make quickstart` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: quickstart test check check-extras docs install gguf clean

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("kofinlaw needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -e ".[quickstart,dev]"
	@touch $(STAMP)

install: $(STAMP)

quickstart: $(STAMP)
	$(BIN)/kofinlaw run recipes/quickstart.yaml
	@echo
	@echo 'kofinlaw is installed in .venv. Call it as .venv/bin/kofinlaw in this folder, or activate it'
	@echo 'once in each shell; then kofinlaw works in every folder:  source .venv/bin/activate'

# Hypothesis draws the same examples for the same commit. Plain `pytest` draws new ones.
test: $(STAMP)
	$(BIN)/pytest -n 2 --dist worksteal --hypothesis-profile=ci

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Resolve every extra with uv (nothing is installed), and compare the names that the project uses
# with the sources of vLLM, Unsloth, llm-compressor and Liger (360 MB of wheels, once). Needs a
# network connection; the result is written into docs/studies/extras.md.
check-extras: $(STAMP)
	$(BIN)/python -m checks.resolve --write
	$(BIN)/python -m checks.signatures --write

# Build the documentation into site/. Its search needs a server: `python -m http.server -d site`.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Install the GGUF converter into a separate environment. This needs a network connection once.
gguf: $(STAMP)
	$(BIN)/python -m kofinlaw.trainer.export.environment

clean:
	rm -rf runs build dist site .pytest_cache .mypy_cache .ruff_cache
