# The targets that people and CI use. `make help` lists them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := 0.13.9
READY  := $(VENV)/.ready
GEN    := libs/heliograph/gen/.ready
PROTOS := $(shell find protos -name '*.proto') protos/generate.py
MEMBERS := libs/mesh libs/heliograph deploy/local $(wildcard services/*)
SOURCES := $(wildcard libs/*/src services/*/src deploy/local/src)
T      ?= libs services deploy/local tests

export PATH := $(CURDIR)/$(BIN):$(PATH)
# Trust whom the system trusts, as pip does: many networks have an authority of their own.
export UV_SYSTEM_CERTS := true
# Without compiled modules every process takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup proto check fmt test up demo bench lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) $(GEN) ## Install everything into .venv and generate the stubs

$(READY): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	@echo "setting up $(VENV): a minute, or seconds when the packages are cached"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv==$(UV)
	@$(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@mkdir -p libs/heliograph/gen
	@$(BIN)/uv pip install --quiet --no-deps $(addprefix -e ,$(MEMBERS))
	@touch $@

$(GEN): $(PROTOS) $(READY)
	@$(BIN)/python protos/generate.py
	@$(BIN)/heliograph --help > /dev/null
	@touch $@

proto: setup ## Lint the protos, compare them with the last release, generate the stubs
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code --path protos/heliograph
	@$(BIN)/python protos/breaking.py

fmt: setup ## Format code and protos
	@$(BIN)/buf format --write --path protos/heliograph
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

check: setup proto ## Everything but the tests: format, lint, types, layers, protos
	@echo "format and lint" && $(BIN)/ruff format --quiet --check . && $(BIN)/ruff check --quiet .
	@echo "spelling" && $(BIN)/codespell
	@echo "types" && $(BIN)/mypy $(SOURCES)
	@echo "layers" && $(BIN)/lint-imports

# A third of a test's time is waiting for servers, so there are more workers than two cores.
test: check ## Everything CI runs: the checks and all tests; T=services/campaign for some
	@$(BIN)/pytest -n $${WORKERS:-3} --dist loadgroup $(T)

up: setup ## Keep a mesh running on this machine; its addresses and a token are printed
	@$(BIN)/heliograph up

demo: setup ## Run the main job on sample data, checked against the carriers' own logs
	@$(BIN)/heliograph demo

bench: setup ## Measure, in one run and as ratios
	@$(BIN)/python -m localmesh.bench

lock: ## Resolve the dependencies anew into requirements.lock
	@$(BIN)/uv lock --quiet --upgrade
	@$(BIN)/uv export --quiet --all-packages --all-extras --group dev --no-emit-workspace --no-header -o requirements.lock
	@$(BIN)/uv export --quiet --frozen $(patsubst services/%,--package heliograph-%,$(wildcard services/*)) --no-dev --no-emit-workspace --no-header -o deploy/requirements.lock
	@$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header -c requirements.lock deploy/build.in -o deploy/build.lock

clean: ## Remove what was built; the sources stay
	@rm -rf build libs/heliograph/gen $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
