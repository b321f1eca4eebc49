# Every target sets up what it needs first; `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
BLENDER := .venv-blender/.ready
RAY := .venv/.ray
NPROC := $(shell nproc 2>/dev/null || echo 2)

.PHONY: help setup blender ray assets test test-fast test-slow check bench licences clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## Make .venv, build the kernel, fetch the system packages that are missing

$(READY): pyproject.toml constraints.txt setup.py tools/setup.sh package.json
	@PYTHON="$(PYTHON)" sh tools/setup.sh
	@touch $(READY)

blender: $(BLENDER)  ## Make .venv-blender with the bpy package (1 GB), for the tests that open files in Blender

# An environment of its own: bpy wants an older numpy.
$(BLENDER):
	@"$(PYTHON)" -m venv .venv-blender
	@echo "setup: installing Blender as a Python package into .venv-blender"
	@.venv-blender/bin/python -m pip --disable-pip-version-check install -q "bpy==4.5.*"
	@touch $(BLENDER)

ray: $(RAY)  ## Add Ray to .venv (80 MB), for `executor: ray` and its tests

$(RAY): $(READY)
	@echo "setup: adding Ray to .venv"
	@$(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt --no-build-isolation -e ".[ray]"
	@touch $(RAY)

# Where nobody watches, nothing may be skipped.
ifeq ($(CI),true)
test-fast: $(RAY)
test-slow: $(RAY) $(BLENDER)
endif

assets: $(READY)  ## Build everything in configs/assets.yaml that changed (the same as .venv/bin/dvc repro)
	@$(BIN)/dvc repro; $(BIN)/python -m stages.check --in runs/gallery --ended $$?

test: test-fast test-slow  ## All tests: the fast ones first, then the slow ones

test-fast: $(READY)  ## The quick tests (some minutes)
	@$(BIN)/python -m pytest -m "not slow"

test-slow: $(READY)  ## The slow tests: whole pipelines, trainings, browser, Blender
	@$(BIN)/python -m pytest -m slow

check: $(READY)  ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)  ## Measure speed and quality into benchmarks/results/ (an idle machine, about an hour)
	@$(BIN)/python -m benchmarks.raster
	@$(BIN)/python -m benchmarks.mesh
	@$(BIN)/python -m benchmarks.pipeline
	@$(BIN)/python -m benchmarks.quality
	@$(BIN)/python -m benchmarks.materials
	@$(BIN)/python -m benchmarks.gallery

licences: $(READY)  ## Write docs/licences.md: the licence of everything that is installed
	@$(BIN)/python tools/licences.py --out docs/licences.md

clean:  ## Remove the environment and everything that was built (not your manifest, not the weights)
	rm -rf .venv .venv-blender node_modules runs/* assets3d/native/_kernel.* build *.egg-info
