"""The begin of a run: what is recorded about the machine, and what the reader is told first."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from helpers import paths

PACKAGES = ("numpy", "pandas", "scipy", "matplotlib", "pyarrow", "imagenet-x", "torch", "timm", "open_clip_torch")


@dataclass(frozen=True)
class Run:
    """One execution of one section under one profile."""

    section: str
    profile: str
    parameters: dict
    provenance: dict


def begin(section: str, profile: str, parameters: dict, seed: int, banner: str = "") -> Run:
    """Start a section: collect provenance and print versions, device and the profile banner.

    >>> begin("03_shape_texture", "released", {"n_resamples": 10}, seed=0).section  # doctest: +ELLIPSIS
    03_shape_texture ...
    '03_shape_texture'
    """
    provenance = {
        "git_commit": _git("rev-parse", "HEAD"),
        "git_dirty": _dirty(),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "device": device(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "started": now(),
        "finished": None,
        "seed": seed,
        "artifacts": {},
    }
    packages = ", ".join(f"{name} {found}" for name, found in provenance["packages"].items())
    print(f"{section} · profile: {profile}" + (f" — {banner}" if banner else ""))
    print(f"python {provenance['python']} · {provenance['device']} · {packages}")
    return Run(section, profile, dict(parameters), provenance)


def now() -> str:
    """UTC time to the second, as ISO 8601.

    >>> now().endswith("Z")
    True
    """
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def device() -> str:
    """Name of the accelerator if torch is already imported and sees one, else the processor."""
    torch = sys.modules.get("torch")  # never import torch just to print a line
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"cpu ({platform.machine()})"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    if paths.CHECKOUT is None:
        return None
    done = subprocess.run(["git", *arguments], cwd=paths.CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _dirty() -> bool | None:
    changed = _git("status", "--porcelain")
    return None if changed is None else bool(changed)
