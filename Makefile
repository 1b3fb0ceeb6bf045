# Trading Buddy. Needs Python 3.11 or newer and make; everything else is installed by lock files.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

PYTHON ?= $(or $(shell for p in python3.11 python3 python3.12 python3.13; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done),python3)
BIN := $(CURDIR)/backend/.venv/bin
PY := PYTHONPATH=$(CURDIR):$(CURDIR)/backend $(BIN)/python
NPM := cd frontend && PATH=$(BIN):$$PATH npm run --silent
PYTEST := PYTHONPATH=$(CURDIR):$(CURDIR)/backend $(BIN)/pytest
WORKERS ?= 2
SEEDS ?= 1000..1300
CASES ?= 300
BACKUP ?= latest
IDENTITY ?= $(error Name the file with the identity: make $(MAKECMDGOALS) IDENTITY=/path/to/identity)

.PHONY: help run setup setup-dev test test-sqlite test-postgres test-frontend e2e kill check check-backend check-frontend \
	check-api check-infra simulate attack fmt api lock bench up down backup backup-key verify-backup restore

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## install what is missing, build, migrate, start everything, print the address (PORT=8000)
	@$(PY) -m scripts.build_frontend
	@exec env PYTHONPATH=$(CURDIR):$(CURDIR)/backend $(BIN)/python -m scripts.supervisor

setup: ## install what is missing, by the lock files
	@command -v $(PYTHON) >/dev/null || { echo "There is no Python. → Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) scripts/bootstrap.py

setup-dev:
	@command -v $(PYTHON) >/dev/null || { echo "There is no Python. → Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) scripts/bootstrap.py --dev

test: setup-dev test-frontend test-sqlite test-postgres e2e ## every test: SQLite, Postgres, Valkey, worker, browser

test-sqlite: setup-dev ## all backend tests on SQLite with a real Valkey
	cd backend && $(PYTEST) -q -n $(WORKERS) --dist loadgroup tests

test-postgres: setup-dev ## the tests that touch a database, on a real Postgres with a real Valkey
	cd backend && $(PY) -m scripts.with_stores --postgres -- $(BIN)/pytest -q tests/apps tests/exchanges tests/flow tests/faults

simulate: setup-dev ## whole lives on a simulated clock and venue: SEEDS=4711 or 1000..1300 (PLANT=name, ALL_PLANTS=1, POSTGRES=1, REPORT=path)
	cd backend && $(PY) -m $(if $(POSTGRES),scripts.with_stores --postgres -- $(BIN)/python -m )simulation $(SEEDS) --coverage \
		--plant=$(or $(PLANT),-) $(if $(ALL_PLANTS),--plants) $(if $(POSTGRES),--workers 1) $(if $(REPORT),--report=$(abspath $(REPORT)))

attack: setup-dev ## every operation of the API under what it allows and forbids, on a real Postgres (CASES=300 SEED=1)
	cd backend && ATTACK_CASES=$(CASES) ATTACK_SEED=$(or $(SEED),1) ATTACK_WAYS=coverage,fuzzing \
		$(PY) -m scripts.with_stores --postgres -- $(BIN)/pytest -q tests/attack

kill: setup-dev ## SIGKILL at every point of thirteen trades, and what they stand on taken away (SLICE=60: seconds; RESUME=file)
	cd backend && $(PY) -m killing $(if $(SLICE),--seconds $(SLICE)) $(if $(RESUME),--resume $(abspath $(RESUME)))
	cd backend && $(PY) -m killing.cuts --freeze $(or $(FREEZE),8)

test-frontend: setup-dev ## unit tests of the frontend
	$(NPM) test

e2e: setup-dev ## the browser tests against the real processes
	@$(PYTHON) scripts/bootstrap.py --dev --browser
	@$(PY) -m scripts.build_frontend
	$(PY) -m scripts.supervisor --temporary -- bash -c "$(NPM) e2e"

check: setup-dev check-backend check-frontend check-api check-infra ## every linter, type checker and drift check

check-backend:
	cd backend && $(BIN)/ruff check . ../scripts
	cd backend && $(BIN)/ruff format --check . ../scripts
	cd backend && MYPYPATH=.:.. $(BIN)/mypy buddy emulator simulation killing
	cd backend && $(BIN)/lint-imports
	$(PY) -m scripts.check_django

check-frontend:
	$(NPM) check
	$(NPM) lint

check-api: ## the committed OpenAPI document and the frontend's client say what the code says
	@$(PY) -m scripts.openapi --check

check-infra: ## Dockerfiles, compose file, proxy, backup scripts
	@scripts/check_infra.sh

fmt: setup-dev ## format everything
	cd backend && $(BIN)/ruff check --fix --quiet . ../scripts; $(BIN)/ruff format --quiet . ../scripts
	$(NPM) format

api: setup-dev ## write backend/openapi.yaml and the frontend's client from the code
	@$(PY) -m scripts.openapi

lock: setup-dev ## write the requirement locks anew (after editing a .in file)
	@cd backend && for part in -setup "" -embedded -dev; do \
		$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
			--output-file requirements$$part.txt requirements$$part.in || exit 1; done

bench: setup-dev ## one JSON line per figure, then a table
	@$(PYTHON) scripts/bootstrap.py --dev --browser
	@$(PY) -m scripts.build_frontend
	@cd backend && $(PY) -m bench

up: ## start production by docker compose
	docker compose up --detach --build --wait

down: ## stop it
	docker compose down

backup: ## one encrypted backup now, proven by restoring it into an empty database
	@backups/manage.sh backup

backup-key: ## a new pair of keys for backups: prints the identity once (make backup-key > /another/disk/identity)
	@backups/manage.sh backup_key

verify-backup: ## is it worth anything? IDENTITY=/path/to/identity [BACKUP=latest]
	@backups/manage.sh verify_backup $(BACKUP) --identity - <$(IDENTITY)

restore: ## into an empty database: IDENTITY=/path/to/identity [BACKUP=latest] [REPLACE=1 keeps the old one aside]
	@backups/manage.sh restore $(BACKUP) --identity - $(if $(REPLACE),--replace) <$(IDENTITY)
