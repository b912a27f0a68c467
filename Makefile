# `make demo` or `make test` on a fresh checkout sets up everything it needs, in .venv and nowhere else.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2
# Real files lie beside some checkouts; without them the tests that read them are left out.
SHARED_DATA := $(wildcard ../shared/data)
MARKS := not soak$(if $(SHARED_DATA),, and not shared_data)
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist worksteal

.PHONY: help demo test check format docs coverage bench soak setup system clean

help:
	@echo "make demo      make a small locked company, recover it, compare every hash"
	@echo "make test      run the tests (what CI runs)"
	@echo "make check     formatting, lint, types, import directions, generated pages"
	@echo "make format    put the code into its format"
	@echo "make docs      write the generated pages anew"
	@echo "make coverage  run the tests and show what they do not reach"
	@echo "make bench     measure the headline figures, or one of them: make bench-unlock"
	@echo "make soak      long runs: chaos, fuzz, scale"
	@echo "make setup     set up .venv for development"
	@echo "make clean     remove what these targets have made, and .venv"

# Set-up runs again when pyproject.toml has changed.
.venv/.pip:
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	@touch $@

.venv/.use: pyproject.toml | .venv/.pip
	$(PIP) install --quiet -e .
	@touch $@

.venv/.develop: pyproject.toml | .venv/.pip
	$(PIP) install --quiet -e '.[all]' --group dev
	@touch .venv/.use $@

setup: .venv/.develop

system:
	@tools/system_packages.sh

demo: .venv/.use
	$(BIN)/unransom demo --out build/demo

test: .venv/.develop system
	@$(if $(SHARED_DATA),,echo "../shared/data is absent: tests of real files are left out")
	$(PYTEST) -m "$(MARKS)"

check: .venv/.develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/result_reference.py --check
	$(BIN)/python tools/command_reference.py --check
	$(BIN)/python tools/catalogue_reference.py --check
	$(BIN)/python tools/description_reference.py --check

format: .venv/.develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/.develop
	$(BIN)/python tools/result_reference.py
	$(BIN)/python tools/command_reference.py
	$(BIN)/python tools/catalogue_reference.py
	$(BIN)/python tools/description_reference.py

coverage: .venv/.develop system
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal -m "$(MARKS)"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under=90

# One after the other, so that none disturbs another; with `make -k bench` a peer that is missing stops none.
BENCHMARKS := recover unlock kernels keys keystream memory_scan triage false_alarms databases carve repair \
	acquire acquire_files bundle orders
bench_triage := .venv/lib
bench_false_alarms := .venv/lib --files 2000 --made 1000

bench: .venv/.develop system $(patsubst benchmarks/%.py,bench-%,$(wildcard $(BENCHMARKS:%=benchmarks/%.py)))
	$(if $(CORPUS),$(BIN)/python benchmarks/accuracy.py --corpus $(CORPUS),@echo "accuracy is measured with CORPUS=DIR, which benchmarks/fetch_corpus.py makes")

bench-%: .venv/.develop
	$(BIN)/python benchmarks/$*.py $(bench_$*)

soak: .venv/.develop system
	$(BIN)/pytest -m soak --timeout 0
	UNRANSOM_SOAK=40 $(PYTEST) --timeout 0 tests/run/test_chaos.py tests/catalog/formats/test_format_contract.py \
		tests/catalog/families/test_family_fuzz.py tests/evidence/test_hostile_images.py

clean:
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf .import_linter_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
