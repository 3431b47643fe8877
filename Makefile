# `make demo` and `make test` set up everything they need on a bare Debian 12 with Python 3.11; see README.md.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= morpholaw-demo

.PHONY: help demo test all-tests test-fast test-pyside test-napari check lint types bench docs docs-pictures notebooks package screenshots sample-data torture lock clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: $(READY)  ## train everything on the shipped sample; Table 1 and report.html go to OUT
	@begin=$$SECONDS; $(BIN)/morpholaw demo --out $(OUT) \
	  && echo "make demo took $$((SECONDS - begin)) s; results are in $(OUT), the report is $(OUT)/report.html"

test: $(READY)  ## run lint, types, import rules and all tests
	@begin=$$SECONDS; $(MAKE) --no-print-directory -j2 --output-sync=target lint && $(MAKE) --no-print-directory -j2 types all-tests \
	  && echo "make test took $$((SECONDS - begin)) s"

# Byte code is kept whatever the environment says, or each worker would rewrite and compile all tests again.
# Three workers on two cores: a test that waits for a process or a window leaves its core to another.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

all-tests: $(READY)
	$(PYTEST)

# Without documentation, reports and torture, and without tests that take over ten seconds.
test-fast: $(READY)  ## run only the quick tests, during development
	$(PYTEST) -m "not slow" --ignore=tests/docs --ignore=tests/report --ignore=tests/torture

# $(call overlay,FOLDER,PACKAGE) is a virtual environment with PACKAGE, what that needs, and the packages of $(VENV).
define overlay
	@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	@for own in $(1)/lib/python*/site-packages; do echo "import site; site.addsitedir('$(abspath $(VENV))/lib/$$(basename $$(dirname $$own))/site-packages')" > $$own/main.pth; done
	@$(1)/bin/pip install -q --disable-pip-version-check $(2)
endef

# PySide6 6.12 crashes under Python 3.11: it loses references to None.
test-pyside: $(READY)  ## run the tests of the panels with PySide6 instead of PyQt6
	$(call overlay,.venv-pyside,'PySide6-Essentials==6.10.3')
	QT_API=pyside6 .venv-pyside/bin/python -m pytest -q -o qt_api=pyside6 tests/widgets

NAPARI ?= 0.7.1
test-napari: $(READY)  ## run the tests of the panels with another napari; NAPARI=0.7.1
	$(call overlay,.venv-napari,'napari==$(NAPARI)')
	.venv-napari/bin/python -m pytest -q tests/widgets

check: lint types  ## check formatting, docstrings, types, import rules, dependencies, spelling, prose and the package

types: $(READY)
	$(BIN)/mypy

lint: style package

.PHONY: style
style: $(READY)
	$(BIN)/ruff check src tests benchmarks docs .ci hatch_build.py
	$(BIN)/ruff format --check -q src tests benchmarks docs .ci hatch_build.py
	$(BIN)/deptry src
	$(BIN)/lint-imports
	$(BIN)/codespell src tests benchmarks docs/*.md docs/*/*.md *.md napari.yaml pyproject.toml
	$(BIN)/proselint check --config docs/proselint.json README.md CONTRIBUTING.md docs/*.md docs/howto/*.md docs/methods/*.md docs/notebooks/*.md
	$(BIN)/pip check
	$(BIN)/npe2 validate napari.yaml

package: $(READY)  ## build and check the package and its conda recipe, in dist/
	@rm -rf dist
	$(BIN)/hatchling build
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python .ci/conda_recipe.py

bench: $(READY)  ## measure the performance table, each row against its peer
	# --no-deps: all dependencies are installed except torchvision, which would install another torch.
	$(BIN)/pip install -q --no-deps pythae torchattacks gplearn pyoperon
	$(BIN)/morpholaw bench --json docs/performance.json

docs: $(READY)  ## build the documentation in site/; warnings are errors
	$(BIN)/python -m zensical build --clean --strict && echo "open site/index.html"

notebooks: $(READY)  ## write the notebooks of docs/notebooks as .ipynb files, in notebooks/
	$(BIN)/jupytext --to ipynb --set-kernel python3 $$(ls docs/notebooks/*.md | grep -v index.md)
	@mkdir -p notebooks && mv docs/notebooks/*.ipynb notebooks/

screenshots: $(READY)  ## take the screenshots in docs/images again, and the animation
	xvfb-run -a -s "-screen 0 1940x1200x24" $(BIN)/python docs/make_screenshots.py
	xvfb-run -a -s "-screen 0 1400x1000x24" $(BIN)/python docs/make_moving_picture.py

docs-pictures:  ## list screenshots that are older than the code they show
	docs/stale-pictures

torture: $(READY)  ## run property tests, kills, damaged files, full disks, long work: docs/reliability.md; MINUTES=25 SEED=0
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 -m hypothesis --hypothesis-profile=new
	QT_QPA_PLATFORM=offscreen $(BIN)/python tests/torture/run.py --minutes $(or $(MINUTES),25) --seed $(or $(SEED),0) \
	  --json docs/reliability.json --report docs/reliability.md

STUDY ?= simulated-study
sample-data: $(READY)  ## train STUDY and make sample_data/ again from its seed and models; takes 80 minutes
	$(BIN)/python benchmarks/simulated_study.py $(STUDY)-plain --plain --only-encoder --epoch-crops 875000
	$(BIN)/python benchmarks/simulated_study.py $(STUDY)-asked --start $(STUDY)-plain/encoder --only-encoder --epoch-crops 175000
	$(BIN)/python benchmarks/simulated_study.py $(STUDY)-again --start $(STUDY)-asked/encoder --only-encoder --epoch-crops 175000
	$(BIN)/python benchmarks/simulated_study.py $(STUDY) --start $(STUDY)-again/encoder --epoch-crops 175000 \
	  --tune --cnn-epochs 3 --evaluations 60000
	$(BIN)/python benchmarks/make_sample_data.py $(STUDY)

lock:  ## update requirements.lock and uv.lock (three systems, four Python versions) to the newest versions
	rm -rf .lock-venv && $(PYTHON) -m venv .lock-venv && .lock-venv/bin/pip install -q -U pip \
	  && .lock-venv/bin/pip install -q 'torch==2.13.0' '.[test]' \
	  && .lock-venv/bin/pip freeze --exclude napari-morpholaw | sed 's/+cpu//' > requirements.lock \
	  && .lock-venv/bin/pip install -q uv && .lock-venv/bin/uv lock --upgrade && rm -rf .lock-venv

$(READY): requirements.lock pyproject.toml napari.yaml
	@echo "Setting up $(VENV): about two minutes, once."
	@.ci/system-libraries
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -U pip
	@.ci/install-torch $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $(READY)

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
