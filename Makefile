# Slipway: what a person can ask for. Everything is done by the package bootstrap/ (standard library only).
.POSIX:
PYTHON = python3
PORT = 8000
SANDBOX_PORT = 8443
SANDBOX_HUB_PORT = 8480
SANDBOX_SPEED = 5
WORKERS = 1
DB = sqlite
ARGS =

.PHONY: help run demo test bench chaos lint install helm clean python

help:
	@echo "make run      start Slipway with a simulated cloud at http://127.0.0.1:8000/ (Ctrl-C stops it)"
	@echo "              settings: PORT=8000 SANDBOX_PORT=8443 SANDBOX_HUB_PORT=8480 SANDBOX_SPEED=5 WORKERS=1 ARGS=--verbose"
	@echo "make demo     the whole job without a browser: ask for a hub, build it, prove it, take it down"
	@echo "make test     every check and test, a browser's included (ARGS='tests/unit -k name' runs only those)"
	@echo "              DB=postgres: the same on a PostgreSQL server that is started for it (likewise make chaos)"
	@echo "make bench    how fast and how large it is (ARGS=pages: with 10,000 hubs and 5 million lines in PostgreSQL)"
	@echo "make chaos    kill everything at every moment, let every call fail in every way (SLIPWAY_SEED=1 repeats a run)"
	@echo "make lint     the checks without the tests"
	@echo "make install  only make .venv and fetch Helm;  make helm  only print where Helm is"
	@echo "make clean    remove .venv and caches; your data in var/ stays"

run: python
	@exec $(PYTHON) -m bootstrap run --port "$(PORT)" --sandbox-port "$(SANDBOX_PORT)" \
	    --hub-port "$(SANDBOX_HUB_PORT)" --speed "$(SANDBOX_SPEED)" --workers "$(WORKERS)" $(ARGS)

demo test bench chaos lint install helm: python
	@DB="$(DB)"; export DB; exec $(PYTHON) -m bootstrap $@ $(ARGS)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	    echo "Slipway needs Python 3.11 or newer, and $(PYTHON) is not installed. On Debian: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Slipway needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another: make run PYTHON=python3.11" >&2; exit 1; }
