"""The project around the code: pins, order of the rooms, the light reading path, notebooks, documents."""

import ast
import re
import subprocess
import sys
import tomllib

import nbformat
import pytest
import typer
import yaml

from helpers import ROOMS, cli, paths
from helpers.manifest import load_manifest
from helpers.run import notebooks, parameters
from helpers.run.address import address
from helpers.run.doctor import normalised

ROOT = paths.CHECKOUT
pytestmark = pytest.mark.skipif(ROOT is None, reason="the project's own files come with a checkout only")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text()) if ROOT else {}
TEXTS = ("*.md", "*.toml", "*.yml", "*.yaml", "*.cff", "*.ipynb", "*.py", "Makefile", "run")
GENERATED = {".venv", ".git", "artifacts", ".ruff_cache", ".pytest_cache", ".hypothesis", "build", "dist", "mathjax"}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb")) if ROOT else []
MODULES = sorted((ROOT / "helpers").rglob("*.py")) if ROOT else []


def own_files():
    """Every text file of the project that people write."""
    found = (path for pattern in TEXTS for path in ROOT.rglob(pattern))
    return sorted(p for p in found if p.is_file() and not GENERATED & set(p.relative_to(ROOT).parts))


# Pins


def name_of(requirement):
    return normalised(re.match(r"[A-Za-z0-9._-]+", requirement).group())


def locked_lines():
    found = {}
    for line in (ROOT / "lock.txt").read_text().splitlines():
        found.setdefault(name_of(line), set()).add(" ".join(line.split()))
    return found


def direct_requirements():
    project = PROJECT["project"]
    return [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]


def test_every_line_of_the_lock_is_an_exact_pin():
    for line in (ROOT / "lock.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.+]+( ; .+)?", line), line


def test_the_lock_holds_every_requirement_within_its_range():
    from packaging.requirements import Requirement

    locked = locked_lines()
    for text in direct_requirements():
        wanted = Requirement(text)
        assert normalised(wanted.name) in locked, f"{text} is not in lock.txt"
        for line in locked[normalised(wanted.name)]:
            version = Requirement(line).specifier
            assert wanted.specifier.contains(str(version).removeprefix("=="), prereleases=True), (text, line)


def test_conda_has_the_pins_of_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    pins = [line for line in pip if not line.startswith("-")]
    locked = locked_lines()
    names = {name_of(text) for text in direct_requirements()}
    assert sorted(pins) == sorted(line for name in names for line in locked[name])
    (python,) = (part for part in environment["dependencies"] if str(part).startswith("python "))
    lowest = PROJECT["project"]["requires-python"]
    assert lowest in python


# Rooms


def room_of(parts):
    """The room of a module given by its dotted parts after `helpers`; None for the package itself."""
    if not parts:
        return None
    return ".".join(parts[:2]) if parts[0] == "demo" and len(parts) > 1 else parts[0]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module else []
        for name in names:
            parts = name.split(".")
            if parts[0] == "helpers":
                yield name, room_of([p for p in parts[1:] if p != "ROOMS"])


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_to_its_left(path):
    own = room_of(path.relative_to(ROOT / "helpers").with_suffix("").parts)
    if own in ("__init__", "__main__") or (path.parent.name == "demo" and path.stem == "__init__"):
        return
    assert own in ROOMS, f"{own} is no room of helpers.ROOMS"
    for name, room in imported_rooms(path):
        if room is not None:
            assert room in ROOMS, f"{path.name} imports {name}, which is in no room"
            assert ROOMS.index(room) <= ROOMS.index(own), f"{own} imports {name} from its right"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_every_module_loads_with_the_light_installation():
    """With the extras made impossible to import, every module still loads: only functions may need them."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES if path.stem != "__main__"]
    blocked = ["torch", "torchvision", "timm", "open_clip", "webdataset", "safetensors", "resvg_py", "skimage",
               "huggingface_hub", "torchmetrics", "hypothesis"]  # fmt: skip
    code = "import sys, importlib\nclass Absent:\n    def find_spec(self, name, path=None, target=None):\n"
    code += f"        if name in {blocked}: raise ModuleNotFoundError(name)\nsys.meta_path.insert(0, Absent())\n"
    code += f"for n in {names}:\n    try: importlib.import_module(n.removesuffix('.__init__'))\n"
    code += "    except Exception as e: print(n, type(e).__name__, e)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


# Notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_stripped(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert "papermill" not in notebook.metadata


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_keeps_to_its_anatomy(path):
    notebook = notebooks.read(path)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [sum(tag in notebooks.tags(cell) for cell in code) for tag in ("setup", "parameters")] == [1, 1]
    for cell in code:
        lines = cell.source.splitlines()
        assert len(lines) <= 12, cell.source
        tree = ast.parse("\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines))
        heavy = (ast.FunctionDef, ast.ClassDef, ast.While)
        assert not [node for node in ast.walk(tree) if isinstance(node, heavy)], cell.source
    words = "\n".join(cell.source for cell in code)
    assert not re.search(r"https?://|['\"](/|\.\./|~)", words), "no path and no URL in a notebook"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_every_declared_parameter_is_explained_and_read(path):
    notebook = notebooks.read(path)
    declared = parameters.declared(notebook, path.stem)
    assert "profile" in declared
    for cell in notebook.cells:
        if "parameters" in notebooks.tags(cell):
            assert all("  # " in line for line in cell.source.splitlines() if line.strip()), cell.source
    read = {
        node.id
        for cell in notebook.cells
        if cell.cell_type == "code" and not {"parameters", "setup"} & set(notebooks.tags(cell))
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Name)
    }
    assert set(declared) <= read


# Documents


def test_no_placeholder_addresses():
    wrong = r"github\.com/(user|owner|org|username|you|your[\w-]*|me)\b|<(owner|user|org|repo)>|your-(name|org|repo)"
    for path in own_files():
        if path.relative_to(ROOT).parts[0] == "tests":
            continue
        everywhere = wrong if path.suffix == ".py" else rf"{wrong}|example\.(com|org|net)"  # fine in a doctest
        found = re.search(everywhere, path.read_text(encoding="utf-8"), re.IGNORECASE)
        assert found is None, f"{path}: {found.group()}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_have_the_address_of_the_configuration(path):
    (setup,) = (cell for cell in nbformat.read(path, as_version=4).cells if "setup" in notebooks.tags(cell))
    assert re.findall(r'^ADDRESS = "([^"]*)"', setup.source, re.MULTILINE) == [address().url], "`make address` is due"


def test_the_public_address_stands_in_one_place():
    """In the configuration, and where `make address` copies it from there."""
    url = address().url
    if not url:
        pytest.skip("there is no public address yet")
    places = {path for path in own_files() if url in path.read_text(encoding="utf-8")}
    assert places == {ROOT / "book" / "_config.yml", *NOTEBOOKS}


def test_citations_of_the_manifest_and_of_pages_are_in_the_bibliography():
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{([^,]+),", bibliography, re.MULTILINE)
    assert len(keys) == len(set(keys))
    pages = [*(ROOT / "book").glob("*.md"), *NOTEBOOKS]
    cited = {
        key.strip()
        for path in pages
        for group in re.findall(r"\{cite(?:|:t|:p)\}`([^`]+)`", path.read_text(encoding="utf-8"))
        for key in group.split(",")
    }
    cited |= {key for entry in load_manifest().values() for key in entry.citation}
    assert cited <= set(keys), sorted(cited - set(keys))


DOCUMENTS = ("README.md", "book/intro.md", "book/how_to_read.md", "book/deviations.md", "book/data_and_licences.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_in_documents_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`|\$ )make ([a-z]+)", text, re.MULTILINE)) <= targets
    commands = typer.main.get_command(cli.app).commands
    for line in re.findall(r"(?:python|\.venv/bin/python) -m helpers ([^`\n#]+)", text):
        words = cli.spread(line.split())
        assert words[0] in commands, line
        options = {option for p in commands[words[0]].params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, line


@pytest.mark.parametrize("name", ["README.md", *DOCUMENTS[1:]])
def test_links_in_documents_lead_somewhere(name):
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        # Section pages lie in notebooks/ beside book/; staging puts them below the prose.
        beside = ROOT / target if target.startswith("notebooks/") else path.parent / target
        assert target.startswith("https://") or beside.exists(), target


def test_make_alone_names_the_targets():
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("book", "read", "test", "quick", "clean"):
        assert f"make {target} " in done.stdout


def test_make_says_what_is_missing_when_python_is_too_old(tmp_path):
    for name in ("Makefile", "pyproject.toml", "lock.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    done = subprocess.run(
        ["make", "read", "PYTHON="], cwd=tmp_path, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr


def test_the_workflow_calls_the_script_that_calls_the_test_command():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "bash .ci/run" in steps
    assert "\nmake test" in (ROOT / ".ci" / "run").read_text()
    assert "make test" in (ROOT / "README.md").read_text()
