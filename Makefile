# Two commands: `make demo` and `make test`. Both set everything up first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV_PYTHON := .venv/bin/python
DEMO_OUTPUT ?= demo-output

.DEFAULT_GOAL := help
.PHONY: freeze smoke screens bench-gui bench-gui-edit bench-gui-ecg bench-isolation bench-echo bench-biplane bench-ecg bench-ecg-long help setup demo test test-slow torture fuzz lint format docs lock sbom

help:
	@echo "make demo       set up, then open the workstation on a real study (headless without a display)"
	@echo "make test       set up, then every check: format, lint, types, imports, tests"
	@echo "make lint       the checks without the tests"
	@echo "make test-slow  the slow tests that the default suite leaves out"
	@echo "make torture    every promise put to the test; prints the table of docs/reliability.md"
	@echo "make fuzz       longer reading of damaged files (CHORDAE_FUZZ of each format)"
	@echo "make format     put the code into its format"
	@echo "make docs       write docs/metrics.md from the catalogue"
	@echo "make bench-echo speed and memory of the chamber detection beside published networks"
	@echo "make bench-biplane volumes of two patients beside the published ones (CHORDAE_DATA)"
	@echo "make bench-ecg  R peaks beside other software (CHORDAE_DATA names the data folder)"
	@echo "make bench-ecg-long  a day of ECG: time, memory, progress, cancel, hourly table"
	@echo "make bench-gui-edit an outline dragged in the window: from the mouse move to the new number"
	@echo "make bench-gui-ecg  a day of ECG on the screen: time of a repaint; an edit measured again"
	@echo "make bench-isolation  the demo study with and without worker processes, and how fast a cancel ends it"
	@echo "make screens    pictures of every view into docs/screens"
	@echo "make bench-gui  the window: start, first frame, event loop during a run with a playing cine"
	@echo "make freeze     the application as one folder that needs no Python, in build/frozen (minutes)"
	@echo "make smoke      does the frozen application work, and give the same result?"
	@echo "make sbom       bill of materials of the locked packages (CycloneDX), in build"
	@echo "make lock       write requirements.lock from pyproject.toml; UPGRADE=1 takes the newest versions"

setup:
	@$(PYTHON) packaging/bootstrap.py

demo: setup
	@$(VENV_PYTHON) -m app demo --output $(DEMO_OUTPUT)

lint: setup
	@echo "== format (ruff format --check)"
	@$(VENV_PYTHON) -m ruff format --check .
	@echo "== lint (ruff check)"
	@$(VENV_PYTHON) -m ruff check .
	@echo "== types (mypy --strict)"
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) -m mypy --strict packaging/bootstrap.py packaging/qt_libraries.py packaging/lock.py packaging/sbom.py packaging/freeze.py packaging/frozen_parts.py packaging/smoke.py
	@echo "== imports (import-linter)"
	@.venv/bin/lint-imports

# Two processes side by side, one for each core; the log of the first is printed when the second has ended
test: lint
	@echo "== tests (pytest, two processes)"
	@mkdir -p build
	@$(VENV_PYTHON) -m pytest -p no:cacheprovider tests/gui tests/hostile tests/integration > build/tests.log 2>&1 & first=$$!; \
		$(VENV_PYTHON) -m pytest tests/architecture tests/torture tests/unit; second=$$?; \
		wait $$first; first=$$?; cat build/tests.log; [ $$first = 0 ] && [ $$second = 0 ]

test-slow: setup
	@echo "== slow tests (pytest -m slow)"
	@$(VENV_PYTHON) -m pytest -m slow

torture: export CHORDAE_TORTURE_N ?= 100
torture: setup
	@echo "== torture (CHORDAE_TORTURE_N=$(CHORDAE_TORTURE_N) % of the promised numbers)"
	@$(VENV_PYTHON) -m tests.torture

fuzz: export CHORDAE_FUZZ ?= 2000
fuzz: export CHORDAE_FUZZ_SEED ?= $(shell date +%s)
fuzz: setup
	@echo "== mutants of every format: $(CHORDAE_FUZZ) each from seed $(CHORDAE_FUZZ_SEED)"
	@$(VENV_PYTHON) -m pytest tests/hostile/test_mutants.py -m "torture or not torture"

format: setup
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

docs: setup
	@$(VENV_PYTHON) -m app.metrics_page docs/metrics.md

screens: setup
	@$(VENV_PYTHON) -W ignore -m benchmarks.screens

sbom: setup
	@$(VENV_PYTHON) packaging/sbom.py build/sbom.cyclonedx.json
	@echo "build/sbom.cyclonedx.json"

lock: export UPGRADE ?=
freeze: setup
	@$(VENV_PYTHON) packaging/freeze.py

smoke: setup
	@$(VENV_PYTHON) packaging/smoke.py

lock: setup
	@$(VENV_PYTHON) packaging/lock.py

bench-echo: setup
	@$(VENV_PYTHON) -W ignore -m benchmarks.echo

bench-biplane: setup
	@$(VENV_PYTHON) -W ignore -m benchmarks.biplane --network

bench-ecg: setup
	@$(VENV_PYTHON) -m benchmarks.ecg beats

bench-ecg-long: setup
	@$(VENV_PYTHON) -m benchmarks.ecg_long --table

bench-gui-edit: setup
	@$(VENV_PYTHON) -m benchmarks.gui_edit

bench-gui-ecg: setup
	@$(VENV_PYTHON) -m benchmarks.gui_ecg

bench-isolation: setup
	@$(VENV_PYTHON) -m benchmarks.isolation

bench-gui: setup
	@$(VENV_PYTHON) -W ignore -m benchmarks.gui
