# Two commands a newcomer needs: `make report` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: report test lint sample catalogue docs docs-pages validation validation-page benchmarks lock clean

report: $(VENV)/.run                 ## the Entity List study on the embedded snapshot
	@$(BIN)/eventstudy run configs/entity-list-2019.toml

test: lint                           ## all tests but the long simulations
	PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

sample: $(VENV)/.run                 ## the committed sample report
	@rm -rf build/sample && $(BIN)/eventstudy run configs/entity-list-2019.toml --out build/sample
	@mkdir -p reports/sample && cp build/sample/entity-list-2019/latest/report.html reports/sample/report.html

catalogue: $(VENV)/.dev              ## the Chinese catalogue, after a sentence of the report changed; new ones are empty
	@mkdir -p build
	$(BIN)/pybabel -q extract -F babel.cfg -k N_ -k Told --add-location=file --width=120 -o build/report.pot .
	$(BIN)/pybabel -q update -D report -i build/report.pot -d eventstudy/report/locale --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date --width=120

docs: $(VENV)/.dev                   ## the documentation site, in build/site
	$(BIN)/python -m sphinx -q -W --keep-going -d build/site-trees docs build/site
	@echo build/site/index.html

docs-pages: $(VENV)/.run             ## the pages and figures of docs/ that are made from the program
	$(BIN)/python docs/make_configuration.py
	$(BIN)/python docs/make_verbs.py
	$(BIN)/python docs/make_reasons.py
	$(BIN)/python docs/make_entity_list.py
	$(BIN)/python docs/make_figure.py

validation: $(VENV)/.dev             ## the long simulations
	$(BIN)/python -m pytest -m validation -s tests

validation-page: $(VENV)/.dev        ## docs/validation.md, simulated anew; after an interruption add RESUME=--resume
	PYTHONPATH=tests $(BIN)/python -m validation.page $(RESUME)

benchmarks: $(VENV)/.dev             ## docs/performance.md, measured anew; to try: make benchmarks SIZES="30 1000"
	$(BIN)/python -m benchmarks.run $(SIZES)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

lock:                                ## write the exact, hash-checked versions anew
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml --group build -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		pyproject.toml --group build --group dev --group docs -c requirements/run.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
