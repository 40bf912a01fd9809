# The targets that people use; `make` alone prints them. Everything is installed into .venv with the pins of lock.txt.

PROFILE ?= demo
VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --disable-pip-version-check --quiet --constraint lock.txt --editable
# The first Python on the PATH that is new enough; 3.11 is the one that is tested.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help book read test quick address clean

help:
	@echo 'make book    install everything, execute the notebooks, build the book'
	@echo 'make read    install the light base only, build the book from recorded results'
	@echo 'make test    install everything, run all tests'
	@echo 'make quick   the same without the slow tests'
	@echo 'make address write the public address of book/_config.yml into the notebooks'
	@echo 'make clean   delete everything generated (artifacts/), not the installation'
	@echo
	@echo 'PROFILE=... chooses the profile of `make book` (default: $(PROFILE)).'
	@echo 'More: $(PY) -m helpers --help'

book: $(VENV)/.installed-book
	$(PY) -m helpers run --profile $(PROFILE)
	$(PY) -m helpers book

# Records come with the book, so nothing is asked of the network; what is here already is used.
read: export BOOK_OFFLINE = 1
read: $(VENV)/.installed-read
	$(PY) -m helpers run --profile released
	$(PY) -m helpers book

test: $(VENV)/.installed-test
	$(PY) -m pytest -n 2

quick: $(VENV)/.installed-test
	$(PY) -m pytest -n 2 -m 'not slow'

address: $(VENV)/.installed-read
	@$(PY) -c "from helpers import paths; from helpers.run import address; \
	  print(*address.fill_in(paths.resource('notebooks'), address.address()) or ['nothing to change'])"

clean:
	rm -rf artifacts

$(PY):
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed, and none was found on the PATH.' \
	  'Install it, or name it: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'The module venv of $(PYTHON) does not work.' \
	  'On Debian and Ubuntu it is a package of its own: apt install python3-venv' >&2; rm -rf $(VENV); exit 1; }

# A larger installation holds the smaller ones; the files remember which is there and when.
$(VENV)/.installed-read: pyproject.toml lock.txt | $(PY)
	@echo 'installing the base ...'
	@$(INSTALL) '.' --no-compile
	@touch $@

$(VENV)/.installed-book: pyproject.toml lock.txt | $(PY)
	@echo 'installing the base with models and demo (torch is several GB) ...'
	@$(INSTALL) '.[models,demo]'
	@touch $@ $(VENV)/.installed-read

$(VENV)/.installed-test: pyproject.toml lock.txt | $(PY)
	@echo 'installing everything (torch is several GB) ...'
	@$(INSTALL) '.[models,demo,dev]'
	@touch $@ $(VENV)/.installed-book $(VENV)/.installed-read
