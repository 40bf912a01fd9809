"""Running notebooks: strict parameters, reuse and its reasons, failures kept, the command line."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from book_tools import cell, write_notebook

from helpers import cli, paths, results
from helpers.errors import BookError
from helpers.manifest import Artifact
from helpers.run import cache, imports, kernel, notebooks, parameters, reuse, run_notebooks, session

DATA = Artifact(
    id="decisions", title="Decisions", kind="predictions", urls=("https://data.example/a/decisions.csv",),
    filename="decisions.csv", sha256="1" * 64, bytes=1, licence=None, sections=("03_shape_texture",),
)  # fmt: skip
DEFAULTS = {"profile": "demo", "n": 3, "share": 0.5, "quick": False, "models": ["a"], "limit": None}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    return tmp_path


def with_settings(text):
    return nbformat.v4.new_notebook(cells=[cell(text, "parameters")])


# Parameters


def test_every_kind_of_literal_is_read():
    text = 'a = 1  # one\nb = -0.5\nc = "x=1"\nd = [1, 2]\ne = None\nf = True\n\n# a remark\ng = {"k": (1,)}\n'
    expected = {"a": 1, "b": -0.5, "c": "x=1", "d": [1, 2], "e": None, "f": True, "g": {"k": (1,)}}
    assert parameters.declared(with_settings(text), "03_x") == expected


@pytest.mark.parametrize(
    "text",
    [
        "a: int = 1", "a = b", "a = 1 + 1", "a = int(1)", "a = b = 1", "a, b = 1, 2", "a += 1", "import os",
        "print(1)", "a = 1\na = 2", "a = f'{1}'", "a = [x for x in (1, 2)]", "a.b = 1", "a = ", "if True:\n    a = 1",
    ],
)  # fmt: skip
def test_anything_but_bare_literals_is_refused_with_its_line(text):
    with pytest.raises(BookError, match=r"03_x.*line \d"):
        parameters.declared(with_settings(text), "03_x")


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_parameters_cell(count):
    notebook = nbformat.v4.new_notebook(cells=[cell("a = 1", "parameters") for _ in range(count)])
    with pytest.raises(BookError, match=f"found {count}"):
        parameters.declared(notebook, "03_x")


@pytest.mark.parametrize(
    "given", [{"n": 4}, {"share": 1}, {"quick": True}, {"models": ["b", "c"]}, {"models": ()}, {"limit": 7}, {}]
)
def test_fitting_values_take_the_place_of_defaults(given):
    assert parameters.effective(DEFAULTS, given, "03_x") == {**DEFAULTS, **given}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"m": 4}, "'m'.*one of its parameters"), ({"n": "4"}, "type int"), ({"n": 4.5}, "type int"),
        ({"n": True}, "type int"), ({"quick": 1}, "type bool"), ({"share": "0.5"}, "type float"),
        ({"models": "a"}, "type list"), ({"models": [1]}, "type list"), ({"limit": object()}, "NoneType"),
    ],
)  # fmt: skip
def test_unknown_names_and_other_types_are_refused(given, message):
    with pytest.raises(BookError, match=message):
        parameters.effective(DEFAULTS, given, "03_x")


def test_a_wrong_parameter_stops_the_run_before_anything_is_executed(home):
    write_notebook(home / "notebooks", "01_a", "1 / 0")
    write_notebook(home / "notebooks", "02_b", "1 / 0", settings='profile = "demo"')
    with pytest.raises(BookError, match="'n' of notebook 02_b"):
        run_notebooks("demo", given={"n": 5}, folder=home / "notebooks")
    assert not paths.executed_dir("demo").exists()


# Choosing


def test_sections_are_chosen_by_number_or_name(home):
    folder = home / "notebooks"
    for name in ("03_c", "01_a", "10_j"):
        write_notebook(folder, name)
    (folder / "draft.ipynb").write_text("{}")
    found = notebooks.sections(folder)
    assert list(found) == ["01_a", "03_c", "10_j"]
    assert list(notebooks.choose(found, ["10", "1", "03_c"])) == ["01_a", "03_c", "10_j"]
    assert list(notebooks.choose(found, [])) == list(found)
    for wrong in ("04", "c", "0", "03_cc"):
        with pytest.raises(BookError, match=re.escape(repr(wrong))):
            notebooks.choose(found, [wrong])


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, text):
    path = tmp_path / "01_a.ipynb"
    path.write_text(text)
    with pytest.raises(BookError, match=r"01_a\.ipynb"):
        notebooks.read(path)


# What an execution depends on


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "helpers"
    (root / "deep").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "a.py").write_text("def f():\n    from helpers.deep import part\n    return part\n")
    (root / "deep" / "__init__.py").write_text("from helpers.deep.part import x\n")
    (root / "deep" / "part.py").write_text("import helpers.b as b\nx = 1\n")
    (root / "b.py").write_text("import numpy\nfrom helpers import a\n")  # a circle
    (root / "unused.py").write_text("")
    return root


def test_imports_are_followed_to_the_end_and_no_further(package):
    found = imports.digests({"helpers", "helpers.a", "helpers.a.f"}, package)
    assert list(found) == [
        "helpers/__init__.py", "helpers/a.py", "helpers/b.py", "helpers/deep/__init__.py", "helpers/deep/part.py"
    ]  # fmt: skip
    (package / "b.py").write_text("import numpy\nfrom helpers import a  # changed\n")
    assert cache.first_difference(found, imports.digests({"helpers.a"}, package)) == "helpers/b.py changed"


def test_imports_agree_with_what_python_loads():
    """Every module of ours that Python loads for `helpers.results` is among those found by reading."""
    code = "import sys, helpers.results; print([n for n in sys.modules if n.split('.')[0] == 'helpers'])"
    loaded = ast.literal_eval(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    found = imports.digests({"helpers.results"})
    files = {f"helpers/{imports.module_file(name).relative_to(paths.PACKAGE).as_posix()}" for name in loaded}
    assert files <= set(found)


def test_outputs_do_not_count_as_a_change_of_the_notebook(tmp_path):
    path = write_notebook(tmp_path, "01_a", "print(n)")
    before = notebooks.read(path)
    after = notebooks.read(path)
    after.cells[-1].outputs = [nbformat.v4.new_output("stream", text="3\n")]
    after.cells[-1].execution_count = 7
    after.metadata["papermill"] = {"duration": 1}
    assert notebooks.source_digest(after) == notebooks.source_digest(before)
    after.cells[-1].source += "  # a remark"
    assert notebooks.source_digest(after) != notebooks.source_digest(before)


@pytest.fixture
def stored(home):
    """A good execution with its record, copy and result: (write(**changes), why(**changes), copy, result)."""
    executed = paths.executed_dir("released") / "03_shape_texture.ipynb"
    executed.parent.mkdir(parents=True)
    executed.write_text("{}")
    result = paths.results_dir("released") / "03_shape_texture.json"
    result.parent.mkdir(parents=True)
    result.write_text("{}")
    depends = {"the notebook": "a" * 64, "parameter n": "3", "helpers/stats.py": "b" * 64, "package numpy": "2.4.6"}
    base = dict(
        section="03_shape_texture", profile="released", parameters={"n": 3}, depends=depends, inputs={},
        output=cache.file_digest(executed), seconds=1.0, finished="2026-01-01T00:00:00Z", result="complete",
    )  # fmt: skip

    def write(**changes):
        cache.save(cache.RunRecord(**{**base, **changes}), executed)

    def why(**changes):
        now = {**depends, **changes}
        return reuse.why_again("03_shape_texture", "released", executed, now, {DATA.id: DATA})

    return write, why, executed, result


def test_nothing_changed_means_reuse(stored):
    write, why, *_ = stored
    assert why() == "not executed yet"
    write()
    assert why() is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"the notebook": "c" * 64}, "the notebook changed"),
        ({"parameter n": "5"}, "parameter n: 3 before, 5 now"),
        ({"helpers/stats.py": "c" * 64}, "helpers/stats.py changed"),
        ({"package numpy": None}, "package numpy: 2.4.6 before, absent now"),
        ({"helpers/new.py": "c" * 64}, "helpers/new.py added"),
    ],
)
def test_the_first_difference_is_named(stored, change, reason):
    write, why, *_ = stored
    write()
    assert why(**change) == reason


def test_copies_results_and_records_that_are_gone_or_damaged(stored):
    write, why, executed, result = stored
    write()
    executed.write_text('{"changed": 1}')
    assert "executed copy" in why()
    write(output=cache.file_digest(executed))
    result.unlink()
    assert "result record" in why()
    for text in ("", "{", "[]", '{"schema": 99}', '{"schema": 1}'):
        cache.record_path(executed).write_text(text)
        assert why() == "not executed yet"


def test_a_failure_is_not_reused(stored):
    write, why, *_ = stored
    write(error="ValueError: no")
    assert why() == "failed last time (ValueError: no)"


def test_data_with_another_checksum_are_read_again(stored):
    write, why, *_ = stored
    write(inputs={DATA.id: DATA.sha256, "unknown_to_the_manifest": "0" * 64})
    assert why() is None
    write(inputs={DATA.id: "0" * 64})
    assert why() == "data decisions: the manifest states another sha256 now"


def test_predictions_in_the_store_that_changed_are_read_again(stored):
    write, why, *_ = stored
    index = reuse._index_of("vit_sup", "cue_conflict", "released.eval")
    index.parent.mkdir(parents=True)
    index.write_text("{}")
    row = dict(model="vit_sup", dataset="cue_conflict", view="released.eval", metric="accuracy", unit="percent")
    contrast = {**row, "model": "vit_clip - vit_sup", "unit": "points"}
    run = results.Run("03_shape_texture", "released", {}, {"artifacts": {}, "finished": None})
    results.save(run, [row, contrast])
    left = reuse.outcome("03_shape_texture", "released", {DATA.id: DATA})
    assert left["stored"] == {"vit_sup, cue_conflict, released.eval": cache.file_digest(index)}
    write(**left)
    assert why() is None
    index.write_text("{ }")
    assert why() == "stored predictions changed (vit_sup, cue_conflict, released.eval)"
    index.unlink()
    assert why() is None


def test_missing_data_are_tried_again_only_when_they_can_be_had(stored, monkeypatch, tmp_path):
    write, why, *_ = stored
    monkeypatch.delenv("BOOK_OFFLINE", raising=False)
    write(missing=(DATA.id,), result="recorded")
    monkeypatch.setattr(reuse, "reachable", lambda host: False)
    assert why() is None
    monkeypatch.setattr(reuse, "reachable", lambda host: True)
    assert "its host answers now" in why()
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    assert why() is None
    copy = tmp_path / "mirror" / "data.example" / "a" / "decisions.csv"
    copy.parent.mkdir(parents=True)
    copy.write_text("x")
    monkeypatch.setenv("BOOK_MIRROR", str(tmp_path / "mirror"))
    assert "can be had now (mirror)" in why()


def test_offline_asks_no_host(monkeypatch):
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    monkeypatch.setattr(reuse.socket, "create_connection", lambda *a, **k: pytest.fail("a connection was tried"))
    assert reuse.reachable("example.org") is False


# The kernel


def test_the_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    before = dict(os.environ)
    with kernel.own_kernel(2):
        assert "MPLBACKEND" not in os.environ
        first = Path(os.environ["JUPYTER_PATH"].split(os.pathsep)[0])
        assert json.loads((first / "kernels/python3/kernel.json").read_text())["argv"][0] == sys.executable
    assert dict(os.environ) == before


# Whole runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three notebooks at once, one of which fails, under a home whose own kernel is broken; then once more."""
    home = tmp_path_factory.mktemp("book {braces}")
    folder = home / "notebooks"
    good = "import sys\nfrom helpers import words\nprint(n, profile, sys.executable)"
    write_notebook(folder, "01_good", good)
    write_notebook(folder, "02_bad", "print('so far')", "raise ValueError('first\\nthe last line')", "print('never')")
    write_notebook(folder, "03_dies", "import os\nos._exit(3)")
    broken = home / "jupyter" / "kernels" / "python3"
    broken.mkdir(parents=True)
    (broken / "kernel.json").write_text('{"argv": ["false"], "display_name": "x", "language": "python"}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_HOME", str(home))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "jupyter"))
        first = run_notebooks("demo", given={"n": 5}, jobs=3, folder=folder)
        executed = paths.executed_dir("demo")
        stamps = {path.name: path.stat().st_mtime_ns for path in executed.glob("*.ipynb")}
        again = run_notebooks("demo", only=["01"], given={"n": 5}, folder=folder)
        kept = {path.name: path.stat().st_mtime_ns for path in executed.glob("*.ipynb")}
    return first, again, executed, stamps == kept


@pytest.mark.slow
def test_a_failed_notebook_does_not_stop_the_others(runs):
    first, *_ = runs
    assert first["01_good"] is None
    assert first["02_bad"] == "ValueError: the last line"
    assert first["03_dies"]


@pytest.mark.slow
def test_parameters_and_kernel_reach_the_notebook(runs):
    copy = notebooks.read(runs[2] / "01_good.ipynb")
    assert copy.cells[-1].outputs[0].text == f"5 demo {sys.executable}\n"
    injected = next(c for c in copy.cells if "injected-parameters" in notebooks.tags(c))
    assert "n = 5" in injected.source
    record = cache.load(runs[2] / "01_good.ipynb")
    assert record.parameters == {"profile": "demo", "n": 5}
    assert "helpers/words/__init__.py" in record.depends


@pytest.mark.slow
def test_a_failed_notebook_is_kept_with_its_error(runs):
    copy = notebooks.read(runs[2] / "02_bad.ipynb")
    assert notebooks.failure(copy).endswith("ValueError: the last line")
    assert any("so far" in str(c.get("outputs")) for c in copy.cells)
    assert cache.load(runs[2] / "02_bad.ipynb").error == "ValueError: the last line"


@pytest.mark.slow
def test_an_unchanged_notebook_is_not_executed_again(runs):
    _, again, _, untouched = runs
    assert again == {"01_good": None}
    assert untouched


@pytest.mark.slow
def test_no_half_written_file_is_left(runs):
    assert not [path.name for path in runs[2].iterdir() if "writing" in path.name]


def test_reuse_and_reasons_are_printed(home, monkeypatch, capsys):
    write_notebook(home / "notebooks", "01_a")
    monkeypatch.setattr(session, "_run_all", lambda tasks, jobs, manifest: {t.section: "ValueError: x" for t in tasks})
    outcomes = run_notebooks("demo", folder=home / "notebooks")
    out = capsys.readouterr().out
    assert outcomes == {"01_a": "ValueError: x"}
    assert "01_a: to execute: not executed yet" in out
    assert "FAILED 01_a: ValueError: x" in out
    assert "1 notebooks: 1 executed, 0 reused" in out


# The command line


def call(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "helpers", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def code_of(*arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    return stopped.value.code or 0


def test_errors_for_people_have_no_traceback(tmp_path):
    done = call("run", "--profile", "nonsense", BOOK_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("profile 'nonsense': expected one of")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [["run", "--surprise"], ["nonsense"], ["run", "stray"], ["run", "--jobs", "0"], ["diff", "a.json"]]
)
def test_commands_that_cannot_be_read_give_2(arguments, capsys):
    assert code_of(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_options_reach_the_run(monkeypatch):
    seen = []

    def pretend(profile, only, given, jobs):
        seen.append((profile, list(only), given, jobs))
        return {"03_shape_texture": None}

    monkeypatch.setattr("helpers.run.run_notebooks", pretend)
    options = [
        "--profile",
        "released",
        "--jobs",
        "2",
        "--only",
        "03",
        "5",
        "--models",
        "mae,vit_in1k",
        "--max-images",
        "9",
    ]
    assert code_of("run", *options) == 0
    assert seen == [("released", ["03", "5"], {"models": "mae,vit_in1k", "max_images": 9}, 2)]


def test_a_failed_notebook_gives_exit_code_1(monkeypatch):
    monkeypatch.setattr("helpers.run.run_notebooks", lambda *a: {"01_a": None, "02_b": "ValueError: x"})
    assert code_of("run") == 1


def test_fetch_names_every_failure_and_gives_1(home, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    assert code_of("fetch", "cue_conflict_decisions_vit_sup", "nonsense") == 1
    err = capsys.readouterr().err
    assert "cue_conflict_decisions_vit_sup" in err
    assert "nonsense" in err
    assert code_of("fetch") == 1
    assert code_of("fetch", "--local", "no-equals-sign") == 1


def test_plan_and_doctor_tell_what_is_missing(home, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    one = {"03_shape_texture": write_notebook(home / "notebooks", "03_shape_texture")}
    monkeypatch.setattr(notebooks, "sections", lambda folder=None: one)
    assert code_of("plan", "--profile", "released") == 0
    out = capsys.readouterr().out
    assert "03_shape_texture: not executed yet" in out
    assert "cue_conflict_decisions_vit_sup" in out
    assert code_of("doctor") == 0
    out = capsys.readouterr().out
    assert "BOOK_OFFLINE" in out
    assert "run --profile demo --only 03" in out  # the default profile's own run


def test_reading_needs_no_torch():
    """The commands of the reading path import neither torch nor what imports it."""
    heavy = "{'torch', 'timm', 'open_clip', 'torchvision'}"
    modules = "helpers.cli, helpers.run, helpers.run.stage, helpers.run.doctor, helpers.run.plan, helpers.profiles"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
