# The two commands of the README: `make demo` and `make test`. Both begin from an empty clone and need python3
# (3.11 or newer), make and a package registry. Another interpreter: make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check unit wheel-test models ingredients ablation adapters faults before fuzz tree clean

demo: .venv/.installed
	rm -rf runs/demo
	$(BIN)/babysit train digits -o runs/demo
	@printf '\nThe report is %s\nOpen it in any browser; it needs no network.\n' "$(CURDIR)/runs/demo/report.html"

# The checks that take seconds come first, so that a mistake is known early.
test: check unit wheel-test

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

unit: .venv/.installed-dev
	$(BIN)/python -m pytest

# Every architecture of the table memorises a batch; `make test` does this for three of them. Minutes.
models: .venv/.installed-dev
	$(BIN)/python -m pytest -m 'models or not models' tests/contracts/test_models.py

# Every name of every table trains digits for two epochs by itself; `make test` does this ten runs long, all names met. Minutes.
ingredients: .venv/.installed-dev
	$(BIN)/python -m pytest -s -m 'ingredients or not ingredients' tests/end_to_end/test_ingredients.py

# Builds the wheel, installs it into a venv of its own, and trains from a folder outside the checkout. The new venv
# borrows the dependencies in .venv through a path file instead of fetching them again. A path file's folder is
# searched for packages, but path files inside that folder are not followed, so the editable install in .venv, which
# is one, stays out of reach; the assertion makes sure.
wheel-test: .venv/.installed-dev
	@set -eu; \
	work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	rm -rf build; \
	echo "wheel-test: building"; \
	$(BIN)/python -m build --wheel --outdir "$$work/dist" . > "$$work/build.txt" 2>&1 || { cat "$$work/build.txt"; exit 1; }; \
	rm -rf build; \
	$(PYTHON) -m venv "$$work/venv"; \
	"$$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index "$$work"/dist/babysit-*.whl; \
	here=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	there=$$("$$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	echo "$$here" > "$$there/borrowed.pth"; \
	export BABYSIT_CACHE="$$work/cache"; \
	cd "$$work"; \
	"$$work/venv/bin/python" -c 'import babysit, sys; assert babysit.__file__.startswith(sys.prefix), babysit.__file__; from babysit.diagnosing.forest import grown; grown()'; \
	echo "wheel-test: training outside the checkout"; \
	"$$work/venv/bin/babysit" train digits --epochs 1 -o run --quiet --json > result.json; \
	"$$work/venv/bin/python" -c 'import json; print("wheel-test: validation accuracy", json.load(open("result.json"))["validation"]["accuracy"])'; \
	test -s run/report.html; \
	echo "wheel-test: passed"

# What each ingredient of training is worth: goes on where it was, prints the table. Hours; see bench/README.md.
ablation: .venv/.installed-dev
	$(BIN)/python bench/ablation.py

# The watcher's adapters against the real Lightning, transformers and skorch, in a venv of their own that borrows the rest
# from .venv (as wheel-test does), so that neither is changed by them. The constraints keep torch as it is.
adapters: .venv/.installed-dev
	@set -eu; \
	work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	$(PYTHON) -m venv "$$work/venv"; \
	here=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	there=$$("$$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	echo "$$here" > "$$there/borrowed.pth"; echo "$(CURDIR)/src" >> "$$there/borrowed.pth"; \
	"$$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt lightning transformers accelerate skorch; \
	"$$work/venv/bin/python" -m pytest -m adapters tests/adapters

# The rules and the baselines over the recorded corpus, and its page: minutes. `python faults/record.py` records what is missing.
faults: .venv/.installed-dev
	$(BIN)/python faults/score.py --page all

# The ladder of checks over the programs before training, broken and healthy: runs what is missing or changed (half an
# hour for all, on one core), a line each into faults/before.jsonl, and prints the score.
before: .venv/.installed-dev
	$(BIN)/python faults/before.py

# An hour of hostile files for every reader; goes on from what the last hour learned. FUZZ_SECONDS=60 for a minute.
FUZZ_SECONDS ?= 3600
fuzz: .venv/.installed-dev
	$(PIP_INSTALL) --editable '.[fuzz]'
	$(BIN)/python fuzz/run.py $(FUZZ_SECONDS)

# A stamp each, so that a second call installs nothing unless a version changed.
.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP_INSTALL) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP_INSTALL) --editable '.[dev]'
	@touch .venv/.installed $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "babysit needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Another one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

# The README's tree of the source, from the files' first lines.
tree:
	$(PYTHON) tests/architecture/source_tree.py

clean:
	rm -rf build dist runs/demo .pytest_cache .ruff_cache .hypothesis
