PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install run test bench index

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch first and by itself: the plain requirement of another package would bring a build with CUDA.
$(VENV)/.run: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

install: $(VENV)/.run  ## a virtual environment with all that the application needs

run: install  ## serve the page and the API on http://127.0.0.1:7860, with the index built
	$(BIN)/python app.py

index: install  ## build the index from corpus/
	$(BIN)/python build_index.py

test: $(VENV)/.dev  ## lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: $(VENV)/.dev index  ## speed, memory and quality figures, beside yardsticks
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.doors
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.safety
	$(BIN)/python -m benchmarks.conversation
