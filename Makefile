# Two commands: `make demo` plays the product's story on real parts, `make test` proves the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Whoever installs from an index of their own has told pip; uv is told the same.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX := $(PIP_INDEX_URL)
endif
UV := $(BIN)/python -m uv --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint lock schemas docs coverage-trust bench-answers bench-build bench-canary bench-canary-false bench-check bench-evidence bench-pins bench-template clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/uv.txt

$(VENV)/installed: .ci/requirements.txt pyproject.toml | $(BIN)/uv
	$(UV) pip sync --python $(BIN)/python --require-hashes .ci/requirements.txt .ci/uv.txt
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

demo: $(VENV)/installed  ## set everything up and play the story
	$(BIN)/slipway sandbox $(DEMO)

lint: $(VENV)/installed  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Programs that only the tests of the template need.
$(VENV)/tools: .ci/tools.txt .ci/tools.py | $(VENV)/installed
	$(UV) pip install --no-deps --require-hashes --target .slipway/tools --requirements .ci/tools.txt
	$(BIN)/python .ci/tools.py .slipway/tools $(BIN)
	rm -rf .slipway/tools
	touch $@

test: lint $(VENV)/tools  ## set everything up and pass the tests
	$(BIN)/pytest -n 2 --dist worksteal --hypothesis-profile=ci $(TESTS)

coverage-trust: $(VENV)/installed  ## every branch of the code that decides whom and what to believe is tested
	$(BIN)/pytest -q -n 0 --cov --cov-config=.ci/coverage-trust.ini --cov-report=term-missing:skip-covered \
	  tests/unit/webhooks tests/unit/commands tests/unit/trust tests/unit/github/test_merging.py \
	  tests/property/test_webhooks_hostile.py tests/property/test_commands_hostile.py tests/contract/web

bench-pins: $(VENV)/installed  ## exact edits of YAML, beside other writers
	$(UV) pip install --quiet --target .slipway/bench-pins -r benchmarks/pins/writers.txt
	$(BIN)/python benchmarks/pins/bench_pins.py

COMPILE = $(UV) pip compile --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --universal

lock: $(BIN)/uv  ## pin the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --extra sandbox --extra test --extra build pyproject.toml --output-file .ci/requirements.txt
	$(COMPILE) --constraint .ci/requirements.txt pyproject.toml --output-file .ci/runtime.txt
	printf 'hatchling\neditables\n' | $(COMPILE) --constraint .ci/requirements.txt - --output-file .ci/build.txt

schemas: $(VENV)/installed  ## write the JSON Schemas that editors read
	for name in slipway policy; do $(BIN)/slipway schema $$name > policies/$$name.schema.json; done
	cp policies/*.schema.json gitops-repo-template/policies/

bench-evidence: $(VENV)/installed  ## how long evidence and gates take
	$(BIN)/python benchmarks/evidence/run.py
docs: schemas  ## fill the tables of keys in the documentation
	$(BIN)/python docs/keys.py

bench-check: $(VENV)/installed  ## how long slipway check takes for 200 models
	$(BIN)/python benchmarks/check/bench.py

bench-canary: $(VENV)/installed  ## canary deciders over simulated services (RUNS=40, FAMILY=smooth, stormy or queued)
	$(BIN)/python benchmarks/canary/run.py --runs $(or $(RUNS),40) --family $(or $(FAMILY),smooth) --scenarios

bench-build: $(VENV)/installed  ## how long a model takes to become an image (SIZE=50, in MB)
	PYTHONPATH=. $(BIN)/python benchmarks/build/run.py --megabytes $(or $(SIZE),50)

bench-answers: $(VENV)/installed  ## how long a person waits for reaction and answer (COMMENTS=40, OTHERS=0)
	$(BIN)/python benchmarks/answers/run.py --comments $(or $(COMMENTS),40) --others $(or $(OTHERS),0)

bench-template: $(VENV)/installed $(VENV)/tools  ## the template written, rendered and validated
	$(BIN)/python benchmarks/template/bench.py

bench-canary-false: $(VENV)/installed  ## false reverts alone, with intervals (RUNS=400; FAMILY=one, else all three)
	nice -n 19 $(BIN)/python benchmarks/canary/confirm.py --runs $(or $(RUNS),400) $(if $(FAMILY),--family $(FAMILY))

clean:  ## forget what was installed and run
	rm -rf $(VENV) .slipway
