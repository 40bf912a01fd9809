"""One notebook alone: copied into an empty folder, with nothing but the built wheel, as in Colab."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = (
    "import nbformat; from nbclient import NotebookClient; from helpers.run.kernel import own_kernel\n"
    "notebook = nbformat.read('03_shape_texture.ipynb', as_version=4)\n"
    "with own_kernel(1): NotebookClient(notebook, kernel_name='python3', timeout=120).execute()\n"
    "import helpers; print(helpers.__file__)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder that holds the installed wheel and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"
    wanted = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in wanted.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder), "."]
    done = subprocess.run(build, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


@pytest.mark.slow
def test_the_wheel_carries_manifest_reference_values_and_records(site):
    for name in ("data_manifest.yaml", "book/recorded/released/03_shape_texture.json", "notebooks/01_models.ipynb"):
        assert (site / "helpers" / "_bundle" / name).is_file()
    assert (site / "helpers" / "data" / "paper_values.csv").is_file()


@pytest.mark.slow
def test_a_notebook_runs_alone_in_an_empty_folder(site, tmp_path):
    shutil.copy(ROOT / "notebooks" / "03_shape_texture.ipynb", tmp_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOOK_")}
    environment = {**kept, "PYTHONPATH": str(site), "BOOK_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1].startswith(str(site))
    record = json.loads((tmp_path / "artifacts/results/released/03_shape_texture.json").read_text())
    assert record["rows"], "the recorded rows that came with the wheel"
    assert "recorded" in record["reason"]
