"""What this machine has and lacks for the book, and what to do about each gap."""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from helpers import paths, results
from helpers.manifest import Artifact, load_manifest
from helpers.run import cache, notebooks, reuse
from helpers.run.banner import command

HOSTS = {  # host: (what comes from it, what to do when it does not answer and there is no mirror)
    "raw.githubusercontent.com": (
        "released predictions and label files",
        "set BOOK_MIRROR to a copy; without it the book shows the results that come with it",
    ),
    "huggingface.co": ("weights and data sets of the profile `paper`", "needed only to run the real models"),
}
_EXTRAS = {"": "base", "models": "models", "demo": "demo", "dev": "dev"}
_SMALL_DISK = 5e9


@dataclass(frozen=True)
class Finding:
    """One line: is it well (True), missing (False) or only told (None); what; what was found; what to do."""

    well: bool | None
    what: str
    found: str
    remedy: str = ""


def findings(profile: str) -> list[Finding]:
    """Everything that `doctor` tells about this machine."""
    manifest = load_manifest()
    return [
        _python(), *_packages(), *_network(), _mirror(), _disk(), _accelerator(),
        _data(profile, manifest), *_sections(profile, manifest),
    ]  # fmt: skip


def as_text(found: list[Finding]) -> str:
    """Findings as a table, then what to do.

    >>> print(as_text([Finding(False, "mirror", "not set", "set BOOK_MIRROR")]))
      --  mirror  not set
    <BLANKLINE>
    What to do:
      mirror: set BOOK_MIRROR
    """
    width = max(len(finding.what) for finding in found)
    marks = {True: "ok", False: "--", None: "  "}
    lines = [f"  {marks[f.well]}  {f.what:<{width}}  {f.found}" for f in found]
    todo = [f"  {f.what}: {f.remedy}" for f in found if f.remedy]
    return "\n".join([*lines, "", "What to do:", *todo] if todo else [*lines, "", "Nothing is missing."])


def _python() -> Finding:
    well = sys.version_info >= (3, 11)
    tested = " (tested)" if sys.version_info[:2] == (3, 11) else " (untested; 3.11 is tested)"
    found = f"{platform.python_version()}{tested if well else ''} at {sys.executable}"
    return Finding(well, "python", found, "" if well else "install Python 3.11 or newer")


def locked(text: str) -> dict[str, set[str]]:
    """{normalised name: pinned versions} of a lock file.

    >>> locked("numpy==2.4.6 ; python_full_version < '3.12'\\nopen-clip-torch==3.3.0")["open-clip-torch"]
    {'3.3.0'}
    """
    found: dict[str, set[str]] = {}
    for name, pin in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(normalised(name), set()).add(pin)
    return found


def normalised(name: str) -> str:
    """A distribution's name as registries compare it.

    >>> normalised("open_clip_torch")
    'open-clip-torch'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> dict[str, list[str]]:
    """{"base" or extra: names of the packages it asks for}, from the installed distribution."""
    try:
        texts = requires("beyond-imagenet-book") or []
    except PackageNotFoundError:
        texts = []
    found: dict[str, list[str]] = {name: [] for name in _EXTRAS.values()}
    for text in texts:
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", text)
        found.setdefault(extra.group(1) if extra else "base", []).append(cache.requirement_name(text))
    return found


def _packages() -> list[Finding]:
    path = (paths.CHECKOUT or Path()) / "lock.txt"
    pins = locked(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return [_group(extra, names, pins) for extra, names in requirements().items() if names]


def _group(extra: str, names: list[str], pins: dict[str, set[str]]) -> Finding:
    what = "packages" if extra == "base" else f"packages [{extra}]"
    missing, other = [], []
    for name in names:
        try:
            installed = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if pins and installed.partition("+")[0] not in pins.get(normalised(name), {installed}):
            other.append(f"{name} {installed}")
    if missing:
        goal = {"base": "make read", "dev": "make test"}.get(extra, "make book")
        return Finding(False, what, f"missing: {', '.join(missing)}", f"`{goal}` installs them")
    if other:
        return Finding(None, what, f"all here; not as in the lock: {', '.join(other)}")
    return Finding(True, what, f"all {len(names)} here" + (", as in the lock" if pins else ""))


def _network() -> list[Finding]:
    if paths.offline():
        return [Finding(None, "network", "switched off by BOOK_OFFLINE")]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(reuse.reachable, HOSTS))
    found = []
    for (host, (use, remedy)), answer in zip(HOSTS.items(), answers, strict=True):
        needed = not answer and not paths.mirror()
        state = True if answer else (False if needed else None)
        said = f"{'answers' if answer else 'no answer'} ({use})"
        found.append(Finding(state, f"network {host}", said, remedy if needed else ""))
    return found


def _mirror() -> Finding:
    where = paths.mirror()
    if not where:
        return Finding(None, "mirror", "BOOK_MIRROR is not set (needed only without network)")
    if where.startswith(("http://", "https://")):
        return Finding(None, "mirror", f"{where} (an address; asked when something is fetched)")
    well = Path(where).is_dir()
    return Finding(well, "mirror", where if well else f"{where}: no such folder", "" if well else "correct BOOK_MIRROR")


def _disk() -> Finding:
    place = next(path for path in (paths.artifacts(), *paths.artifacts().parents) if path.exists())
    free = shutil.disk_usage(place).free
    remedy = "" if free > _SMALL_DISK else "free some space, or set BOOK_HOME to a folder on a larger disk"
    return Finding(free > _SMALL_DISK, "disk", f"{free / 1e9:.0f} GB free at {place}", remedy)


def _accelerator() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding(None, "accelerator", "torch is not installed; reading the book and `released` need none")
    import torch  # only where it is installed, and only to ask it

    if torch.cuda.is_available():
        return Finding(True, "accelerator", torch.cuda.get_device_name(0))
    return Finding(None, "accelerator", "none seen by torch; only the profile `paper` wants one")


def _data(profile: str, manifest: dict[str, Artifact]) -> Finding:
    from helpers.fetch import where_is

    names = reuse.wanted(profile, manifest)
    places = Counter(where_is(name, manifest=manifest) for name in names)
    found = ", ".join(f"{number} {place}" for place, number in places.items()) or "nothing is read from files"
    lacking = sum(places[place] for place in ("offline", "manual", "gated", "not installed"))
    remedy = "connect to the network or set BOOK_MIRROR, then run again" if lacking else ""
    return Finding(not lacking, f"data of {profile}", f"{len(names)} files: {found}" if names else found, remedy)


def _sections(profile: str, manifest: dict[str, Artifact]) -> list[Finding]:
    found = []
    for section in notebooks.sections():
        run = cache.load(paths.executed_dir(profile) / f"{section}.ipynb")
        kept = results.recorded(section, profile)
        also = f"; recorded results of {kept.date} come with the book" if kept else ""
        if run is None:
            found.append(Finding(None, section, f"not executed{also}", f"`{command(section, profile)}`"))
        elif run.error:
            found.append(Finding(False, section, f"failed: {run.error}", f"`{command(section, profile)}`"))
        else:
            result = f", result {run.result}" if run.result else ""
            found.append(Finding(True, section, f"executed {run.finished[:10]}{result}{also}"))
    return found
